"""Marks as markers, for RViz and other views. Each picture replaces the one before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from gensim2_control.hardware import Array
from gensim2_control.marks import Arrow, Colour, Lines, Mark, Points, Text

LATCHED = QoSProfile(
    depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
)
"""Who opens a view late sees the newest picture as well."""


def marker_array(
    marks: Iterable[Mark], frame_id: str = "base", stamp: Time | None = None
) -> MarkerArray:
    """Return the markers of a picture; the first one deletes what was there before."""
    clear = Marker(action=Marker.DELETEALL)
    clear.header.frame_id = frame_id
    markers = [clear]
    numbers: Counter[str] = Counter()
    for mark in marks:
        marker = _marker(mark)
        marker.ns, marker.id = mark.group, numbers[mark.group]
        numbers[mark.group] += 1
        marker.header.frame_id = frame_id
        # A stamp of zero is always transformed as of now; a picture has no other time.
        marker.header.stamp = stamp or Time()
        marker.pose.orientation.w = 1.0
        markers.append(marker)
    return MarkerArray(markers=markers)


def _marker(mark: Mark) -> Marker:
    if isinstance(mark, Points):
        marker = Marker(type=Marker.SPHERE_LIST, points=_points(mark.points))
        marker.scale.x = marker.scale.y = marker.scale.z = mark.size
        marker.color = _colour(mark.colour)
    elif isinstance(mark, Lines):
        marker = Marker(type=Marker.LINE_LIST, points=_points(mark.points))
        marker.scale.x = mark.width
        marker.colors = [_colour(colour) for colour in mark.colours for _ in range(2)]
        marker.color.a = 1.0
    elif isinstance(mark, Arrow):
        marker = Marker(type=Marker.ARROW, points=_points([mark.start, mark.end]))
        marker.scale.x, marker.scale.y = mark.width, 2.5 * mark.width
        marker.color = _colour(mark.colour)
    else:
        marker = _text(mark)
    return marker


def _text(mark: Text) -> Marker:
    marker = Marker(type=Marker.TEXT_VIEW_FACING, text=mark.text)
    (marker.pose.position,) = _points([mark.point])
    marker.scale.z = mark.height
    marker.color = _colour(mark.colour)
    return marker


def _points(points: Iterable[Array]) -> list[Point]:
    return [Point(x=float(x), y=float(y), z=float(z)) for x, y, z in points]


def _colour(colour: Colour) -> ColorRGBA:
    r, g, b = colour
    return ColorRGBA(r=float(r), g=float(g), b=float(b), a=1.0)
