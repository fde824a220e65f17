"""What is to be launched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from . import logging
from .launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from .actions import DeclareLaunchArgument, IncludeLaunchDescription
    from .launch_context import LaunchContext


class FoundArgument(NamedTuple):
    """A declared launch argument and where it was found.

    `includes` are the include actions that lead to it, outermost first.
    """

    argument: DeclareLaunchArgument
    includes: tuple[IncludeLaunchDescription, ...]
    conditional: bool


class LaunchDescription(LaunchDescriptionEntity):
    """A list of entities, visited in order."""

    def __init__(
        self,
        initial_entities: Iterable[LaunchDescriptionEntity] | None = None,
        *,
        deprecated_reason: str | None = None,
    ) -> None:
        self._entities = list(initial_entities) if initial_entities is not None else []
        self._deprecated_reason = deprecated_reason
        for entity in self._entities:
            self._check(entity)

    @property
    def entities(self) -> list[LaunchDescriptionEntity]:
        """The entities in their order."""
        return self._entities

    @property
    def deprecated_reason(self) -> str | None:
        """Why this description should not be used any more, None if it may."""
        return self._deprecated_reason

    def add_entity(self, entity: LaunchDescriptionEntity) -> None:
        """Append an entity."""
        self._check(entity)
        self._entities.append(entity)

    def add_action(self, action: LaunchDescriptionEntity) -> None:
        """Append an action."""
        self.add_entity(action)

    def visit(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        """Return the entities, to be visited."""
        if self._deprecated_reason is not None:
            logging.get_logger("launch").warning(
                f"this launch description is deprecated: {self._deprecated_reason}"
            )
        return self._entities

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the entities."""
        return self._entities

    def get_launch_arguments(
        self, conditional_inclusion: bool = False
    ) -> list[DeclareLaunchArgument]:
        """Return the declared arguments, includes followed, each name once."""
        arguments: dict[str, DeclareLaunchArgument] = {}
        for found in self.find_launch_arguments(conditional_inclusion):
            arguments.setdefault(found.argument.name, found.argument)
        return list(arguments.values())

    def find_launch_arguments(self, conditional: bool = False) -> list[FoundArgument]:
        """Return every declaration, includes followed as far as their place is known."""
        found: list[FoundArgument] = []
        _collect(self._entities, conditional, (), frozenset({id(self)}), found)
        return found

    @staticmethod
    def _check(entity: object) -> None:
        if not isinstance(entity, LaunchDescriptionEntity):
            raise TypeError(f"LaunchDescription holds actions, but was given {entity!r}")


def _collect(
    entities: Iterable[LaunchDescriptionEntity],
    conditional: bool,
    includes: tuple[IncludeLaunchDescription, ...],
    visited: frozenset[int | str],
    found: list[FoundArgument],
) -> None:
    """Append the declarations below `entities` to `found`; `visited` breaks circles."""
    from .actions import DeclareLaunchArgument, IncludeLaunchDescription

    for entity in entities:
        if isinstance(entity, DeclareLaunchArgument):
            is_conditional = conditional or entity.condition is not None
            found.append(FoundArgument(entity, includes, is_conditional))
        elif isinstance(entity, IncludeLaunchDescription):
            source = entity.launch_description_source
            included = source.try_get_launch_description_without_context()
            if included is None or id(included) in visited or source.location in visited:
                continue
            marks: set[int | str] = {id(included)}
            if source.location:
                marks.add(source.location)
            _collect(
                included.entities,
                conditional or entity.condition is not None,
                (*includes, entity),
                visited | marks,
                found,
            )
        else:
            below = entity.describe_sub_entities()
            _collect(below, conditional, includes, visited, found)
            for _, some in entity.describe_conditional_sub_entities():
                _collect(some, True, includes, visited, found)
