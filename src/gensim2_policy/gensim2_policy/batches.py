"""Brings samples to the network: order of training, and tensors on a device."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .chance import chance
from .network import Batch
from .windows import Samples, Windows

AHEAD = 2  # steps whose batches are made while the network learns


def training_order(
    windows: Windows, batch: int, seed: int, *, first: int = 0, rank: int = 0, processes: int = 1
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Numbers of the windows of each step, without end: what is drawn depends on the step alone.

    Every domain gives the same number of samples to a step, so that a small set of real episodes is
    not lost among simulated ones; within it, windows are drawn by their weights.

    Args:
        windows: Of the training.
        batch: Samples of a step, over all processes.
        seed: Of the training.
        first: Step to begin with.
        rank: Of this process, which gets its part of each step.
        processes: Among which a step is shared.

    Yields:
        The step, and windows of one domain; several times a step where there are several domains.
    """
    domains, weights = windows.domains(), windows.weights()
    groups = [np.flatnonzero((domains == name) & (weights > 0.0)) for name in np.unique(domains)]
    groups = [group for group in groups if len(group)]
    shares = [weights[group] / weights[group].sum() for group in groups]
    each = max(1, batch // len(groups))
    step = first
    while True:
        rng = chance("windows", seed, step)
        for group, p in zip(groups, shares, strict=True):
            drawn = rng.choice(group, each, p=p)
            yield step, drawn[rank::processes]
        step += 1


@contextmanager
def training_samples(
    windows: Windows, batch: int, seed: int, *, first: int = 0, rank: int = 0, processes: int = 1
) -> Iterator[Iterator[list[Samples]]]:
    """Augmented batches of the steps to come, of every domain one.

    They are made while others are learned from. Arguments as of `training_order`.
    """
    domains = len({*windows.domains().tolist()})
    order = training_order(windows, batch, seed, first=first, rank=rank, processes=processes)

    def make(parts: list[tuple[int, NDArray[np.int64]]]) -> list[Samples]:
        return [
            windows.batch(index, chance("augmentation", seed, step, rank, number))
            for number, (step, index) in enumerate(parts)
        ]

    def batches(pool: ThreadPoolExecutor) -> Iterator[list[Samples]]:
        ahead = [pool.submit(make, [next(order) for _ in range(domains)]) for _ in range(AHEAD)]
        while True:
            ahead.append(pool.submit(make, [next(order) for _ in range(domains)]))
            yield ahead.pop(0).result()

    with ThreadPoolExecutor(1, "loader") as pool:
        yield batches(pool)


def to_batch(samples: Samples, device: torch.device) -> tuple[Batch, Tensor, Tensor]:
    """Tensors of samples: observations, actions and which of these are valid."""

    def move(array: NDArray[np.generic] | None) -> Tensor | None:
        return None if array is None else torch.from_numpy(array).to(device, non_blocking=True)

    colours, pictures = move(samples.colours), move(samples.pictures)
    state, tcp = move(samples.state), move(samples.tcp)
    actions, valid = move(samples.actions), move(samples.valid)
    assert state is not None and actions is not None and valid is not None
    batch = Batch(
        state=state,
        tcp=tcp,
        points=move(samples.points),
        colours=None if colours is None else colours.float() / 255.0,
        pictures=None if pictures is None else pictures.permute(0, 1, 4, 2, 3).float() / 255.0,
        words=move(samples.words),
        words_seen=move(samples.words_seen),
    )
    return batch, actions, valid
