"""A task in the making: what the stages have answered so far, free of the types of the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .candidate import Document

OPEN, CLOSED = "open", "closed"


@dataclass(frozen=True)
class Move:
    """A step that moves the joint of an object towards `OPEN` or `CLOSED`."""

    name: str
    object: str
    towards: str


@dataclass(frozen=True)
class Carry:
    """A step that picks a thing up and puts it inside, on_top or under a target."""

    object: str
    target: str
    region: str


Step = Move | Carry


@dataclass(frozen=True)
class Way:
    """One way to carry out a move.

    Attributes:
        reuse: Known solver configuration whose constraints, gripper and pre-motions are taken;
            empty = the following are.
        gripper: open, closed or grasp.
        constraints: As a solver document has them.
        pre: Motions as a solver document has them; none in a way that reuses a solver.
        post: The same; None = not said yet.
    """

    reuse: str = ""
    gripper: str = "open"
    constraints: tuple[Document, ...] = ()
    pre: tuple[object, ...] = ()
    post: tuple[object, ...] | None = None


@dataclass(frozen=True)
class Draft:
    """See the module.

    Attributes:
        name: Of the task.
        instruction: Of the task.
        objects: Category by name, in order.
        steps: What is done.
        places: Where the objects stand, in their order, as a task document has them.
        ways: Of each move, by its name.
        done: Predicates of each move, by its name.
        success: Predicates of the task.
    """

    name: str
    instruction: str
    objects: Mapping[str, str]
    steps: tuple[Step, ...] = ()
    places: tuple[Document, ...] = ()
    ways: Mapping[str, tuple[Way, ...]] = field(default_factory=dict)
    done: Mapping[str, tuple[Document, ...]] = field(default_factory=dict)
    success: tuple[Document, ...] = ()

    @property
    def moves(self) -> tuple[Move, ...]:
        """Steps that move a joint."""
        return tuple(s for s in self.steps if isinstance(s, Move))

    def needs(self, step: Move) -> tuple[Carry, ...]:
        """Carries into the object of a move that come before it and must have held."""
        before = self.steps[: self.steps.index(step)]
        return tuple(s for s in before if isinstance(s, Carry) and s.target == step.object)

    def opened(self, step: Carry) -> Move | None:
        """The last move of the target of a carry before it."""
        before = self.steps[: self.steps.index(step)]
        found = [s for s in before if isinstance(s, Move) and s.object == step.target]
        return found[-1] if found else None

    def problem(self) -> str:
        """What is wrong with steps and objects; empty = nothing."""
        names = [s.name for s in self.moves]
        if len({*names}) != len(names):
            return f"two steps have the same name: {', '.join(names)}"
        carried = [s.object for s in self.steps if isinstance(s, Carry)]
        if len({*carried}) != len(carried):
            return "one thing is carried twice"
        for step in self.steps:
            if isinstance(step, Carry) and step.object == step.target:
                return f"{step.object} cannot be put {step.region} itself"
        used = {s.object for s in self.steps} | {
            s.target for s in self.steps if isinstance(s, Carry)
        }
        unused = [name for name in self.objects if name not in used]
        if unused:
            return f"no step has to do with {', '.join(unused)}; leave it out or use it"
        return ""
