"""Brings the accepted forms of arguments into one form."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..launch_description_entity import LaunchDescriptionEntity
from ..some_entities_type import SomeEntitiesType
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution, TextSubstitution


def normalize_to_list_of_substitutions(subs: SomeSubstitutionsType) -> list[Substitution]:
    """Return the parts of a text as substitutions; TypeError for anything else."""
    if isinstance(subs, (str, Path, Substitution)):
        return [_as_substitution(subs)]
    if isinstance(subs, Iterable):
        return [_as_substitution(part) for part in subs]
    return [_as_substitution(subs)]


def describe_substitutions(subs: Iterable[Substitution]) -> str:
    """Return the parts of a text in words, joined with ' + '."""
    return " + ".join(part.describe() for part in subs)


def normalize_to_list_of_entities(entities: SomeEntitiesType) -> list[LaunchDescriptionEntity]:
    """Return one or several entities as a list."""
    if isinstance(entities, LaunchDescriptionEntity):
        return [entities]
    return list(entities)


def _as_substitution(part: Any) -> Substitution:
    if isinstance(part, Substitution):
        return part
    if isinstance(part, str):
        return TextSubstitution(text=part)
    if isinstance(part, Path):
        return TextSubstitution(text=str(part))
    raise TypeError(
        f"expected a text or a launch.Substitution, got {part!r} of type {type(part).__name__}"
    )
