"""The arm's side of the body contract: FollowJointTrajectory and the streamed trajectories."""

from __future__ import annotations

import time

from control_msgs.action import FollowJointTrajectory
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import Header
from trajectory_msgs.msg import JointTrajectory

from gensim2_control.body import Body
from gensim2_control.goals import ArmCode, ArmGoal, GoalRejected, TrajectoryRejected
from gensim2_control.hardware import ARM_DOF, ARM_JOINTS, Array
from gensim2_control.ros.conversions import (
    point_to_msg,
    seconds,
    stamp_from_seconds,
    tolerances_from_msg,
    trajectory_from_msg,
)
from gensim2_control.ros.goal_server import GoalServer
from gensim2_control.ros.state_publisher import StatePublisher
from gensim2_control.trajectory import Trajectory

CONTROLLER = "fr3_arm_controller"

_LONGEST_PAUSE = 0.02


class ArmServer(GoalServer[ArmGoal]):
    """`fr3_arm_controller/follow_joint_trajectory` and `fr3_arm_controller/joint_trajectory`."""

    def __init__(
        self, node: Node, body: Body, publisher: StatePublisher, stamp_tolerance: float
    ) -> None:
        """Create the action server and the subscription.

        Args:
            node: the node that hosts the body.
            body: what carries the goals out.
            publisher: shows refusals in the diagnostics.
            stamp_tolerance: how far the stamp of a goal may be from now, s.
        """
        self._stamp_tolerance = stamp_tolerance
        super().__init__(
            node, body, publisher, FollowJointTrajectory, f"{CONTROLLER}/follow_joint_trajectory"
        )
        self._stream_topic = f"{CONTROLLER}/joint_trajectory"
        self._stream = node.create_subscription(
            JointTrajectory,
            self._stream_topic,
            self._on_stream,
            QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE),
            callback_group=MutuallyExclusiveCallbackGroup(),
        )

    def check(self, request: FollowJointTrajectory.Goal) -> None:
        """Refuse what no state of the arm could carry out."""
        self._parse(request)

    def start(self, request: FollowJointTrajectory.Goal) -> ArmGoal:
        """Hand the trajectory to the body."""
        trajectory, path_tol, goal_tol, goal_time_tol = self._parse(request)
        return self._body.follow(trajectory, path_tol, goal_tol, goal_time_tol)

    def feedback(self, goal: ArmGoal) -> FollowJointTrajectory.Feedback | None:
        """Return where the arm should be, is, and the difference."""
        state = self._body.state
        if state is None:
            return None
        q, dq = state.q[:ARM_DOF], state.dq[:ARM_DOF]
        return FollowJointTrajectory.Feedback(
            header=Header(stamp=stamp_from_seconds(state.t)),
            joint_names=list(ARM_JOINTS),
            desired=point_to_msg(state.q_ref, state.dq_ref),
            actual=point_to_msg(q, dq),
            error=point_to_msg(state.q_ref - q, state.dq_ref - dq),
        )

    def result(self, goal: ArmGoal | GoalRejected) -> FollowJointTrajectory.Result:
        """Return code and text."""
        ended = goal if isinstance(goal, GoalRejected) else goal.result
        if ended is None:
            return FollowJointTrajectory.Result(error_code=int(ArmCode.INVALID_GOAL))
        return FollowJointTrajectory.Result(error_code=int(ended.code), error_string=ended.text)

    def _parse(self, request: FollowJointTrajectory.Goal) -> tuple[Trajectory, Array, Array, float]:
        if request.multi_dof_trajectory.joint_names or request.multi_dof_trajectory.points:
            raise TrajectoryRejected(
                ArmCode.INVALID_JOINTS, "the arm has no multi-DOF joints: leave that part empty"
            )
        trajectory = trajectory_from_msg(request.trajectory)
        trajectory.require_rest_at_end()
        self._check_stamp(seconds(request.trajectory.header.stamp))
        return (
            trajectory,
            tolerances_from_msg(request.path_tolerance),
            tolerances_from_msg(request.goal_tolerance),
            seconds(request.goal_time_tolerance),
        )

    def _check_stamp(self, stamp: float) -> None:
        state = self._body.state
        if stamp == 0.0 or state is None:
            return
        age = state.t - stamp
        if abs(age) > self._stamp_tolerance:
            raise TrajectoryRejected(
                ArmCode.OLD_HEADER_TIMESTAMP,
                f"the stamp is {abs(age):.3f} s in the {'past' if age > 0 else 'future'}, allowed "
                f"are {self._stamp_tolerance:g} s; stamp 0 means now",
            )

    def _on_stream(self, message: JointTrajectory) -> None:
        began = time.perf_counter()
        self._take_chunk(message)
        # A flood of chunks must leave the control loop its share of this interpreter.
        time.sleep(min(time.perf_counter() - began, _LONGEST_PAUSE))

    def _take_chunk(self, message: JointTrajectory) -> None:
        try:
            self._require_one_publisher()
            self._body.stream(trajectory_from_msg(message), seconds(message.header.stamp))
        except GoalRejected as rejection:
            # A client that sends nonsense is not to be followed on its way of before, either.
            if rejection.code is not ArmCode.OLD_HEADER_TIMESTAMP:
                self._body.end_stream()
            text = f"{self._stream_topic}: {rejection}"
            self._publisher.last_rejection = text
            self._node.get_logger().warning(text, throttle_duration_sec=1.0)

    def _require_one_publisher(self) -> None:
        topic = self._stream.topic_name
        if self._node.count_publishers(topic) <= 1:
            return
        publishers = self._node.get_publishers_info_by_topic(topic)
        names = sorted(f"{p.node_namespace.rstrip('/')}/{p.node_name}" for p in publishers)
        raise TrajectoryRejected(
            ArmCode.INVALID_GOAL,
            f"{len(names)} publishers on it ({', '.join(names)}); only one may lead the arm. One "
            "that was killed is forgotten after 20 s",
        )
