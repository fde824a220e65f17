"""Shows a launch description as text."""

from __future__ import annotations

from collections.abc import Iterable

from .launch_description import LaunchDescription
from .launch_description_entity import LaunchDescriptionEntity


class LaunchIntrospector:
    """Describes launch descriptions without running them."""

    def format_launch_description(self, launch_description: LaunchDescription) -> str:
        """Return the tree of entities as text, one line each."""
        return "\n".join([launch_description.describe(), *_lines(launch_description)])


def _lines(entity: LaunchDescriptionEntity, indent: str = "") -> Iterable[str]:
    for below in entity.describe_sub_entities():
        yield from _branch(below, indent)
    for condition, some in entity.describe_conditional_sub_entities():
        yield f"{indent}├── {condition}:"
        for below in some:
            yield from _branch(below, f"{indent}│   ")


def _branch(entity: LaunchDescriptionEntity, indent: str) -> Iterable[str]:
    yield f"{indent}├── {entity.describe()}"
    yield from _lines(entity, f"{indent}│   ")
