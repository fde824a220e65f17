"""The command line of `static_transform_publisher`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from tf2_ros.geometry import Quaternion, Rigid, from_rpy, normalize

_USAGE = """\
static_transform_publisher --frame-id PARENT --child-frame-id CHILD
           [--x X --y Y --z Z] [--qx QX --qy QY --qz QZ --qw QW | --roll R --pitch P --yaw Y]
       static_transform_publisher x y z yaw pitch roll PARENT CHILD   (old form)
       static_transform_publisher x y z qx qy qz qw PARENT CHILD      (old form)"""
_POSITION = ("x", "y", "z")
_QUATERNION = ("qx", "qy", "qz", "qw")
_ANGLES = ("roll", "pitch", "yaw")


@dataclass(frozen=True)
class StaticTransform:
    """T_frame_child: maps coordinates in the child frame to `frame_id`."""

    frame_id: str
    child_frame_id: str
    transform: Rigid


def parse_arguments(argv: Sequence[str]) -> StaticTransform:
    """The transform a command line asks for (without the program name and ROS arguments).

    Raises:
        argparse.ArgumentTypeError: it makes no sense; the text says why.
    """
    if len(argv) in (8, 9) and not any(arg.startswith("--") for arg in argv):
        return _parse_old_form(argv)
    parser = argparse.ArgumentParser(prog="static_transform_publisher", usage=_USAGE)
    for name in (*_POSITION, *_QUATERNION, *_ANGLES):
        unit = "m" if name in _POSITION else "rad" if name in _ANGLES else "part of a quaternion"
        parser.add_argument(f"--{name}", type=float, help=f"[{unit}]")
    parser.add_argument("--frame-id", required=True, help="parent frame")
    parser.add_argument("--child-frame-id", required=True, help="child frame")
    args = vars(parser.parse_args(argv))
    x, y, z = (args[name] or 0.0 for name in _POSITION)
    quaternion = [args[name] for name in _QUATERNION]
    angles = [args[name] or 0.0 for name in _ANGLES]
    if any(value is not None for value in quaternion):
        if any(args[name] is not None for name in _ANGLES):
            raise argparse.ArgumentTypeError("give either --qx.. or --roll.., not both")
        *xyz, w = quaternion
        qx, qy, qz = (value or 0.0 for value in xyz)
        rotation = (qx, qy, qz, 1.0 if w is None else w)
    else:
        rotation = from_rpy(*angles)
    return _checked(args["frame_id"], args["child_frame_id"], (x, y, z), rotation)


def _parse_old_form(argv: Sequence[str]) -> StaticTransform:
    try:
        x, y, z, *rest = (float(text) for text in argv[:-2])
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a number in {list(argv[:-2])}") from None
    if len(rest) == 3:
        yaw, pitch, roll = rest
        rotation = from_rpy(roll, pitch, yaw)
    else:
        qx, qy, qz, qw = rest
        rotation = (qx, qy, qz, qw)
    return _checked(argv[-2], argv[-1], (x, y, z), rotation)


def _checked(
    parent: str, child: str, translation: tuple[float, float, float], rotation: Quaternion
) -> StaticTransform:
    if parent == child:
        raise argparse.ArgumentTypeError(f"a frame cannot be its own parent: '{parent}'")
    if not any(rotation):
        raise argparse.ArgumentTypeError("the quaternion is zero")
    return StaticTransform(parent, child, (translation, normalize(rotation)))
