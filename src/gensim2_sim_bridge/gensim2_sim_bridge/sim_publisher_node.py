"""What the simulation publishes beside the body contract: clock, scene and cameras."""

from __future__ import annotations

from gensim2_control.ros.conversions import stamp_from_seconds
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from tf2_msgs.msg import TFMessage

from gensim2_msgs.msg import SceneState

from .cameras import CameraRig
from .scene_messages_node import camera_messages, camera_points, camera_transforms, scene_state
from .simulation import Simulation

CLOCK_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(
    depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
)
# Every tick must reach a recorder, also one that is late by an observation or two.
IMAGE_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
CLOCK_PERIOD_STEPS = 2


class SimPublisher:
    """Publishers of the simulation.

    Args:
        node: The node.
        simulation: What is shown.
        rig: The cameras; None = no cameras.
    """

    def __init__(self, node: Node, simulation: Simulation, rig: CameraRig | None) -> None:
        self._simulation = simulation
        self._rig = rig
        self._clock = node.create_publisher(Clock, "/clock", CLOCK_QOS)
        self._scene = node.create_publisher(SceneState, "scene/state", LATCHED)
        self._cameras = {}
        self._points = {}
        if rig is None:
            return
        for name in rig.names:
            self._cameras[name] = (
                node.create_publisher(Image, f"{name}/color/image_raw", IMAGE_QOS),
                node.create_publisher(Image, f"{name}/aligned_depth_to_color/image_raw", IMAGE_QOS),
                node.create_publisher(CameraInfo, f"{name}/color/camera_info", IMAGE_QOS),
            )
            self._points[name] = node.create_publisher(
                PointCloud2, f"{name}/depth/color/points", IMAGE_QOS
            )
        self._tf = node.create_publisher(TFMessage, "/tf_static", LATCHED)
        self._tf.publish(TFMessage(transforms=camera_transforms(rig.calibrations)))

    def clock(self, *, always: bool = False) -> None:
        """Publishes the time where it is due."""
        world = self._simulation.world
        if always or world.steps % CLOCK_PERIOD_STEPS == 0:
            self._clock.publish(Clock(clock=stamp_from_seconds(world.t)))

    def scene(self) -> SceneState:
        """Publishes and returns the scene state."""
        message = scene_state(self._simulation)
        self._scene.publish(message)
        return message

    def observation(self) -> None:
        """Takes and publishes a picture with every camera."""
        if self._rig is None:
            return
        world = self._simulation.world
        stamp = stamp_from_seconds(world.t)
        for frame in self._rig.capture(world):
            messages = camera_messages(stamp, frame, self._rig)
            for publisher, message in zip(self._cameras[frame.camera], messages, strict=True):
                publisher.publish(message)
            # Fusion works on the pictures: most of the time nobody wants these.
            points = self._points[frame.camera]
            if points.get_subscription_count() > 0:
                points.publish(camera_points(stamp, frame, self._rig))
