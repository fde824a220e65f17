"""Trains and runs a policy of this project on one core, as `policy_speed` asks for."""

from __future__ import annotations

import numpy as np
import torch
from gensim2_policy.batches import to_batch
from gensim2_policy.learner import Learner
from gensim2_policy.settings import Settings, make_settings
from gensim2_policy.windows import Samples
from numpy.typing import NDArray
from policy_contests import ACTIONS, HORIZON, STATE, Contest, Entrant, serve

from gensim2_policy import features

_WORDS = 8
_SPREAD = 0.3  # m


class Ours:
    """A policy of this project, as `Entrant` says; it learns as in a training.

    Args:
        contest: Which.
    """

    def __init__(self, contest: Contest) -> None:
        settings = make_settings(contest.preset, contest.overrides)
        action = settings.action
        found = (features.STATE, action.width, action.horizon)
        if found != (STATE, ACTIONS, HORIZON):
            raise ValueError(f"{contest.preset} has {found} numbers and steps")
        device = torch.device("cpu")
        self._learner = Learner(settings, device)
        self._samples = [draw(settings, contest.batch)]
        self._batch = to_batch(draw(settings, 1), device)[0]
        self._noise = torch.randn(1, HORIZON, ACTIONS)
        self.parameters = sum(p.numel() for p in self._learner.network.parameters())
        self.used = self.parameters

    def train(self) -> None:
        """One step of training, the optimiser's too."""
        self._learner.network.train()
        self._learner.learn(self._samples)

    def act(self) -> None:
        """One chunk of one observation."""
        self._learner.network.eval()
        with torch.inference_mode():
            self._learner.network.act(self._batch, "sim", self._noise)


def draw(settings: Settings, count: int) -> Samples:
    """Draws samples of the shapes that a policy learns from."""
    rng, seen = np.random.default_rng(0), settings.observation
    clouds, words = seen.cloud_steps, settings.model.language != "none"

    def normal(*shape: int, spread: float = 1.0) -> NDArray[np.float32]:
        return np.float32(spread) * rng.standard_normal(shape, dtype=np.float32)

    return Samples(
        domain="sim",
        state=normal(count, seen.state_steps, STATE),
        tcp=normal(count, max(clouds, 1), 3, spread=_SPREAD),
        points=normal(count, clouds, seen.points, 3, spread=_SPREAD) if clouds else None,
        colours=None,
        pictures=None,
        words=normal(count, _WORDS, settings.model.language_width) if words else None,
        words_seen=np.ones((count, _WORDS), bool) if words else None,
        actions=normal(count, HORIZON, ACTIONS),
        valid=np.ones((count, HORIZON), bool),
    )


def make(contest: Contest, parameters: int, steps: int) -> Entrant:
    """Makes ours, which is as large as its preset says."""
    return Ours(contest)


if __name__ == "__main__":
    torch.set_num_threads(1)
    serve(make)
