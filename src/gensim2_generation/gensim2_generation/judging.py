"""What it takes to be accepted, and who says so."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from .candidate import Candidate
from .verdict import Verdict


@dataclass(frozen=True)
class VerifyConfig:
    """How a candidate is judged.

    Attributes:
        episodes: Scenes in which the expert performs it.
        share: Of them that have to succeed and hold.
        controls: Scenes of each control.
        seed: Of the first scene.
    """

    episodes: int = 5
    share: float = 0.8
    controls: int = 2
    seed: int = 700_000

    @property
    def spare(self) -> int:
        """Episodes that may fail."""
        return math.floor(self.episodes * (1.0 - self.share) + 1e-9)


class Verifier(Protocol):
    """Judges candidates."""

    def verify(self, candidate: Candidate) -> Verdict:
        """Runs a candidate."""
