"""The body contract and the planner as the expert uses them, over actions and topics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from control_msgs.action import FollowJointTrajectory, GripperCommand
from control_msgs.msg import JointTolerance
from gensim2_control.hardware import ARM_JOINTS
from gensim2_control.ros.conversions import duration_from_seconds, trajectory_to_msg
from gensim2_control.ros.safe_action_client import SafeActionClient
from gensim2_control.trajectory import Trajectory
from gensim2_tasks.specs import TaskSpec
from geometry_msgs.msg import Pose
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from gensim2_msgs.action import PlanTask

from .goal_call_node import call, status_name, succeeded, unanswered
from .graph_news_node import ROUNDING, SCENE, GraphNews
from .kpam_messages_node import plan_from_result
from .observed_messages_node import observed
from .performance import ExpertCode, ExpertError, Observed
from .plan import Plan, PlanFailure
from .task_stop_node import TaskStop

NEWS_TIMEOUT = 10.0  # s of wall time for a scene and a joint state
# How a motion ends that something was in the way of; the robot is well.
OFF_ITS_PATH = (
    FollowJointTrajectory.Result.PATH_TOLERANCE_VIOLATED,
    FollowJointTrajectory.Result.GOAL_TOLERANCE_VIOLATED,
)
NEWS_PATIENCE = 0.5  # s of wall time for joint states after the fingers have moved
CLOCK_TIMEOUT = 2.0  # s of wall time for the clock to catch up with a motion that has ended


@dataclass(frozen=True)
class Patience:
    """How old news may be, and how long others may take.

    Attributes:
        observation_period: Of scene states, s of ROS time. A scene or joint state as old as this or
            older may be that of the episode before, for a reset takes at least as long.
        plan: Longest time for a plan, s of wall time.
        silence: Longest time without a joint state while the robot moves, s of wall time.
        preview: Time to look at a plan before it is carried out, s of wall time.
    """

    observation_period: float
    plan: float
    silence: float
    preview: float = 0.0


class GraphPerformer:
    """``Performer`` over the graph. Its calls block and belong into an action's thread.

    Args:
        node: The node, spun by several threads.
        patience: With others.
    """

    def __init__(self, node: Node, patience: Patience) -> None:
        self._node, self._patience = node, patience
        self._group = ReentrantCallbackGroup()
        self._stop = TaskStop(node, self._group, self.now)
        self.news = GraphNews(node, self._group, self._stop.changed)
        self._arm = self._client(
            FollowJointTrajectory, "fr3_arm_controller/follow_joint_trajectory"
        )
        self._gripper = self._client(GripperCommand, "fr3_gripper/gripper_action")
        self._planner = self._client(PlanTask, "kpam_planner/plan")
        self._upright: dict[str, Pose] = {}

    def _client(self, kind: Any, name: str) -> SafeActionClient:
        return SafeActionClient(self._node, kind, name, callback_group=self._group)

    def begin(self, since: float) -> None:
        """Forgets an earlier cancel or timeout; from here on a cancel is for the next task.

        Args:
            since: The time of the scene that the task is for, s; 0 = the one that is newest.
        """
        self.news.begin(since)
        self._stop.clear()
        self._upright = {}

    def limit(self, timeout: float) -> None:
        """Ends the task after ``timeout`` s of ROS time; the blocked call raises then.

        Raises:
            ExpertError: Canceled, or no joint state, before which the time is not known.
        """
        if not self._stop.wait_for(lambda: self.news.joints is not None, NEWS_TIMEOUT):
            raise ExpertError(ExpertCode.SENSOR_STALE, "no joint_states; is the robot up?")
        self._stop.limit(timeout)

    def cancel(self) -> None:
        """Cancels what runs; the blocked call raises ``ExpertError``."""
        self._stop.stop(ExpertError(ExpertCode.CANCELED, "canceled"))

    def now(self) -> float:
        """ROS time, s."""
        return self.news.now()

    def plan(self, task: TaskSpec, subtask: int, attempt: int) -> Plan | PlanFailure:
        """Plans on the newest scene and joint state, once they are those of the present.

        The goal of a task may overtake the news of the reset before it. Stamps tell old news where
        anything newer has been heard (a reset takes an observation period at least, in lockstep,
        too); where nothing has, only a scene that comes after the task has begun is believed.
        Simulations send one every 50 ms of wall time even while time stands still.
        """
        reason = ""

        def ready() -> bool:
            nonlocal reason
            reason = self.news.stale(task.name, self._patience.observation_period)
            return not reason

        if not self._stop.wait_for(ready, NEWS_TIMEOUT):
            raise ExpertError(ExpertCode.SENSOR_STALE, reason)
        scene = self.news.scene
        assert scene is not None
        self._upright = self._upright or {o.name: o.pose for o in scene.objects}
        goal = PlanTask.Goal(task=task.name, subtask=subtask, attempt=attempt, scene=scene)
        goal.start = self.news.joints
        answer = call(self._planner, goal, self._stop, self._plan_trouble).result
        outcome = plan_from_result(answer)
        if isinstance(outcome, Plan):
            # A cancel ends the wait, and then nothing moves.
            self._stop.wait_for(lambda: False, self._patience.preview)
        return outcome

    def observe(self, task: TaskSpec) -> Observed:
        """Waits until the arm rests and a scene has come that shows it; see ``Performer``."""
        self.news.look()
        if not self._stop.wait_for(self.news.looked, NEWS_TIMEOUT):
            text = f"no news on {SCENE} since the last motion, or the arm has not come to rest"
            raise ExpertError(ExpertCode.SENSOR_STALE, text)
        scene = self.news.scene
        assert scene is not None
        return observed(task, scene, self._upright)

    def _plan_trouble(self, running: float) -> ExpertError | None:
        if running < self._patience.plan:
            return None
        return unanswered(self._planner, self._patience.plan)

    def _body_trouble(self, running: float) -> ExpertError | None:
        # Before the goal the robot may have been silent for good reasons, such as a reset.
        if min(running, self.news.silence) < self._patience.silence:
            return None
        text = f"no word from the robot for {self._patience.silence:g} s: is its node frozen?"
        return ExpertError(ExpertCode.EXECUTION_FAILED, text)

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
            raise ExpertError(ExpertCode.EXECUTION_FAILED, text, again=code in OFF_ITS_PATH)
        # The answer may overtake the clock; what comes next must not seem to begin before it.
        self._stop.wait_for(lambda: self.now() >= ends - ROUNDING, CLOCK_TIMEOUT)

    def grip(self, position: float, effort: float) -> bool:
        """Moves the fingers; a stall is a grasp. Returns whether they have stalled."""
        goal = GripperCommand.Goal()
        goal.command.position, goal.command.max_effort = position, effort
        response = self._call(self._gripper, goal)
        if not succeeded(response) or not (response.result.reached_goal or response.result.stalled):
            text = f"the fingers did not arrive: goal {status_name(response)}"
            raise ExpertError(ExpertCode.EXECUTION_FAILED, text)
        # How long it takes is up to the hand; what comes next begins when it has ended.
        self.news.listen()
        self._stop.wait_for(self.news.caught_up, NEWS_PATIENCE)
        return bool(response.result.stalled)

    def _call(self, client: SafeActionClient, goal: Any) -> Any:
        return call(client, goal, self._stop, self._body_trouble)


def _tolerances(position: float) -> list[JointTolerance]:
    if position == 0.0:
        return []
    return [JointTolerance(name=name, position=position) for name in ARM_JOINTS]
