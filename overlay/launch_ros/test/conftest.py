"""A package with programs, and real launches of them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import launch.logging
import pytest

from launch import LaunchDescription, LaunchDescriptionEntity, LaunchService

# Prints its arguments, and the parameter files it is given with their content.
SHOW = """#!{python} -S
import json, sys
arguments = sys.argv[1:]
files = [b for a, b in zip(arguments, arguments[1:]) if a == "--params-file"]
print("SHOW", json.dumps({{"arguments": arguments, "files": [open(f).read() for f in files]}}))
"""
# Prints what ROS makes of its arguments.
NODE = """#!{python}
import json, rclpy
rclpy.init()
node = rclpy.create_node("own_name", automatically_declare_parameters_from_overrides=True)
values = {{}}
for name, parameter in node._parameters.items():
    value = parameter.value
    values[name] = list(value) if hasattr(value, "typecode") else value
print("SHOW", json.dumps({{
    "name": node.get_fully_qualified_name(),
    "topic": node.resolve_topic_name("chatter"),
    "parameters": values,
}}))
rclpy.shutdown()
"""


@dataclass
class Result:
    """What a launch left: exit code, standard output, and by label what its programs showed."""

    code: int
    screen: str
    shown: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(autouse=True)
def own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep each test's logs and changes of the environment to itself."""
    before = dict(os.environ)
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "log"))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    launch.logging.reset()
    yield
    launch.logging.reset()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def demo_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package `demo` with the programs `show`, `node` and the file `data.txt`."""
    prefix = tmp_path / "prefix"
    index = prefix / "share/ament_index/resource_index/packages"
    programs = prefix / "lib/demo/deeper"
    for folder in (index, programs, prefix / "share/demo"):
        folder.mkdir(parents=True)
    (index / "demo").touch()
    (programs.parent / "data.txt").touch()
    for name, text in (("show", SHOW), ("node", NODE)):
        (programs / name).write_text(text.format(python=sys.executable))
        (programs / name).chmod(0o755)
    others = os.environ.get("AMENT_PREFIX_PATH")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{prefix}{os.pathsep + others if others else ''}")
    return prefix


@pytest.fixture
def run_launch(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Return a function that launches entities and waits for the end."""

    def run(*entities: LaunchDescriptionEntity, **configurations: str) -> Result:
        service = LaunchService(noninteractive=True)
        service.context.launch_configurations.update(configurations)
        service.include_launch_description(LaunchDescription(entities))
        result = Result(service.run(), capsys.readouterr().out)
        for line in result.screen.splitlines():
            label, mark, shown = line.partition("] SHOW ")
            if mark:
                result.shown[label.removeprefix("[")] = json.loads(shown)
        return result

    return run
