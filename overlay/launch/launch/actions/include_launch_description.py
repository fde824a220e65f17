"""Includes another launch file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..action import Action
from ..condition import Condition
from ..launch_description_entity import LaunchDescriptionEntity
from ..launch_description_source import LaunchDescriptionSource
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution, TextSubstitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions
from .opaque_function import OpaqueFunction

if TYPE_CHECKING:
    from ..launch_context import LaunchContext
    from ..launch_description import LaunchDescription

_PLACE = ("current_launch_file_path", "current_launch_file_directory")


class IncludeLaunchDescription(Action):
    """Includes a launch description, with values for its arguments.

    As upstream this is no scope: the arguments and what the included file sets stay set for the
    rest of the including one. Put it into a GroupAction to keep them apart.
    """

    def __init__(
        self,
        launch_description_source: LaunchDescriptionSource | SomeSubstitutionsType,
        *,
        launch_arguments: Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]]
        | None = None,
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        if not isinstance(launch_description_source, LaunchDescriptionSource):
            from ..launch_description_sources import AnyLaunchDescriptionSource

            launch_description_source = AnyLaunchDescriptionSource(launch_description_source)
        self._source = launch_description_source
        if isinstance(launch_arguments, dict):
            raise TypeError("launch_arguments must be pairs: write {...}.items()")
        self._arguments = [
            (normalize_to_list_of_substitutions(name), normalize_to_list_of_substitutions(value))
            for name, value in launch_arguments or ()
        ]

    @property
    def launch_description_source(self) -> LaunchDescriptionSource:
        """Where the description comes from."""
        return self._source

    @property
    def launch_arguments(self) -> list[tuple[list[Substitution], list[Substitution]]]:
        """Names and values."""
        return self._arguments

    def describe(self) -> str:
        """Return a short description for people."""
        return f"IncludeLaunchDescription({self._source.location})"

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the included description, if it can be had before launching."""
        included = self._source.try_get_launch_description_without_context()
        return [] if included is None else [included]

    def literal_argument_names(self) -> set[str]:
        """Return the names of the arguments, as far as they are known before launching."""
        names = set()
        for parts in (name for name, _ in self._arguments):
            if all(isinstance(part, TextSubstitution) for part in parts):
                names.add("".join(p.text for p in parts if isinstance(p, TextSubstitution)))
        return names

    def execute(self, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        """Set the arguments, return the included description to be visited."""
        included = self._source.get_launch_description(context)
        names = [perform_substitutions(context, name) for name, _ in self._arguments]
        self._check_required(included, names)
        # Evaluated one after the other, still in the place of the including file.
        for name, (_, value) in zip(names, self._arguments, strict=True):
            context.launch_configurations[name] = perform_substitutions(context, value)
        outside = {k: v for k, v in context.get_locals_as_dict().items() if k in _PLACE}
        inside = outside
        if self._source.location:
            path = Path(self._source.location).absolute()
            inside = {_PLACE[0]: str(path), _PLACE[1]: str(path.parent)}
        return [
            OpaqueFunction(function=_set_place, args=[inside]),
            included,
            OpaqueFunction(function=_set_place, args=[outside]),
        ]

    @staticmethod
    def _check_required(included: LaunchDescription, given: list[str]) -> None:
        for argument, includes, conditional in included.find_launch_arguments():
            if conditional or argument.default_value is not None:
                continue
            known = set(given).union(*(action.literal_argument_names() for action in includes))
            if argument.name not in known:
                raise RuntimeError(
                    f"Included launch description missing required argument '{argument.name}' "
                    f"(description: '{argument.description}'), given: {given}"
                )


def _set_place(context: LaunchContext, place: dict[str, str]) -> None:
    """Set what ThisLaunchFile and ThisLaunchFileDir name."""
    others = {k: v for k, v in context._get_scope().items() if k not in _PLACE}
    context._set_scope({**others, **place})
