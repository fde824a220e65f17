"""The common base of actions and launch descriptions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class LaunchDescriptionEntity:
    """Something that the launch service can visit."""

    def visit(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Do the work of this entity and return the entities to be visited next."""
        raise NotImplementedError

    def describe(self) -> str:
        """Return a short description for people."""
        return type(self).__name__

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the entities that are always visited with this one."""
        return []

    def describe_conditional_sub_entities(
        self,
    ) -> list[tuple[str, Iterable[LaunchDescriptionEntity]]]:
        """Return pairs of a condition in words and the entities visited if it holds."""
        return []

    def get_asyncio_future(self) -> asyncio.Future[None] | None:
        """Return the future that is done when the work is over, None if it is over at once."""
        return None
