"""Which assets are for training and which for testing, so that nothing is tested on what it saw."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal, get_args

# ``all`` is what there is, without regard to what it is for.
Split = Literal["all", "train", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
ALL: Split = "all"
TEST_SHARE = 0.2
SEEDS = 2**31
# Seeds of generated assets from here on are for testing. What people type is below, for training.
FIRST_TEST_SEED = int(SEEDS * (1.0 - TEST_SHARE))


def seed_range(split: Split) -> tuple[int, int]:
    """The seeds of generated assets of a split: the first, and one after the last."""
    return {"all": (0, SEEDS), "train": (0, FIRST_TEST_SEED), "test": (FIRST_TEST_SEED, SEEDS)}[
        split
    ]


def of_split(category: str, keys: Sequence[str], split: Split) -> list[str]:
    """Those of the imported ids of a category that are in a split, in the given order.

    An id goes by its hash, so that others that come or go do not move it. Where there are two or
    more, each of both splits has at least one; a single one is for training.
    """
    if split == ALL:
        return list(keys)
    ranked = sorted(keys, key=lambda key: _share(category, key))
    test = sum(_share(category, key) < TEST_SHARE for key in keys)
    least = 1 if len(keys) > 1 else 0
    chosen = {*ranked[: min(max(test, least), max(len(keys) - 1, 0))]}
    return [key for key in keys if (key in chosen) == (split == "test")]


def _share(category: str, key: str) -> float:
    """A number in [0, 1) that follows from the name alone."""
    digest = hashlib.sha256(f"{category}/{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2.0**64
