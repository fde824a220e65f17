"""Changes YAML documents at random: as texts, and as trees that are written out again."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import yaml

TOKENS = (
    *("nan", ".nan", ".inf", "-.inf", "1e999", "1e308", "-1", "0", "null", "~", "true"),
    *("[]", "{}", "[[]]", "- ", ": ", "? ", "&a ", "*a", "<<: *a", "!!int ", "2024-13-45"),
    *("'", '"', "|\n", ">\n", "%YAML 9.9\n", "---\n", "...\n", "\t", "\0", "\x07", "\ud7ff", "é"),
    *("🤖", "!!python/name:os.system ", "#", ",", "}", "]", "0b_", "0x", "1:2:3"),
    *("1_0", "=", "@", "`", "../../etc", "x" * 300),
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**70, 1e308, 1e-320, float("nan"), float("inf")),
    *("", "nan", "x", "OpenBox", "open box", "../x", "é", "🤖", "x" * 5000, "1", "0.5", "null"),
    *([], {}, [None], [[]], [1, 2, 3], {"x": 1}, {1: 2}, [0.1] * 3, ["a", "b"]),
    {"kind": "settled"},
)  # fmt: skip


def changed_text(rng: np.random.Generator, text: str) -> str:
    """The text with a few changes of characters, tokens or lines."""
    for _ in range(int(rng.integers(1, 5))):
        kind, at = int(rng.integers(7)), int(rng.integers(len(text) + 1))
        if kind == 0:
            text = text[:at] + str(rng.choice(TOKENS)) + text[at:]
        elif kind == 1:
            text = text[:at] + str(rng.choice(TOKENS)) + text[at + int(rng.integers(20)) :]
        elif kind == 2:
            text = text[:at] + text[at + int(rng.integers(1, 30)) :]
        elif kind == 3:
            text = text[:at]
        elif kind == 4:
            text = text[:at] + chr(int(rng.integers(1, 0xD7FF))) + text[at:]
        else:
            lines = text.split("\n")
            one, two = rng.integers(len(lines), size=2)
            if kind == 5:
                lines[one], lines[two] = lines[two], lines[one]
            else:
                lines.insert(int(one), lines[two])
            text = "\n".join(lines)
    return text


def _places(tree: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at]
    items = tree.items() if isinstance(tree, dict) else ()
    for key, value in items or (enumerate(tree) if isinstance(tree, list) else ()):
        found += _places(value, (*at, key))
    return found


def changed_tree(rng: np.random.Generator, document: Any) -> str:
    """The document with one or two entries changed, renamed, removed or doubled."""
    tree = copy.deepcopy(document)
    for _ in range(int(rng.integers(1, 3))):
        places = [place for place in _places(tree) if place]
        if not places:
            break
        *way, last = places[int(rng.integers(len(places)))]
        parent = tree
        for key in way:
            parent = parent[key]
        kind = int(rng.integers(6))
        value = VALUES[int(rng.integers(len(VALUES)))]
        if kind == 0:
            del parent[last]
        elif kind == 1 and isinstance(parent, dict):
            parent[str(rng.choice(["x", "Name", f"{last} ", "<<", ""]))] = parent.pop(last)
        elif kind == 2 and isinstance(parent, list):
            parent.append(copy.deepcopy(parent[last]))
        elif kind == 3 and isinstance(parent[last], int | float):
            parent[last] = float(parent[last]) * float(rng.choice([-1, 10, 1e-9, 1e9, 0.5]))
        else:
            parent[last] = copy.deepcopy(value)
    return yaml.safe_dump(tree, allow_unicode=True)


def draw_document(rng: np.random.Generator, texts: list[str]) -> str:
    """One of the texts, changed; a tenth of them as it is."""
    text = texts[int(rng.integers(len(texts)))]
    kind = rng.random()
    if kind < 0.1:
        return text
    return changed_text(rng, text) if kind < 0.55 else changed_tree(rng, yaml.safe_load(text))
