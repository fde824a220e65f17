"""Sets something for all nodes that are started later in the same scope."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from launch.utilities import (
    normalize_to_list_of_substitutions,
    perform_bool,
    perform_substitutions,
)

from launch import Action, Condition, LaunchContext, SomeSubstitutionsType

from ..global_settings import add_global_parameter, add_global_remap
from ..parameter_descriptions import Parameter, ParameterFile


class SetParameter(Action):
    """Sets a parameter."""

    def __init__(
        self, name: SomeSubstitutionsType, value: Any, *, condition: Condition | None = None
    ) -> None:
        super().__init__(condition=condition)
        self._parameter = Parameter(name, value)

    def execute(self, context: LaunchContext) -> None:
        """Set the parameter."""
        add_global_parameter(context, self._parameter.evaluate(context))


class SetParametersFromFile(Action):
    """Gives a parameter file."""

    def __init__(
        self,
        filename: SomeSubstitutionsType | ParameterFile,
        *,
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        self._file = filename if isinstance(filename, ParameterFile) else ParameterFile(filename)

    def execute(self, context: LaunchContext) -> None:
        """Give the file."""
        add_global_parameter(context, str(self._file.evaluate(context)))


class SetRemap(Action):
    """Sets a remapping of names."""

    def __init__(
        self,
        src: SomeSubstitutionsType,
        dst: SomeSubstitutionsType,
        *,
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        self._src = normalize_to_list_of_substitutions(src)
        self._dst = normalize_to_list_of_substitutions(dst)

    def execute(self, context: LaunchContext) -> None:
        """Set the remapping."""
        source = perform_substitutions(context, self._src)
        add_global_remap(context, source, perform_substitutions(context, self._dst))


class SetUseSimTime(Action):
    """Sets the parameter use_sim_time; RosTimer then waits in simulation time, too."""

    def __init__(
        self, value: bool | SomeSubstitutionsType, *, condition: Condition | None = None
    ) -> None:
        super().__init__(condition=condition)
        self._value = value

    def execute(self, context: LaunchContext) -> None:
        """Set the parameter."""
        value = perform_bool(context, self._value)
        add_global_parameter(context, ("use_sim_time", value))
        context.extend_globals({"use_sim_time": value})


class SetROSLogDir(Action):
    """Sets the folder for the logs of nodes."""

    def __init__(
        self, new_log_dir: SomeSubstitutionsType, *, condition: Condition | None = None
    ) -> None:
        super().__init__(condition=condition)
        self._folder = normalize_to_list_of_substitutions(new_log_dir)

    def execute(self, context: LaunchContext) -> None:
        """Set ROS_LOG_DIR for processes started later."""
        folder = Path(perform_substitutions(context, self._folder)).expanduser()
        context.environment["ROS_LOG_DIR"] = str(folder)
