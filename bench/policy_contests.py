"""What `policy_speed` compares, and how its workers are talked to.

Only the standard library is imported: the worker of LeRobot runs in an environment of its own.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

VECTOR = 64
"""Numbers that stand for the objects where LeRobot sees no picture; it has no encoder of clouds."""
PICTURE = (240, 320)
"""Height and width of the picture that LeRobot sees elsewhere."""
STATE, ACTIONS, HORIZON = 17, 17, 16
"""Numbers of a state and of an action, and steps of a chunk, of both."""
_MS = 1000.0


@dataclass(frozen=True)
class Contest:
    """Two policies of one size.

    Attributes:
        key: Its name.
        preset: Of ours.
        overrides: Of the preset.
        rival: Of LeRobot: ``act`` or ``diffusion``.
        picture: Whether LeRobot sees a picture, and not a vector.
        alike: Whether both see as much: only then ours must not be slower.
        batch: Samples of a training step.
        latency: Promised CPU time of our chunk, ms; 0 = none.
    """

    key: str
    preset: str
    overrides: tuple[str, ...]
    rival: str
    picture: bool
    alike: bool
    batch: int
    latency: float = 0.0

    @staticmethod
    def read(plain: dict[str, Any]) -> Contest:
        """Reads what `asdict` wrote."""
        return Contest(**{**plain, "overrides": tuple(plain["overrides"])})


_BARE = ("observation.cloud_steps=0", "model.language=none")
_DECODER = ("model.head.kind=decoder",)
_TINY, _PPT = "ppt-tiny", "ppt"
CONTESTS = (
    Contest("ppt.diffusion", _PPT, (), "diffusion", True, True, 8, 400.0),
    Contest("ppt.act", _PPT, _DECODER, "act", True, True, 8),
    Contest("ppt.bare.diffusion", _PPT, _BARE, "diffusion", False, True, 64),
    Contest("ppt.bare.act", _PPT, (*_BARE, *_DECODER), "act", False, True, 64),
    Contest("tiny.bare.diffusion", _TINY, _BARE, "diffusion", False, True, 64),
    Contest("tiny.bare.act", _TINY, (*_BARE, *_DECODER), "act", False, True, 64),
    Contest("tiny.diffusion", _TINY, (), "diffusion", False, False, 64, 30.0),
    Contest("tiny.act", _TINY, _DECODER, "act", False, False, 64),
)
"""Ours says chunks as its rival does: by steps of flow or diffusion, or at once by the decoder."""


class Entrant(Protocol):
    """A policy that is measured."""

    parameters: int
    """Numbers that are trained."""
    used: int
    """Those of them that a chunk needs."""

    def train(self) -> None:
        """One step of training, the optimiser's too."""

    def act(self) -> None:
        """One chunk of one observation."""


Make = Callable[[Contest, int, int], Entrant]
"""Makes the policy of a contest: of about so many parameters (0 = its own), in so many steps."""


def cpu_ms(work: Callable[[], object]) -> float:
    """CPU time of all threads of this process, ms."""
    began = time.process_time()
    work()
    return _MS * (time.process_time() - began)


def serve(make: Make) -> None:
    """Answers the questions of `policy_speed`, a line of JSON each, until there are no more."""
    # One core, so that the CPU time of threads that only wait for each other does not count.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    entrant: Entrant | None = None
    # What libraries print does not mix with the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        question = json.loads(line)
        if question["do"] == "open":
            entrant = None  # before the next one takes its memory
            contest = Contest.read(question["contest"])
            entrant = make(contest, question["parameters"], question["steps"])
            answer: Any = [entrant.parameters, entrant.used]
        elif entrant is None:
            raise RuntimeError("no contest is open")
        else:
            work = {"train": entrant.train, "act": entrant.act}[question["do"]]
            answer = [cpu_ms(work) for _ in range(question["times"])]
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def opening(contest: Contest, parameters: int, steps: int) -> dict[str, Any]:
    """The question that opens a contest; see `Make`."""
    return {"do": "open", "contest": asdict(contest), "parameters": parameters, "steps": steps}
