"""ROS 2 actions and substitutions for launch.

A small stand-in for the ROS 2 package of the same name, with its import names and behaviour, for
systems that have no ROS 2 installation. Launch files written for it run under the original.
"""

from . import actions, descriptions, parameter_descriptions, substitutions

__all__ = ["actions", "descriptions", "parameter_descriptions", "substitutions"]
