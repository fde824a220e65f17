"""A scripted cell for the tests: scene, body, cloud and controller in one process, in lockstep.

Like the simulation it stands in for, it moves time only while its controller works, publishes an
observation at every reset, and never runs more than one observation ahead of the recorder.
"""

from __future__ import annotations

import sys
import threading
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from control_msgs.msg import JointTrajectoryControllerState
from gensim2_control.hardware import ARM_JOINTS, JOINTS
from gensim2_control.report import Level, Report
from gensim2_control.ros.conversions import nanoseconds
from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.parameters import declare_parameters, parameter
from gensim2_control.ros.run import run_node
from gensim2_episodes.episode_messages_node import stamp_of
from geometry_msgs.msg import TransformStamped
from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, JointState, PointCloud2, PointField
from std_msgs.msg import Header, String
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage
from trajectory_msgs.msg import JointTrajectoryPoint

from gensim2_msgs.action import ExecuteTask
from gensim2_msgs.msg import Keypoint, ObjectState, PredicateState, RobotStatus, SceneState
from gensim2_msgs.srv import ResetScene

URDF = Path(__file__).parents[3] / "launch" / "urdf" / "fr3.urdf"
HOME = [0.0, -0.32, 0.0, -2.618, 0.0, 2.23, 0.7854]
STEP, PERIOD = 20_000_000, 100_000_000
CAMERAS = ("wrist_camera", "left_camera", "right_camera")
OBSERVATIONS = 12
GUARD = 60.0  # s; only ends a test that hangs


@dataclass(frozen=True)
class StubParameters:
    """Seeds with a fate."""

    failing: tuple[int, ...] = parameter((-1,), "The task is not achieved.")
    unplanned: tuple[int, ...] = parameter((-1,), "There is no plan.")
    hanging: tuple[int, ...] = parameter((-1,), "The controller stops half-way until cancelled.")
    blind: tuple[int, ...] = parameter((-1,), "Observations have no cloud.")
    abrupt: tuple[int, ...] = parameter((-1,), "Time stops on an observation that is not made.")
    unheard: int = parameter(0, "Answers of scene/reset that never arrive.", low=0)
    stopped_by: int = parameter(0, "Fault that keeps the robot from moving until recover.", low=0)


class StubCell(Node):
    def __init__(self) -> None:
        super().__init__("stub_cell")
        self._fate = declare_parameters(self, StubParameters).value
        self._ns, self._seed, self._count, self._openness, self._held = 0, 0, 0, 0.4, 0
        self._task, self._ack = "", None
        self._changed = threading.Condition()
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        loose = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        state = JointTrajectoryControllerState
        self._time = self.create_publisher(Clock, "/clock", loose)
        self._joints = self.create_publisher(JointState, "joint_states", 10)
        self._arm = self.create_publisher(state, "fr3_arm_controller/controller_state", loose)
        self._gripper = self.create_publisher(state, "fr3_gripper/controller_state", loose)
        self._scene = self.create_publisher(SceneState, "scene/state", latched)
        self._points = self.create_publisher(PointCloud2, "points", 5)
        self._infos = {
            name: self.create_publisher(CameraInfo, f"{name}/color/camera_info", 5)
            for name in CAMERAS
        }
        self._description = self.create_publisher(String, "robot_description", latched)
        self._description.publish(String(data=URDF.read_text()))
        self._tf = self.create_publisher(TFMessage, "/tf_static", latched)
        mounts = [self._mount(name) for name in CAMERAS]
        self._tf.publish(TFMessage(transforms=mounts))
        group = ReentrantCallbackGroup()
        self.create_subscription(Header, "recorder/ack", self._on_ack, 10, callback_group=group)
        reset = self.create_service(ResetScene, "scene/reset", self._on_reset, callback_group=group)
        answer = reset.send_response

        def answer_if_heard(*reply: Any) -> None:
            if self._fault or self._count > self._fate.unheard:
                answer(*reply)

        reset.send_response = answer_if_heard
        self._server = ActionServer(
            self,
            ExecuteTask,
            "stub_expert/execute_task",
            self._execute,
            cancel_callback=self._on_cancel,
            callback_group=group,
        )
        self._fault = self._fate.stopped_by
        self._status = self.create_publisher(RobotStatus, "robot_status", latched)
        self._status.publish(RobotStatus(error_code=self._fault))
        self.create_service(Trigger, "robot/recover", self._on_recover, callback_group=group)
        self._closing = False
        self._diagnostics = NodeDiagnostics(self, lambda: {"cell": Report(Level.OK, "up")})
        print("ready", flush=True)

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    @staticmethod
    def _mount(camera: str) -> TransformStamped:
        parent = "fr3_hand" if camera.startswith("wrist") else "base"
        stamped = TransformStamped(child_frame_id=f"{camera}_color_optical_frame")
        stamped.header.frame_id = parent
        stamped.transform.translation.x = 0.5
        return stamped

    def _on_ack(self, message: Header) -> None:
        with self._changed:
            recording = message.frame_id == "recording"
            self._ack = nanoseconds(message.stamp) if recording else None
            self._changed.notify_all()

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        threading.Timer(0.0, self._wake).start()
        return CancelResponse.ACCEPT

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _on_reset(
        self, request: ResetScene.Request, response: ResetScene.Response
    ) -> ResetScene.Response:
        if self._fault:
            response.error_code, response.error_msg = ResetScene.Response.ROBOT_BUSY, "stopped"
            return response
        self._ns = (self._ns // PERIOD + 1) * PERIOD  # An episode begins on an observation.
        self._task, self._seed, self._count = request.task, request.seed, self._count + 1
        self._openness, self._held = 0.4, 0
        self._publish_body()
        response.state = self._observe()
        response.success = True
        response.parameters_json = '{"drawn": {"openness": 0.4}}'
        return response

    def _on_recover(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._fault = 0
        self._status.publish(RobotStatus())
        response.success, response.message = True, "recovered"
        return response

    def _publish_body(self) -> None:
        header = Header(stamp=stamp_of(self._ns))
        self._time.publish(Clock(clock=header.stamp))
        q = [*HOME, 0.04, 0.04]
        self._joints.publish(
            JointState(header=header, name=list(JOINTS), position=q, velocity=[0.0] * 9)
        )
        for publisher, names, reference in (
            (self._arm, list(ARM_JOINTS), HOME),
            (self._gripper, ["fr3_finger_joint1"], [0.04]),
        ):
            point = JointTrajectoryPoint(positions=reference, velocities=[0.0] * len(reference))
            message = JointTrajectoryControllerState(header=header, joint_names=names)
            message.reference = point
            publisher.publish(message)

    def _observe(self) -> SceneState:
        header = Header(stamp=stamp_of(self._ns), frame_id="base")
        for name, publisher in self._infos.items():
            info = CameraInfo(width=4, height=2, k=[1.0, 0, 2, 0, 1, 1, 0, 0, 1])
            info.header = Header(stamp=header.stamp, frame_id=f"{name}_color_optical_frame")
            publisher.publish(info)
        points = np.zeros(16, dtype=[("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("rgb", "<u4")])
        points["x"], points["rgb"] = self._ns * 1e-9, 0x010203
        names = ("x", "y", "z", "rgb")
        cloud = PointCloud2(header=header, height=1, width=16, point_step=16, row_step=256)
        cloud.fields = [
            PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
            for i, name in enumerate(names)
        ]
        cloud.data = array("B", points.tobytes())
        if self._seed not in self._fate.blind or self._count == 0:
            self._points.publish(cloud)
        return self._publish_scene()

    def _publish_scene(self) -> SceneState:
        header = Header(stamp=stamp_of(self._ns), frame_id="base")
        scene = SceneState(header=header, task=self._task, seed=self._seed)
        scene.reset_count = self._count
        box = ObjectState(name="box", category="box_rotate", asset=f"procedural:box/{self._seed}")
        box.joint_name, box.openness, box.joint_position = "lid", self._openness, self._openness
        box.keypoints = [Keypoint(name="head")]
        scene.objects = [box]
        done = self._openness > 0.8
        self._held = self._held + 1 if done else 0
        scene.success, scene.succeeded = done, self._held > 3
        scene.predicates = [
            PredicateState(
                name="openness_above(box, 0.8)",
                satisfied=done,
                value=self._openness,
                threshold=0.8,
            )
        ]
        self._scene.publish(scene)
        return scene

    def _come_to_rest(self) -> None:
        """Time goes on a little after the last observation, and the scene at rest is shown."""
        steps = PERIOD // STEP if self._seed in self._fate.abrupt else 1
        for _ in range(steps):
            self._ns += STEP
            if self._ns % PERIOD:
                self._publish_body()
        self._publish_scene()

    def _execute(self, handle: ServerGoalHandle) -> ExecuteTask.Result:
        result = ExecuteTask.Result(actuation_time=-1.0, plan_time=0.01, report_json='[{"k": 1}]')
        started = self._ns
        if self._seed in self._fate.unplanned:
            return self._end(handle, result, ExecuteTask.Result.PLAN_FAILED, "no way there")
        for number in range(OBSERVATIONS):
            if not self._move(handle, hang=self._seed in self._fate.hanging and number == 6):
                code = ExecuteTask.Result.CANCELED
                return self._end(handle, result, code, "cancelled")
            if number == 4:
                result.actuation_time = (self._ns - started) * 1e-9
                result.actuation_stamp = stamp_of(self._ns)
            if number > 5 and self._seed not in self._fate.failing:
                self._openness = 0.95
            handle.publish_feedback(ExecuteTask.Feedback(stage="approach", progress=0.5))
        self._come_to_rest()
        result.execution_time = (self._ns - started) * 1e-9
        return self._end(handle, result, ExecuteTask.Result.NONE, "")

    def _move(self, handle: ServerGoalHandle, hang: bool) -> bool:
        """Moves on by one observation; false if it was cancelled."""
        for _ in range(PERIOD // STEP):
            self._ns += STEP
            if self._ns % PERIOD:
                self._publish_body()
        with self._changed:
            oldest = self._ns - PERIOD
            caught_up = self._changed.wait_for(
                lambda: self._closing or self._ack is None or self._ack >= oldest, GUARD
            )
            if not caught_up:
                print(f"no ack of {oldest}, only of {self._ack}", flush=True)
            if hang:
                print("hanging", flush=True)
                self._changed.wait_for(lambda: self._closing or handle.is_cancel_requested, GUARD)
        self._publish_body()
        self._observe()
        return not handle.is_cancel_requested

    def _end(
        self, handle: ServerGoalHandle, result: ExecuteTask.Result, code: int, text: str
    ) -> ExecuteTask.Result:
        result.error_code, result.error_msg = code, text
        if not code:
            handle.succeed()
        elif handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return result


if __name__ == "__main__":
    sys.exit(run_node(StubCell))
