"""The path of a program of a package."""

from __future__ import annotations

import os
from pathlib import Path

from launch.substitutions import SubstitutionFailure
from launch.utilities import (
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

from launch import LaunchContext, SomeSubstitutionsType, Substitution

from .find_package import FindPackagePrefix


class ExecutableInPackage(Substitution):
    """The program `<prefix>/lib/<package>/**/<executable>`."""

    def __init__(self, executable: SomeSubstitutionsType, package: SomeSubstitutionsType) -> None:
        self._executable = normalize_to_list_of_substitutions(executable)
        self._package = FindPackagePrefix(package)

    def describe(self) -> str:
        """Return a short description for people."""
        return (
            f"ExecInPkg(pkg={describe_substitutions(self._package.package)}, "
            f"exec={describe_substitutions(self._executable)})"
        )

    def perform(self, context: LaunchContext) -> str:
        """Return the path; SubstitutionFailure if there is none or more than one."""
        executable = perform_substitutions(context, self._executable)
        package = perform_substitutions(context, self._package.package)
        folder = Path(self._package.perform(context)) / "lib" / package
        programs = sorted(p for p in folder.rglob("*") if p.is_file() and os.access(p, os.X_OK))
        matches = [path for path in programs if path.name == executable]
        if not matches:
            raise SubstitutionFailure(
                f"executable '{executable}' not found on the libexec directory '{folder}' "
                f"(it has: {', '.join(path.name for path in programs) or 'none'})"
            )
        if len(matches) > 1:
            raise SubstitutionFailure(
                f"more than one executable '{executable}' found on the libexec directory "
                f"'{folder}': {[str(path) for path in matches]}"
            )
        return str(matches[0])
