"""A node with a bit of everything, run as a process by test_cli_graph.py."""

import threading
import time
from typing import Any

import rclpy
from control_msgs.action import GripperCommand
from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from std_msgs.msg import Float64MultiArray, String
from std_srvs.srv import SetBool

# A goal with this effort runs until it is cancelled.
ENDLESS_EFFORT = 99.0


class ShyServer(ActionServer):
    """Like a server that has not discovered its client: the first answers reach nobody."""

    def __init__(self, node: Node) -> None:
        self.unheard = 2
        super().__init__(
            node, GripperCommand, "_shy", self._execute_grip, goal_callback=self._judge
        )

    def _judge(self, goal: Any) -> GoalResponse:
        return GoalResponse.REJECT if self.unheard > 0 else GoalResponse.ACCEPT

    def _execute_grip(self, handle: Any) -> Any:
        handle.succeed()
        return GripperCommand.Result()

    async def _execute_get_result_request(self, request: Any) -> None:
        self.unheard -= 1
        if self.unheard < 0:
            await super()._execute_get_result_request(request)


class Lab(Node):
    def __init__(self) -> None:
        super().__init__("bench", namespace="/lab")
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.chatter = self.create_publisher(String, "chatter", 10)
        self.samples = self.create_publisher(Float64MultiArray, "samples", qos_profile_sensor_data)
        self.latest = self.create_publisher(String, "latest", latched)
        self.create_publisher(String, "_hidden", 10)
        self.create_subscription(String, "inbox", self.latest.publish, 10)
        self.create_service(SetBool, "switch", self.on_switch)
        self.create_timer(0.05, self.on_timer)
        self.count = 0
        self.declare_parameter(
            "speed",
            1.5,
            ParameterDescriptor(
                description="How fast",
                floating_point_range=[FloatingPointRange(from_value=0.0, to_value=2.0)],
            ),
        )
        self.declare_parameter("limits.names", ["a", "b"])
        self.declare_parameter("limits.count", 2)
        self.declare_parameter("active", True)
        self.server = ActionServer(
            self,
            GripperCommand,
            "grip",
            execute_callback=self.on_grip,
            goal_callback=self.on_goal,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
            callback_group=ReentrantCallbackGroup(),
        )
        self.shy = ShyServer(self)
        self.latest.publish(String(data="nothing yet"))

    def on_timer(self) -> None:
        self.count += 1
        self.chatter.publish(String(data=f"hello {self.count}"))
        self.samples.publish(Float64MultiArray(data=[float(i) for i in range(1000)]))

    def on_switch(self, request: Any, response: Any) -> Any:
        response.success = request.data
        response.message = "on" if request.data else "off"
        return response

    def on_goal(self, goal: Any) -> GoalResponse:
        return GoalResponse.REJECT if goal.command.position < 0 else GoalResponse.ACCEPT

    def on_grip(self, handle: Any) -> Any:
        command = handle.request.command
        feedback = GripperCommand.Feedback(position=command.position / 2)
        # Until the client has learnt the identity of its goal it cannot match feedback to it.
        for _ in range(10):
            handle.publish_feedback(feedback)
            time.sleep(0.01)
        while command.max_effort == ENDLESS_EFFORT and rclpy.ok():
            if handle.is_cancel_requested:
                handle.canceled()
                return GripperCommand.Result(stalled=True)
            time.sleep(0.01)
        if command.position > 1:
            handle.abort()
        else:
            handle.succeed()
        return GripperCommand.Result(position=command.position, reached_goal=True)


class Gate(LifecycleNode):
    """A managed node that can be configured only once."""

    def __init__(self, name: str) -> None:
        super().__init__(name, namespace="/lab", start_parameter_services=False)
        self.used = False

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        if self.used:
            return TransitionCallbackReturn.FAILURE
        self.used = True
        return super().on_configure(state)


def main() -> None:
    rclpy.init()
    try:
        node = Lab()
        # Nobody spins this one, so its service never answers.
        mute = Node("_mute", namespace="/lab", start_parameter_services=False)
        mute.create_service(SetBool, "mute", node.on_switch)
        executor = MultiThreadedExecutor(4)
        for each in (node, Gate("gate"), Gate("_side_gate")):
            executor.add_node(each)
        threading.Timer(0.0, lambda: print("ready", flush=True)).start()
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
