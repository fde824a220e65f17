"""The folders of a package."""

from __future__ import annotations

from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
    get_search_paths,
)
from launch.substitutions import SubstitutionFailure
from launch.utilities import (
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

from launch import LaunchContext, SomeSubstitutionsType, Substitution


class FindPackage(Substitution):
    """Base of the substitutions for one folder of a package."""

    def __init__(self, package: SomeSubstitutionsType) -> None:
        self._package = normalize_to_list_of_substitutions(package)

    @property
    def package(self) -> list[Substitution]:
        """The name of the package."""
        return self._package

    def describe(self) -> str:
        """Return a short description for people."""
        return f"{type(self).__name__}(pkg={describe_substitutions(self._package)})"

    def perform(self, context: LaunchContext) -> str:
        """Return the folder; SubstitutionFailure if there is no such package."""
        name = perform_substitutions(context, self._package)
        try:
            return self.find(name)
        except (PackageNotFoundError, ValueError):
            raise SubstitutionFailure(
                f"package '{name}' not found, searching: {get_search_paths()}"
            ) from None

    def find(self, package_name: str) -> str:
        """Return the folder of the package."""
        raise NotImplementedError


class FindPackagePrefix(FindPackage):
    """The folder that the package is installed into."""

    def find(self, package_name: str) -> str:
        """Return the folder of the package."""
        return get_package_prefix(package_name)


class FindPackageShare(FindPackage):
    """The share folder of the package: launch files, configuration, models."""

    def find(self, package_name: str) -> str:
        """Return the folder of the package."""
        return get_package_share_directory(package_name)


FindPackagePrefixSubstitution = FindPackagePrefix
FindPackageShareSubstitution = FindPackageShare
