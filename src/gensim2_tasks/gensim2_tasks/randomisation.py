"""What may differ from scene to scene beside which objects stand where: physics, looks, sensing.

Everything is off unless a task file or whoever runs the simulation asks for it. What is drawn is in
`conditions`, and what stands about in `clutter`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from .splits import ALL, SPLITS, Split

Kind = Literal["mass", "friction", "damping", "lights", "textures", "cameras", "depth"]
KINDS: tuple[Kind, ...] = get_args(Kind)
TASK, EVERYTHING, NOTHING = "task", "all", "none"
SWITCHES = (TASK, EVERYTHING, NOTHING, *KINDS)
MOST_CLUTTER = 12


class RandomisationError(ValueError):
    """A switch that does not exist; says which there are."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Range(_Strict):
    """A number that is drawn between two; the unit is that of who uses it."""

    low: Annotated[float, Field(ge=0.0, le=1000.0)]
    high: Annotated[float, Field(ge=0.0, le=1000.0)]

    @model_validator(mode="after")
    def _is_a_range(self) -> Range:
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")
        return self

    def draw(self, rng: np.random.Generator) -> float:
        """A number of the range."""
        return float(rng.uniform(self.low, self.high))


class Joints(_Strict):
    """Of the moving joints: a factor of their friction, and damping that is added.

    The unit of the damping is N m s/rad of a hinge and N s/m of a slide.
    """

    friction: Range = Range(low=0.85, high=1.3)
    damping: Range = Range(low=0.0, high=0.1)


class Lights(_Strict):
    """Factor of all intensities; how far (rad) lamps are turned; how far they are from white."""

    intensity: Range = Range(low=0.6, high=1.4)
    turn: Annotated[float, Field(ge=0.0, le=1.2)] = 0.6
    tint: Annotated[float, Field(ge=0.0, le=0.5)] = 0.15


class Textures(_Strict):
    """How far colours of objects go from their own, and whether the table has a pattern."""

    tint: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    pattern: bool = True


class Cameras(_Strict):
    """How far a camera is from where its calibration says: m along and rad about each axis."""

    distance: Annotated[float, Field(ge=0.0, le=0.2)] = 0.005
    angle: Annotated[float, Field(ge=0.0, le=0.3)] = 0.01


class Count(_Strict):
    """A whole number of things, both ends included."""

    low: Annotated[int, Field(ge=0, le=MOST_CLUTTER)]
    high: Annotated[int, Field(ge=0, le=MOST_CLUTTER)]

    @model_validator(mode="after")
    def _is_a_range(self) -> Count:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self


class Randomisation(_Strict):
    """What differs, and by how much; None = it does not. As ``randomise`` of a task file says it.

    Attributes:
        mass: Factor of the mass of an object.
        friction: Factor of the friction of its surfaces.
        damping: Friction and damping of its joint.
        lights: Of the scene.
        textures: Colours of objects and table.
        cameras: Where the cameras are instead of where they are calibrated to be.
        depth: Scale of the noise of depth pictures; 1 is that of a D435, see `depth_noise`.
        clutter: How many things stand about that have nothing to do with the task.
    """

    mass: Range | None = None
    friction: Range | None = None
    damping: Joints | None = None
    lights: Lights | None = None
    textures: Textures | None = None
    cameras: Cameras | None = None
    depth: Range | None = None
    clutter: Count | None = None


USUAL = Randomisation(
    mass=Range(low=0.75, high=1.25),
    friction=Range(low=0.75, high=1.25),
    damping=Joints(),
    lights=Lights(),
    textures=Textures(),
    cameras=Cameras(),
    depth=Range(low=0.5, high=1.5),
)
"""The ranges of what is switched on where the task file gives none."""


@dataclass(frozen=True)
class Variation:
    """What whoever runs the simulation asks for, whatever the task.

    Attributes:
        randomise: `task` for what the task file says, `all`, `none`, or the kinds that are on.
        clutter: How many things stand about; -1 = as the task file says.
        split: Which assets may be drawn.

    Raises:
        RandomisationError: There is no such kind, or the number makes no sense.
    """

    randomise: tuple[str, ...] = (TASK,)
    clutter: int = -1
    split: Split = ALL

    def __post_init__(self) -> None:
        for name in self.randomise:
            if name not in SWITCHES:
                near = difflib.get_close_matches(name[:100], SWITCHES, 1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise RandomisationError(
                    f"randomise: unknown {name[:100]!r}; {hint}known: {', '.join(SWITCHES)}"
                )
        if len(self.randomise) != 1 and not {*self.randomise} <= {*KINDS}:
            raise RandomisationError(f"randomise: {', '.join(SWITCHES[:3])} stand alone")
        if not self.randomise:
            raise RandomisationError(f"randomise: nothing is given; none is {NOTHING!r}")
        if not -1 <= self.clutter <= MOST_CLUTTER:
            raise RandomisationError(f"clutter {self.clutter}: expected -1 to {MOST_CLUTTER}")

    @classmethod
    def parse(cls, randomise: str, clutter: int = -1, split: Split = ALL) -> Variation:
        """As `mass,friction` says it.

        Raises:
            RandomisationError: See the class.
        """
        names = tuple(name.strip() for name in randomise.split(",") if name.strip())
        return cls(names, clutter, split)

    def of_task(self, own: Randomisation) -> Randomisation:
        """What differs in a task whose file says ``own``."""
        wanted = dict(own)
        if self.randomise != (TASK,):
            on = KINDS if EVERYTHING in self.randomise else self.randomise
            wanted |= {k: (wanted[k] or getattr(USUAL, k)) if k in on else None for k in KINDS}
        if self.clutter >= 0:
            wanted["clutter"] = Count(low=self.clutter, high=self.clutter)
        return Randomisation(**wanted)

    def record(self) -> dict[str, Any]:
        """For the manifest; `recorded` is the way back."""
        return {"randomise": list(self.randomise), "clutter": self.clutter, "split": self.split}

    @classmethod
    def recorded(cls, parameters: Mapping[str, Any]) -> Variation:
        """What a manifest says that was asked for; the usual where it does not say.

        Raises:
            RandomisationError: It cannot be understood.
        """
        names, clutter = parameters.get("randomise", [TASK]), parameters.get("clutter", -1)
        wanted = parameters.get("split", ALL)
        split = next((s for s in SPLITS if s == wanted), None)
        if split is None:
            raise RandomisationError(f"unknown split {str(wanted)[:100]!r}")
        if not isinstance(names, list) or not isinstance(clutter, int):
            raise RandomisationError("randomise is no list, or clutter no number")
        return cls(tuple(map(str, names)), clutter, split)


AS_THE_TASK_SAYS = Variation()
