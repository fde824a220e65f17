"""Where a launch description comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .substitution import Substitution
from .utilities import (
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

if TYPE_CHECKING:
    from .launch_context import LaunchContext
    from .launch_description import LaunchDescription
    from .some_substitutions_type import SomeSubstitutionsType


class LaunchDescriptionSource:
    """A launch description, or the place to load it from. Loaded at most once per place."""

    def __init__(
        self,
        launch_description: LaunchDescription | None = None,
        location: SomeSubstitutionsType = "",
        method: str = "unspecified mechanism from a script",
    ) -> None:
        self._given = launch_description
        self._loaded: dict[str, LaunchDescription] = {}
        self._location = normalize_to_list_of_substitutions(location)
        self._expanded: str | None = None
        self._method = method

    @property
    def method(self) -> str:
        """How the description is had, in words."""
        return self._method

    @property
    def location(self) -> str:
        """The place; before it has been evaluated, a description of it."""
        if self._expanded is not None:
            return self._expanded
        return describe_substitutions(self._location)

    @property
    def location_substitutions(self) -> list[Substitution]:
        """The place as given."""
        return list(self._location)

    def get_launch_description(self, context: LaunchContext) -> LaunchDescription:
        """Return the launch description, loading it if needed."""
        self._expanded = perform_substitutions(context, self._location)
        if self._given is not None:
            return self._given
        if self._expanded not in self._loaded:
            self._loaded[self._expanded] = self._get_launch_description(self._expanded)
        return self._loaded[self._expanded]

    def try_get_launch_description_without_context(self) -> LaunchDescription | None:
        """Return the launch description, None if the place depends on the running launch."""
        from .launch_context import LaunchContext

        try:
            return self.get_launch_description(LaunchContext())
        except Exception:
            # Whatever is wrong is reported with its proper context when the launch gets there.
            return None

    def _get_launch_description(self, location: str) -> LaunchDescription:
        """Load the description from `location`."""
        raise NotImplementedError(f"{type(self).__name__} cannot load '{location}'")
