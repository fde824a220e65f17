"""What comes of a command, in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Notice:
    """Something to tell the user.

    Attributes:
        kind: "ok", "busy" (it is going on) or "error".
        title: the command.
        text: what came of it; empty where there is nothing to say.
    """

    kind: str
    title: str
    text: str
