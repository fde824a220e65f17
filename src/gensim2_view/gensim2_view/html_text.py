"""Text of the graph as HTML: whatever it holds, it is shown as text and nothing else."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

GOOD, BAD, WARN, DULL = "#2b8a3e", "#c92a2a", "#b35c00", "#868e96"
_CELL = "padding:1px 6px 1px 0;vertical-align:top"


def text(value: object, limit: int = 120) -> str:
    """Return a value as text for a page, cut where it is longer than `limit` characters."""
    words = str(value)
    return html.escape(words if len(words) <= limit else words[: limit - 1] + "…")


def coloured(value: object, color: str, limit: int = 120) -> str:
    """Return text in one of the colours of this module, bold."""
    return f'<span style="color:{color};font-weight:600">{text(value, limit)}</span>'


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    """Return a table. The cells are HTML already: made by `text` or `coloured`."""
    lines = [_row("th", head)] if head else []
    lines += [_row("td", row) for row in rows]
    style = "border-collapse:collapse;font-size:12px;line-height:1.35;text-align:left;width:100%"
    return f'<table style="{style}">{"".join(lines)}</table>'


def block(inner: str) -> str:
    """Return HTML with the margins of the panel."""
    return f'<div style="font-size:12px;padding:2px 12px 6px">{inner}</div>'


def _row(tag: str, cells: Sequence[str]) -> str:
    inner = "".join(f'<{tag} style="{_CELL}">{cell}</{tag}>' for cell in cells)
    return f"<tr>{inner}</tr>"
