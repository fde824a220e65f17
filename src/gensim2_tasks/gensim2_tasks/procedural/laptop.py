"""Laptop (`laptop_rotate`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from gensim2_tasks.procedural.folder import Joint, Model, to_root
from gensim2_tasks.procedural.palette import CASING, KEYS, SCREEN, pick, shade
from gensim2_tasks.procedural.parts import Colour, Part, bar, box, opening_rotation

PLATE = 0.0004


@dataclass(frozen=True)
class LaptopParameters:
    """Sizes of one laptop, m and rad. Angles are those of the screen over its closed pose."""

    width: float
    depth: float
    base_thickness: float
    screen_thickness: float
    bezel: float
    gap: float
    head_inset: float
    angle_at_zero: float
    angle_open: float
    angle_limit: float
    friction: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> LaptopParameters:
        """Draw sizes within the range of real laptops."""
        angle_open = rng.uniform(1.70, 1.90)
        angle_limit = angle_open + rng.uniform(0.05, 0.70)
        # Most real models are stored at their open end, a few beyond it.
        beyond = rng.uniform(0.0, 0.15) if rng.random() < 0.4 else 0.0
        return cls(
            width=rng.uniform(0.28, 0.34),
            depth=rng.uniform(0.20, 0.245),
            base_thickness=rng.uniform(0.014, 0.024),
            screen_thickness=rng.uniform(0.006, 0.010),
            bezel=rng.uniform(0.007, 0.016),
            gap=rng.uniform(0.0012, 0.002),
            head_inset=rng.uniform(0.003, 0.006),
            angle_at_zero=min(angle_open + beyond, angle_limit),
            angle_open=angle_open,
            angle_limit=angle_limit,
            friction=rng.uniform(0.35, 0.45),
        )


def _base(p: LaptopParameters, top: float, back: float, colour: Colour) -> tuple[Part, ...]:
    x, front = p.width / 2.0, back + p.depth
    keys = (back + 0.20 * p.depth, back + 0.58 * p.depth)
    pad = (back + 0.66 * p.depth, back + 0.93 * p.depth)
    low, high = top, top + PLATE
    slab = ((-x, top - p.base_thickness, back), (x, top, front))
    return (
        box("base_slab", *slab, colour, chamfer=0.003),
        box("keyboard", (-0.88 * x, low, keys[0]), (0.88 * x, high, keys[1]), KEYS, collides=False),
        box(
            "touchpad",
            (-0.30 * x, low, pad[0]),
            (0.30 * x, high, pad[1]),
            shade(colour, 0.7),
            collides=False,
        ),
    )


def _screen(p: LaptopParameters, y: float, back: float, colour: Colour) -> tuple[Part, ...]:
    """Closed screen, hinge line in its middle plane at its rear edge."""
    x, half, front = p.width / 2.0, p.screen_thickness / 2.0, back + p.depth
    display = (
        (-x + p.bezel, y - half - PLATE, back + 2.0 * p.bezel),
        (x - p.bezel, y - half, front - p.bezel),
    )
    barrels = tuple(
        bar(f"hinge_{side}", (sign * 0.78 * x, y, back), (sign * 0.60 * x, y, back), half, KEYS)
        for side, sign in (("left", -1.0), ("right", 1.0))
    )
    return (
        box("screen_slab", (-x, y - half, back), (x, y + half, front), colour, chamfer=0.002),
        box("display", *display, SCREEN, collides=False),
        *barrels,
    )


def build(p: LaptopParameters, rng: np.random.Generator) -> Model:
    """Make the laptop of the given sizes; `rng` draws the colours only."""
    casing = pick(rng, CASING)

    # The origin is where real models have it: 4.5 cm before the hinge, 4.5 cm over the keyboard.
    top, back = -0.045, -0.045
    hinge = np.array([0.0, top + p.gap + p.screen_thickness / 2.0, back])
    turn = opening_rotation(p.angle_at_zero)
    screen = tuple(
        part.moved(turn, hinge) for part in _screen(p, float(hinge[1]), back, shade(casing, 0.95))
    )
    head = hinge + turn @ np.array([0.0, 0.0, p.depth - p.head_inset])
    return Model(
        body=_base(p, top, back, casing),
        moving_link="screen",
        moving=screen,
        joint=Joint(
            kind="revolute",
            origin=(0.0, float(hinge[1]), float(hinge[2])),
            axis=(-1.0, 0.0, 0.0),
            limits=(-p.angle_at_zero, p.angle_limit - p.angle_at_zero),
            closed_open=(-p.angle_at_zero, p.angle_open - p.angle_at_zero),
            friction=p.friction,
        ),
        keypoints={
            "articulated_object_head": (float(head[0]), float(head[1]), float(head[2])),
            "articulated_object_tail": (0.0, float(hinge[1]), float(hinge[2])),
            "articulated_object_surface_base": to_root((0.0, top + 0.13, back + 0.6 * p.depth)),
        },
        descriptions={
            "articulated_object_head": "the midpoint of the edge of the laptop surface",
            "articulated_object_tail": (
                "the midpoint of the joint connecting the laptop surface and panel"
            ),
            "articulated_object_surface_base": "the point to drop object on the laptop surface",
        },
        axis="x",
        geometry=asdict(p),
    )


def generate_model(rng: np.random.Generator) -> Model:
    """Draw a laptop."""
    return build(LaptopParameters.sample(rng), rng)
