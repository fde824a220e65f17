"""Starts a ROS 2 node."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import launch.logging
from launch.actions import ExecuteProcess
from launch.substitutions import SubstitutionFailure
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from launch import LaunchContext, SomeSubstitutionsType, Substitution

from ..global_settings import global_parameters, global_remaps, join_namespaces, namespace
from ..parameter_descriptions import Parameter, ParameterFile
from ..parameter_values import evaluate_parameter_dict
from ..parameter_yaml import file_text, value_text
from ..parameters_type import SomeParameters
from ..remap_rule_type import SomeRemapRules
from ..substitutions import ExecutableInPackage, FindPackagePrefix
from ..temporary_files import write_temporary_file

UNSPECIFIED_NODE_NAME = "<node_name_unspecified>"
UNSPECIFIED_NODE_NAMESPACE = ""
# Windows to look through or to drag with: a launch does its work without them as well.
_OPTIONAL_PACKAGES = re.compile(r"rviz2|rqt(_\w+)?|joint_state_publisher_gui")


class Node(ExecuteProcess):
    """Starts the executable of a node and tells it its name, namespace, parameters and remappings.

    A window (rviz2, rqt, joint_state_publisher_gui) whose package is not installed is left out.

    Args:
        executable: name of the program in `package`; without `package` its path.
        package: the package.
        name: name of the node, in place of its own.
        namespace: relative to the pushed namespace, or absolute.
        exec_name: label of the process, in place of the name of the executable.
        parameters: dictionaries, YAML files, ParameterFile, Parameter; later ones win.
        remappings: pairs (from, to) of names.
        ros_arguments: further arguments for ROS.
        arguments: arguments of the program.
        kwargs: see ExecuteProcess.
    """

    def __init__(
        self,
        *,
        executable: SomeSubstitutionsType,
        package: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        namespace: SomeSubstitutionsType | None = None,
        exec_name: SomeSubstitutionsType | None = None,
        parameters: SomeParameters | None = None,
        remappings: SomeRemapRules | None = None,
        ros_arguments: Iterable[SomeSubstitutionsType] | None = None,
        arguments: Iterable[SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        for argument, value in {"arguments": arguments, "ros_arguments": ros_arguments}.items():
            if isinstance(value, (str, Substitution)):
                raise TypeError(f"Node: {argument} must be a list, got {value!r}")
        if parameters is not None and isinstance(parameters, (str, Path, Mapping, Substitution)):
            raise TypeError(f"Node: parameters must be a list, got {parameters!r}")
        program = executable if package is None else ExecutableInPackage(executable, package)
        cmd: list[SomeSubstitutionsType] = [program, *(arguments or ())]
        if ros_arguments:
            cmd += ["--ros-args", *ros_arguments]
        super().__init__(cmd=cmd, name=exec_name, **kwargs)
        self._package = package
        self._executable = executable
        self._given_name = _optional(name)
        self._given_namespace = _optional(namespace)
        self._parameters = list(parameters or ())
        self._remappings = [
            (normalize_to_list_of_substitutions(a), normalize_to_list_of_substitutions(b))
            for a, b in remappings or ()
        ]
        self._expanded_name = UNSPECIFIED_NODE_NAME
        self._expanded_namespace = UNSPECIFIED_NODE_NAMESPACE
        self._expanded_remappings: list[tuple[str, str]] = []

    @property
    def node_package(self) -> SomeSubstitutionsType | None:
        """The package."""
        return self._package

    @property
    def node_executable(self) -> SomeSubstitutionsType:
        """The executable."""
        return self._executable

    @property
    def node_name(self) -> str:
        """The full name, once the node has been started; unknown parts are marked."""
        return join_namespaces(self._expanded_namespace, self._expanded_name)

    @property
    def expanded_node_namespace(self) -> str:
        """The namespace, once the node has been started; empty if there is none."""
        return self._expanded_namespace

    @property
    def expanded_remapping_rules(self) -> list[tuple[str, str]]:
        """The remappings, once the node has been started."""
        return self._expanded_remappings

    def is_node_name_fully_specified(self) -> bool:
        """Return whether both name and namespace are known."""
        return self._expanded_name != UNSPECIFIED_NODE_NAME and self._expanded_namespace != ""

    def execute(self, context: LaunchContext) -> None:
        """Start the node, unless it is but a window that this machine does not have."""
        absent = self._absent_window(context)
        if absent is None:
            super().execute(context)
        else:
            launch.logging.get_logger("launch_ros.actions.node").warning(
                f"package '{absent}' is not installed: the launch goes on without this graphical "
                "tool"
            )

    def _absent_window(self, context: LaunchContext) -> str | None:
        """Return the name of the package if it is missing and may be."""
        if self._package is None:
            return None
        prefix = FindPackagePrefix(self._package)
        package = perform_substitutions(context, prefix.package)
        if _OPTIONAL_PACKAGES.fullmatch(package):
            try:
                prefix.perform(context)
            except SubstitutionFailure:
                return package
        return None

    def prepare(self, context: LaunchContext) -> None:
        """Evaluate the command line, with the arguments for ROS at its end."""
        self._expand_names(context)
        self._expanded_remappings = [
            *global_remaps(context),
            *(
                (perform_substitutions(context, a), perform_substitutions(context, b))
                for a, b in self._remappings
            ),
        ]
        more = ["--ros-args", *self._name_arguments(), *self._parameter_arguments(context)]
        for source, target in self._expanded_remappings:
            more += ["-r", f"{source}:={target}"]
        self.process_description.apply_context(context, more, shell=self.shell)

    def _expand_names(self, context: LaunchContext) -> None:
        if self._given_name is not None:
            name = perform_substitutions(context, self._given_name)
            if "/" in name:
                raise ValueError(f"Node: name '{name}' must not contain '/', use namespace")
            self._expanded_name = name or UNSPECIFIED_NODE_NAME
        pushed = namespace(context)
        if self._given_namespace is not None:
            given = perform_substitutions(context, self._given_namespace)
            if given:
                self._expanded_namespace = join_namespaces(pushed, given)
                return
        self._expanded_namespace = pushed or UNSPECIFIED_NODE_NAMESPACE

    def _name_arguments(self) -> list[str]:
        arguments = []
        if self._expanded_name != UNSPECIFIED_NODE_NAME:
            arguments += ["-r", f"__node:={self._expanded_name}"]
        if self._expanded_namespace:
            arguments += ["-r", f"__ns:={self._expanded_namespace}"]
        return arguments

    def _parameter_arguments(self, context: LaunchContext) -> list[str]:
        arguments: list[str] = []
        for entry in global_parameters(context):
            if isinstance(entry, str):
                arguments += self._file_arguments(Path(entry))
            else:
                arguments += ["-p", f"{entry[0]}:={value_text(entry[1])}"]
        for parameters in self._parameters:
            if isinstance(parameters, Mapping):
                values = evaluate_parameter_dict(context, parameters)
                node = self.node_name if self.is_node_name_fully_specified() else "/**"
                if values:
                    path = write_temporary_file(context, file_text(node, values))
                    arguments += ["--params-file", str(path)]
            elif isinstance(parameters, Parameter):
                name, value = parameters.evaluate(context)
                arguments += ["-p", f"{name}:={value_text(value)}"]
            else:
                if not isinstance(parameters, ParameterFile):
                    parameters = ParameterFile(parameters)
                arguments += self._file_arguments(parameters.evaluate(context))
        return arguments

    @staticmethod
    def _file_arguments(path: Path) -> list[str]:
        if not path.is_file():
            launch.logging.get_logger("launch_ros.actions.node").warning(
                f"Parameter file path is not a file: {path}"
            )
            return []
        return ["--params-file", str(path)]


def _optional(value: SomeSubstitutionsType | None) -> list[Substitution] | None:
    return None if value is None else normalize_to_list_of_substitutions(value)
