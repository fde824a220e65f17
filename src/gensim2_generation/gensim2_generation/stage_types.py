"""Answers whose lists depend on the question: objects, keypoints, solvers, steps.

Each function makes the type of one answer. Two calls with the same arguments make the same schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, get_args

from gensim2_kpam.solver_config import MOTION_LIMITS
from gensim2_tasks.categories import KEYPOINTS
from gensim2_tasks.interior import INSIDE
from gensim2_tasks.predicates import Predicate
from gensim2_tasks.specs import Line, ObjectName
from pydantic import Field, create_model

from . import stages
from .stages import Reply, StepName, TaskName, Words

Type = type[Reply]
ROOT = "root"
PREDICATES = {p.model_fields["kind"].default: p for p in get_args(get_args(Predicate)[0])}
assert MOTION_LIMITS["follow_joint"] == 1.0


def one_of(values: Sequence[str]) -> Any:
    """An enumeration."""
    return Literal[tuple(values)]  # type: ignore[valid-type]


def any_of(kinds: Sequence[Any], tag: str) -> Any:
    """A union, whose members are told apart by the field ``tag``."""
    if len(kinds) == 1:
        return kinds[0]
    return Annotated[reduce(or_, kinds), Field(discriminator=tag)]


def several(kind: Any, least: int, most: int) -> Any:
    """A list with bounds."""
    return Annotated[list[kind], Field(min_length=least, max_length=most)]


def model(title: str, /, **fields: Any) -> Type:
    """A type of answer; all fields are required."""
    definitions: dict[str, Any] = {n: (kind, ...) for n, kind in fields.items()}
    return create_model(title, __base__=Reply, **definitions)


def primitive_proposal(categories: Sequence[str]) -> Type:
    """A task about one joint of one object."""
    return model(
        "Proposal",
        idea=Words,
        name=TaskName,
        instruction=Line,
        category=one_of(categories),
        step=StepName,
        towards=Literal["open", "closed"],
    )


def proposal(categories: Sequence[str], seen: bool = False) -> Type:
    """A task of several steps; ``seen``: what a picture shows is asked for as well."""
    thing = model("Thing", name=ObjectName, category=one_of(categories))
    first: dict[str, Any] = {"seen": several(Words, 0, 12)} if seen else {}
    return model(
        "Proposal",
        **first,
        idea=Words,
        name=TaskName,
        instruction=Line,
        objects=several(thing, 1, stages.MAX_THINGS),
    )


def decomposition(movable: Sequence[str], carried: Sequence[str], targets: Sequence[str]) -> Type:
    """The steps of a task.

    Args:
        movable: Names of the objects with a joint that can be moved.
        carried: Names of those that can be picked up.
        targets: Names of those that something can be put into, onto or under.
    """
    kinds = []
    if movable:
        kinds.append(
            model(
                "Move",
                kind=Literal["move"],
                name=StepName,
                object=one_of(movable),
                towards=Literal["open", "closed"],
            )
        )
    if carried and targets:
        kinds.append(
            model(
                "Carry",
                kind=Literal["carry"],
                object=one_of(carried),
                target=one_of(targets),
                region=Literal["inside", "on_top", "under"],
            )
        )
    return model(
        "Decomposition", idea=Words, steps=several(any_of(kinds, "kind"), 1, stages.MAX_STEPS)
    )


def placing(objects: Mapping[str, str]) -> Type:
    """Where every object stands at the start; ``objects``: category by name."""
    kinds = [
        model(
            f"Place{number}",
            object=Literal[name],
            anchor=one_of((*KEYPOINTS[category], ROOT)),
            x=Annotated[float, Field(ge=0.2, le=0.9)],
            y=Annotated[float, Field(ge=-0.7, le=0.7)],
            yaw=stages.Angle,
            spread=Annotated[float, Field(ge=0.0, le=0.15)],
            yaw_spread=Annotated[float, Field(ge=0.0, le=3.1416)],
            openness=stages.Share,
            openness_spread=Annotated[float, Field(ge=0.0, le=0.3)],
        )
        for number, (name, category) in enumerate(objects.items())
    ]
    count = len(objects)
    return model("Placing", idea=Words, objects=several(any_of(kinds, "object"), count, count))


def frame_axis() -> Type:
    """An axis of the tool at an angle to an axis of the world or of the moving part."""
    return model(
        "FrameAxis",
        type=Literal["frame_axis_parallel", "frame_axis_orthogonal"],
        axis_from_keypoint_name=stages.ToolKeypoint,
        axis_to_keypoint_name=stages.ToolKeypoint,
        target_axis=several(stages.AxisNumber, 3, 3),
        target_axis_frame=Literal["world", "object"],
        target_inner_product=stages.AxisNumber,
        tolerance=Annotated[float, Field(ge=0.001, le=1.0)],
    )


def constraints(category: str, known: Sequence[str], trials: int) -> Type:
    """Alternatives of how the hand meets an object; ``known``: solvers that may be reused."""
    points = one_of(KEYPOINTS[category])
    kinds: list[Any] = [
        model(
            "Point",
            type=Literal["point2point_constraint"],
            keypoint_name=stages.ToolKeypoint,
            target_keypoint_name=points,
            tolerance=Annotated[float, Field(ge=0.0001, le=0.05)],
        ),
        frame_axis(),
    ]
    if len(KEYPOINTS[category]) > 1:
        kinds.append(
            model(
                "KeypointAxis",
                type=Literal["keypoint_axis_parallel", "keypoint_axis_orthogonal"],
                axis_from_keypoint_name=stages.ToolKeypoint,
                axis_to_keypoint_name=stages.ToolKeypoint,
                target_axis_from_keypoint_name=points,
                target_axis_to_keypoint_name=points,
                target_inner_product=stages.AxisNumber,
                tolerance=Annotated[float, Field(ge=0.001, le=1.0)],
            )
        )
    own = model(
        "Own",
        kind=Literal["own"],
        idea=Words,
        gripper=stages.Gripper,
        constraint_list=several(any_of(kinds, "type"), 1, stages.MAX_CONSTRAINTS),
    )
    ways: list[Any] = [own]
    if known:
        ways.append(model("Reuse", kind=Literal["reuse"], idea=Words, solver=one_of(known)))
    return model("Constraints", alternatives=several(any_of(ways, "kind"), 1, trials))


def motions(count: int, turns: bool, after: bool, both: bool = False) -> Type:
    """Motions around each of ``count`` actuation poses.

    Args:
        count: Alternatives that there are.
        turns: Whether the object has an axis to rotate about.
        after: Whether those after the actuation pose are asked for.
        both: Those before and after it in one answer.
    """
    kinds = [stages.Translate, *([stages.Rotate] if turns else [])]
    before = several(any_of(kinds, "kind"), 0, stages.MAX_MOTIONS)
    later = several(any_of([*kinds, stages.Named, stages.Follow], "kind"), 1, stages.MAX_MOTIONS)
    if both:
        way = model("Way", idea=Words, pre=before, post=later)
    else:
        way = model("Way", idea=Words, motions=later if after else before)
    name = "Motions" if both else "PostMotions" if after else "PreMotions"
    return model(name, alternatives=several(way, count, count))


def predicate_type(objects: Mapping[str, str]) -> Any:
    """Every predicate that can be said of these objects (category by name)."""
    kinds = [t for kind in PREDICATES for t in _predicate_types(kind, objects)]
    return any_of(kinds, "kind")


def _predicate_types(kind: str, objects: Mapping[str, str]) -> list[Any]:
    fields: dict[str, Any] = {"kind": Literal[kind], "object": one_of([*objects])}
    value = PREDICATES[kind].model_fields.get("value")
    if value is not None:
        fields["value"] = Annotated[(float, *value.metadata)]  # type: ignore[misc]
    if kind in ("inside", "on_top", "near", "under") and len(objects) < 2:
        return []
    if kind == "inside":
        rooms = [n for n, c in objects.items() if set(KEYPOINTS[c]) & set(INSIDE)]
        return [model("Inside", **fields, container=one_of(rooms))] if rooms else []
    if kind == "on_top":
        return [model("OnTop", **fields, support=one_of([*objects]))]
    if kind in ("near", "under"):
        # Each target has keypoints of its own.
        kinds = [
            model(
                f"{kind.capitalize()}{number}",
                **fields,
                target=Literal[name],
                keypoint=one_of(KEYPOINTS[category]),
            )
            for number, (name, category) in enumerate(objects.items())
        ]
        return [any_of(kinds, "target")]
    return [model("".join(w.capitalize() for w in kind.split("_")), **fields)]


def goals(objects: Mapping[str, str], moves: Sequence[str]) -> Type:
    """When the task is done, and each of the steps (names) that move a joint."""
    condition = several(predicate_type(objects), 1, stages.MAX_GOALS)
    fields: dict[str, Any] = {}
    if moves:
        step = model("Step", step=one_of(moves), done=condition)
        fields["steps"] = several(step, len(moves), len(moves))
    return model("Goals", idea=Words, **fields, success=condition)


def mending(parts: Sequence[str]) -> Type:
    """Which part of a task is to be made anew, or none."""
    return model("Repair", diagnosis=Words, part=one_of((*parts, "give_up")))


def chain(skills: Sequence[str], carries: Sequence[str], items: Sequence[str]) -> Type:
    """A task made of skills that exist."""
    kinds: list[Any] = [model("Skill", skill=one_of(skills))] if skills else []
    if carries and items:
        kinds.append(model("Carry", skill=one_of(carries), item=one_of(items)))
    return model(
        "Chain",
        idea=Words,
        name=TaskName,
        instruction=Line,
        skills=several(any_of(kinds, "skill"), 2, stages.MAX_STEPS),
    )
