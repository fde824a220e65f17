"""Declares an argument of a launch file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..action import Action
from ..condition import Condition
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution, TextSubstitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class DeclareLaunchArgument(Action):
    """Gives a launch configuration its default, checks it against the choices.

    A value that is already set (command line, including file) is kept.
    """

    def __init__(
        self,
        name: str,
        *,
        default_value: SomeSubstitutionsType | None = None,
        description: str | None = None,
        choices: Iterable[str] | None = None,
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        self._name = name
        self._description = description or "no description given"
        self._default = (
            None if default_value is None else normalize_to_list_of_substitutions(default_value)
        )
        self._choices = None if choices is None else list(choices)
        if self._choices is not None:
            for choice in self._choices:
                if not isinstance(choice, str):
                    raise TypeError(f"argument '{name}': the choice {choice!r} is not a text")
            self._description += f". Valid choices are: {self._choices}"
            if self._default and all(isinstance(p, TextSubstitution) for p in self._default):
                text = "".join(p.text for p in self._default if isinstance(p, TextSubstitution))
                if text not in self._choices:
                    raise RuntimeError(
                        f"the default '{text}' of argument '{name}' is none of its choices "
                        f"{self._choices}"
                    )

    @property
    def name(self) -> str:
        """The name of the argument."""
        return self._name

    @property
    def default_value(self) -> list[Substitution] | None:
        """The default, None if the argument must be given."""
        return self._default

    @property
    def description(self) -> str:
        """What the argument means; the choices are appended."""
        return self._description

    @property
    def choices(self) -> list[str] | None:
        """The allowed values, None if all are."""
        return self._choices

    def describe(self) -> str:
        """Return a short description for people."""
        return f"DeclareLaunchArgument('{self._name}')"

    def execute(self, context: LaunchContext) -> None:
        """Set the default if there is no value yet; RuntimeError if a value is missing or wrong."""
        if self._name not in context.launch_configurations:
            if self._default is None:
                raise RuntimeError(
                    f"Required launch argument '{self._name}' (description: "
                    f"'{self._description}') was not provided"
                )
            context.launch_configurations[self._name] = perform_substitutions(
                context, self._default
            )
        value = context.launch_configurations[self._name]
        if self._choices is not None and value not in self._choices:
            raise RuntimeError(
                f'Argument "{self._name}" provided value "{value}" is not valid. '
                f"Valid options are: {self._choices}"
            )
