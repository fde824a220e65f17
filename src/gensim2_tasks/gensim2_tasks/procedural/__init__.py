"""Seeded generators of articulated objects.

`generate("box_rotate", 7, folder)` writes a PartNet-Mobility style folder that the importer of
downloaded objects reads. The same category and seed give the same bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gensim2_tasks.procedural import (
    bag,
    box,
    bucket,
    carton,
    door,
    drawer,
    faucet,
    household,
    laptop,
    loose,
    microwave,
    oven,
    refrigerator,
    safe,
    suitcase,
    toaster,
)
from gensim2_tasks.procedural.folder import Model, write_folder

__all__ = ["categories", "generate", "make_model"]

_GENERATORS: dict[str, Callable[[np.random.Generator], Model]] = {
    "bag_move": loose.generate_bag,
    "bag_swing": bag.generate_model,
    "box_move": carton.generate_model,
    "box_rotate": box.generate_model,
    "bucket_lift": loose.generate_bucket,
    "bucket_swing": bucket.generate_model,
    "door": door.generate_model,
    "drawer": drawer.generate_model,
    "faucet": faucet.generate_model,
    "laptop_rotate": laptop.generate_model,
    "microwave": microwave.generate_model,
    "oven": oven.generate_model,
    "refrigerator": refrigerator.generate_model,
    "safe_rotate": safe.generate_model,
    "suitcase_move": loose.generate_suitcase,
    "suitcase_rotate": suitcase.generate_model,
    "toaster_move": loose.generate_toaster,
    "toaster_press": toaster.generate_model,
    **household.GENERATORS,
}


def categories() -> tuple[str, ...]:
    """Return the categories that can be generated, sorted."""
    return tuple(sorted(_GENERATORS))


def make_model(category: str, seed: int) -> Model:
    """Make the object of a category and seed in memory.

    Args:
        category: one of `categories()`.
        seed: any integer >= 0.

    Raises:
        ValueError: unknown category or negative seed.
    """
    if category not in _GENERATORS:
        raise ValueError(
            f"no procedural generator for category '{category}'; "
            f"choose one of: {', '.join(categories())}"
        )
    if seed < 0:
        raise ValueError(f"seed of a generated {category} must be 0 or greater, got {seed}")
    # The category is mixed in, so that seed 3 of two categories is not the same stream.
    rng = np.random.default_rng([zlib.crc32(category.encode()), seed])
    return _GENERATORS[category](rng)


def generate(category: str, seed: int, folder: Path) -> None:
    """Write the object of a category and seed as `mobility.urdf`, `info.json` and `meshes/`.

    Args:
        category: one of `categories()`.
        seed: any integer >= 0; each gives another geometry.
        folder: made if missing; files of an earlier call are overwritten.

    Raises:
        ValueError: unknown category or negative seed.
        OSError: the folder cannot be written.
    """
    write_folder(make_model(category, seed), Path(folder), category=category, seed=seed)
