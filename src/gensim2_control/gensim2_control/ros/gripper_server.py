"""The gripper's side of the body contract: GripperCommand in metres of one finger joint."""

from __future__ import annotations

from control_msgs.action import GripperCommand
from rclpy.node import Node

from gensim2_control.body import Body
from gensim2_control.goals import GoalRejected, GripperGoal
from gensim2_control.hardware import ARM_DOF
from gensim2_control.ros.goal_server import GoalServer
from gensim2_control.ros.state_publisher import StatePublisher


class GripperServer(GoalServer[GripperGoal]):
    """`fr3_gripper/gripper_action`.

    `position` is the position of one finger joint (0 to 0.04 m, half the gap) in goal, feedback
    and result alike. Fingers stopped by an object end the goal successfully with `stalled`.
    """

    def __init__(self, node: Node, body: Body, publisher: StatePublisher) -> None:
        """Create the action server."""
        super().__init__(node, body, publisher, GripperCommand, "fr3_gripper/gripper_action")

    def check(self, request: GripperCommand.Goal) -> None:
        """Refuse positions and forces that the hand does not have."""
        self._body.check_grip(request.command.position, request.command.max_effort)

    def start(self, request: GripperCommand.Goal) -> GripperGoal:
        """Hand the goal to the body; force 0 takes the default."""
        return self._body.grip(request.command.position, request.command.max_effort)

    def feedback(self, goal: GripperGoal) -> GripperCommand.Feedback:
        """Return position and force of the fingers."""
        position, force = self._measured(goal)
        return GripperCommand.Feedback(position=position, effort=force)

    def result(self, goal: GripperGoal | GoalRejected) -> GripperCommand.Result:
        """Return position and force, and whether the goal was reached or an object met."""
        if isinstance(goal, GoalRejected):
            state = self._body.state
            position = float(state.q[ARM_DOF:].mean()) if state is not None else 0.0
            return GripperCommand.Result(position=position)
        position, force = self._measured(goal)
        return GripperCommand.Result(
            position=position, effort=force, stalled=goal.stalled, reached_goal=goal.reached_goal
        )

    def _measured(self, goal: GripperGoal) -> tuple[float, float]:
        state = self._body.state
        if goal.reached != goal.reached and state is not None:
            return float(state.q[ARM_DOF:].mean()), 0.0
        return goal.reached, goal.force
