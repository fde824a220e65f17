"""kPAM solver configurations: the YAML of the public GenSim2, typed and validated.

The public files load unchanged. Three things are ours: the motion ``[follow_joint, openness]``,
which moves the contact point along the object's own joint (a screw) to the given openness, where
fixed translations fail on large openings; ``gripper``, what the fingers do; and ``settle_time``,
how long the hand waits at the end.
"""

from __future__ import annotations

import functools
import math
import reprlib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import numpy as np
from gensim2_tasks.strict_yaml import YamlError, load_yaml
from gensim2_tasks.task_library import SOLVERS, library_file, library_names
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from .tool import TOOL_KEYPOINTS

Vector = tuple[float, float, float]
Tolerance = Annotated[float, Field(gt=0.0, le=1.0)]
TRANSLATIONS = ("translate_x", "translate_y", "translate_z")
# Named motions of GenSim2: displacement in base, m.
NAMED_MOTIONS: dict[str, Vector] = {
    "move-up": (0.0, 0.0, 0.06),
    "move-down": (0.0, 0.0, -0.06),
    "move-left": (0.0, 0.08, 0.0),
    "move-right": (0.0, -0.08, 0.0),
    "move-forward": (0.10, 0.0, 0.0),
    "move-backward": (-0.10, 0.0, 0.0),
}
# Largest value of a motion: m, rad, openness. Beyond it a file is mistaken, not daring.
MOTION_LIMITS = {**dict.fromkeys(TRANSLATIONS, 2.0), "rotate": 2.0 * math.pi, "follow_joint": 1.0}
# A slip in one public file; its reader took every unknown frame for the base frame.
FRAME_ALIASES = {"frame_axis_parallel": "world"}

MOST_ENTRIES = 16  # of constraints, and of motions
LARGEST_FILE = 100_000  # bytes; the largest known one has 3 kB
# What is said of a file that has nothing right.
MOST_MISTAKES, LONGEST_TEXT = 10, 600


class SolverConfigError(ValueError):
    """A solver configuration is unknown or invalid; says file, entry and allowed values."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _tool_name(name: str) -> str:
    if name not in TOOL_KEYPOINTS:
        raise ValueError(f"unknown tool keypoint {name!r}; allowed: {', '.join(TOOL_KEYPOINTS)}")
    return name


class PointConstraint(_Strict):
    """A tool keypoint within a box of +-tolerance (m) around an object keypoint, axes of base."""

    type: Literal["point2point_constraint"]
    keypoint_name: str
    target_keypoint_name: str
    tolerance: Tolerance
    name: str = ""

    _check = field_validator("keypoint_name")(_tool_name)


class _AxisConstraint(_Strict):
    axis_from_keypoint_name: str
    axis_to_keypoint_name: str
    target_inner_product: float = Field(ge=-1.0, le=1.0)
    tolerance: Tolerance
    name: str = ""

    _check = field_validator("axis_from_keypoint_name", "axis_to_keypoint_name")(_tool_name)

    @model_validator(mode="after")
    def _not_zero(self) -> _AxisConstraint:
        if self.axis_from_keypoint_name == self.axis_to_keypoint_name:
            raise ValueError("the axis goes from a keypoint to itself")
        return self

    @property
    def angle_range(self) -> tuple[float, float]:
        """Allowed angle between tool axis and target axis, rad."""
        angle = float(np.arccos(self.target_inner_product))
        return max(0.0, angle - self.tolerance), min(np.pi, angle + self.tolerance)


class FrameAxisConstraint(_AxisConstraint):
    """Angle between a tool axis and an axis of base ("world") or of the moving part ("object")."""

    type: Literal["frame_axis_parallel", "frame_axis_orthogonal"]
    target_axis: Vector
    target_axis_frame: Literal["world", "object"]

    @field_validator("target_axis_frame", mode="before")
    @classmethod
    def _alias(cls, value: Any) -> Any:
        return FRAME_ALIASES.get(value, value) if isinstance(value, str) else value

    @field_validator("target_axis")
    @classmethod
    def _unit(cls, value: Vector) -> Vector:
        norm = math.hypot(*value)
        if not 1e-6 < norm < 1e6:
            raise ValueError(f"the axis has no direction: its length is {norm:g}")
        return (value[0] / norm, value[1] / norm, value[2] / norm)


class KeypointAxisConstraint(_AxisConstraint):
    """Angle between a tool axis and the axis between two object keypoints."""

    type: Literal["keypoint_axis_parallel", "keypoint_axis_orthogonal"]
    target_axis_from_keypoint_name: str
    target_axis_to_keypoint_name: str


Constraint = Annotated[
    PointConstraint | FrameAxisConstraint | KeypointAxisConstraint, Field(discriminator="type")
]


class Motion(_Strict):
    """One motion.

    ``translate_x|y|z`` (m, tool frame), ``rotate`` (rad, about the object's axis), a named motion
    (base frame), or ``follow_joint`` (to an openness).
    """

    kind: str
    value: float = 0.0


def _motion(entry: Any, allowed: tuple[str, ...]) -> Motion:
    if isinstance(entry, str):
        kind, value = entry, None
    elif isinstance(entry, list | tuple) and len(entry) == 2 and isinstance(entry[0], str):
        kind, value = entry
    else:
        raise ValueError(f"expected a name or [name, value], found {reprlib.repr(entry)}")
    if kind not in allowed:
        raise ValueError(f"unknown motion {kind[:40]!r}; allowed: {', '.join(allowed)}")
    if kind in NAMED_MOTIONS:
        if value is not None:
            raise ValueError(f"motion {kind!r} takes no value")
        return Motion(kind=kind)
    limit = MOTION_LIMITS[kind]
    low = 0.0 if kind == "follow_joint" else -limit
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is None or not number or not low <= value <= limit:
        raise ValueError(
            f"motion {kind!r} needs a number from {low:.4g} to {limit:.4g}: [{kind}, number]; "
            f"found {reprlib.repr(value)}"
        )
    return Motion(kind=kind, value=float(value))


def _motions(value: Any, allowed: tuple[str, ...]) -> list[Motion]:
    if value is None:  # How YAML reads an entry with nothing behind it.
        return []
    if not isinstance(value, list | tuple):
        raise ValueError(f"expected a list of motions, found {reprlib.repr(value)}")
    return [_motion(entry, allowed) for entry in value]


class SolverConfig(_Strict):
    """How one manipulation is done: constraints of the actuation pose and motions around it."""

    task_name: str
    category_name: Literal["Articulated", "RigidBody"]
    tool_keypoint_name_list: tuple[str, ...] = ()
    object_keypoint_name_list: tuple[str, ...] = ()
    constraint_list: tuple[Constraint, ...] = Field(min_length=1, max_length=MOST_ENTRIES)
    pre_actuation_motions: tuple[Motion, ...] = Field(default=(), max_length=MOST_ENTRIES)
    post_actuation_motions: tuple[Motion, ...] = Field(default=(), max_length=MOST_ENTRIES)
    # Ours: what the fingers do. GenSim2 always works with open ones.
    gripper: Literal["open", "closed", "grasp"] = "open"
    # Ours: least time to hold the pose at the end, s. What swings on by itself needs more of it
    # than what stops with the hand.
    settle_time: float = Field(0.0, ge=0.0, le=60.0)
    # GenSim2's time stamps. Read, so that its files load; trajectories are timed by limits instead.
    actuation_time: float | None = None
    pre_actuation_times: tuple[float, ...] = ()
    post_actuation_times: tuple[float, ...] = ()

    @field_validator("pre_actuation_motions", mode="before")
    @classmethod
    def _pre(cls, value: Any) -> Any:
        return _motions(value, (*TRANSLATIONS, "rotate"))

    @field_validator("post_actuation_motions", mode="before")
    @classmethod
    def _post(cls, value: Any) -> Any:
        found = _motions(value, (*TRANSLATIONS, "rotate", "follow_joint", *NAMED_MOTIONS))
        if len(found) > 1 and any(motion.kind == "follow_joint" for motion in found):
            raise ValueError("follow_joint must be the only post-motion")
        return found

    @field_validator("pre_actuation_times", "post_actuation_times", mode="before")
    @classmethod
    def _times(cls, value: Any) -> Any:
        return () if value is None else value

    @model_validator(mode="after")
    def _has_position(self) -> SolverConfig:
        if not any(isinstance(c, PointConstraint) for c in self.constraint_list):
            raise ValueError("constraint_list needs a point2point_constraint")
        return self

    def document(self) -> dict[str, Any]:
        """What a file of it says."""
        plain = self.model_dump(mode="json", exclude_defaults=True)
        for name in ("pre_actuation_motions", "post_actuation_motions"):
            if name in plain:
                plain[name] = [
                    m.kind if m.kind in NAMED_MOTIONS else [m.kind, m.value]
                    for m in getattr(self, name)
                ]
        return plain

    def object_keypoints(self) -> set[str]:
        """Names of the object keypoints that the constraints refer to."""
        names: set[str] = set()
        for c in self.constraint_list:
            if isinstance(c, PointConstraint):
                names.add(c.target_keypoint_name)
            elif isinstance(c, KeypointAxisConstraint):
                names |= {c.target_axis_from_keypoint_name, c.target_axis_to_keypoint_name}
        return names


def parse_solver(text: str, where: str) -> SolverConfig:
    """Parses a solver configuration.

    Raises:
        SolverConfigError: Not YAML, a key given twice, or invalid; names ``where``, the entry and
            allowed values.
    """
    try:
        document = load_yaml(text)
    except YamlError as error:
        raise SolverConfigError(f"{where}: {_clip(str(error))}") from None
    if not isinstance(document, dict):
        raise SolverConfigError(f"{where}: expected a mapping at the top level")
    try:
        return SolverConfig.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_input=False)
        said = [_clip(_explain(e)) for e in found[:MOST_MISTAKES]]
        if len(found) > MOST_MISTAKES:
            said.append(f"and {len(found) - MOST_MISTAKES} more")
        raise SolverConfigError(f"{where}: {'; '.join(said)}") from None


def _clip(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}..."


def _explain(error: Mapping[str, Any]) -> str:
    entry = ".".join(str(part)[:60] for part in error["loc"]) or "document"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        # The last model on the way is the constraint, named by its type, or the document itself.
        model = next((_MODELS[p] for p in error["loc"][:-1] if p in _MODELS), SolverConfig)
        message = f"unknown field; allowed: {', '.join(model.model_fields)}"
    return f"{entry}: {message}"


_MODELS: dict[int | str, type[BaseModel]] = {
    kind: model
    for model in (PointConstraint, FrameAxisConstraint, KeypointAxisConstraint)
    for kind in get_args(model.model_fields["type"].annotation)
}


_SOLVERS = resources.files(__package__) / "solvers"


def solver_names() -> list[str]:
    """Names of the solver configurations shipped with this package."""
    return sorted(
        p.name.removesuffix(".yaml") for p in _SOLVERS.iterdir() if p.name.endswith(".yaml")
    )


def load_solver(name: str, root: Path | None = None) -> SolverConfig:
    """Loads a solver configuration by name.

    From ``root`` where it holds one, else a shipped one, else one of the library of tasks.

    Args:
        name: Name of the file without ``.yaml``.
        root: Folder of the user's own files, for example those of the public GenSim2.

    Raises:
        SolverConfigError: Unknown, unreadable or invalid.
    """
    own = sorted(p.stem for p in root.glob("*.yaml")) if root is not None else []
    if root is not None and name in own:
        path = root / f"{name}.yaml"
        # Read anew each time: users change their files.
        return parse_solver(_read(path), str(path))
    if name in solver_names():
        return _shipped(name)
    if name in library_names(SOLVERS):
        path = library_file(name, SOLVERS)
        return parse_solver(_read(path), str(path))
    known = ", ".join(sorted({*solver_names(), *own}))
    raise SolverConfigError(f"unknown solver {name!r}; known: {known}")


def _read(path: Path) -> str:
    try:
        # What is no file, such as a pipe, might keep a reader waiting for ever.
        if not path.is_file():
            raise SolverConfigError(f"{path}: cannot be read: it is no regular file")
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise SolverConfigError(
                f"{path}: larger than {LARGEST_FILE // 1000} kB: is it a solver configuration?"
            )
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SolverConfigError(f"{path}: cannot be read: {error}") from None


@functools.cache
def _shipped(name: str) -> SolverConfig:
    file = _SOLVERS / f"{name}.yaml"
    return parse_solver(file.read_text(encoding="utf-8"), file.name)
