"""Markers of `visualization_msgs`, as what a scene can draw.

Messages are taken by their attributes, so this needs no ROS. Marker lifetimes are not observed: a
marker stays until it is replaced or deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Numbers of visualization_msgs/Marker.
ARROW, CUBE, SPHERE, CYLINDER, LINE_STRIP, LINE_LIST = 0, 1, 2, 3, 4, 5
CUBE_LIST, SPHERE_LIST, POINTS, TEXT_VIEW_FACING = 6, 7, 8, 9
ADD, DELETE, DELETE_ALL = 0, 2, 3

MAX_MARKERS = 500
"""Markers of one source that are kept; what comes after is left out."""
MAX_TEXT = 200
"""Characters of a text that are shown."""
_ARROW_HEAD = 0.25
"""Share of an arrow's length that is its head, where the message does not say."""


@dataclass(frozen=True)
class Solids:
    """Boxes, spheres or cylinders along z; `scales` are full extents, m.

    Attributes:
        shape: "box", "sphere" or "cylinder".
        positions: (N, 3), m in base.
        wxyz: (N, 4) quaternions.
        scales: (N, 3), m.
        colors: (N, 3), 0 to 255.
        opacity: 0 to 1.
    """

    shape: str
    positions: Array
    wxyz: Array
    scales: Array
    colors: NDArray[np.uint8]
    opacity: float


@dataclass(frozen=True)
class Lines:
    """Line segments: `points` (N, 2, 3) m in base, `colors` (N, 2, 3), `width` m."""

    points: Array
    colors: NDArray[np.uint8]
    width: float


@dataclass(frozen=True)
class Arrow:
    """From `points[0]` to `points[1]` (2, 3), m in base; radii and head length in m."""

    points: Array
    color: NDArray[np.uint8]
    shaft_radius: float
    head_radius: float
    head_length: float


@dataclass(frozen=True)
class Text:
    """Words at a place (3,), m in base; `height` of a letter in m."""

    position: Array
    text: str
    height: float


Primitive = Solids | Lines | Arrow | Text
Key = tuple[str, int]


class MarkerError(ValueError):
    """A marker cannot be drawn; the message names it and says why."""


class MarkerBoard:
    """The markers of one topic, as its messages add, replace and delete them."""

    def __init__(self, frame: str = "base") -> None:
        self._frame = frame
        self._items: dict[Key, Primitive] = {}

    @property
    def items(self) -> dict[Key, Primitive]:
        """What is to be drawn now, by namespace and id; a copy."""
        return dict(self._items)

    def apply(self, markers: Iterable[Any]) -> list[str]:
        """Do what the markers of one message say, in order.

        Returns:
            What is wrong with those that were left out.
        """
        problems = []
        for marker in markers:
            key = (str(marker.ns), int(marker.id))
            if marker.action == DELETE_ALL:
                self._items.clear()
            elif marker.action == DELETE:
                self._items.pop(key, None)
            elif marker.action != ADD:
                problems.append(f"marker {key}: unknown action {marker.action}")
            elif key not in self._items and len(self._items) >= MAX_MARKERS:
                problems.append(f"more than {MAX_MARKERS} markers: the rest is left out")
                break
            else:
                try:
                    self._items[key] = primitive(marker, self._frame)
                except MarkerError as error:
                    self._items.pop(key, None)
                    problems.append(str(error))
        return problems


def primitive(marker: Any, frame: str = "base") -> Primitive:
    """Return what one marker shows.

    Raises:
        MarkerError: it is in another frame, of a type that is not drawn, or not finite.
    """
    name = f"marker {(str(marker.ns), int(marker.id))}"
    if marker.header.frame_id not in ("", frame):
        raise MarkerError(f"{name} is in frame {marker.header.frame_id!r}, not in {frame!r}")
    position, R, wxyz = _pose(marker.pose, name)
    scale = _finite([marker.scale.x, marker.scale.y, marker.scale.z], name)
    points = _finite([[p.x, p.y, p.z] for p in marker.points], name).reshape(-1, 3)
    points = points @ R.T + position
    if marker.type == TEXT_VIEW_FACING:
        return Text(position, str(marker.text)[:MAX_TEXT], float(scale[2]))
    if marker.type == ARROW:
        return _arrow(marker, points, position, R, scale, name)
    if marker.type in (LINE_STRIP, LINE_LIST):
        return _lines(marker, points, float(scale[0]))
    shape = {CUBE: "box", CUBE_LIST: "box", CYLINDER: "cylinder"}.get(marker.type, "sphere")
    if marker.type in (CUBE, SPHERE, CYLINDER):
        points, colors = position[None], rgb([marker.color])
    elif marker.type in (CUBE_LIST, SPHERE_LIST, POINTS):
        colors = _colors(marker, len(points))
    else:
        raise MarkerError(f"{name} is of type {marker.type}, which is not drawn")
    extents = scale if marker.type != POINTS else np.full(3, scale[0])
    return Solids(
        shape,
        points,
        np.tile(wxyz, (len(points), 1)),
        np.tile(extents, (len(points), 1)),
        colors,
        float(np.clip(marker.color.a, 0.0, 1.0)) if not len(marker.colors) else 1.0,
    )


def rgb(colors: Iterable[Any]) -> NDArray[np.uint8]:
    """Return colours with r, g, b from 0 to 1 as (N, 3), 0 to 255."""
    values = np.array([[c.r, c.g, c.b] for c in colors], dtype=np.float64).reshape(-1, 3)
    return np.clip(np.nan_to_num(values) * 255.0, 0.0, 255.0).astype(np.uint8)


def _lines(marker: Any, points: Array, width: float) -> Lines:
    colors = _colors(marker, len(points))
    if marker.type == LINE_STRIP:
        pairs = np.stack([np.arange(len(points) - 1), np.arange(1, len(points))], axis=1)
        pairs = pairs if len(points) > 1 else np.zeros((0, 2), dtype=int)
    else:
        pairs = np.arange(len(points) // 2 * 2).reshape(-1, 2)
    return Lines(points[pairs], colors[pairs], width)


def _arrow(marker: Any, points: Array, position: Array, R: Array, scale: Array, name: str) -> Arrow:
    if len(points) >= 2:  # From point to point; the scale is shaft and head diameter, head length.
        ends, shaft, head = points[:2], float(scale[0]) / 2, float(scale[1]) / 2
        length = float(scale[2])
    elif len(points) == 0:  # Along x of the pose; the scale is length, width and height.
        ends = np.stack([position, position + R[:, 0] * scale[0]])
        shaft, head, length = float(scale[1]) / 2, float(scale[1]), 0.0
    else:
        raise MarkerError(f"{name}: an arrow has no point or two, not one")
    size = float(np.linalg.norm(ends[1] - ends[0]))
    return Arrow(ends, rgb([marker.color])[0], shaft, head, length or _ARROW_HEAD * size)


def _colors(marker: Any, count: int) -> NDArray[np.uint8]:
    if len(marker.colors) == count:
        return rgb(marker.colors)
    return np.tile(rgb([marker.color]), (count, 1))


def _pose(pose: Any, name: str) -> tuple[Array, Array, Array]:
    """Return position (3,), rotation (3, 3) and quaternion w x y z; no rotation where none is."""
    position = _finite([pose.position.x, pose.position.y, pose.position.z], name)
    o = pose.orientation
    wxyz = _finite([o.w, o.x, o.y, o.z], name)
    length = float(np.linalg.norm(wxyz))
    wxyz = wxyz / length if length > 1e-9 else np.array([1.0, 0.0, 0.0, 0.0])
    w, x, y, z = wxyz
    R = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    return position, R, wxyz


def _finite(values: Sequence[Any], name: str) -> Array:
    array = np.array(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise MarkerError(f"{name}: a number is not finite")
    return array
