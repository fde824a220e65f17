"""The node `robot_state_publisher`: `joint_states` and a URDF to `/tf` and `/tf_static`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geometry_msgs.msg import TransformStamped
from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor, SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from rclpy.time import Time
from rclpy.utilities import remove_ros_args
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from tf2_ros import StaticTransformBroadcaster, TransformBroadcaster
from tf2_ros.geometry import Rigid
from tf2_ros.node_program import run_program

from robot_state_publisher.model import Joint, RobotModel, UrdfError, parse_urdf
from robot_state_publisher.updates import JointUpdates

_MAX_FREQUENCY_HZ = 1000.0
# After this time a joint without a state is worth a warning.
_PATIENCE_S = 15.0


class RobotStatePublisher(Node):
    """Publishes the transform of every joint of a robot."""

    def __init__(self, description: str = "") -> None:
        """Declare the parameters and start.

        Args:
            description: URDF text to use if the parameter `robot_description` is not given.

        Raises:
            UrdfError: there is no usable URDF.
        """
        super().__init__("robot_state_publisher")
        text = self._declare("robot_description", description, "The robot as URDF text")
        self._declare(
            "publish_frequency",
            20.0,
            "Highest rate of the transforms of moving joints [Hz]; 0: no limit",
            floating_point_range=[
                FloatingPointRange(from_value=0.0, to_value=_MAX_FREQUENCY_HZ, step=0.0)
            ],
        )
        self._declare("ignore_timestamp", False, "Publish every joint state, whatever its time")
        self._declare("frame_prefix", "", "Text to put before every frame name")
        if not text:
            raise UrdfError("the parameter 'robot_description' must be given and not be empty")
        self._transforms = TransformBroadcaster(self)
        self._static_transforms = StaticTransformBroadcaster(self)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._descriptions = self.create_publisher(String, "robot_description", latched)
        self._use(parse_urdf(text))
        self.create_subscription(
            JointState, "joint_states", self._on_joint_state, qos_profile_sensor_data
        )
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._patience = self.create_timer(_PATIENCE_S, self._on_patience, clock=steady)
        self.add_on_set_parameters_callback(self._check_parameters)
        self.add_post_set_parameters_callback(self._on_parameters)

    def _declare(self, name: str, default: Any, description: str, **limits: Any) -> Any:
        descriptor = ParameterDescriptor(name=name, description=description, **limits)
        return self.declare_parameter(name, default, descriptor).value

    def _use(self, model: RobotModel) -> None:
        """Publish what is fixed, prepare for what moves."""
        for joint in model.unsupported:
            self.get_logger().warning(f"joint '{joint.name}' ({joint.kind}) is held fixed")
        frequency = self.get_parameter("publish_frequency").value
        self._model = model
        self._updates = JointUpdates(
            model,
            int(1e9 / frequency) if frequency > 0.0 else 0,
            ignore_timestamp=self.get_parameter("ignore_timestamp").value,
        )
        text = self.get_parameter("robot_description").value
        self._descriptions.publish(String(data=text))
        stamp = self.get_clock().now()
        self._static_transforms.sendTransform(
            [self._message(joint, joint.origin, stamp) for joint in model.fixed]
        )
        self.get_logger().info(
            f"robot '{model.name}': {len(model.movable)} moving and {len(model.fixed)} fixed "
            f"joints, root link '{model.root}'"
        )

    def _message(self, joint: Joint, transform: Rigid, stamp: Time) -> TransformStamped:
        prefix = self.get_parameter("frame_prefix").value
        message = TransformStamped()
        message.header.stamp = stamp.to_msg()
        message.header.frame_id = prefix + joint.parent
        message.child_frame_id = prefix + joint.child
        t, q = message.transform.translation, message.transform.rotation
        (t.x, t.y, t.z), (q.x, q.y, q.z, q.w) = transform
        return message

    def _on_joint_state(self, state: JointState) -> None:
        stamp = Time.from_msg(state.header.stamp)
        now_ns = self.get_clock().now().nanoseconds
        try:
            updates = self._updates.update(state.name, state.position, stamp.nanoseconds, now_ns)
        except ValueError as error:
            self.get_logger().warning(str(error), throttle_duration_sec=5.0)
            return
        if self._updates.jumped_back:
            self.get_logger().warning("Moved backwards in time, re-publishing joint transforms!")
        if updates:
            self._transforms.sendTransform(
                [self._message(joint, transform, stamp) for joint, transform in updates]
            )

    def _on_patience(self) -> None:
        self._patience.cancel()
        if self._updates.never_seen:
            self.get_logger().warning(
                f"no joint state yet for {', '.join(self._updates.never_seen)}: there are no "
                "transforms for their links"
            )

    def _check_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        for parameter in parameters:
            if parameter.name == "robot_description":
                try:
                    parse_urdf(parameter.value)
                except UrdfError as error:
                    return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _on_parameters(self, parameters: list[Parameter]) -> None:
        names = {parameter.name for parameter in parameters}
        if names & {
            "robot_description",
            "publish_frequency",
            "ignore_timestamp",
            "frame_prefix",
        }:
            self._use(parse_urdf(self.get_parameter("robot_description").value))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the node until interrupted; a file name as argument stands for its content."""
    args = list(sys.argv if argv is None else argv)
    files = remove_ros_args(args)[1:]
    try:
        description = Path(files[0]).read_text(encoding="utf-8") if files else ""
        run_program(lambda: RobotStatePublisher(description), args)
    except (UrdfError, OSError, ParameterException) as error:
        print(f"robot_state_publisher: {error}", file=sys.stderr)
        return 1
    return 0
