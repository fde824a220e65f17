"""The share of the loader in the CPU time of a training, on made episodes in memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from figures import BenchError, Figure, Settings, Spread, ratio

if TYPE_CHECKING:
    from gensim2_policy.demonstrations import Demonstration
    from gensim2_policy.settings import Settings as PolicySettings
    from gensim2_policy.windows import Samples, Windows
    from numpy.typing import NDArray

LOADER_BOUND = 10.0
"""Largest share of the loader, %."""
BATCHES = {"ppt-tiny": 64, "ppt-small": 16, "ppt": 8}
_FRAMES, _EPISODES, _WORDS = 120, 8, 8
_GUARD = 900.0


def measure_loader(settings: Settings) -> Iterator[Figure]:
    """Measures every preset, each in a process of its own."""
    for preset in BATCHES:
        settings.say(f"policy: loader of {preset}")
        words = [sys.executable, str(Path(__file__)), preset, str(settings.times(10, 2))]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, timeout=_GUARD)
        if done.returncode != 0:
            raise BenchError(f"{Path(__file__).name} {preset} failed, see above")
        shares = Spread([float(word) for word in done.stdout.split()])
        yield Figure(f"policy.loader.{preset}", f"{preset}, share of the loader in CPU time",
                     shares.median, "%", LOADER_BOUND, len(shares.values))  # fmt: skip


def make_demonstration(number: int, settings: PolicySettings) -> Demonstration:
    """An episode of noise, of the shapes that are stored."""
    from gensim2_policy.demonstrations import Demonstration

    rng, points = np.random.default_rng(number), settings.observation.points
    pose = np.concatenate([rng.normal(size=(_FRAMES, 3)), np.tile([0, 0, 0, 1.0], (_FRAMES, 1))], 1)
    q, finger = rng.normal(size=(_FRAMES, 7)), rng.uniform(0.0, 0.04, _FRAMES)
    return Demonstration(
        f"made/{number}", "OpenBox", "open the box", f"box_{number}", "sim", 1.0,
        pose, q, finger, pose, q, finger,
        rng.normal(size=(_FRAMES, points, 3)).astype(np.float32),
        rng.integers(0, 255, (_FRAMES, points, 3), dtype=np.uint8),
    )  # fmt: skip


def _load(
    windows: Windows, index: NDArray[np.int64], rng: np.random.Generator, samples: list[Samples]
) -> None:
    samples.append(windows.batch(index, rng))


def shares_of(preset: str, steps: int) -> list[float]:
    """Shares of making a batch in making it and learning from it, %."""
    import torch
    from gensim2_policy.language import WIDTH, InstructionEncoder, Words
    from gensim2_policy.learner import Learner
    from gensim2_policy.settings import make_settings
    from gensim2_policy.windows import Windows
    from policy_contests import cpu_ms

    class Known(InstructionEncoder):
        """Knows every instruction, as after the first epoch."""

        def encode(self, instruction: str) -> Words:
            return np.ones((_WORDS, WIDTH), np.float32)

    torch.set_num_threads(1)
    settings = make_settings(preset, [f"train.batch={BATCHES[preset]}"])
    made = [make_demonstration(number, settings) for number in range(_EPISODES)]
    windows, learner = Windows(made, settings, Known()), Learner(settings, torch.device("cpu"))
    rng, shares = np.random.default_rng(0), []
    for _ in range(steps):
        index = rng.integers(len(windows), size=settings.train.batch)
        samples: list[Samples] = []
        loading = cpu_ms(partial(_load, windows, index, rng, samples))
        learning = cpu_ms(partial(learner.learn, samples))
        shares.append(100.0 * ratio(loading, loading + learning))
    return shares[1:]  # the first step makes what is kept


if __name__ == "__main__":
    print(*shares_of(sys.argv[1], int(sys.argv[2])))
