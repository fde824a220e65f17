"""The body contract and the planner as the expert uses them, over actions and topics."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from control_msgs.action import FollowJointTrajectory, GripperCommand
from control_msgs.msg import JointTolerance
from gensim2_control.hardware import ARM_JOINTS
from gensim2_control.ros.conversions import duration_from_seconds, seconds, trajectory_to_msg
from gensim2_control.ros.safe_action_client import SafeActionClient
from gensim2_control.trajectory import Trajectory
from gensim2_tasks.specs import TaskSpec
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState

from gensim2_msgs.action import PlanTask
from gensim2_msgs.msg import SceneState

from .expert import ExpertCode, ExpertError
from .goal_call_node import call, status_name, succeeded
from .kpam_messages_node import plan_from_result
from .plan import Plan, PlanFailure
from .task_stop_node import TaskStop

NEWS_TIMEOUT = 10.0  # s of wall time for a scene and a joint state
CLOCK_TIMEOUT = 2.0  # s of wall time for the clock to catch up with a motion that has ended
ROUNDING = 1e-6  # s, of stamps that are added up
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@dataclass(frozen=True)
class Patience:
    """How old news may be, and how long others may take.

    Attributes:
        observation_period: Of scene states, s of ROS time. A scene or joint state as old as this or
            older may be that of the episode before, for a reset takes at least as long.
        plan: Longest time for a plan, s of wall time.
        silence: Longest time without a joint state while the robot moves, s of wall time.
    """

    observation_period: float
    plan: float
    silence: float


class GraphPerformer:
    """``Performer`` over the graph. Its calls block and belong into an action's thread.

    Args:
        node: The node, spun by several threads.
        patience: With others.
    """

    def __init__(self, node: Node, patience: Patience) -> None:
        self._node, self._patience = node, patience
        self._joints_at = time.monotonic()
        self._scene_heard = False  # since the task began
        self._group = ReentrantCallbackGroup()
        self._scene: SceneState | None = None
        self._joints: JointState | None = None
        self._stop = TaskStop(node, self._group, self.now)
        node.create_subscription(
            SceneState, "scene/state", self._on_scene, LATCHED, callback_group=self._group
        )
        node.create_subscription(
            JointState, "joint_states", self._on_joints, 1, callback_group=self._group
        )
        self._arm = self._client(
            FollowJointTrajectory, "fr3_arm_controller/follow_joint_trajectory"
        )
        self._gripper = self._client(GripperCommand, "fr3_gripper/gripper_action")
        self._planner = self._client(PlanTask, "kpam_planner/plan")

    def _client(self, kind: Any, name: str) -> SafeActionClient:
        return SafeActionClient(self._node, kind, name, callback_group=self._group)

    def _on_scene(self, message: SceneState) -> None:
        with self._stop.changed:
            self._scene, self._scene_heard = message, True
            self._stop.changed.notify_all()

    def _on_joints(self, message: JointState) -> None:
        with self._stop.changed:
            self._joints, self._joints_at = message, time.monotonic()
            self._stop.changed.notify_all()

    def begin(self) -> None:
        """Forgets an earlier cancel or timeout; from here on a cancel is for the next task."""
        with self._stop.changed:
            self._scene_heard = False
        self._stop.clear()

    def limit(self, timeout: float) -> None:
        """Ends the task after ``timeout`` s of ROS time; the blocked call raises then.

        Raises:
            ExpertError: Canceled, or no joint state, before which the time is not known.
        """
        if not self._stop.wait_for(lambda: self._joints is not None, NEWS_TIMEOUT):
            raise ExpertError(ExpertCode.SENSOR_STALE, "no joint_states; is the robot up?")
        self._stop.limit(timeout)

    def cancel(self) -> None:
        """Cancels what runs; the blocked call raises ``ExpertError``."""
        self._stop.stop(ExpertError(ExpertCode.CANCELED, "canceled"))

    def now(self) -> float:
        """ROS time, s: the newest that was heard, for the clock may be behind the other topics."""
        clock = float(self._node.get_clock().now().nanoseconds) * 1e-9
        heard = (m for m in (self._scene, self._joints) if m is not None)
        return max([clock, *(seconds(m.header.stamp) for m in heard)])

    def plan(self, task: TaskSpec, subtask: int) -> Plan | PlanFailure:
        """Plans on the newest scene and joint state, once they are those of the present.

        The goal of a task may overtake the news of the reset before it. Stamps tell old news where
        anything newer has been heard (a reset takes an observation period at least, in lockstep,
        too); where nothing has, only a scene that comes after the task has begun is believed.
        Simulations send one every 50 ms of wall time even while time stands still.
        """
        reason = ""

        def ready() -> bool:
            nonlocal reason
            reason = self._stale(task.name)
            return not reason

        if not self._stop.wait_for(ready, NEWS_TIMEOUT):
            raise ExpertError(ExpertCode.SENSOR_STALE, reason)
        goal = PlanTask.Goal(task=task.name, subtask=subtask, scene=self._scene, start=self._joints)
        return plan_from_result(call(self._planner, goal, self._stop, self._plan_trouble).result)

    def _plan_trouble(self, running: float) -> str:
        if running < self._patience.plan:
            return ""
        return f"kpam_planner has not answered for {self._patience.plan:g} s: does it hang?"

    def _body_trouble(self, running: float) -> str:
        if min(running, self.silence) < self._patience.silence:
            return ""
        return f"no joint_states for {self._patience.silence:g} s: does the robot's node hang?"

    @property
    def silence(self) -> float:
        """Time since the newest joint state came, or since the start, s of wall time."""
        with self._stop.changed:
            return time.monotonic() - self._joints_at

    def news(self) -> dict[str, str]:
        """What has been heard of the graph, for the diagnostics."""
        with self._stop.changed:
            task = "never heard" if self._scene is None else f"of {self._scene.task or 'no task'}"
            joints = "never heard" if self._joints is None else "heard"
        return {"scene/state": task, "joint_states": joints, "silence": f"{self.silence:.1f} s"}

    def _stale(self, task: str) -> str:
        """What keeps the newest scene and joint state from being planned on; empty = nothing."""
        if self._scene is None or self._scene.task != task:
            return f"no scene of task {task} on scene/state"
        if not self._scene_heard:
            return "no news on scene/state since the task began"
        if self._joints is None:
            return "no joint_states"
        now, oldest = self.now(), self._patience.observation_period
        for topic, message in (("scene/state", self._scene), ("joint_states", self._joints)):
            age = now - seconds(message.header.stamp)
            if age > oldest - ROUNDING:
                return f"{topic} is {age:.3f} s old; it must be newer than {oldest:g} s"
        return ""

    def follow(self, trajectory: Trajectory, path_tolerance: float, goal_tolerance: float) -> None:
        """Moves the arm; raises ``ExpertError`` where the body refuses or aborts."""
        goal = FollowJointTrajectory.Goal(trajectory=trajectory_to_msg(trajectory))
        goal.path_tolerance = _tolerances(path_tolerance)
        goal.goal_tolerance = _tolerances(goal_tolerance)
        goal.goal_time_tolerance = duration_from_seconds(0.0)
        ends = self.now() + trajectory.duration
        response = self._call(self._arm, goal)
        code, text = response.result.error_code, response.result.error_string
        if code == FollowJointTrajectory.Result.INVALID_GOAL:
            raise ExpertError(ExpertCode.GOAL_REJECTED, text or "the arm refused the goal")
        # A goal that somebody else has canceled ends without an error, but short of its end.
        if code != FollowJointTrajectory.Result.SUCCESSFUL or not succeeded(response):
            text = text or f"arm error {code}, goal {status_name(response)}"
            raise ExpertError(ExpertCode.EXECUTION_FAILED, text)
        # The answer may overtake the clock; what comes next must not seem to begin before it.
        self._stop.wait_for(lambda: self.now() >= ends - ROUNDING, CLOCK_TIMEOUT)

    def grip(self, position: float, effort: float) -> None:
        """Moves the fingers; a stall is a grasp."""
        goal = GripperCommand.Goal()
        goal.command.position, goal.command.max_effort = position, effort
        response = self._call(self._gripper, goal)
        if not succeeded(response) or not (response.result.reached_goal or response.result.stalled):
            text = f"the fingers did not arrive: goal {status_name(response)}"
            raise ExpertError(ExpertCode.EXECUTION_FAILED, text)

    def _call(self, client: SafeActionClient, goal: Any) -> Any:
        return call(client, goal, self._stop, self._body_trouble)


def _tolerances(position: float) -> list[JointTolerance]:
    if position == 0.0:
        return []
    return [JointTolerance(name=name, position=position) for name in ARM_JOINTS]
