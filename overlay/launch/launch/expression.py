"""Evaluates the Python expressions of launch files without executing them as code.

An expression may hold values, operators, comparisons, conditions and calls of listed functions:
what launch files need. Launch arguments become part of the text, so anything more would let
whoever types an argument run code.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

MAX_POWER = 1000

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    f.__name__: f for f in (abs, all, any, bool, float, int, len, max, min, round, sorted, str, sum)
}
_TEXT_METHODS = frozenset(
    (
        *("capitalize", "lower", "title", "upper"),
        *("count", "endswith", "find", "startswith"),
        *("join", "lstrip", "replace", "rstrip", "split", "strip"),
    )
)


class ExpressionError(ValueError):
    """The expression holds something that is not allowed."""


def evaluate(text: str, modules: Mapping[str, ModuleType]) -> Any:
    """Returns the value of an expression.

    Args:
        text: The expression.
        modules: Modules whose public values and functions it may use, by name; those of ``math``
            are known without the prefix too.

    Raises:
        SyntaxError: It is no expression.
        ExpressionError: It holds something that is not allowed.
        Exception: What the operations themselves raise.
    """
    return _Evaluator(modules).value(ast.parse(text.strip(), mode="eval").body)


class _Evaluator:
    def __init__(self, modules: Mapping[str, ModuleType]) -> None:
        self._modules = modules
        known = vars(modules["math"]) if "math" in modules else {}
        self._names = {k: v for k, v in known.items() if not k.startswith("_")} | _FUNCTIONS

    def value(self, node: ast.expr) -> Any:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise ExpressionError(f"{type(node).__name__} is not allowed here")
        return method(node)

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _name(self, node: ast.Name) -> Any:
        if node.id not in self._names:
            raise ExpressionError(f"unknown name {node.id!r}; quote text: '{node.id}'")
        return self._names[node.id]

    def _attribute(self, node: ast.Attribute) -> Any:
        # The name of a module may have dots: os.path.join is join of the module os.path.
        module = self._modules.get(ast.unparse(node.value))
        if module is not None:
            if not node.attr.startswith("_") and not isinstance(
                found := getattr(module, node.attr), ModuleType
            ):
                return found
        else:
            owner = self.value(node.value)
            if isinstance(owner, str) and node.attr in _TEXT_METHODS:
                return getattr(owner, node.attr)
        raise ExpressionError(f"attribute {node.attr!r} is not allowed here")

    def _call(self, node: ast.Call) -> Any:
        if node.keywords:
            raise ExpressionError("keyword arguments are not allowed here")
        return self.value(node.func)(*(self.value(a) for a in node.args))

    def _binop(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Pow):
            if abs(right) > MAX_POWER:
                raise ExpressionError(f"powers above {MAX_POWER} are not allowed here")
            return left**right
        if type(node.op) not in _BINARY:
            raise ExpressionError(f"{type(node.op).__name__} is not allowed here")
        return _BINARY[type(node.op)](left, right)

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        return _UNARY[type(node.op)](self.value(node.operand))

    def _boolop(self, node: ast.BoolOp) -> Any:
        is_and = isinstance(node.op, ast.And)
        result: Any = is_and
        for part in node.values:
            result = self.value(part)
            if bool(result) is not is_and:
                break
        return result

    def _compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for kind, part in zip(node.ops, node.comparators, strict=True):
            right = self.value(part)
            if not _COMPARE[type(kind)](left, right):
                return False
            left = right
        return True

    def _ifexp(self, node: ast.IfExp) -> Any:
        return self.value(node.body if self.value(node.test) else node.orelse)

    def _list(self, node: ast.List) -> list[Any]:
        return [self.value(part) for part in node.elts]

    def _tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self.value(part) for part in node.elts)

    def _set(self, node: ast.Set) -> set[Any]:
        return {self.value(part) for part in node.elts}

    def _dict(self, node: ast.Dict) -> dict[Any, Any]:
        if None in node.keys:
            raise ExpressionError("unpacking is not allowed here")
        keys = [self.value(k) for k in node.keys if k is not None]
        return dict(zip(keys, (self.value(v) for v in node.values), strict=True))

    def _subscript(self, node: ast.Subscript) -> Any:
        return self.value(node.value)[self.value(node.slice)]

    def _slice(self, node: ast.Slice) -> slice:
        return slice(
            *(None if p is None else self.value(p) for p in (node.lower, node.upper, node.step))
        )
