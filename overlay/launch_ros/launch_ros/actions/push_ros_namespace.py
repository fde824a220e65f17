"""Puts nodes into a namespace."""

from __future__ import annotations

from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from launch import Action, Condition, LaunchContext, SomeSubstitutionsType

from ..global_settings import join_namespaces, namespace, set_namespace


class PushROSNamespace(Action):
    """Adds a namespace in front of the nodes started later in the same scope."""

    def __init__(
        self, namespace: SomeSubstitutionsType, *, condition: Condition | None = None
    ) -> None:
        super().__init__(condition=condition)
        self._namespace = normalize_to_list_of_substitutions(namespace)

    def execute(self, context: LaunchContext) -> None:
        """Set the namespace below the present one; an absolute one replaces it."""
        name = perform_substitutions(context, self._namespace)
        if name:
            set_namespace(context, join_namespaces(namespace(context), name))


PushRosNamespace = PushROSNamespace
