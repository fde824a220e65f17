"""Builds the descriptions: a file with its arguments, its nodes, and other files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from launch.actions import GroupAction, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

from gensim2_launch.ros.arguments import VIEW, VIEW_PORT, Argument, is_launched, refuse_unknown
from gensim2_launch.ros.ends import fail_without
from launch import Condition, LaunchContext, LaunchDescription, LaunchDescriptionEntity


def launch_file(
    path: str, arguments: Iterable[Argument], *actions: LaunchDescriptionEntity
) -> LaunchDescription:
    """Describes a launch file.

    Where the file itself is launched an argument that neither it nor a file it includes declares
    is an error. Who includes it may have arguments of its own.

    Args:
        path: `__file__` of the launch file.
        arguments: what it takes.
        actions: what it does, in order.
    """
    description = LaunchDescription()

    def refuse(context: LaunchContext) -> None:
        if is_launched(path):
            known = description.get_launch_arguments()
            refuse_unknown(context, [argument.name for argument in known])

    description.add_action(OpaqueFunction(function=refuse))
    for action in (*(argument.declare() for argument in arguments), *actions):
        description.add_action(action)
    return description


def node(
    package: str,
    executable: str,
    *arguments: Argument,
    parameters: dict[str, Any] | None = None,
    on_exit: Callable[..., Any] = fail_without,
    name: str | None = None,
    file: Argument | None = None,
    **options: Any,
) -> Node:
    """Describes a node.

    Args:
        package: where it is.
        executable: the program.
        arguments: launch arguments that become parameters of the same names.
        parameters: further parameters.
        on_exit: what its end means; by default the launch fails.
        name: of the node; by default that of its executable.
        file: launch argument that names a YAML file of parameters; the others win over it.
        options: more for `launch_ros.actions.Node`, as `condition`.
    """
    given = {argument.name: argument.parameter() for argument in arguments} | (parameters or {})
    files = [file.configuration()] if file else []
    return Node(
        package=package,
        executable=executable,
        name=name or executable,
        output="screen",
        parameters=[*files, given] if given else files or None,
        on_exit=on_exit,
        **options,
    )


def include(
    name: str, *arguments: Argument, condition: Condition | None = None, **values: str
) -> GroupAction:
    """Includes another launch file of the package `gensim2`.

    It is a group: what the file sets is not seen outside.

    Args:
        name: of the file.
        arguments: passed on under the same names.
        condition: whether it is included; None = always.
        values: further arguments of the file; its view is left out unless named.
    """
    path = PathJoinSubstitution([FindPackageShare("gensim2"), "launch", name])
    # An argument of the including file would be seen in there: two views on one port.
    given = {VIEW.name: "none"} | {a.name: a.configuration() for a in arguments} | values
    source = PythonLaunchDescriptionSource(path)
    included = IncludeLaunchDescription(source, launch_arguments=given.items())
    return GroupAction([included], condition=condition)


def view(*arguments: Argument) -> GroupAction:
    """Includes the view that the arguments of this name ask for.

    It comes before the nodes: where the view is not installed none of them shall start.
    """
    return include("view.launch.py", VIEW, VIEW_PORT, *arguments)
