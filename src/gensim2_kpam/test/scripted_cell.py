"""A robot and a scene without physics: what happens, and when, is up to a test."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from typing import Any

import rclpy
from control_msgs.action import FollowJointTrajectory, GripperCommand
from gensim2_control.hardware import ARM_JOINTS, FINGER_JOINTS
from gensim2_control.ros.conversions import seconds, stamp_from_seconds
from gensim2_control.ros.safe_action_client import SafeActionClient
from gensim2_control.ros.spin import spin
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.context import Context
from rclpy.executors import MultiThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_msgs.msg import Header

from gensim2_msgs.action import ExecuteTask, PlanTask
from gensim2_msgs.msg import SceneState

GUARD = 60.0  # s; only ends a test that hangs
REPUBLISH = 0.05  # s of wall time
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
Arm = Callable[[ServerGoalHandle], FollowJointTrajectory.Result]


class Host:
    """A node in a participant of its own, with threads that serve it."""

    def __init__(self, name: str, domain: int) -> None:
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = rclpy.create_node(name, context=self._context)
        self._servers: list[ActionServer] = []
        self._executor = MultiThreadedExecutor(num_threads=6, context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=spin, args=(self._executor,), daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return bool(self._context.ok())

    def serve(self, kind: Any, name: str, **callbacks: Any) -> None:
        group = ReentrantCallbackGroup()
        self._servers.append(ActionServer(self.node, kind, name, callback_group=group, **callbacks))

    def close(self, patience: float) -> None:
        """Takes everything off the graph; callbacks have some time to end. Once is enough."""
        if not self.alive:
            return
        self._executor.shutdown(patience)
        self._thread.join(GUARD)
        for server in self._servers:
            server.destroy()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)


class Cell:
    """Body, scene and clock, and clients of planner and expert, on one node.

    Attributes:
        t: Simulated time, s. It stands still unless somebody sets it.
        clock: Time that /clock shows; None = t.
        silent: Topics that are not published.
        on_system_time: Stamps are those of the clock of the system, as on a real robot.
        arm: What becomes of an arm goal.
        accept: Whether the arm accepts goals.
        ends: Times at which arm goals ended.
    """

    def __init__(self, domain: int, silent: tuple[str, ...] = ()) -> None:
        self.t = 50.0
        self.clock: float | None = None
        self.silent = silent
        self.on_system_time = False
        self.accept = True
        self.ends: list[float] = []
        self.canceled = threading.Event()
        self.running = threading.Event()
        self.arm: Arm = self.move
        self._scene = SceneState()
        self._joints = JointState(name=[*ARM_JOINTS, *FINGER_JOINTS])
        self._host = Host("scripted_cell", domain)
        self.node = node = self._host.node
        group = ReentrantCallbackGroup()
        self._publishers = {
            "/clock": node.create_publisher(Clock, "/clock", 1),
            "/joint_states": node.create_publisher(JointState, "joint_states", 1),
            "/scene/state": node.create_publisher(SceneState, "scene/state", LATCHED),
        }
        node.create_timer(REPUBLISH, self.show, callback_group=group)
        # The robot is a participant of its own, so that it can die alone.
        self._robot = Host("scripted_robot", domain)
        self._robot.serve(
            FollowJointTrajectory,
            "fr3_arm_controller/follow_joint_trajectory",
            execute_callback=self._on_arm,
            goal_callback=lambda _: GoalResponse.ACCEPT if self.accept else GoalResponse.REJECT,
            cancel_callback=self._on_cancel,
        )
        self._robot.serve(
            GripperCommand, "fr3_gripper/gripper_action", execute_callback=self._on_gripper
        )
        self.planner = SafeActionClient(node, PlanTask, "kpam_planner/plan")
        self.expert = SafeActionClient(node, ExecuteTask, "kpam_expert/execute_task")

    def robot_dies(self) -> None:
        """Arm and gripper are gone, whatever they were doing."""
        self._robot.close(0.0)

    def make_room(self) -> None:
        """Leaves robot and joint states to somebody else, for good."""
        self.robot_dies()
        self.silent = ("/clock", "/joint_states")
        self.node.destroy_publisher(self._publishers["/joint_states"])

    def close(self) -> None:
        self.canceled.set()
        self._robot.close(GUARD)
        self._host.close(GUARD)

    def place(self, scene: SceneState, q: list[float]) -> None:
        """Shows another scene, with the arm at q (7,)."""
        self._scene = scene
        self._joints.position = [*q, 0.04, 0.04]
        self.arm, self.accept, self.clock, self.silent = self.move, True, None, ()
        self.ends.clear()
        self.canceled.clear()
        self.running.clear()
        self.show()

    def show(self) -> None:
        """Publishes time, joints and scene."""
        stamp = stamp_from_seconds(time.time() if self.on_system_time else self.t)
        clock = Clock(clock=stamp if self.clock is None else stamp_from_seconds(self.clock))
        for (topic, publisher), message in zip(
            self._publishers.items(), (clock, self._joints, self._scene), strict=True
        ):
            if topic in self.silent:
                continue
            if message is not clock:
                message.header.stamp = stamp
            publisher.publish(message)

    def show_late(self, t: float) -> None:
        """Publishes the scene as it was at t s, as a message does that was on its way."""
        scene = copy.copy(self._scene)
        scene.header = Header(stamp=stamp_from_seconds(t))
        self._publishers["/scene/state"].publish(scene)

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
        while self._robot.alive and not handle.is_cancel_requested:
            pause.wait(0.01)
        if not self._robot.alive:
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
