"""What is set for all nodes that are started later in the same scope.

Kept among the launch configurations, because these are saved and restored with a scope. For that
reason a list is never changed, but replaced.
"""

from __future__ import annotations

from launch import LaunchContext

from .parameter_values import EvaluatedValue

GlobalParameter = tuple[str, EvaluatedValue] | str
"""Name and value, or the path of a parameter file."""

_NAMESPACE, _PARAMETERS, _REMAPS = "ros_namespace", "global_params", "ros_remaps"


def namespace(context: LaunchContext) -> str | None:
    """Return the namespace that was pushed, None if there is none."""
    return context.launch_configurations.get(_NAMESPACE)


def set_namespace(context: LaunchContext, name: str) -> None:
    """Set the namespace of nodes started later."""
    context.launch_configurations[_NAMESPACE] = name


def join_namespaces(base: str | None, name: str) -> str:
    """Return `name` below `base`; an absolute name stays as it is. The result is absolute."""
    parts = [name] if name.startswith("/") else [base or "", name]
    return "/" + "/".join(part.strip("/") for part in parts if part.strip("/"))


def global_parameters(context: LaunchContext) -> list[GlobalParameter]:
    """Return the parameters for all nodes, in the order in which they were set."""
    return context.launch_configurations.get(_PARAMETERS, [])


def add_global_parameter(context: LaunchContext, parameter: GlobalParameter) -> None:
    """Add a parameter or a parameter file for all nodes."""
    context.launch_configurations[_PARAMETERS] = [*global_parameters(context), parameter]


def global_remaps(context: LaunchContext) -> list[tuple[str, str]]:
    """Return the remappings for all nodes."""
    return context.launch_configurations.get(_REMAPS, [])


def add_global_remap(context: LaunchContext, source: str, target: str) -> None:
    """Add a remapping for all nodes."""
    context.launch_configurations[_REMAPS] = [*global_remaps(context), (source, target)]
