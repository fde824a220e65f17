"""Pictures that go with a question, for models that see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gensim2_tasks.specs import TaskSpec

from .answers import plain
from .candidate import Candidate

CAPTIONS = "\nPictures, in order:"
LONGEST = 500  # characters of a caption


class PictureError(RuntimeError):
    """There is no picture: nothing to render on, or nothing to be seen; says why."""


@dataclass(frozen=True)
class Shown:
    """A picture for a question: a PNG file, and what is in it in words."""

    png: bytes
    caption: str


class Pictures(Protocol):
    """Shows scenes to models that see; see `pictures.Renderer`."""

    def scene(self, task: TaskSpec) -> Sequence[Shown]:
        """A scene of a task, and the frame and keypoints of its first object.

        Raises:
            PictureError: There is none.
        """

    def gripper(self) -> Sequence[Shown]:
        """The hand with its axes and keypoints.

        Raises:
            PictureError: There is none.
        """

    def motion(self, candidate: Candidate, subtask: str) -> Sequence[Shown]:
        """The planned motion of a sub-task (empty = the first that is planned for).

        Raises:
            PictureError: There is none.
        """


def with_captions(question: str, shown: Sequence[Shown]) -> str:
    """A question, and at its end a line for each of its pictures."""
    if not shown:
        return question
    lines = [f"{number}. {plain(s.caption, LONGEST)}" for number, s in enumerate(shown, start=1)]
    return "\n".join([question, CAPTIONS, *lines])


def without_captions(question: str) -> str:
    """The question alone."""
    return question.partition(CAPTIONS)[0].removesuffix("\n")


def images_of(shown: Sequence[Shown]) -> tuple[bytes, ...]:
    """The files of pictures."""
    return tuple(s.png for s in shown)
