"""Texts about packages and parameters."""

from .executable_in_package import ExecutableInPackage
from .find_package import (
    FindPackage,
    FindPackagePrefix,
    FindPackagePrefixSubstitution,
    FindPackageShare,
    FindPackageShareSubstitution,
)
from .parameter import Parameter

__all__ = [
    "ExecutableInPackage",
    "FindPackage",
    "FindPackagePrefix",
    "FindPackagePrefixSubstitution",
    "FindPackageShare",
    "FindPackageShareSubstitution",
    "Parameter",
]
