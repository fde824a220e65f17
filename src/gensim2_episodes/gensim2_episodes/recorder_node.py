"""The recorder's side of the graph: subscriptions that feed a recording, and `recorder/ack`."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from control_msgs.msg import JointTrajectoryControllerState
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.ros.conversions import nanoseconds
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image, JointState, PointCloud2
from std_msgs.msg import Header, String

from gensim2_episodes.assembly import Assembler
from gensim2_episodes.camera_records_node import CameraListener
from gensim2_episodes.episode_messages_node import (
    cloud_from_msg,
    depth_from_msg,
    image_from_msg,
    joints_from_msg,
    reference_from_msg,
    scene_from_msg,
    stamp_of,
)
from gensim2_episodes.manager_parameters_node import (
    OBS_STATE,
    ManagerParameters,
)
from gensim2_episodes.manifest import CameraRecord
from gensim2_episodes.recording import Recording
from gensim2_episodes.scene import Scene
from gensim2_episodes.writer import EpisodeWriter
from gensim2_msgs.msg import SceneState

RECORDING, STOPPED = "recording", "stopped"
"""Values of `frame_id` in `recorder/ack`: whether a simulator should wait for the recorder."""

_LATCHED = DurabilityPolicy.TRANSIENT_LOCAL
_DEPTH = 100
_FEW = 10

_PRE_ROLL = 50
_PRE_ROLL_IMAGES = 5

Feed = Callable[[Assembler, int, Any], object]
SceneListener = Callable[[Scene], None]


class RecorderStreams:
    """Listens to everything that is recorded, all the time; records when told to.

    The newest samples are kept, because the first observation of a scene may come before the
    answer to the reset that asked for it.
    """

    def __init__(self, node: Node, parameters: ManagerParameters, on_scene: SceneListener) -> None:
        """Subscribes.

        Args:
            node: The node.
            parameters: What is recorded.
            on_scene: Told every state of the scene.
        """
        self._node = node
        self._parameters = parameters
        self._on_scene_state = on_scene
        self._recording: Recording | None = None
        self._kinematics: Fr3Kinematics | None = None
        self._cameras = CameraListener(
            node, () if parameters.obs == OBS_STATE else parameters.cameras
        )
        self._lock = threading.Lock()
        self._sources: dict[str, int] = {}
        self._pre_roll: dict[str, deque[tuple[Feed, Any]]] = {}
        self._group = MutuallyExclusiveCallbackGroup()
        self.newest_ns = 0
        """Newest stamp of a joint state [ns]."""
        self._ack = node.create_publisher(
            Header, "recorder/ack", QoSProfile(depth=_FEW, durability=_LATCHED)
        )
        state = JointTrajectoryControllerState
        # Controller states are best effort by convention; every subscriber is content with that.
        loose = QoSProfile(depth=_DEPTH, reliability=ReliabilityPolicy.BEST_EFFORT)
        # Where nobody waits for the recorder, a long queue is only a long delay.
        latched = QoSProfile(depth=_FEW if parameters.paced else _DEPTH, durability=_LATCHED)
        self._listen(JointState, "joint_states", self._on_joints, _DEPTH)
        self._listen(state, "fr3_arm_controller/controller_state", self._on_arm, loose)
        self._listen(state, "fr3_gripper/controller_state", self._on_gripper, loose)
        self._listen(SceneState, "scene/state", self._on_scene, latched)
        self._listen(String, "robot_description", self._on_description, latched)
        config = parameters.recorder(truth=True)
        if config.cloud:
            self._listen(PointCloud2, "points", self._on_cloud, _FEW)
        for camera in config.cameras:
            topic = f"{camera}/color/image_raw"
            self._listen(Image, topic, partial(self._on_image, camera), _FEW)
        for camera in config.depth_cameras:
            topic = f"{camera}/aligned_depth_to_color/image_raw"
            self._listen(Image, topic, partial(self._on_depth, camera), _FEW)

    def _listen(
        self, kind: type, topic: str, callback: Callable[[Any], None], qos: QoSProfile | int
    ) -> None:
        def matched(info: Any) -> None:
            with self._lock:
                self._sources[topic] = info.current_count

        self._sources[topic] = 0
        self._node.create_subscription(
            kind,
            topic,
            callback,
            qos,
            callback_group=self._group,
            event_callbacks=SubscriptionEventCallbacks(matched=matched),
        )

    def missing(self) -> list[str]:
        """Topics that a recording needs and that nobody publishes (yet)."""
        with self._lock:
            silent = [topic for topic, count in self._sources.items() if not count]
        if self._kinematics is None:
            silent.append("robot_description")
        return list(dict.fromkeys(silent))

    def record(self, writer: EpisodeWriter, scene: Scene) -> Recording:
        """Starts recording; `missing` must be empty."""
        assert self._kinematics is not None
        config = self._parameters.recorder(truth=bool(scene.movable))
        with self._lock:
            self._recording = Recording.of_scene(
                writer, config, self._kinematics, scene, self._acknowledge
            )
            for samples in self._pre_roll.values():
                for feed, message in samples:
                    self._store(self._recording, feed, message)
            return self._recording

    def lacking(self, recording: Recording) -> list[str]:
        """What a recording has not got for its first frame; empty once it is there."""
        return ([] if recording.frames else recording.lacking()) + self._cameras.missing()

    def cameras(self) -> dict[str, CameraRecord]:
        """The cameras that were heard, with where they are mounted."""
        return self._cameras.records(self._kinematics.links if self._kinematics else ())

    def _acknowledge(self, stamp_ns: int, active: bool) -> None:
        if self._node.context.ok():
            header = Header(stamp=stamp_of(stamp_ns), frame_id=RECORDING if active else STOPPED)
            self._ack.publish(header)

    def _feed(self, topic: str, feed: Feed, message: Any) -> None:
        with self._lock:
            if topic not in self._pre_roll:
                small = not isinstance(message, Image)
                self._pre_roll[topic] = deque(maxlen=_PRE_ROLL if small else _PRE_ROLL_IMAGES)
            self._pre_roll[topic].append((feed, message))
            if self._recording is not None and self._recording.active:
                self._store(self._recording, feed, message)

    @staticmethod
    def _store(recording: Recording, feed: Feed, message: Any) -> None:
        stamp_ns = nanoseconds(message.header.stamp)
        recording.feed(lambda assembler: feed(assembler, stamp_ns, message))

    def _on_joints(self, message: JointState) -> None:
        self.newest_ns = nanoseconds(message.header.stamp)
        self._feed("joints", lambda to, t, m: to.add_joints(t, joints_from_msg(m)), message)

    def _on_arm(self, message: JointTrajectoryControllerState) -> None:
        self._feed("arm", lambda to, t, m: to.add_reference(t, reference_from_msg(m)), message)

    def _on_gripper(self, message: JointTrajectoryControllerState) -> None:
        self._feed("gripper", _add_gripper, message)

    def _on_cloud(self, message: PointCloud2) -> None:
        self._feed("points", lambda to, t, m: to.add_cloud(t, *cloud_from_msg(m)), message)

    def _on_image(self, camera: str, message: Image) -> None:
        self._feed(camera, lambda to, t, m: to.add_image(camera, t, image_from_msg(m)), message)

    def _on_depth(self, camera: str, message: Image) -> None:
        def feed(to: Assembler, stamp_ns: int, message: Image) -> None:
            to.add_depth(camera, stamp_ns, depth_from_msg(message))

        self._feed(f"depth {camera}", feed, message)

    def _on_scene(self, message: SceneState) -> None:
        scene = scene_from_msg(message)
        self._on_scene_state(scene)
        self._feed("scene", lambda to, t, _: to.add_scene(t, scene.truth()), message)

    def _on_description(self, message: String) -> None:
        try:
            self._kinematics = Fr3Kinematics.from_urdf(message.data)
        except ValueError as error:
            self._node.get_logger().error(f"robot_description cannot be used: {error}")


def _add_gripper(to: Assembler, stamp_ns: int, message: JointTrajectoryControllerState) -> None:
    reference = message.reference
    if reference.positions:
        effort = float(reference.effort[0]) if reference.effort else None
        to.add_gripper_reference(stamp_ns, float(reference.positions[0]), effort)
