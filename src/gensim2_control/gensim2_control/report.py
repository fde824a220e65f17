"""How a component of a node is, in words and figures; told by the diagnostics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Level(IntEnum):
    """Severity, with the numbers of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2


@dataclass(frozen=True)
class Report:
    """The state of one component of a node.

    Attributes:
        level: severity.
        message: what is the matter, without figures that change all the time.
        values: figures by name.
    """

    level: Level
    message: str
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def headline(self) -> tuple[Level, str]:
        """What has to change for the report to be worth telling at once."""
        return self.level, self.message
