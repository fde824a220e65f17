"""`ros2 pkg`: what the ament index knows about packages."""

import argparse
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from ament_index_python.packages import get_package_prefix, get_packages_with_prefixes

from ros2cli.command import CliError, Verb, VerbCommand
from ros2cli.executables import executables_of


def _prefix(package: str) -> Path:
    try:
        return Path(get_package_prefix(package))
    except (LookupError, ValueError):
        raise CliError(f"Package not found: '{package}'") from None


class _List:
    """Output a list of available packages."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        pass

    def main(self, args: argparse.Namespace) -> None:
        for name in sorted(get_packages_with_prefixes()):
            print(name)


class _Prefix:
    """Output the prefix path of a package."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("package_name", help="The package name")
        parser.add_argument("--share", action="store_true", help="Show the share directory")

    def main(self, args: argparse.Namespace) -> None:
        prefix = _prefix(args.package_name)
        print(prefix / "share" / args.package_name if args.share else prefix)


class _Executables:
    """Output a list of package specific executables."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("package_name", nargs="?", help="Only of this package")
        parser.add_argument("--full-path", action="store_true", help="Show the paths")

    def main(self, args: argparse.Namespace) -> None:
        if args.package_name is None:
            packages = sorted(get_packages_with_prefixes())
        else:
            packages = [args.package_name]
        for package in packages:
            for path in executables_of(_prefix(package), package):
                print(path if args.full_path else f"{package} {path.name}")


class _Xml:
    """Output the XML of the package manifest or a specific tag."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("package_name", help="The package name")
        parser.add_argument("-t", "--tag", help="Only output the content of this tag")

    def main(self, args: argparse.Namespace) -> None:
        path = _prefix(args.package_name) / "share" / args.package_name / "package.xml"
        if not path.is_file():
            raise CliError(f"No manifest found: {path}")
        text = path.read_text(encoding="utf-8")
        if args.tag is None:
            print(text.rstrip())
            return
        tags = ElementTree.fromstring(text).findall(args.tag)
        if not tags:
            raise CliError(f"No tag '{args.tag}' found")
        for tag in tags:
            print(tag.text or "")


class PkgCommand(VerbCommand):
    """Various package related sub-commands."""

    verbs: ClassVar[Mapping[str, type[Verb]]] = {
        "executables": _Executables,
        "list": _List,
        "prefix": _Prefix,
        "xml": _Xml,
    }
