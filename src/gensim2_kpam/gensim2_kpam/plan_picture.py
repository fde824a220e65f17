"""A plan as a picture: what the constraints refer to, the poses they gave, and the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from gensim2_control.marks import Colour, Mark
from numpy.typing import NDArray

from gensim2_control import marks
from gensim2_tasks import se3

from .arm_model import ArmModel
from .plan import Plan, SceneObject
from .solver_config import (
    Constraint,
    FrameAxisConstraint,
    KeypointAxisConstraint,
    PointConstraint,
    SolverConfig,
)
from .tool import HALF_TURN, STRAIGHT, TOOL_KEYPOINTS

Array = NDArray[np.float64]
ARROW = 0.1  # m
STEP = 0.05  # s between two points of the way
ABOVE = np.array([0.0, 0.0, 0.12])
PHASE_COLOURS: Mapping[str, Colour] = {"approach": marks.BLUE, "actuate": marks.ORANGE}
LONGEST_REASON = 120  # characters; the log has the rest


@dataclass(frozen=True)
class WayPoint:
    """Where `fr3_hand_tcp` is at `t` s from the start: T_base_tcp (4, 4), in which phase."""

    t: float
    T_base_tcp: Array
    phase: str


def way(plan: Plan, arm: ArmModel) -> list[WayPoint]:
    """The way of the TCP through all trajectories of a plan, one point every 50 ms or closer.

    Gripper commands take no time here: how long they take is up to the hand.
    """
    points: list[WayPoint] = []
    start = 0.0
    for phase in plan.phases:
        trajectory = phase.trajectory
        if trajectory is None:
            continue
        count = max(2, int(np.ceil(trajectory.duration / STEP)) + 1)
        for t in np.linspace(0.0, trajectory.duration, count):
            q = np.array([np.interp(t, trajectory.t, column) for column in trajectory.q.T])
            points.append(WayPoint(start + float(t), arm.fk(q) @ arm.T_hand_tcp, phase.name))
        start += trajectory.duration
    return points


def plan_marks(
    title: str,
    solver: SolverConfig | None,
    scene: SceneObject,
    plan: Plan,
    points: list[WayPoint],
    T_hand_tcp: Array,
) -> tuple[Mark, ...]:
    """The picture of a plan that was found.

    Args:
        title: The task.
        solver: Whose constraints are drawn; None = the plan is that of a skill, which has none.
        scene: What was planned on.
        plan: The plan.
        points: Its way.
        T_hand_tcp: Pose of ``fr3_hand_tcp`` in ``fr3_hand``.
    """
    tool = tool_keypoints(plan, T_hand_tcp)
    what = plan.report["solver"] if solver is None else f"solver {solver.task_name}"
    drawn: list[Mark] = [
        *marks.labelled("object_keypoints", dict(scene.keypoints), marks.GREEN),
        *marks.labelled("tool_keypoints", tool, marks.VIOLET),
        marks.triads("key_poses", plan.key_poses),
        *_way_marks(points),
        marks.Text("title", _centre(scene) + ABOVE, f"{title}: {what}"),
    ]
    for constraint in solver.constraint_list if solver is not None else ():
        drawn += constraint_marks(constraint, scene, tool)
    return tuple(drawn)


def tool_keypoints(plan: Plan, T_hand_tcp: Array) -> dict[str, Array]:
    """Keypoints (3,) of the tool at the actuation pose, in base.

    The hand is symmetric, and the tool may sit in it turned by half a turn.
    """
    # Poses before the actuation come first, and the last one is its end.
    T_base_hand = plan.key_poses[-2] @ se3.inverse(T_hand_tcp)
    turn = HALF_TURN if plan.report.get("half_turn") else STRAIGHT
    return {name: se3.apply(T_base_hand, turn @ p) for name, p in TOOL_KEYPOINTS.items()}


def failure_marks(title: str, reason: str, scene: SceneObject | None) -> tuple[Mark, ...]:
    """The picture of a plan that was not found: the scene, and why."""
    where = np.array([0.5, 0.0, 0.3]) if scene is None else _centre(scene) + ABOVE
    keypoints = {} if scene is None else dict(scene.keypoints)
    return (
        *marks.labelled("object_keypoints", keypoints, marks.GREEN),
        marks.Text("title", where, f"{title}: {reason[:LONGEST_REASON]}", marks.RED),
    )


def constraint_marks(
    constraint: Constraint, scene: SceneObject, tool: Mapping[str, Array]
) -> tuple[Mark, ...]:
    """What a constraint demands: points to meet as a line, axes to align as two arrows.

    Args:
        constraint: Of the solver configuration.
        scene: The object.
        tool: Keypoints of the hand at the actuation pose, (3,) in base.
    """
    if isinstance(constraint, PointConstraint):
        ends = [tool[constraint.keypoint_name], scene.keypoints[constraint.target_keypoint_name]]
        return (marks.Lines("point_constraints", np.array(ends), (marks.ORANGE,)),)
    start = tool[constraint.axis_from_keypoint_name]
    own = _unit(tool[constraint.axis_to_keypoint_name] - start)
    wanted = target_axis(constraint, scene)
    return (
        marks.Arrow("tool_axes", start, start + ARROW * own, marks.VIOLET),
        marks.Arrow("target_axes", start, start + ARROW * wanted, marks.GREEN),
    )


def target_axis(
    constraint: FrameAxisConstraint | KeypointAxisConstraint, scene: SceneObject
) -> Array:
    """Unit direction (3,) in base that an axis of the hand is compared with."""
    if isinstance(constraint, KeypointAxisConstraint):
        start = scene.keypoints[constraint.target_axis_from_keypoint_name]
        return _unit(scene.keypoints[constraint.target_axis_to_keypoint_name] - start)
    axis = np.array(constraint.target_axis)
    if constraint.target_axis_frame == "object":
        T_base_part = scene.T_base_root @ scene.asset.T_root_part(scene.joint_position)
        axis = T_base_part[:3, :3] @ axis
    return _unit(axis)


def _way_marks(points: list[WayPoint]) -> list[Mark]:
    if len(points) < 2:
        return []
    pairs = list(pairwise(points))
    ends = [p.T_base_tcp[:3, 3] for pair in pairs for p in pair]
    colours = tuple(PHASE_COLOURS.get(b.phase, marks.GREY) for _, b in pairs)
    return [marks.Lines("way", np.array(ends), colours, 0.004)]


def _centre(scene: SceneObject) -> Array:
    if not scene.keypoints:
        return np.asarray(scene.T_base_root[:3, 3])
    return np.asarray(np.mean(list(scene.keypoints.values()), axis=0))


def _unit(v: Array) -> Array:
    return np.asarray(v / np.linalg.norm(v))
