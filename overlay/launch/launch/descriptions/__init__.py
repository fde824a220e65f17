"""Descriptions of programs to be started."""

from .executable import Executable

__all__ = ["Executable"]
