"""Cabinets with a door on an upright hinge: what safes, microwaves and refrigerators share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gensim2_tasks.procedural.hinged_door import BEVEL, Point, Swing
from gensim2_tasks.procedural.palette import shade
from gensim2_tasks.procedural.parts import Colour, Part, box

Side = Literal["left", "right"]
Mount = Literal["overlay", "inset"]
PROUD = 0.002  # m, by which an inset door stands out, so that its outline shows in a point cloud


@dataclass(frozen=True)
class CabinetParameters:
    """Sizes of one cabinet with its door, m. Sides are those of who stands in front of it.

    Attributes:
        width: outer width.
        depth: outer depth of the carcass, without the door.
        height: outer height, feet included.
        wall: thickness of the walls.
        feet: height of the feet; 0 = none.
        hinge: side of the hinge.
        aside: width of what is beside the door on its free side, such as a panel with keys; 0 =
            the door is as wide as the cabinet.
        mount: the door closes in front of the walls, or between them.
        door_thickness: thickness of the door.
        gap: play between the closed door and what is around it.
        shelves: number of shelves.
        swing: how the door turns.
    """

    width: float
    depth: float
    height: float
    wall: float
    feet: float
    hinge: Side
    aside: float
    mount: Mount
    door_thickness: float
    gap: float
    shelves: int
    swing: Swing

    @property
    def sense(self) -> float:
        """Sign of x on the side of the hinge, and of the turn about +y that opens the door."""
        return 1.0 if self.hinge == "right" else -1.0

    @property
    def bottom(self) -> float:
        """Height of the lower face of the carcass; the origin is in the middle of the cabinet."""
        return -self.height / 2.0 + self.feet

    @property
    def door_face(self) -> float:
        """Where the front of the closed door is along z."""
        front = self.depth / 2.0
        return front + (PROUD if self.mount == "inset" else self.gap + self.door_thickness)

    @property
    def door_width(self) -> float:
        """Width of the door."""
        if self.mount == "inset":
            return self.width - 2.0 * self.wall - self.aside - self.gap - self._free_gap
        return self.width - self.aside - (self.gap if self.aside else 0.0)

    @property
    def door_heights(self) -> tuple[float, float]:
        """Lower and upper edge of the door along y."""
        top = self.height / 2.0
        inset = self.wall + self.gap if self.mount == "inset" else 0.002
        return self.bottom + inset, top - inset

    @property
    def hinge_point(self) -> Point:
        """Point of the axis: at the edge of the door that never leaves its place.

        That is the one in front of an inset door, which must not turn into the wall beside it, and
        the one behind a door in front of the walls.
        """
        at = self.wall + self.gap if self.mount == "inset" else 0.0
        front = self.depth / 2.0
        z = self.door_face if self.mount == "inset" else front + self.gap
        return self.across(at), 0.0, z

    @property
    def _free_gap(self) -> float:
        # The edge behind the free end of an inset door swings past the wall.
        reach = self.width - 2.0 * self.wall - self.aside
        return self.gap + 0.6 * self.door_thickness**2 / reach

    def across(self, distance: float) -> float:
        """Return x at a distance from the outer face on the side of the hinge."""
        return self.sense * (self.width / 2.0 - distance)

    def on_door(self, from_free_edge: float, y: float) -> Point:
        """Return a point of the front of the closed door."""
        x = self.hinge_point[0] - self.sense * (self.door_width - from_free_edge)
        return x, y, self.door_face

    def drop_point(self, share: float) -> Point:
        """Return a point within the cabinet at a share of its height, some way behind the door."""
        u = 0.5 * (self.wall + self.width - self.wall - self.aside)
        inner = self.height - self.feet - 2.0 * self.wall
        return self.across(u), self.bottom + self.wall + share * inner, 0.25 * self.depth


def slab(
    p: CabinetParameters,
    name: str,
    across: tuple[float, float],
    up: tuple[float, float],
    along: tuple[float, float],
    colour: Colour,
    chamfer: float = 0.0,
) -> Part:
    """Make a box whose x is given as distances from the side of the hinge."""
    xs = sorted(p.across(u) for u in across)
    low, high = (xs[0], up[0], along[0]), (xs[1], up[1], along[1])
    return box(name, low, high, colour, chamfer=chamfer)


def carcass(p: CabinetParameters, colour: Colour) -> tuple[Part, ...]:
    """Make walls, feet, shelves and what is beside the door; the door is left out."""
    w, h, b = p.width, p.wall, p.bottom
    top, z = p.height / 2.0, p.depth / 2.0
    inner = shade(colour, 0.85)
    sides, up = (b + h, top - h), (-z, z)
    parts = [
        slab(p, "floor", (0.0, w), (b, b + h), up, colour, BEVEL),
        slab(p, "top", (0.0, w), (top - h, top), up, colour, BEVEL),
        slab(p, "wall_hinge", (0.0, h), sides, up, colour),
        slab(p, "wall_free", (w - h, w), sides, up, colour),
        slab(p, "back", (h, w - h), sides, (-z, -z + h), inner),
    ]
    if p.feet > 0.0:
        foot = 0.025
        for i, u in enumerate((0.01, w - 0.01 - foot)):
            for j, v in enumerate((-z + 0.01, z - 0.01 - foot)):
                at = ((u, u + foot), (b - p.feet, b), (v, v + foot))
                parts.append(slab(p, f"foot_{i}{j}", *at, shade(colour, 0.5)))
    room = w - p.aside
    if p.aside > 0.0:
        # A wall beside the room, and a front as thick as the door that hides what is behind.
        front = (z, p.door_face) if p.mount == "overlay" else (z - h, z)
        beside = (room + p.gap, w) if p.mount == "overlay" else (room, w - h)
        heights = p.door_heights if p.mount == "overlay" else sides
        parts.append(slab(p, "partition", (room - h, room), sides, (-z + h, z - h), inner))
        parts.append(slab(p, "front_aside", beside, heights, front, shade(colour, 0.9), BEVEL))
    for number in range(p.shelves):
        y = sides[0] + (sides[1] - sides[0]) * (number + 1) / (p.shelves + 1)
        # Well behind the door, so that a hand can reach round the edge of the door.
        at = ((h, room - h), (y - 0.003, y + 0.003), (-z + h, z - 0.35 * p.depth))
        parts.append(slab(p, f"shelf_{number}", *at, shade(colour, 1.1)))
    return tuple(parts)


def door_slab(p: CabinetParameters, colour: Colour) -> Part:
    """Make the closed door without its handle."""
    x = p.hinge_point[0]
    xs = sorted((x, x - p.sense * p.door_width))
    low, high = p.door_heights
    z = (p.door_face - p.door_thickness, p.door_face)
    return box("door", (xs[0], low, z[0]), (xs[1], high, z[1]), colour, chamfer=BEVEL)
