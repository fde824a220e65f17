"""`ros2 action`: the actions of the graph."""

import argparse
import textwrap
import time
from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import uuid4

from action_msgs.msg import GoalStatus
from action_msgs.srv import CancelGoal
from rclpy.action import (
    ActionClient,
    get_action_client_names_and_types_by_node,
    get_action_names_and_types,
    get_action_server_names_and_types_by_node,
)
from rclpy.action.client import ClientGoalHandle
from rclpy.task import Future
from unique_identifier_msgs.msg import UUID

from ros2cli.command import CliError, Verb, VerbCommand
from ros2cli.graph import Session, is_hidden, split_node_name
from ros2cli.interfaces import load_type, type_path
from ros2cli.messages import FieldError, build, parse_yaml, to_yaml
from ros2cli.options import add_list_options, add_spin_time, add_timeout, print_names

_STATUS = {
    GoalStatus.STATUS_ACCEPTED: "ACCEPTED",
    GoalStatus.STATUS_EXECUTING: "EXECUTING",
    GoalStatus.STATUS_CANCELING: "CANCELING",
    GoalStatus.STATUS_SUCCEEDED: "SUCCEEDED",
    GoalStatus.STATUS_CANCELED: "CANCELED",
    GoalStatus.STATUS_ABORTED: "ABORTED",
}
_CANCEL_S = 5.0
# After so long a question counts as lost.
_ASK_AGAIN_S = 0.5


def _action_types(session: Session, action: str) -> list[str]:
    return dict(get_action_names_and_types(session.node)).get(action, [])


class _List:
    """Output a list of action names."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_list_options(parser, "actions")

    def main(self, args: argparse.Namespace) -> None:
        with Session() as session:
            session.settle(args.spin_time)
            entries = get_action_names_and_types(session.node)
        shown = [entry for entry in entries if args.hidden or not is_hidden(entry[0])]
        print_names(shown, show_types=args.show_types, count=args.count)


class _Type:
    """Print an action's type."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_spin_time(parser)
        parser.add_argument("action_name", help="Name of the action")

    def main(self, args: argparse.Namespace) -> None:
        with Session() as session:
            action = session.full_name(args.action_name)
            types = session.find(lambda: _action_types(session, action))
        if not types:
            raise CliError(f"Unknown action '{args.action_name}'")
        for name in types:
            print(name)


class _Info:
    """Print information about an action."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_spin_time(parser)
        parser.add_argument("action_name", help="Name of the action")
        parser.add_argument("-t", "--show-types", action="store_true", help="Also show the types")
        parser.add_argument("-c", "--count", action="store_true", help="Only how many")

    def main(self, args: argparse.Namespace) -> None:
        with Session() as session:
            action = session.full_name(args.action_name)
            session.settle(args.spin_time, lambda: bool(_action_types(session, action)))
            if not _action_types(session, action):
                raise CliError(f"Unknown action '{args.action_name}'")
            clients = _nodes_with(session, get_action_client_names_and_types_by_node, action)
            servers = _nodes_with(session, get_action_server_names_and_types_by_node, action)
        print(f"Action: {action}")
        for title, nodes in (("clients", clients), ("servers", servers)):
            print(f"Action {title}: {len(nodes)}")
            if not args.count:
                for name, types in nodes:
                    print(f"    {name} [{', '.join(types)}]" if args.show_types else f"    {name}")


def _nodes_with(session: Session, query: Any, action: str) -> list[tuple[str, list[str]]]:
    found = []
    for full in dict.fromkeys(session.node_names(hidden=True)):
        types = dict(query(session.node, *split_node_name(full))).get(action)
        if types:
            found.append((full, types))
    return found


class _SendGoal:
    """Send an action goal."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("action_name", help="Name of the action")
        parser.add_argument("action_type", help="Type, as 'control_msgs/action/GripperCommand'")
        parser.add_argument("goal", nargs="?", default="{}", help="Goal as YAML, '{order: 10}'")
        parser.add_argument("-f", "--feedback", action="store_true", help="Show the feedback, too")
        add_timeout(parser, "a server to which the goal can be sent")

    def main(self, args: argparse.Namespace) -> int:
        """Send, wait for the end. Unlike upstream any end but SUCCEEDED gives exit code 1."""
        action_type = load_type(args.action_type, "action")
        try:
            goal = build(action_type.Goal, parse_yaml(args.goal))
        except FieldError as error:
            raise CliError(f"Failed to populate message fields: {error}") from None
        with Session() as session:
            action = session.full_name(args.action_name)
            client = ActionClient(session.node, action_type, action)
            print("Waiting for an action server to become available...", flush=True)
            begin = time.monotonic()
            session.require_server(
                f"action '{action}'",
                client.server_is_ready,
                lambda: _action_types(session, action),
                type_path(action_type),
                args.timeout,
            )
            _require_answer(session, client, action_type, begin, args.timeout)
            print(f"Sending goal:\n{_indented(goal, 5)}", flush=True)
            return _follow(session, client, goal, show_feedback=args.feedback)


def _require_answer(
    session: Session, client: ActionClient, action_type: Any, begin: float, timeout_s: float | None
) -> None:
    """Wait until an answer of the server arrives, `timeout_s` after `begin` at most.

    A server that has not discovered this process yet would accept the goal and its answer would
    be lost. So it is asked for the result of a goal that nobody has sent, which harms nothing and
    is answered at once.

    Raises:
        CliError: there is none within the time.
    """
    no_response = action_type.Impl.SendGoalService.Response()
    asked: list[Future] = []
    while True:
        nobodys = ClientGoalHandle(client, UUID(uuid=list(uuid4().bytes)), no_response)
        asked.append(nobodys.get_result_async())
        left = _ASK_AGAIN_S
        if timeout_s is not None:
            left = max(0.0, min(left, begin + timeout_s - time.monotonic()))
        if session.spin_until(lambda: any(future.done() for future in asked), left):
            return
        if left < _ASK_AGAIN_S:
            raise CliError(f"The action server did not answer within {timeout_s:g} s")


def _follow(session: Session, client: ActionClient, goal: Any, *, show_feedback: bool) -> int:
    def feedback(message: Any) -> None:
        print(f"Feedback:\n{_indented(message.feedback, 4)}", flush=True)

    sent = client.send_goal_async(goal, feedback if show_feedback else None)
    try:
        handle = session.result(sent, "Exception while sending goal")
        if not handle.accepted:
            print("Goal was rejected.", flush=True)
            return 1
        print(f"Goal accepted with ID: {bytes(handle.goal_id.uuid).hex()}\n", flush=True)
        result = session.result(handle.get_result_async(), "Exception while getting result")
    except BaseException:
        # Ctrl-C or a signal: whoever started the motion must not leave it running.
        _cancel(session, sent)
        raise
    print(f"Result:\n{_indented(result.result, 4)}")
    print(f"Goal finished with status: {_STATUS.get(result.status, 'UNKNOWN')}", flush=True)
    return 0 if result.status == GoalStatus.STATUS_SUCCEEDED else 1


def _cancel(session: Session, sent: Future) -> None:
    print("Canceling goal...", flush=True)
    handle = session.result(sent, "Exception while sending goal", _CANCEL_S)
    if not handle.accepted:
        print("Goal was rejected.", flush=True)
        return
    response = session.result(
        handle.cancel_goal_async(), "Exception while canceling goal", _CANCEL_S
    )
    if response.return_code != CancelGoal.Response.ERROR_NONE or not response.goals_canceling:
        raise CliError("Failed to cancel goal: the server did not agree")
    print("Goal canceled.", flush=True)


def _indented(message: Any, columns: int) -> str:
    text = to_yaml(message)
    return textwrap.indent("" if text == "{}\n" else text, " " * columns)


class ActionCommand(VerbCommand):
    """Various action related sub-commands."""

    verbs: ClassVar[Mapping[str, type[Verb]]] = {
        "info": _Info,
        "list": _List,
        "send_goal": _SendGoal,
        "type": _Type,
    }
