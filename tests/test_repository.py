"""Rules for every file of the repository."""

import ast
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from workspace.layout import Workspace
from workspace.packages import Package, find_packages

ROOT = Path(__file__).resolve().parents[1]
GENERATED = {".git", ".venv", ".ws", "build", "install", "log", "data"}
MAX_BYTES = 1_000_000
MAX_LINES = 400
LICENCE = "Apache-2.0"
# Definitions only: what uses them tests them.
# Packages of definitions and launch files; what they hold is tested in tests/ and elsewhere.
DEFINITIONS = {"gensim2", "gensim2_msgs", "tf2_msgs"}
PACKAGES = find_packages(Workspace(ROOT).sources(with_overlay=True))


def _files() -> list[Path]:
    """Lists what belongs to the repository, committed or about to be; also without git."""
    if shutil.which("git") and (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-coz", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout.decode()
        paths = [ROOT / name for name in listed.split("\0") if name]
    else:
        paths = [
            path
            for path in ROOT.rglob("*")
            if path.relative_to(ROOT).parts[0] not in GENERATED
            and not any(part.endswith(("_cache", "__pycache__")) for part in path.parts)
            and ".hypothesis" not in path.parts
        ]
    return sorted(path for path in paths if path.is_file())


FILES = _files()
PYTHON = [path for path in FILES if path.suffix == ".py"]


def _is_test(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return "test" in parts or parts[0] == "tests"


def _text(path: Path) -> str:
    """Gives the text of a file, nothing if it is not text."""
    data = path.read_bytes()
    return "" if b"\0" in data else data.decode(errors="replace")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_large_files() -> None:
    """Data sets, meshes in full detail and recordings do not belong here."""
    large = {_name(path): path.stat().st_size for path in FILES if path.stat().st_size > MAX_BYTES}
    assert not large


def test_modules_have_one_subject() -> None:
    """A module that does not fit in 400 lines has two."""
    long = {
        _name(path): lines
        for path in PYTHON
        if not _is_test(path) and (lines := _text(path).count("\n")) > MAX_LINES
    }
    assert not long


def test_no_places_of_one_machine() -> None:
    """Paths of somebody's machine work nowhere else."""
    pattern = re.compile(r"(?<![\w.:/~-])/(work|root|home|Users|mnt|media|scratch)/[\w.]")
    found = [
        f"{_name(path)}:{number}: {line.strip()[:100]}"
        for path in FILES
        if path != Path(__file__).resolve()
        for number, line in enumerate(_text(path).splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found


def _is_call(node: ast.AST, *names: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def _is_attribute(node: ast.AST, owner: str, *names: str) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == owner
        and node.attr in names
    )


def _allows_pickle(node: ast.AST) -> bool:
    if not isinstance(node, ast.keyword) or node.arg != "allow_pickle":
        return False
    return not (isinstance(node.value, ast.Constant) and node.value.value is False)


UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve"}


def _defects(tree: ast.AST) -> list[str]:
    """Finds text that is executed, unsafe readers, and errors that vanish."""
    found = []
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if _is_call(node, "exec", "eval"):
            found.append(f"{line}: executes text")
        if _is_attribute(node, "yaml", "load", "unsafe_load", "full_load", "UnsafeLoader"):
            found.append(f"{line}: yaml.safe_load reads data only")
        imports: list[str] = []
        if isinstance(node, ast.Import):
            imports = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports = [node.module or ""]
        if UNSAFE_MODULES & {name.split(".")[0] for name in imports}:
            found.append(f"{line}: unpickling executes what is in the file")
        if _allows_pickle(node):
            found.append(f"{line}: unpickling executes what is in the file")
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            found.append(f"{line}: bare except")
        if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Name):
            everything = node.type.id in ("Exception", "BaseException")
            if everything and all(isinstance(item, ast.Pass) for item in node.body):
                found.append(f"{line}: an error of any kind vanishes")
    return found


@pytest.mark.parametrize(
    "source",
    [
        "exec('x')",
        "y = eval(x)",
        "import pickle",
        "from pickle import loads",
        "import yaml\nyaml.load(f)",
        "numpy.load(f, allow_pickle=True)",
        "try:\n    f()\nexcept:\n    raise",
        "try:\n    f()\nexcept Exception:\n    pass",
    ],
)
def test_the_search_finds(source: str) -> None:
    """The search below finds what it is for."""
    assert len(_defects(ast.parse(source))) == 1


def test_the_search_is_not_overdone() -> None:
    """Names that only resemble the forbidden ones are fine."""
    fine = "yaml.safe_load(f); model.eval(); numpy.load(f, allow_pickle=False); os.execvp(a, b)"
    assert _defects(ast.parse(fine)) == []


def test_nothing_is_executed_and_no_error_vanishes() -> None:
    """Data are data: no text becomes code, in no file."""
    found = {
        _name(path): defects
        for path in PYTHON
        if (defects := _defects(ast.parse(path.read_text(), str(path))))
    }
    assert not found


def test_nothing_is_unfinished() -> None:
    """Open ends are issues, not comments."""
    pattern = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    found = [
        f"{_name(path)}:{number}"
        for path in FILES
        if path.suffix in {".py", ".sh", ".md", ".txt", ".yaml", ".xml", ".cfg", ".toml", ""}
        for number, line in enumerate(_text(path).splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_packages_are_complete(package: Package) -> None:
    """Each has the licence of the project, a description, and tests."""
    manifest = (package.folder / "package.xml").read_text()
    assert f"<license>{LICENCE}</license>" in manifest
    assert re.search(r"<description>\s*\S", manifest)
    if package.build_type == "ament_python":
        assert f'license="{LICENCE}"' in (package.folder / "setup.py").read_text()
    if package.name not in DEFINITIONS:
        assert list((package.folder / "test").glob("test_*.py")), "a package without tests"


def test_names_of_test_files_are_unique() -> None:
    """A failing test is found by the name of its file."""
    names = Counter(path.name for path in PYTHON if path.name.startswith("test_"))
    assert not [name for name, times in names.items() if times > 1]


def test_licence_of_the_repository() -> None:
    """LICENSE is the Apache licence; NOTICE names where the robot description is from."""
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text and "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert "franka_description" in (ROOT / "NOTICE").read_text()


def test_continuous_integration_does_what_a_user_does() -> None:
    """`.ci/run` calls `./ws test` and nothing else."""
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert commands == ["exec ./ws test"]
