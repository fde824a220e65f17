"""Arguments of the programs: ``name:=value``, as launch files have them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

HELP = ("-h", "--help", "help")


class WordError(ValueError):
    """An argument is unknown, or lacks its value; says what would do."""


@dataclass(frozen=True)
class Word:
    """An argument: its default (None = it has to be given) and what it means."""

    default: str | None
    text: str


def read_words(
    given: Sequence[str], known: Mapping[str, Word], *, settings: bool = False
) -> tuple[dict[str, str], list[str]]:
    """Values of all arguments, and settings in the form ``a.b=value``.

    Args:
        given: As typed.
        known: By name.
        settings: Whether names with a dot are settings.

    Raises:
        WordError: See there.
    """
    values = {name: word.default for name, word in known.items()}
    overrides = []
    for text in given:
        name, sign, value = text.partition(":=")
        if not sign:
            name, sign, value = text.partition("=")
        if not sign or not name:
            raise WordError(f"{text[:80]!r}: expected name:=value")
        if settings and "." in name:
            overrides.append(f"{name}={value}")
        elif name in known:
            values[name] = value
        else:
            near = difflib.get_close_matches(name[:80], known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise WordError(f"argument {name[:80]!r} is unknown; {hint}")
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise WordError(f"{missing[0]}:= is needed: {known[missing[0]].text}")
    return {name: value for name, value in values.items() if value is not None}, overrides


def number(values: Mapping[str, str], name: str, least: int = 0) -> int:
    """A whole number of an argument.

    Raises:
        WordError: It is none, or less than ``least``.
    """
    text = values[name]
    if not re.fullmatch(r"-?[0-9]{1,18}", text) or int(text) < least:
        raise WordError(f"{name}:={text[:40]}: expected a whole number of at least {least}")
    return int(text)


def truth(values: Mapping[str, str], name: str) -> bool:
    """Whether an argument says true.

    Raises:
        WordError: It says neither true nor false.
    """
    if values[name] not in ("true", "false"):
        raise WordError(f"{name}:={values[name][:40]}: expected true or false")
    return values[name] == "true"


def tell_words(console: Console, usage: str, known: Mapping[str, Word], more: str = "") -> None:
    """Prints what the arguments mean."""
    console.print(usage, soft_wrap=True, markup=False)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for name, word in known.items():
        default = "needed" if word.default is None else f"[{word.default}]" if word.default else ""
        table.add_row(f"{name}:=", f"{word.text} {default}".replace("[", r"\["))
    console.print(table)
    if more:
        console.print(more, markup=False)


def refuse(console: Console, error: object, code: int) -> int:
    """Prints an error; returns the exit code."""
    console.print(f"error: {error}", style="red", soft_wrap=True, markup=False)
    return code
