"""`ros2 param`: the parameters of nodes."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import yaml
from rcl_interfaces.msg import Parameter, ParameterType
from rclpy.parameter import (
    get_parameter_value,
    parameter_dict_from_yaml_file,
    parameter_value_to_python,
)
from rclpy.parameter_client import AsyncParameterClient

from ros2cli.command import CliError, Verb, VerbCommand
from ros2cli.graph import Session
from ros2cli.messages import to_plain
from ros2cli.options import add_spin_time

_TYPE_NAMES = {
    ParameterType.PARAMETER_NOT_SET: "not set",
    ParameterType.PARAMETER_BOOL: "boolean",
    ParameterType.PARAMETER_INTEGER: "integer",
    ParameterType.PARAMETER_DOUBLE: "double",
    ParameterType.PARAMETER_STRING: "string",
    ParameterType.PARAMETER_BYTE_ARRAY: "byte array",
    ParameterType.PARAMETER_BOOL_ARRAY: "boolean array",
    ParameterType.PARAMETER_INTEGER_ARRAY: "integer array",
    ParameterType.PARAMETER_DOUBLE_ARRAY: "double array",
    ParameterType.PARAMETER_STRING_ARRAY: "string array",
}
_CALL_S = 5.0


class _Remote:
    """The parameters of one node, asked for through its services."""

    def __init__(self, session: Session, node_name: str) -> None:
        """Find the node.

        Raises:
            CliError: it does not appear, or has no parameter services.
        """
        self.name = session.require_node(node_name, "Node not found")
        self._session = session
        self._client = AsyncParameterClient(session.node, self.name)
        if not session.spin_until(self._client.services_are_ready, _CALL_S):
            raise CliError(f"The node '{self.name}' offers no parameter services")

    def _call(self, future: Any) -> Any:
        return self._session.result(future, f"Exception while calling '{self.name}'", _CALL_S)

    def names(self) -> list[str]:
        return sorted(self._call(self._client.list_parameters()).result.names)

    def values(self, names: Sequence[str]) -> list[Any]:
        """The parameter values; none at all if one is not declared."""
        return list(self._call(self._client.get_parameters(list(names))).values)

    def describe(self, names: Sequence[str]) -> list[Any]:
        return list(self._call(self._client.describe_parameters(list(names))).descriptors)

    def set(self, parameters: Sequence[Parameter]) -> list[Any]:
        return list(self._call(self._client.set_parameters(list(parameters))).results)

    def load(self, path: Path) -> list[tuple[str, Any]]:
        """Set what a file says for all nodes and for this one; what became of each parameter.

        Raises:
            CliError: the file says nothing for this node.
        """
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        keys = document if isinstance(document, dict) else {}
        targets = [key for key in ("/**", self.name) if key in keys]
        if not targets:
            raise CliError(f"{path} has no entry '{self.name}' or '/**' (it has: {list(keys)})")
        parameters = parameter_dict_from_yaml_file(str(path), target_nodes=targets)
        results = self.set(list(parameters.values()))
        return list(zip(parameters, results, strict=True))


def _add_node_name(parser: argparse.ArgumentParser, **options: Any) -> None:
    add_spin_time(parser)
    parser.add_argument("node_name", help="Full name of the node", **options)


class _List:
    """Output a list of available parameters."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        _add_node_name(parser, nargs="?")
        parser.add_argument("--param-type", action="store_true", help="Also show the types")

    def main(self, args: argparse.Namespace) -> None:
        with Session() as session:
            if args.node_name is not None:
                _print_names(_Remote(session, args.node_name), args.param_type)
                return
            session.settle(args.spin_time)
            services = dict(session.node.get_service_names_and_types())
            for name in dict.fromkeys(session.node_names()):
                if f"{name}/list_parameters" not in services:
                    continue
                try:
                    remote = _Remote(session, name)
                    print(f"{name}:")
                    _print_names(remote, args.param_type)
                except CliError as error:
                    # One node that has just died must not hide the others.
                    print(error, file=sys.stderr)


def _print_names(remote: _Remote, show_types: bool) -> None:
    names = remote.names()
    if not show_types:
        for name in names:
            print(f"  {name}")
        return
    for descriptor in remote.describe(names):
        print(f"  {descriptor.name} (type: {_TYPE_NAMES.get(descriptor.type, 'unknown')})")


class _Get:
    """Get parameter."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        _add_node_name(parser)
        parser.add_argument("parameter_name", help="Name of the parameter")
        parser.add_argument("--hide-type", action="store_true", help="Only the value")

    def main(self, args: argparse.Namespace) -> None:
        with Session() as session:
            values = _Remote(session, args.node_name).values([args.parameter_name])
        if not values:
            raise CliError("Parameter not set")
        value = to_plain(parameter_value_to_python(values[0]))
        if values[0].type == ParameterType.PARAMETER_NOT_SET:
            print("Parameter not set.")
        elif args.hide_type:
            print(value)
        else:
            kind = _TYPE_NAMES[values[0].type].removesuffix(" array").capitalize()
            print(f"{kind} {'values are' if isinstance(value, list) else 'value is'}: {value}")


class _Set:
    """Set parameter."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        _add_node_name(parser)
        parser.add_argument("parameter_name", help="Name of the parameter")
        parser.add_argument("value", help="Value of the parameter, as YAML")

    def main(self, args: argparse.Namespace) -> None:
        parameter = Parameter(name=args.parameter_name, value=get_parameter_value(args.value))
        with Session() as session:
            (result,) = _Remote(session, args.node_name).set([parameter])
        if not result.successful:
            raise CliError(f"Setting parameter failed: {result.reason}".removesuffix(": "))
        print("Set parameter successful" + (f": {result.reason}" if result.reason else ""))


class _Describe:
    """Show descriptive information about declared parameters."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        _add_node_name(parser)
        parser.add_argument("parameter_names", nargs="+", help="Names of the parameters")

    def main(self, args: argparse.Namespace) -> None:
        with Session() as session:
            remote = _Remote(session, args.node_name)
            unknown = sorted(set(args.parameter_names) - set(remote.names()))
            if unknown:
                raise CliError(f"'{remote.name}' has no parameter {', '.join(unknown)}")
            for descriptor in remote.describe(args.parameter_names):
                _print_descriptor(descriptor)


def _print_descriptor(descriptor: Any) -> None:
    print(f"Parameter name: {descriptor.name}")
    print(f"  Type: {_TYPE_NAMES.get(descriptor.type, 'unknown')}")
    if descriptor.description:
        print(f"  Description: {descriptor.description}")
    print("  Constraints:")
    if descriptor.read_only:
        print("    Read only: true")
    for limits in [*descriptor.floating_point_range, *descriptor.integer_range]:
        print(f"    Min value: {limits.from_value}")
        print(f"    Max value: {limits.to_value}")
        if limits.step:
            print(f"    Step: {limits.step}")
    if descriptor.additional_constraints:
        print(f"    Additional constraints: {descriptor.additional_constraints}")


class _Dump:
    """Show all of the parameters of a node in a YAML file format."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        _add_node_name(parser)

    def main(self, args: argparse.Namespace) -> None:
        with Session() as session:
            remote = _Remote(session, args.node_name)
            names = remote.names()
            values = [to_plain(parameter_value_to_python(v)) for v in remote.values(names)]
        tree: dict[str, Any] = {}
        for name, value in zip(names, values, strict=True):
            insert(tree, name.split("."), value)
        document = {remote.name: {"ros__parameters": tree}}
        print(yaml.dump(document, default_flow_style=False, allow_unicode=True), end="")


def insert(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Put a value into nested mappings, as parameter files write `a.b.c`."""
    for part in path[:-1]:
        child = tree.setdefault(part, {})
        if not isinstance(child, dict):
            # Both "a" and "a.b" exist: keep the dotted name, parameter files allow it.
            tree[".".join(path)] = value
            return
        tree = child
    tree[path[-1]] = value


class _Load:
    """Load parameter file for a node."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        _add_node_name(parser)
        parser.add_argument("parameter_file", type=Path, help="YAML file, as `dump` prints it")

    def main(self, args: argparse.Namespace) -> int:
        if not args.parameter_file.is_file():
            raise CliError(f"There is no file {args.parameter_file}")
        with Session() as session:
            results = _Remote(session, args.node_name).load(args.parameter_file)
        for name, result in results:
            word = "successful" if result.successful else "failed"
            print(f"Set parameter {name} {word}" + (f": {result.reason}" * bool(result.reason)))
        return 0 if all(result.successful for _, result in results) else 1


class ParamCommand(VerbCommand):
    """Various param related sub-commands."""

    verbs: ClassVar[Mapping[str, type[Verb]]] = {
        "describe": _Describe,
        "dump": _Dump,
        "get": _Get,
        "list": _List,
        "load": _Load,
        "set": _Set,
    }
