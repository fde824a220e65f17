"""The ROS packages of the workspace, and when one has to be built again."""

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from workspace.stamps import digest
from workspace.steps import StepError

# Files whose text decides what is built. All others are links after a symlink install: only
# their coming and going matters, and of Python modules not even that.
_COMPILED = frozenset({".msg", ".srv", ".action", ".idl", ".cmake", ".in", ".c", ".cpp", ".h"})
_SETTINGS = frozenset({"package.xml", "setup.py", "setup.cfg", "CMakeLists.txt"})
_NOT_INSTALLED = frozenset({"test", "__pycache__", ".pytest_cache", ".mypy_cache", ".hypothesis"})
_BUILD_DEPENDENCIES = ("depend", "build_depend", "buildtool_depend", "build_export_depend")


@dataclass(frozen=True)
class Package:
    """One ROS package.

    Attributes:
        name: Its name.
        folder: Where its `package.xml` is.
        build_type: `ament_cmake` or `ament_python`.
        build_dependencies: Names of the packages it is compiled against.
    """

    name: str
    folder: Path
    build_type: str
    build_dependencies: tuple[str, ...]


def read_package(folder: Path) -> Package:
    """Reads a `package.xml`.

    Raises:
        StepError: If it is not one.
    """
    manifest = folder / "package.xml"
    try:
        root = ElementTree.parse(manifest).getroot()
    except ElementTree.ParseError as error:
        raise StepError(f"{manifest}: {error}", mend="correct this file") from error
    name = root.findtext("name")
    if not name:
        raise StepError(f"{manifest} has no <name>", mend="correct this file")
    build_type = root.findtext("export/build_type") or "ament_cmake"
    needed = [item.text for tag in _BUILD_DEPENDENCIES for item in root.findall(tag)]
    return Package(name.strip(), folder, build_type.strip(), tuple(n.strip() for n in needed if n))


def find_packages(sources: Iterable[Path]) -> list[Package]:
    """Finds the packages: a source folder is one itself, or has them as its children."""
    folders = [
        manifest.parent
        for source in sources
        for pattern in ("package.xml", "*/package.xml")
        for manifest in sorted(source.glob(pattern))
    ]
    return [read_package(folder) for folder in folders]


def package_digests(packages: Iterable[Package], common: str) -> Mapping[str, str]:
    """Hashes, per package, everything that makes building it again necessary.

    Args:
        packages: All packages of the workspace.
        common: Digest of what concerns every package, such as the interpreter.
    """
    by_name = {package.name: package for package in packages}
    own = {name: _own_digest(package) for name, package in by_name.items()}
    return {name: _total(name, by_name, own, common, ()) for name in by_name}


def _total(
    name: str,
    packages: Mapping[str, Package],
    own: Mapping[str, str],
    common: str,
    above: tuple[str, ...],
) -> str:
    if name in above:
        raise StepError(
            "packages depend on each other in a circle: " + " -> ".join([*above, name]),
            mend="remove one of these dependencies from its package.xml",
        )
    # Python code meets what it depends on when it runs; only compiled code has it built in.
    inherited: tuple[str, ...] = ()
    if packages[name].build_type != "ament_python":
        needed = [other for other in packages[name].build_dependencies if other in packages]
        inherited = tuple(
            _total(other, packages, own, common, (*above, name)) for other in sorted(needed)
        )
    return digest([common, own[name], *inherited])


def _own_digest(package: Package) -> str:
    parts: list[str | bytes] = [package.build_type]
    for path in _files(package.folder):
        parts.append(str(path.relative_to(package.folder)))
        if path.name in _SETTINGS or path.suffix in _COMPILED:
            parts.append(path.read_bytes())
    return digest(parts)


def _files(folder: Path) -> list[Path]:
    found: list[Path] = []
    for here, folders, names in os.walk(folder):
        folders[:] = [
            name for name in folders if name not in _NOT_INSTALLED and ".egg-info" not in name
        ]
        is_python_package = "__init__.py" in names
        found += [
            Path(here) / name
            for name in names
            if not (is_python_package and name.endswith(".py")) and not name.endswith(".pyc")
        ]
    return sorted(found)
