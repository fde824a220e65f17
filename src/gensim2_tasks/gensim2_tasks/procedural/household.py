"""Household things that are picked up: fruit, balls, packets, vessels and utensils.

Each is one free body that stands or lies on the table; its joint leads straight up. Sizes and
masses are those of real things. Two kinds that are wider than the hand opens (80 mm) are small ones
of their kind, scaled as in GenSim2: the softball by about one half, the packet of crackers by 0.4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from gensim2_tasks.procedural.folder import Joint, Model
from gensim2_tasks.procedural.palette import METAL, PAINT, WOOD, pick, shade
from gensim2_tasks.procedural.parts import Array, Colour, Part, bar, beam, box, loft, tube

Vector = tuple[float, float, float]
HEAD, TAIL = "articulated_object_head", "articulated_object_tail"
LIFT, LIFT_STOP = 0.20, 0.30  # m, openness 1 and the end of the way up
SIDES, RINGS = 16, 9  # of round things; the engine takes hulls of up to 255 vertices
POLE = 0.15  # rad, of the first and the last ring from the ends of the axis

RED: tuple[Colour, ...] = ((0.75, 0.12, 0.10), (0.55, 0.70, 0.20), (0.85, 0.55, 0.15))
ORANGE: tuple[Colour, ...] = ((0.95, 0.50, 0.08),)
YELLOW: tuple[Colour, ...] = ((0.95, 0.82, 0.15),)
GREEN: tuple[Colour, ...] = ((0.70, 0.75, 0.25), (0.80, 0.72, 0.30))
WHITE: tuple[Colour, ...] = ((0.95, 0.95, 0.93),)
GOLD: tuple[Colour, ...] = ((0.93, 0.72, 0.18),)
Draw = Callable[[np.random.Generator], Model]


def _thing(
    parts: Sequence[Part],
    head: Vector,
    text: str,
    density: float,
    sizes: Mapping[str, float],
    tail: tuple[Vector, str] | None = None,
) -> Model:
    """A free thing of one density (kg/m^3), held at ``head``."""
    keypoints, descriptions = {HEAD: head}, {HEAD: text}
    if tail is not None:
        keypoints[TAIL], descriptions[TAIL] = tail
    return Model(
        body=(),
        moving_link="thing",
        moving=tuple(parts),
        joint=Joint(
            kind="prismatic",
            origin=(0.0, 0.0, 0.0),
            axis=(0.0, 1.0, 0.0),
            limits=(0.0, LIFT_STOP),
            closed_open=(0.0, LIFT),
            friction=0.0,
        ),
        keypoints=keypoints,
        descriptions=descriptions,
        axis=None,
        geometry={**sizes, "density": density},
        free=True,
        density=density,
    )


def _turned(name: str, profile: Array, colour: Colour) -> Part:
    """A body of revolution about the y axis.

    Args:
        name: of the part.
        profile: (N, 2) heights, rising, and radii, m.
        colour: RGB.
    """
    angles = 2.0 * np.pi * (np.arange(SIDES) + 0.5) / SIDES
    rings = [
        np.column_stack([r * np.sin(angles), np.full(SIDES, y), r * np.cos(angles)])
        for y, r in profile
    ]
    vertices, faces = loft(rings)
    return Part(name, vertices, faces, colour)


def _ellipsoid(radius: float, half_height: float) -> Array:
    """Profile of an ellipsoid."""
    angles = np.linspace(-np.pi / 2 + POLE, np.pi / 2 - POLE, RINGS)
    return np.column_stack([half_height * np.sin(angles), radius * np.cos(angles)])


def _lying(part: Part, tilt: float = 0.0) -> Part:
    """The part with its axis along x, its upper end lowered by ``tilt`` rad."""
    c, s = np.cos(np.pi / 2 + tilt), np.sin(np.pi / 2 + tilt)
    return part.moved(np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]))


def _ball(
    name: str,
    diameter: tuple[float, float],
    flat: tuple[float, float],
    colours: tuple[Colour, ...],
    density: tuple[float, float],
) -> Draw:
    def draw(rng: np.random.Generator) -> Model:
        wide, ratio = rng.uniform(*diameter), rng.uniform(*flat)
        part = _turned(name, _ellipsoid(0.5 * wide, 0.5 * wide * ratio), pick(rng, colours))
        centre = (0.0, 0.0, 0.0)
        text = f"the middle of the {name.replace('_', ' ')}"
        return _thing(
            [part], centre, text, rng.uniform(*density), {"diameter": wide, "ratio": ratio}
        )

    return draw


def _lemon(rng: np.random.Generator) -> Model:
    wide, length = rng.uniform(0.048, 0.056), rng.uniform(0.062, 0.075)
    part = _lying(_turned("lemon", _ellipsoid(0.5 * wide, 0.5 * length), pick(rng, YELLOW)))
    text = "the middle of the lemon"
    return _thing(
        [part], (0.0, 0.0, 0.0), text, rng.uniform(880, 960), {"width": wide, "length": length}
    )


def _pear(rng: np.random.Generator) -> Model:
    """Around two balls on one axis, lying on both."""
    belly, neck = rng.uniform(0.026, 0.031), rng.uniform(0.013, 0.016)
    apart = rng.uniform(0.036, 0.044)
    slope = np.arcsin((belly - neck) / apart)
    low = np.linspace(-np.pi / 2 + POLE, slope, RINGS - 3)
    high = np.linspace(slope, np.pi / 2 - POLE, 4)
    profile = np.concatenate(
        [
            np.column_stack([belly * np.sin(low), belly * np.cos(low)]),
            np.column_stack([apart + neck * np.sin(high), neck * np.cos(high)]),
        ]
    )
    part = _lying(_turned("pear", profile, pick(rng, GREEN)), float(slope))
    text = "the middle of the belly of the pear"
    sizes = {"belly": 2 * belly, "neck": 2 * neck, "length": belly + apart + neck}
    return _thing([part], (0.0, 0.0, 0.0), text, rng.uniform(900, 1000), sizes)


def _packet(
    name: str,
    size: tuple[tuple[float, float], tuple[float, float], tuple[float, float]],
    colours: tuple[Colour, ...],
    density: tuple[float, float],
) -> Draw:
    """A box of width, height and depth within ranges, m."""

    def draw(rng: np.random.Generator) -> Model:
        x, y, z = (0.5 * rng.uniform(*edge) for edge in size)
        part = box(name, (-x, -y, -z), (x, y, z), pick(rng, colours), chamfer=0.001)
        text = f"the middle of the top of the {name.replace('_', ' ')}"
        sizes = {"width": 2 * x, "height": 2 * y, "depth": 2 * z}
        return _thing([part], (0.0, y, 0.0), text, rng.uniform(*density), sizes)

    return draw


def _gold(rng: np.random.Generator) -> Model:
    """A bar, narrower at the top as cast ones are; of pure gold it would weigh a kilogram."""
    x, y, z = 0.5 * rng.uniform(0.070, 0.090), 0.5 * rng.uniform(0.018, 0.024), 0.0
    z = 0.5 * rng.uniform(0.034, 0.042)
    slope = 0.25 * y
    rings = [
        np.array([(x - i, h, z - i), (x - i, h, i - z), (i - x, h, i - z), (i - x, h, z - i)])
        for h, i in ((-y, 0.0), (y, slope))
    ]
    vertices, faces = loft(rings)
    part = Part("gold", vertices, faces, pick(rng, GOLD))
    sizes = {"length": 2 * x, "height": 2 * y, "depth": 2 * z}
    text = "the middle of the top of the bar"
    return _thing([part], (0.0, y, 0.0), text, rng.uniform(5000, 7000), sizes)


def _vessel(
    rng: np.random.Generator, radii: tuple[float, float], height: float, wall: float
) -> tuple[tuple[Part, ...], Colour]:
    """Wall and floor of what is round and hollow; radii (outer) at the floor and at the rim."""
    colour = pick(rng, PAINT)
    bottom, top = -0.5 * height, 0.5 * height
    floor = bar(
        "floor", (0.0, bottom, 0.0), (0.0, bottom + wall, 0.0), radii[0] - 0.5 * wall, colour,
        sides=12,
    )  # fmt: skip
    staves = tube("wall", (bottom, radii[0]), (top, radii[1]), wall, colour)
    return (floor, *staves), colour


def _cup(rng: np.random.Generator) -> Model:
    rim, height = 0.5 * rng.uniform(0.058, 0.066), rng.uniform(0.070, 0.095)
    base = rim * rng.uniform(0.78, 0.92)
    parts, _ = _vessel(rng, (base, rim), height, 0.004)
    text = "the middle of the rim of the cup"
    sizes = {"rim": 2 * rim, "base": 2 * base, "height": height}
    return _thing(parts, (0.0, 0.5 * height, 0.0), text, rng.uniform(900, 1400), sizes)


def _mug(rng: np.random.Generator) -> Model:
    radius, height = 0.5 * rng.uniform(0.058, 0.066), rng.uniform(0.070, 0.085)
    parts, colour = _vessel(rng, (radius, radius), height, 0.005)
    reach, half = radius + rng.uniform(0.020, 0.026), 0.28 * height
    section = (0.010, 0.007)
    grip = [
        beam("handle_top", (radius - 0.004, half, 0.0), (reach, half, 0.0), (0, 0, 1), section,
             colour),
        beam("handle_back", (reach, -half - 0.0035, 0.0), (reach, half + 0.0035, 0.0), (0, 0, 1),
             section, colour),
        beam("handle_bottom", (radius - 0.004, -half, 0.0), (reach, -half, 0.0), (0, 0, 1),
             section, colour),
    ]  # fmt: skip
    text = "the middle of the rim of the mug"
    handle = ((reach, 0.0, 0.0), "the middle of the handle of the mug")
    sizes = {"diameter": 2 * radius, "height": height, "reach": reach}
    return _thing(
        (*parts, *grip), (0.0, 0.5 * height, 0.0), text, rng.uniform(1500, 2000), sizes, handle
    )


def _bowl(rng: np.random.Generator) -> Model:
    rim, height = 0.5 * rng.uniform(0.100, 0.130), rng.uniform(0.045, 0.060)
    base = rim * rng.uniform(0.55, 0.70)
    parts, _ = _vessel(rng, (base, rim), height, 0.004)
    text = "a point of the rim of the bowl"
    sizes = {"rim": 2 * rim, "base": 2 * base, "height": height}
    return _thing(parts, (0.0, 0.5 * height, rim - 0.002), text, rng.uniform(1200, 1800), sizes)


def _marker(rng: np.random.Generator) -> Model:
    radius, length = 0.5 * rng.uniform(0.011, 0.014), rng.uniform(0.110, 0.140)
    colour, end = pick(rng, PAINT), rng.uniform(0.2, 0.3) * length
    x = 0.5 * length
    parts = [
        bar("barrel", (-x, 0.0, 0.0), (x - end, 0.0, 0.0), radius, pick(rng, WHITE), sides=12),
        bar("cap", (x - end, 0.0, 0.0), (x, 0.0, 0.0), radius, colour, sides=12),
    ]
    text = "the middle of the marker"
    tail = ((-x, 0.0, 0.0), "the end of the marker")
    sizes = {"diameter": 2 * radius, "length": length}
    return _thing(parts, (0.0, 0.0, 0.0), text, rng.uniform(700, 1000), sizes, tail)


def _flat(
    name: str,
    handle: tuple[float, float],
    blade: tuple[float, float],
    width: tuple[float, float],
    blade_colours: tuple[Colour, ...],
    density: tuple[float, float],
) -> Draw:
    """A utensil that lies: a handle, and a blade of some length and width; m."""

    def draw(rng: np.random.Generator) -> Model:
        grip, flat, wide = rng.uniform(*handle), rng.uniform(*blade), rng.uniform(*width)
        thick, high = rng.uniform(0.012, 0.016), rng.uniform(0.012, 0.015)
        parts = [
            box("handle", (-grip, 0.0, -0.5 * thick), (0.0, high, 0.5 * thick), pick(rng, WOOD),
                chamfer=0.002),
            box("blade", (-0.005, 0.002, -0.5 * wide), (flat, 0.005, 0.5 * wide),
                pick(rng, blade_colours)),
        ]  # fmt: skip
        # Nearer to the blade than to the end, where the centre of mass is.
        head = (-0.25 * grip, 0.5 * high, 0.0)
        text = f"where the handle of the {name} is held"
        tail = ((-grip, 0.5 * high, 0.0), f"the end of the handle of the {name}")
        sizes = {"handle": grip, "blade": flat, "width": wide, "height": high, "thickness": thick}
        return _thing(parts, head, text, rng.uniform(*density), sizes, tail)

    return draw


def _banana(rng: np.random.Generator) -> Model:
    radius, bend = 0.5 * rng.uniform(0.030, 0.036), rng.uniform(0.09, 0.12)
    length, colour = rng.uniform(0.14, 0.17), pick(rng, YELLOW)
    angles = (np.linspace(-0.5, 0.5, 5)) * length / bend
    line = np.column_stack([bend * np.sin(angles), np.zeros(5), bend * (1.0 - np.cos(angles))])
    parts = [
        bar(f"piece_{i}", line[i], line[i + 1], radius, shade(colour, 1.0), sides=12, bevel=0.004)
        for i in range(4)
    ]
    text = "the middle of the banana"
    sizes = {"diameter": 2 * radius, "bend": bend, "length": length}
    return _thing(parts, (0.0, 0.0, 0.0), text, rng.uniform(850, 950), sizes)


GENERATORS: dict[str, Draw] = {
    "apple": _ball("apple", (0.056, 0.065), (0.88, 0.96), RED, (800, 900)),
    "banana": _banana,
    "bowl": _bowl,
    "cracker_box": _packet(
        "cracker_box", ((0.060, 0.070), (0.080, 0.095), (0.024, 0.030)), PAINT, (150, 250)
    ),
    "cup": _cup,
    "gold": _gold,
    "golf_ball": _ball("golf_ball", (0.0427, 0.0429), (1.0, 1.0), WHITE, (1120, 1140)),
    "knife": _flat("knife", (0.10, 0.12), (0.10, 0.14), (0.018, 0.026), METAL, (900, 1200)),
    "lemon": _lemon,
    "marker": _marker,
    "mug": _mug,
    "orange": _ball("orange", (0.056, 0.065), (0.95, 1.0), ORANGE, (880, 960)),
    "pear": _pear,
    "softball": _ball("softball", (0.048, 0.060), (1.0, 1.0), WHITE, (350, 450)),
    "spatula": _flat("spatula", (0.13, 0.16), (0.07, 0.09), (0.050, 0.065), METAL, (600, 900)),
    "wood_block": _packet(
        "wood_block", ((0.038, 0.060), (0.050, 0.080), (0.038, 0.046)), WOOD, (450, 700)
    ),
}
