"""Things that happen during a launch."""

from __future__ import annotations


class Event:
    """Base of all events."""

    name = "launch.Event"
