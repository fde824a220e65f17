"""`ros2 service`: the services of the graph."""

import argparse
import sys
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from rclpy.task import Future

from ros2cli.command import CliError, Verb, VerbCommand
from ros2cli.graph import Session, is_hidden
from ros2cli.interfaces import load_type, type_path
from ros2cli.messages import FieldError, build, parse_yaml
from ros2cli.options import (
    add_list_options,
    add_spin_time,
    add_timeout,
    positive_float,
    print_names,
)

# After so long without an answer a remark is due.
_SILENCE_S = 10.0


def _service_types(session: Session, service: str) -> list[str]:
    return dict(session.node.get_service_names_and_types()).get(service, [])


class _List:
    """Output a list of available services."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_list_options(parser, "services")

    def main(self, args: argparse.Namespace) -> None:
        with Session() as session:
            session.settle(args.spin_time)
            entries = session.node.get_service_names_and_types()
        shown = [entry for entry in entries if args.hidden or not is_hidden(entry[0])]
        print_names(shown, show_types=args.show_types, count=args.count)


class _Type:
    """Output a service's type."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_spin_time(parser)
        parser.add_argument("service_name", help="Name of the service")

    def main(self, args: argparse.Namespace) -> None:
        with Session() as session:
            service = session.full_name(args.service_name)
            types = session.find(lambda: _service_types(session, service))
        if not types:
            raise CliError(f"Unknown service '{args.service_name}'")
        for name in types:
            print(name)


class _Call:
    """Call a service."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("service_name", help="Name of the service to call")
        parser.add_argument("service_type", help="Type, as 'std_srvs/srv/Trigger'")
        parser.add_argument("values", nargs="?", default="{}", help="Request as YAML, '{a: 1}'")
        parser.add_argument(
            "-r", "--rate", metavar="N", type=positive_float, help="Repeat the call, in Hz"
        )
        add_timeout(parser, "the service, and for each answer")

    def main(self, args: argparse.Namespace) -> int:
        service_type = load_type(args.service_type, "srv")
        try:
            request = build(service_type.Request, parse_yaml(args.values))
        except FieldError as error:
            raise CliError(f"Failed to populate field: {error}") from None
        with Session() as session:
            service = session.full_name(args.service_name)
            client = session.node.create_client(service_type, service)
            if not client.service_is_ready():
                print("waiting for service to become available...", flush=True)
                session.require_server(
                    f"service '{service}'",
                    client.service_is_ready,
                    lambda: _service_types(session, service),
                    type_path(service_type),
                    args.timeout,
                )
            while True:
                begin = time.monotonic()
                print(f"requester: making request: {request!r}\n", flush=True)
                response = _answer(session, client.call_async(request), args.timeout)
                print(f"response:\n{response!r}\n", flush=True)
                if args.rate is None:
                    return 0
                session.spin_until(
                    lambda: False, max(0.0, begin + 1.0 / args.rate - time.monotonic())
                )


def _answer(session: Session, future: Future, timeout_s: float | None) -> Any:
    # A server that has not discovered this process yet executes the request, and its answer is
    # lost. It cannot be asked again (who knows what it does), so at least nobody waits unaware.
    if timeout_s is None and not session.spin_until(future.done, _SILENCE_S):
        print(
            f"no answer yet after {_SILENCE_S:g} s: either it takes long, or it has been lost. "
            "Still waiting, Ctrl-C ends it.",
            file=sys.stderr,
            flush=True,
        )
    return session.result(future, "Exception while calling", timeout_s)


class ServiceCommand(VerbCommand):
    """Various service related sub-commands."""

    verbs: ClassVar[Mapping[str, type[Verb]]] = {"call": _Call, "list": _List, "type": _Type}
