"""Evaluates the Python expressions of launch files without executing them as code.

An expression may hold values, operators, comparisons, conditions, comprehensions, f-strings and
calls of listed functions: what launch files need. Launch arguments become part of the text, so
anything more would let whoever types an argument run code.
"""

from __future__ import annotations

import ast
import operator
import os
import string
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    ast.RShift: operator.rshift,
}
_CONVERSIONS: dict[str, Callable[[Any], str]] = {"s": str, "r": repr, "a": ascii}
# What makes much out of little; the right side is limited.
_EXPLOSIVE: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Pow: ("powers", operator.pow),
    ast.LShift: ("shifts", operator.lshift),
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
    f.__name__: f
    for f in (
        *(abs, all, any, bool, dict, divmod, enumerate, float, int, len, list, map, max, min),
        *(range, repr, reversed, round, set, sorted, str, sum, tuple, zip),
    )
}
_METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        (
            *("capitalize", "casefold", "lower", "swapcase", "title", "upper"),
            *("count", "endswith", "find", "index", "rfind", "rindex", "startswith"),
            *("isalnum", "isalpha", "isdecimal", "isdigit", "isidentifier", "islower"),
            *("isnumeric", "isspace", "istitle", "isupper"),
            *("center", "ljust", "rjust", "zfill", "lstrip", "rstrip", "strip"),
            *("removeprefix", "removesuffix", "replace"),
            *("join", "partition", "rpartition", "rsplit", "split", "splitlines"),
        )
    ),
    dict: frozenset(("get", "items", "keys", "values")),
    list: frozenset(("count", "index")),
    tuple: frozenset(("count", "index")),
}
# Of the standard library, what cannot do any harm; None: all of it. Other modules are those of
# the author of the launch file.
_STANDARD_MODULES: dict[str, frozenset[str] | None] = {
    "math": None,
    "os.path": None,
    "posixpath": None,
    "random": None,
    "statistics": None,
    "string": None,
    "os": frozenset(
        ("cpu_count", "environ", "getcwd", "getenv", "getpid", "name", "pathsep", "sep")
    ),
    "platform": frozenset(("machine", "node", "platform", "processor", "release", "system")),
    "shutil": frozenset(("which",)),
    "socket": frozenset(("getfqdn", "gethostname")),
    "sys": frozenset(("argv", "byteorder", "executable", "maxsize", "platform", "version")),
    "time": frozenset(("ctime", "strftime", "time")),
}


class ExpressionError(ValueError):
    """The expression holds something that is not allowed."""


def evaluate(text: str, modules: Mapping[str, ModuleType]) -> Any:
    """Returns the value of an expression.

    Args:
        text: The expression.
        modules: Modules whose public values and functions it may use, by name; of the standard
            library only harmless ones. Those of ``math`` are known without the prefix too.

    Raises:
        SyntaxError: It is no expression.
        ExpressionError: It holds something that is not allowed.
        Exception: What the operations themselves raise.
    """
    return _Evaluator(modules).value(ast.parse(text.strip(), mode="eval").body)


class _Formatter(string.Formatter):
    """str.format without a way to the attributes of the values."""

    def get_field(
        self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[Any, str | int]:
        """Look a value up."""
        if "." in field_name:
            raise ExpressionError(f"format: attributes ('{{{field_name}}}') are not allowed here")
        found: tuple[Any, str | int] = super().get_field(field_name, args, kwargs)
        return found


class _Evaluator:
    def __init__(self, modules: Mapping[str, ModuleType]) -> None:
        for name in modules:
            if name.split(".")[0] in sys.stdlib_module_names and name not in _STANDARD_MODULES:
                raise ExpressionError(f"the module {name!r} is not allowed here")
        self._modules = {"os.path": os.path, **modules} if "os" in modules else modules
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
        name = ast.unparse(node.value)
        if name in self._modules:
            if self._is_public(name, node.attr):
                found = getattr(self._modules[name], node.attr)
                # A copy, because item assignment is not all that changes the environment.
                return dict(found) if found is os.environ else found
        else:
            owner = self.value(node.value)
            if isinstance(owner, str) and node.attr == "format":
                return lambda *args, **kwargs: _Formatter().vformat(owner, args, kwargs)
            if any(isinstance(owner, kind) and node.attr in _METHODS[kind] for kind in _METHODS):
                return getattr(owner, node.attr)
        raise ExpressionError(f"attribute {node.attr!r} is not allowed here")

    def _is_public(self, module: str, name: str) -> bool:
        allowed = _STANDARD_MODULES.get(module)
        if name.startswith("_") or (allowed is not None and name not in allowed):
            return False
        return not isinstance(getattr(self._modules[module], name), ModuleType)

    def _call(self, node: ast.Call) -> Any:
        keywords = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise ExpressionError("unpacking is not allowed here")
            keywords[keyword.arg] = self.value(keyword.value)
        return self.value(node.func)(*(self.value(a) for a in node.args), **keywords)

    def _binop(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if type(node.op) in _EXPLOSIVE:
            name, function = _EXPLOSIVE[type(node.op)]
            if abs(right) > MAX_POWER:
                raise ExpressionError(f"{name} above {MAX_POWER} are not allowed here")
            return function(left, right)
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

    def _joinedstr(self, node: ast.JoinedStr) -> str:
        return "".join(self.value(part) for part in node.values)

    def _formattedvalue(self, node: ast.FormattedValue) -> str:
        value = self.value(node.value)
        if node.conversion != -1:
            value = _CONVERSIONS[chr(node.conversion)](value)
        return format(value, "" if node.format_spec is None else self.value(node.format_spec))

    def _listcomp(self, node: ast.ListComp) -> list[Any]:
        return [self.value(node.elt) for _ in self._loop(node.generators)]

    def _setcomp(self, node: ast.SetComp) -> set[Any]:
        return {self.value(node.elt) for _ in self._loop(node.generators)}

    def _dictcomp(self, node: ast.DictComp) -> dict[Any, Any]:
        return {self.value(node.key): self.value(node.value) for _ in self._loop(node.generators)}

    def _generatorexp(self, node: ast.GeneratorExp) -> list[Any]:
        # At once, since the names of its loops are gone when somebody else consumes it.
        return [self.value(node.elt) for _ in self._loop(node.generators)]

    def _loop(self, loops: Sequence[ast.comprehension]) -> Iterator[None]:
        """Go through nested loops; within, their names have values."""
        if not loops:
            yield
            return
        loop, outside = loops[0], self._names
        for item in self.value(loop.iter):
            self._names = {**outside, **self._bound(loop.target, item)}
            if all(self.value(condition) for condition in loop.ifs):
                yield from self._loop(loops[1:])
        self._names = outside

    def _bound(self, target: ast.expr, value: Any) -> dict[str, Any]:
        if isinstance(target, ast.Name):
            return {target.id: value}
        if not isinstance(target, ast.Tuple):
            raise ExpressionError(f"{type(target).__name__} is not allowed as a loop variable")
        parts = zip(target.elts, value, strict=True)
        return {name: item for part in parts for name, item in self._bound(*part).items()}
