"""The result of a Python expression."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ..expression import evaluate
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import (
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)
from .substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class PythonExpression(Substitution):
    """Evaluates an expression in the syntax of Python, but does not execute it as code.

    Values, operators, comparisons, conditions, comprehensions, f-strings, methods of text and the
    functions of the given modules are known; see `launch.expression`.
    """

    def __init__(
        self,
        expression: SomeSubstitutionsType,
        python_modules: SomeSubstitutionsType = ("math",),
    ) -> None:
        self._expression = normalize_to_list_of_substitutions(expression)
        if isinstance(python_modules, str):
            python_modules = [python_modules]
        self._modules = normalize_to_list_of_substitutions(python_modules)

    def describe(self) -> str:
        """Return a short description for people."""
        return f"PythonExpr({describe_substitutions(self._expression)})"

    def perform(self, context: LaunchContext) -> str:
        """Return str() of the result; SubstitutionFailure if the expression fails."""
        modules = {
            name: importlib.import_module(name)
            for name in (context.perform_substitution(m) for m in self._modules)
        }
        expression = perform_substitutions(context, self._expression)
        try:
            return str(evaluate(expression, modules))
        except Exception as error:
            raise SubstitutionFailure(
                f"the Python expression '{expression}' failed: {type(error).__name__}: {error}"
            ) from error
