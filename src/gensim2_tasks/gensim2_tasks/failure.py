"""What went wrong where a task, or one try at a part of it, has failed."""

from __future__ import annotations

from enum import Enum


class FailureKind(str, Enum):
    """Kinds of failures; the values are those of the messages and of the record.

    Attributes:
        UNREACHABLE: The arm cannot get where it would have to be.
        COLLISION: Something is in the way: no free path was found, or a free motion has hit it.
        NO_PLAN: There is no plan for another reason.
        SLIPPED: What had been grasped is not held any more, and not where it should go.
        KNOCKED_OVER: An object has been tipped over.
        NOT_ACHIEVED: Everything was done as planned, and the goal is not met.
        TIMED_OUT: The time was over.
        STOPPED: The robot was stopped, refuses or does not answer.
        NO_NEWS: Nothing new was heard of the scene or the robot.
        CANCELED: Somebody wanted it to end.
        INTERNAL: An error of the software.
    """

    UNREACHABLE = "unreachable"
    COLLISION = "collision"
    NO_PLAN = "no_plan"
    SLIPPED = "slipped"
    KNOCKED_OVER = "knocked_over"
    NOT_ACHIEVED = "not_achieved"
    TIMED_OUT = "timed_out"
    STOPPED = "stopped"
    NO_NEWS = "no_news"
    CANCELED = "canceled"
    INTERNAL = "internal"

    def __str__(self) -> str:
        return self.value
