"""A robot and a scene without physics: what happens, and when, is up to a test."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import rclpy
from control_msgs.action import FollowJointTrajectory, GripperCommand
from gensim2_control.hardware import ARM_JOINTS, FINGER_JOINTS
from gensim2_control.ros.conversions import seconds, stamp_from_seconds
from gensim2_control.ros.safe_action_client import SafeActionClient
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState

from gensim2_msgs.action import ExecuteTask, PlanTask
from gensim2_msgs.msg import SceneState

GUARD = 60.0  # s; only ends a test that hangs
REPUBLISH = 0.05  # s of wall time
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
Arm = Callable[[ServerGoalHandle], FollowJointTrajectory.Result]


class Cell:
    """Body, scene and clock, and clients of planner and expert, on one node.

    Attributes:
        t: Simulated time, s. It stands still unless somebody sets it.
        clock: Time that /clock shows; None = t.
        arm: What becomes of an arm goal.
        accept: Whether the arm accepts goals.
        ends: Times at which arm goals ended.
    """

    def __init__(self, domain: int) -> None:
        self.t = 50.0
        self.clock: float | None = None
        self.accept = True
        self.ends: list[float] = []
        self.canceled = threading.Event()
        self.running = threading.Event()
        self.arm: Arm = self.move
        self._scene = SceneState()
        self._joints = JointState(name=[*ARM_JOINTS, *FINGER_JOINTS])
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = node = rclpy.create_node("scripted_cell", context=self.context)
        group = ReentrantCallbackGroup()
        self._publishers = [
            node.create_publisher(Clock, "/clock", 1),
            node.create_publisher(JointState, "joint_states", 1),
            node.create_publisher(SceneState, "scene/state", LATCHED),
        ]
        node.create_timer(REPUBLISH, self.show, callback_group=group)
        self.arm_server = ActionServer(
            node,
            FollowJointTrajectory,
            "fr3_arm_controller/follow_joint_trajectory",
            execute_callback=self._on_arm,
            goal_callback=lambda _: GoalResponse.ACCEPT if self.accept else GoalResponse.REJECT,
            cancel_callback=self._on_cancel,
            callback_group=group,
        )
        ActionServer(
            node,
            GripperCommand,
            "fr3_gripper/gripper_action",
            execute_callback=self._on_gripper,
            callback_group=group,
        )
        self.planner = self._client(PlanTask, "kpam_planner/plan")
        self.expert = self._client(ExecuteTask, "kpam_expert/execute_task")
        self._executor = MultiThreadedExecutor(num_threads=6, context=self.context)
        self._executor.add_node(node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def _client(self, kind: Any, name: str) -> SafeActionClient:
        return SafeActionClient(self.node, kind, name)

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def close(self) -> None:
        self.canceled.set()
        self._executor.shutdown(GUARD)
        self._thread.join(GUARD)
        rclpy.shutdown(context=self.context)

    def place(self, scene: SceneState, q: list[float]) -> None:
        """Shows another scene, with the arm at q (7,)."""
        self._scene = scene
        self._joints.position = [*q, 0.04, 0.04]
        self.arm, self.accept, self.clock = self.move, True, None
        self.ends.clear()
        self.canceled.clear()
        self.running.clear()
        self.show()

    def show(self) -> None:
        """Publishes time, joints and scene."""
        stamp = stamp_from_seconds(self.t)
        clock = Clock(clock=stamp if self.clock is None else stamp_from_seconds(self.clock))
        self._joints.header.stamp = self._scene.header.stamp = stamp
        for publisher, message in zip(
            self._publishers, (clock, self._joints, self._scene), strict=True
        ):
            publisher.publish(message)

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        self.canceled.set()
        return CancelResponse.ACCEPT

    def _on_arm(self, handle: ServerGoalHandle) -> FollowJointTrajectory.Result:
        self.running.set()
        result = self.arm(handle)
        self.ends.append(self.t)
        return result

    def _on_gripper(self, handle: ServerGoalHandle) -> GripperCommand.Result:
        handle.succeed()
        return GripperCommand.Result(reached_goal=True)

    @staticmethod
    def duration(handle: ServerGoalHandle) -> float:
        """Length of a trajectory, s."""
        return seconds(handle.request.trajectory.points[-1].time_from_start)

    def move(self, handle: ServerGoalHandle) -> FollowJointTrajectory.Result:
        """The arm does what it is told, in its time."""
        self.t += self.duration(handle)
        self._joints.position[:7] = handle.request.trajectory.points[-1].positions
        self.show()
        handle.succeed()
        return FollowJointTrajectory.Result()

    def hang(self, handle: ServerGoalHandle) -> FollowJointTrajectory.Result:
        """The arm goes on until it is canceled."""
        assert self.canceled.wait(GUARD)
        # rclpy notes a cancel only after its callback has accepted it.
        pause = threading.Event()
        while self.context.ok() and not handle.is_cancel_requested:
            pause.wait(0.01)
        if not self.context.ok():
            return FollowJointTrajectory.Result()
        handle.canceled()
        return FollowJointTrajectory.Result()

    def await_result(self, future: Any) -> Any:
        """The result of a future."""
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        assert done.wait(GUARD), "no answer"
        return future.result()

    def send(self, client: SafeActionClient, goal: Any) -> Any:
        """Sends a goal; returns its handle."""
        assert client.wait_for_server(GUARD), "no server"
        return self.await_result(client.send_goal_async(goal))

    def end(self, handle: Any) -> tuple[int, Any]:
        """Status and result of an accepted goal."""
        assert handle.accepted
        response = self.await_result(handle.get_result_async())
        return response.status, response.result
