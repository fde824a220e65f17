"""`ros2 lifecycle`: the states of managed nodes, and the transitions between them."""

import argparse
import sys
from collections.abc import Mapping
from typing import Any, ClassVar

from lifecycle_msgs.srv import ChangeState, GetAvailableTransitions, GetState

from ros2cli.command import CliError, Verb, VerbCommand
from ros2cli.graph import DISCOVERY_S, Session
from ros2cli.interfaces import type_path
from ros2cli.options import add_spin_time, add_timeout

_NOT_FOUND = "Node not found"


def _managed_nodes(session: Session, *, hidden: bool) -> list[str]:
    """Full names of the nodes with a lifecycle that are known now, sorted."""
    services = dict(session.node.get_service_names_and_types())
    wanted = type_path(GetState)
    names = session.node_names(hidden=hidden)
    return [name for name in names if wanted in services.get(f"{name}/get_state", [])]


class _Managed:
    """The lifecycle of one node, asked for through its services."""

    def __init__(self, session: Session, name: str, timeout_s: float | None = None) -> None:
        self.name = name
        self._session = session
        self._timeout_s = timeout_s

    @classmethod
    def find(cls, session: Session, args: argparse.Namespace) -> "_Managed":
        """The node that `node_name` names.

        Raises:
            CliError: it does not appear, or has no lifecycle.
        """
        name = args.node_name if args.node_name.startswith("/") else f"/{args.node_name}"
        hidden = args.include_hidden_nodes
        timeout = DISCOVERY_S if args.spin_time is None else args.spin_time
        if not session.spin_until(lambda: name in _managed_nodes(session, hidden=hidden), timeout):
            there = name in session.node_names(hidden=hidden)
            raise CliError(f"The node '{name}' has no lifecycle" if there else _NOT_FOUND)
        return cls(session, name, getattr(args, "timeout", None))

    def state(self) -> Any:
        return self._call(GetState, "get_state", GetState.Request()).current_state

    def transitions(self, service: str = "get_available_transitions") -> list[Any]:
        request = GetAvailableTransitions.Request()
        return list(self._call(GetAvailableTransitions, service, request).available_transitions)

    def change(self, transition: Any) -> bool:
        request = ChangeState.Request(transition=transition)
        return bool(self._call(ChangeState, "change_state", request).success)

    def _call(self, service_type: Any, service: str, request: Any) -> Any:
        client = self._session.node.create_client(service_type, f"{self.name}/{service}")
        what = f"Exception while calling service of node '{self.name}'"
        if not self._session.spin_until(client.service_is_ready, self._timeout_s):
            raise CliError(f"{what}: no '{service}' within {self._timeout_s:g} s")
        return self._session.result(client.call_async(request), what, self._timeout_s)


def _add_node_name(parser: argparse.ArgumentParser, **options: Any) -> None:
    add_spin_time(parser)
    parser.add_argument("node_name", help="Name of the node", **options)


class _Nodes:
    """Output a list of nodes with lifecycle."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_spin_time(parser)
        parser.add_argument("-a", "--all", action="store_true", help="Also hidden nodes")
        parser.add_argument("-c", "--count-nodes", action="store_true", help="Only how many")

    def main(self, args: argparse.Namespace) -> None:
        with Session() as session:
            session.settle(args.spin_time)
            names = _managed_nodes(session, hidden=args.all)
        if args.count_nodes:
            print(len(names))
            return
        for name in names:
            print(name)


class _Get:
    """Get lifecycle state for one or more nodes."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        _add_node_name(parser, nargs="?")
        parser.add_argument(
            "-a",
            "--all",
            "--include-hidden-nodes",
            dest="include_hidden_nodes",
            action="store_true",
        )
        add_timeout(parser, "each answer")

    def main(self, args: argparse.Namespace) -> int:
        with Session() as session:
            if args.node_name is not None:
                state = _Managed.find(session, args).state()
                print(f"{state.label} [{state.id}]")
                return 0
            session.settle(args.spin_time)
            for name in _managed_nodes(session, hidden=args.include_hidden_nodes):
                try:
                    state = _Managed(session, name, args.timeout).state()
                except CliError as error:
                    print(error, file=sys.stderr)
                    continue
                print(f"{name}: {state.label} [{state.id}]", flush=True)
        return 0


class _List:
    """Output a list of available transitions."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        _add_node_name(parser)
        parser.add_argument("--include-hidden-nodes", action="store_true")
        parser.add_argument("-a", "--all", action="store_true", help="Those of every state")

    def main(self, args: argparse.Namespace) -> None:
        with Session() as session:
            node = _Managed.find(session, args)
            service = "get_transition_graph" if args.all else "get_available_transitions"
            found = node.transitions(service)
        for each in found:
            print(f"- {each.transition.label} [{each.transition.id}]")
            print(f"\tStart: {each.start_state.label}\n\tGoal: {each.goal_state.label}")


class _Set:
    """Trigger lifecycle state transition."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        _add_node_name(parser)
        parser.add_argument("--include-hidden-nodes", action="store_true")
        parser.add_argument("transition", help="Label or id of the transition")
        add_timeout(parser, "each answer")

    def main(self, args: argparse.Namespace) -> None:
        with Session() as session:
            node = _Managed.find(session, args)
            possible = [each.transition for each in node.transitions()]
            chosen = [t for t in possible if t.label == args.transition]
            chosen += [t for t in possible if str(t.id) == args.transition]
            if not chosen:
                names = "".join(f"\n- {t.label} [{t.id}]" for t in possible)
                raise CliError(f"Unknown transition requested, available ones are:{names}")
            if not node.change(chosen[0]):
                raise CliError("Transitioning failed")
        print("Transitioning successful")


class LifecycleCommand(VerbCommand):
    """Various lifecycle related sub-commands."""

    verbs: ClassVar[Mapping[str, type[Verb]]] = {
        "get": _Get,
        "list": _List,
        "nodes": _Nodes,
        "set": _Set,
    }
