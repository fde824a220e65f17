"""Goals of `kpam_planner/plan` of any kind, and what must hold: a plan or a typed failure."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import Any

import numpy as np
from gensim2_control.description import resolve_packages
from gensim2_control.hardware import ARM_JOINTS, HOME_Q
from gensim2_kpam.kpam_messages_node import RequestError, plan_result, read_request
from gensim2_kpam.plan import Plan, PlanCode, PlanFailure
from gensim2_kpam.planner import Planner, PlannerConfig
from gensim2_kpam.task_planner import TaskPlanner
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task, task_names
from kpam_messages import scene_message
from kpam_scenes import draw
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import JointState

from gensim2_msgs.action import PlanTask

LAUNCH = Path(__file__).resolve().parents[3] / "launch"
SCENES = 3  # of each task
ODD = (np.nan, np.inf, -np.inf, 1e308, -1e308, 1e-320, 0.0, 1e6, -1.0)
NAMES = ("", "box", "drawer", "OpenBx", "é", "x" * 300, "../x", "partnet:box_rotate/1", "a:b/c")
REFS = ("procedural:box_rotate/0", "procedural:drawer/x", "procedural:safe/1", "procedural:/")


class Plans:
    """Changed goals. Little time is allowed for a plan: what is of interest is what is refused.

    Args:
        scratch: For generated assets.
    """

    def __init__(self, scratch: Path) -> None:
        logging.getLogger("drake").setLevel(logging.CRITICAL)
        text = (LAUNCH / "urdf" / "fr3.urdf").read_text(encoding="utf-8")
        planner = Planner(
            resolve_packages(text, {"gensim2": LAUNCH}), PlannerConfig(cpu_limit=0.02)
        )
        self._planner = TaskPlanner(planner)
        self._library = library = AssetLibrary(None, scratch / "assets")
        self._goals = [
            serialize_message(_goal(task, library, seed))
            for task in task_names()
            for seed in range(SCENES)
        ]

    def run(self, seed: int) -> bool:
        """Plans for one goal; True = it was good enough to plan for."""
        rng = np.random.default_rng(seed)
        goal = deserialize_message(self._goals[int(rng.integers(len(self._goals)))], PlanTask.Goal)
        for _ in range(int(rng.integers(0, 4))):
            change(rng, goal)
        outcome = self._outcome(goal)
        result = plan_result(outcome, goal.scene.header.stamp)
        serialize_message(result)
        if isinstance(outcome, Plan):
            assert result.error_code == PlanTask.Result.NONE and result.phases
            for phase in outcome.phases:
                assert phase.trajectory is None or np.isfinite(phase.trajectory.q).all()
            return True
        assert outcome.code not in (PlanCode.NONE, PlanCode.INTERNAL), outcome
        assert outcome.reason and not result.phases
        return outcome.code not in (
            PlanCode.UNKNOWN_TASK, PlanCode.BAD_SCENE, PlanCode.START_INVALID
        )  # fmt: skip

    def _outcome(self, goal: PlanTask.Goal) -> Plan | PlanFailure:
        """What the node answers, without its net for errors of every kind."""
        try:
            task, scene, q_start = read_request(goal, self._library)
        except RequestError as error:
            return PlanFailure(error.code, str(error))
        return self._planner.plan(task, goal.subtask, scene, q_start, goal.scene.seed)


def _goal(task: str, library: AssetLibrary, seed: int) -> PlanTask.Goal:
    goal = PlanTask.Goal(task=task, scene=scene_message(draw(task, library, seed), "", task))
    goal.scene.objects[0].name = load_task(task).objects[0].name
    goal.start = JointState(name=list(ARM_JOINTS), position=list(HOME_Q))
    return goal


def _number(rng: np.random.Generator, usual: float) -> float:
    kind = rng.random()
    return float(rng.choice(ODD)) if kind < 0.5 else usual + float(rng.normal() * 0.1)


def _change_object(rng: np.random.Generator, goal: PlanTask.Goal) -> None:
    if not goal.scene.objects:
        return
    thing: Any = goal.scene.objects[0]
    kind = int(rng.integers(8))
    if kind == 0:
        thing.name = str(rng.choice(NAMES))
    elif kind == 1:
        thing.asset = str(rng.choice([*REFS, *NAMES]))
    elif kind <= 3:
        part = (thing.pose.position, thing.pose.orientation)[kind - 2]
        field = str(rng.choice(["x", "y", "z"]))
        setattr(part, field, _number(rng, getattr(part, field)))
    elif kind == 4:
        thing.joint_position = _number(rng, thing.joint_position)
    elif kind == 5 and thing.keypoints:
        point = thing.keypoints[int(rng.integers(len(thing.keypoints)))].position
        point.x = _number(rng, point.x)
    elif kind == 6 and thing.keypoints:
        thing.keypoints = thing.keypoints[:-1]
    else:
        o = thing.pose.orientation
        o.x = o.y = o.z = 0.0
        o.w = float(rng.choice([0.0, 1e-200, 1e308, np.nan, 2.0]))


def change(rng: np.random.Generator, goal: PlanTask.Goal) -> None:
    """Changes one thing of a goal."""
    kind = int(rng.integers(9))
    if kind == 0:
        goal.task = str(rng.choice([*NAMES, *task_names()]))
    elif kind == 1:
        goal.subtask = int(rng.choice([0, 1, 2**32 - 1]))
    elif kind == 2:
        goal.scene.header.frame_id = str(rng.choice(["", "world", "base"]))
    elif kind == 3:
        goal.scene.objects = goal.scene.objects * 2 if rng.random() < 0.3 else []
    elif kind == 4:
        goal.scene.seed = (0, 1, 2**63, 2**64 - 1)[int(rng.integers(4))]
    elif kind <= 6:
        values = list(goal.start.position)
        if values:
            values[int(rng.integers(len(values)))] = _number(rng, -1.0)
        with contextlib.suppress(IndexError):
            if rng.random() < 0.2:
                values.pop()
        goal.start.position = values
        if rng.random() < 0.2:
            goal.start.name = [*goal.start.name[:-1], str(rng.choice(NAMES))]
    else:
        _change_object(rng, goal)
