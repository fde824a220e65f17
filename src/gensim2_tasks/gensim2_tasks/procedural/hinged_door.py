"""What has a door on an upright hinge: the swing of the door, and the model around it.

Safes, microwaves and refrigerators are cabinets (`cabinet`) with such a door; a door of a room is
a leaf in a frame. Everything is in the body frame: +x to the right of who stands in front of the
object, +y up, +z to the front; metres and radians.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gensim2_tasks.procedural.folder import Joint, Model
from gensim2_tasks.procedural.parts import Array, Colour, Part, bar, box

Point = tuple[float, float, float]
HEAD, INSIDE = "articulated_object_head", "articulated_object_inside_base"
BEVEL = 0.0015


@dataclass(frozen=True)
class Swing:
    """How a door turns; angles are those over its closed pose.

    Attributes:
        at_zero: angle in which the door is modelled, at joint position 0.
        opened: angle at openness 1.
        limit: angle at the stop.
        friction: of the hinge, N m.
    """

    at_zero: float
    opened: float
    limit: float
    friction: float


def upright_turn(angle: float) -> Array:
    """Rotation (3, 3) by `angle` rad about +y."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def hinged_model(
    *,
    body: tuple[Part, ...],
    door: tuple[Part, ...],
    hinge: Point,
    sense: float,
    swing: Swing,
    keypoints: Mapping[str, Point],
    descriptions: Mapping[str, str],
    axis: str | None,
    geometry: Mapping[str, Any],
) -> Model:
    """Put a closed door on its hinge.

    Args:
        body: what stands still.
        door: the door in its closed pose.
        hinge: a point of the upright axis.
        sense: +1 if the door opens by a positive turn about +y, else -1.
        swing: how it turns.
        keypoints: `HEAD` on the closed door, body frame; others as `Model` has them.
        descriptions: one line per keypoint.
        axis: see `Model`.
        geometry: see `Model`.
    """
    turn = upright_turn(sense * swing.at_zero)
    head = np.array(hinge) + turn @ (np.array(keypoints[HEAD]) - np.array(hinge))
    return Model(
        body=body,
        moving_link="door",
        moving=tuple(part.moved(turn, hinge) for part in door),
        joint=Joint(
            kind="revolute",
            origin=hinge,
            axis=(0.0, sense, 0.0),
            limits=(-swing.at_zero, swing.limit - swing.at_zero),
            closed_open=(-swing.at_zero, swing.opened - swing.at_zero),
            friction=swing.friction,
        ),
        keypoints={**keypoints, HEAD: (float(head[0]), float(head[1]), float(head[2]))},
        descriptions=descriptions,
        axis=axis,
        geometry=geometry,
    )


def upright_bar(
    name: str, foot: Point, length: float, diameter: float, clearance: float, colour: Colour
) -> tuple[Part, ...]:
    """An upright bar handle on two legs, in front of a panel.

    Args:
        name: beginning of the names of its parts.
        foot: point of the front of the panel behind the middle of the bar.
        length: of the bar.
        diameter: of the bar, which is as deep as it is wide.
        clearance: free distance between panel and bar.
        colour: RGB.
    """
    x, y, z = foot
    r, half = diameter / 2.0, length / 2.0
    low, high = (x - r, y - half, z + clearance), (x + r, y + half, z + clearance + diameter)
    parts = [box(f"{name}_bar", low, high, colour, chamfer=0.25 * diameter)]
    for index, sign in enumerate((-1.0, 1.0)):
        at = y + sign * (half - diameter)
        # Sunk into the panel by a hair, so that no light shows between the two.
        start, end = (x, at, z - 0.001), (x, at, z + clearance + r)
        parts.append(bar(f"{name}_leg_{index}", start, end, 0.7 * r, colour))
    return tuple(parts)


def wheel(
    name: str, foot: Point, radius: float, standoff: float, colour: Colour
) -> tuple[Part, ...]:
    """A round hand wheel or dial on a post, in front of a panel.

    Args:
        name: beginning of the names of its parts.
        foot: point of the front of the panel behind its centre.
        radius: of the wheel.
        standoff: free distance between panel and wheel.
        colour: RGB.
    """
    x, y, z = foot
    back, front = z + standoff, z + standoff + 0.010
    post = bar(f"{name}_post", (x, y, z - 0.001), (x, y, back + 0.002), 0.35 * radius, colour)
    disc = bar(f"{name}_disc", (x, y, back), (x, y, front), radius, colour, sides=12)
    return post, disc
