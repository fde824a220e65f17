"""Writes parameter values so that ROS reads back the same values with the same types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml


class _Quoting(yaml.SafeDumper):
    """Quotes every text: the YAML reader of ROS takes a bare `y` or `on` for a bool."""

    def ignore_aliases(self, data: Any) -> bool:
        return True  # the reader of ROS knows no aliases


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_Quoting.add_representer(str, _quoted)


def value_text(value: Any) -> str:
    """Return a value on one line, as for `-p name:=value`."""
    text = yaml.dump(
        value, Dumper=_Quoting, default_flow_style=True, width=float("inf"), allow_unicode=True
    )
    return text.removesuffix("\n").removesuffix("...").removesuffix("\n")


def file_text(node_name: str, values: Mapping[str, Any]) -> str:
    """Return the content of a parameter file for one node, or for all with `/**`."""
    content = {node_name: {"ros__parameters": dict(values)}}
    return yaml.dump(
        content,
        Dumper=_Quoting,
        default_flow_style=False,
        width=float("inf"),
        allow_unicode=True,
        sort_keys=False,
    )
