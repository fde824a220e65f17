"""Oven with a door that folds down (`oven`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from gensim2_tasks.procedural.folder import Joint, Model
from gensim2_tasks.procedural.handles import HandleParameters, handle_parts
from gensim2_tasks.procedural.palette import CASING, KEYS, METAL, SCREEN, pick, shade
from gensim2_tasks.procedural.parts import Colour, Part, bar, box

BEVEL = 0.0015
PLATE = 0.0005
_UNDER_HINGE = 0.002  # m of the door under the hinge line


@dataclass(frozen=True)
class OvenParameters:
    """Sizes of one oven, m and rad.

    Attributes:
        width: outer width.
        depth: outer depth of the carcass, without the door.
        board: thickness of the carcass.
        plinth: height of what is under the door; the handle of the open door is above the table.
        door_height: height of the door.
        door_thickness: thickness of the door.
        panel_height: height of the control panel over the door.
        gap: play of the door on every side.
        knobs: how many there are on the panel.
        knob_radius: of each of them.
        knob_reach: how far they stand out.
        handle: the handle, a horizontal bar.
        handle_drop: centre of the handle under the upper edge of the door.
        angle_open: openness 1.
        angle_limit: upper joint limit.
        friction: joint friction, N m.
    """

    width: float
    depth: float
    board: float
    plinth: float
    door_height: float
    door_thickness: float
    panel_height: float
    gap: float
    knobs: int
    knob_radius: float
    knob_reach: float
    handle: HandleParameters
    handle_drop: float
    angle_open: float
    angle_limit: float
    friction: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> OvenParameters:
        """Draw sizes of a small oven, such as stands on a kitchen table."""
        width = rng.uniform(0.27, 0.36)
        diameter = rng.uniform(0.008, 0.012)
        handle = HandleParameters(
            kind="horizontal_bar",
            length=width * rng.uniform(0.55, 0.85),
            diameter=diameter,
            clearance=rng.uniform(0.015, 0.025),
        )
        angle_open = rng.uniform(1.48, 1.55)
        panel_height = rng.uniform(0.04, 0.065)
        return cls(
            width=width,
            depth=rng.uniform(0.20, 0.26),
            board=rng.uniform(0.008, 0.012),
            plinth=rng.uniform(0.04, 0.055),
            door_height=rng.uniform(0.13, 0.17),
            door_thickness=rng.uniform(0.009, 0.014),
            panel_height=panel_height,
            gap=rng.uniform(0.002, 0.003),
            knobs=int(rng.integers(2, 6)),
            knob_radius=rng.uniform(0.008, min(0.013, 0.3 * panel_height)),
            knob_reach=rng.uniform(0.006, 0.012),
            handle=handle,
            handle_drop=diameter / 2.0 + rng.uniform(0.014, 0.024),
            angle_open=angle_open,
            angle_limit=angle_open + rng.uniform(0.0, 0.05),
            friction=rng.uniform(0.08, 0.12),
        )


def _carcass(p: OvenParameters, bottom: float, colour: Colour, metal: Colour) -> tuple[Part, ...]:
    """Boards around the oven's space, their front in the plane z = depth / 2, and the panel."""
    x, z, b = p.width / 2.0, p.depth / 2.0, p.board
    floor = bottom + p.plinth
    ceiling = floor + p.door_height + p.gap
    top = ceiling + p.panel_height
    inner = shade(colour, 0.5)
    face = z + p.gap + p.door_thickness
    parts = [
        box("top", (-x, top - b, -z), (x, top, z), colour, chamfer=BEVEL),
        box("side_left", (-x, bottom, -z), (-x + b, top - b, z), colour, chamfer=BEVEL),
        box("side_right", (x - b, bottom, -z), (x, top - b, z), colour, chamfer=BEVEL),
        box("back", (-x + b, bottom, -z), (x - b, top - b, -z + b), shade(colour, 0.8)),
        box("floor", (-x + b, floor - b, -z + b), (x - b, floor, z - b), inner),
        box("ceiling", (-x + b, ceiling, -z + b), (x - b, ceiling + b, z - b), inner),
        box("plinth", (-x + b, bottom, z - b), (x - b, floor, z), shade(colour, 0.7)),
        box("panel", (-x, ceiling, z), (x, top, face), shade(colour, 1.1), chamfer=BEVEL),
        box(
            "rack",
            (-x + 2 * b, floor + 0.4 * p.door_height, -z + 2 * b),
            (x - 2 * b, floor + 0.4 * p.door_height + 0.003, z - 2 * b),
            metal,
            collides=False,
        ),
    ]
    middle = (ceiling + top) / 2.0
    for number, place in enumerate(np.linspace(-0.75, 0.75, p.knobs)):
        start, end = (place * x, middle, face - 0.001), (place * x, middle, face + p.knob_reach)
        parts.append(bar(f"knob_{number}", start, end, p.knob_radius, KEYS, bevel=0.001))
    return tuple(parts)


def _door(
    p: OvenParameters, low: float, colour: Colour, metal: Colour
) -> tuple[tuple[Part, ...], np.ndarray]:
    """Closed door from y = `low` on, in front of the carcass; and the centre (3,) of its handle."""
    x, back = p.width / 2.0, p.depth / 2.0 + p.gap
    face, high = back + p.door_thickness, low + p.door_height
    window = (
        (-0.75 * x, low + 0.2 * p.door_height, face),
        (0.75 * x, low + 0.68 * p.door_height, face + PLATE),
    )
    foot = np.array([0.0, high - p.handle_drop, face])
    grip, centre = handle_parts(p.handle, foot, metal)
    parts = (
        box("door", (-x, low, back), (x, high, face), colour, chamfer=BEVEL),
        *grip,
        box("window", *window, SCREEN, collides=False),
    )
    return parts, centre


def build(p: OvenParameters, rng: np.random.Generator) -> Model:
    """Make the oven of the given sizes; `rng` draws the colours only."""
    paint = pick(rng, CASING)
    metal = pick(rng, METAL)

    # The origin is in the middle of the closed oven.
    bottom = -(p.plinth + p.door_height + p.gap + p.panel_height) / 2.0
    low = bottom + p.plinth
    door, handle = _door(p, low, shade(paint, 0.85), metal)
    hinge_z = p.depth / 2.0 + p.gap + p.door_thickness / 2.0
    return Model(
        body=_carcass(p, bottom, paint, metal),
        moving_link="door_link",
        moving=door,
        joint=Joint(
            kind="revolute",
            origin=(0.0, low + _UNDER_HINGE, hinge_z),
            axis=(1.0, 0.0, 0.0),
            limits=(0.0, p.angle_limit),
            closed_open=(0.0, p.angle_open),
            friction=p.friction,
        ),
        keypoints={
            "articulated_object_head": (float(handle[0]), float(handle[1]), float(handle[2]))
        },
        descriptions={"articulated_object_head": "the middle point of the oven handle"},
        axis="x",
        geometry=asdict(p),
    )


def generate_model(rng: np.random.Generator) -> Model:
    """Draw an oven."""
    return build(OvenParameters.sample(rng), rng)
