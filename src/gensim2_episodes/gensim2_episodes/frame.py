"""One observation with the action commanded at that time, and its layout on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Points = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Depths = NDArray[np.uint16]

IMAGE_GROUP = "image"
DEPTH_GROUP = "depth"
GRIPPER_EFFORT = "action/gripper_effort"
"""Not in older data sets, nor where the body does not tell."""


class FrameError(ValueError):
    """A frame does not fit: wrong shape, not finite, or out of order."""


@dataclass(frozen=True)
class Frame:
    """What is known at one observation tick; everything belongs to the same stamp.

    Poses are of `fr3_hand_tcp` in `base`: x y z [m], qx qy qz qw. Optional parts must be present in
    every frame of an episode or in none.

    Attributes:
        stamp_ns: ROS time [ns].
        q: (9,) measured joint positions: 7 arm [rad], 2 fingers [m].
        dq: (9,) measured joint velocities [rad/s, m/s].
        tcp_pose: (7,) forward kinematics of `q`.
        gripper: Measured finger joint position [m], 0 to 0.04.
        q_ref: (7,) commanded arm positions [rad].
        dq_ref: (7,) commanded arm velocities [rad/s].
        tcp_ref: (7,) forward kinematics of `q_ref`.
        gripper_ref: Commanded finger joint position [m].
        gripper_effort: Largest force of that command [N]; None where the body does not tell.
        cloud_xyz: (N, 3) fused cloud in `base` [m].
        cloud_rgb: (N, 3) its colours.
        images: (H, W, 3) RGB by camera name.
        depths: (H, W) along the optical axis [mm] by camera name, 0 = not measured.
        openness: (M,) truth of the articulated objects, 0 = closed, 1 = open.
        object_q: (M,) truth, joint positions [rad or m].
        keypoints: (K, 3) truth, keypoints of the objects in `base` [m].
    """

    stamp_ns: int
    q: Array
    dq: Array
    tcp_pose: Array
    gripper: float
    q_ref: Array
    dq_ref: Array
    tcp_ref: Array
    gripper_ref: float
    gripper_effort: float | None = None
    cloud_xyz: Points | None = None
    cloud_rgb: Bytes | None = None
    images: Mapping[str, Bytes] = field(default_factory=dict)
    depths: Mapping[str, Depths] = field(default_factory=dict)
    openness: Array | None = None
    object_q: Array | None = None
    keypoints: Points | None = None


@dataclass(frozen=True)
class ArraySpec:
    """How an attribute of `Frame` is stored.

    Attributes:
        path: Path of the array inside the episode.
        attribute: Attribute of `Frame`.
        dtype: Stored as.
        shape: Shape of one frame; -1 = any length, but constant over the episode.
        unit: Unit.
        description: What it is.
        labels: Which labels name the first of its axes: "", "objects" or "keypoints".
    """

    path: str
    attribute: str
    dtype: str
    shape: tuple[int, ...]
    unit: str
    description: str
    labels: str = ""


_TCP = "x y z qx qy qz qw of fr3_hand_tcp in base"
ARRAYS = (
    ArraySpec("observation/joint_position", "q", "float64", (9,), "rad, m", "7 arm, 2 fingers"),
    ArraySpec("observation/joint_velocity", "dq", "float64", (9,), "rad/s, m/s", "as positions"),
    ArraySpec("observation/tcp_pose", "tcp_pose", "float64", (7,), "m", _TCP),
    ArraySpec("observation/gripper", "gripper", "float64", (), "m", "finger joint position"),
    ArraySpec("action/joint_position", "q_ref", "float64", (7,), "rad", "commanded, arm"),
    ArraySpec("action/joint_velocity", "dq_ref", "float64", (7,), "rad/s", "commanded, arm"),
    ArraySpec("action/tcp_pose", "tcp_ref", "float64", (7,), "m", f"commanded: {_TCP}"),
    ArraySpec("action/gripper", "gripper_ref", "float64", (), "m", "commanded finger position"),
    ArraySpec(GRIPPER_EFFORT, "gripper_effort", "float64", (), "N", "largest force, commanded"),
    ArraySpec("cloud/xyz", "cloud_xyz", "float32", (-1, 3), "m", "fused cloud in base"),
    ArraySpec("cloud/rgb", "cloud_rgb", "uint8", (-1, 3), "", "colours of the cloud"),
    ArraySpec("truth/openness", "openness", "float64", (-1,), "", "0 closed, 1 open", "objects"),
    ArraySpec(
        "truth/joint_position", "object_q", "float64", (-1,), "rad or m", "of objects", "objects"
    ),
    ArraySpec(
        "truth/keypoints", "keypoints", "float32", (-1, 3), "m", "points in base", "keypoints"
    ),
)
"""Every array but those of cameras and the two time axes, in the order of writing."""


_NUMBERS = ("gripper", "gripper_ref", "gripper_effort")
_RANGES = {"uint8": "0 to 255", "uint16": "mm"}


def image_spec(camera: str) -> ArraySpec:
    """The array of a camera's colour images."""
    return ArraySpec(
        f"{IMAGE_GROUP}/{camera}", "images", "uint8", (-1, -1, 3), "", "RGB, rows from the top"
    )


def depth_spec(camera: str) -> ArraySpec:
    """The array of a camera's depth images."""
    return ArraySpec(
        f"{DEPTH_GROUP}/{camera}", "depths", "uint16", (-1, -1), "mm", "0 = not measured"
    )


def frame_arrays(frame: Frame) -> dict[str, tuple[ArraySpec, NDArray[np.generic]]]:
    """Takes a frame apart into the arrays it is stored as, checked one by one.

    Returns:
        By path: how it is stored, and the value for this frame in the stored type.

    Raises:
        FrameError: A shape is wrong, a value is not finite, or a value does not fit the type.
    """
    parts: list[tuple[ArraySpec, object]] = [
        (spec, getattr(frame, spec.attribute)) for spec in ARRAYS
    ]
    parts += [(image_spec(name), frame.images[name]) for name in sorted(frame.images)]
    parts += [(depth_spec(name), frame.depths[name]) for name in sorted(frame.depths)]
    xyz, rgb = frame.cloud_xyz, frame.cloud_rgb
    if (xyz is None) != (rgb is None):
        raise FrameError("a cloud needs both cloud_xyz and cloud_rgb")
    if xyz is not None and rgb is not None and len(xyz) != len(rgb):
        raise FrameError(f"cloud_xyz has {len(xyz)} points, cloud_rgb {len(rgb)}")
    return {
        spec.path: (spec, _checked(spec, value, frame.stamp_ns))
        for spec, value in parts
        if value is not None
    }


def frame_of(stamp_ns: int, arrays: Mapping[str, NDArray[Any]]) -> Frame:
    """Puts together what `frame_arrays` has taken apart.

    Args:
        stamp_ns: ROS time [ns].
        arrays: The values of this frame by path; paths that a frame does not have are ignored.

    Raises:
        FrameError: A part that every frame has is missing.
    """
    parts: dict[str, Any] = {
        spec.attribute: arrays[spec.path] for spec in ARRAYS if spec.path in arrays
    }
    required = {
        part.name
        for part in fields(Frame)
        if part.default is MISSING and part.default_factory is MISSING
    }
    if missing := sorted(required - parts.keys() - {"stamp_ns"}):
        paths = [spec.path for spec in ARRAYS if spec.attribute in missing]
        raise FrameError(f"frame at {stamp_ns} ns has no {', '.join(paths)}")
    parts |= {name: float(parts[name]) for name in _NUMBERS if name in parts}
    for group, attribute in ((IMAGE_GROUP, "images"), (DEPTH_GROUP, "depths")):
        prefix = f"{group}/"
        parts[attribute] = {
            path.removeprefix(prefix): value
            for path, value in arrays.items()
            if path.startswith(prefix)
        }
    return Frame(stamp_ns=stamp_ns, **parts)


def _checked(spec: ArraySpec, value: object, stamp_ns: int) -> NDArray[np.generic]:
    array = np.asarray(value)
    where = f"{spec.path} at {stamp_ns / 1e9:.3f} s"
    fits = array.ndim == len(spec.shape) and all(
        want in (-1, have) for want, have in zip(spec.shape, array.shape, strict=True)
    )
    if not fits:
        raise FrameError(f"{where} has shape {array.shape}, expected {spec.shape} (-1 = any)")
    if not array.size:
        raise FrameError(f"{where} is empty: {array.shape}; leave it out instead")
    if spec.dtype in _RANGES and array.dtype != spec.dtype:
        raise FrameError(f"{where} is {array.dtype}, expected {spec.dtype} ({_RANGES[spec.dtype]})")
    if array.dtype.kind not in "fiub":
        raise FrameError(f"{where} is {array.dtype}, expected numbers")
    array = np.ascontiguousarray(array, dtype=spec.dtype).reshape(array.shape)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise FrameError(f"{where} is not finite")
    return array
