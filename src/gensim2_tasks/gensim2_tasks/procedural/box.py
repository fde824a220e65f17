"""Box with a hinged lid (`box_rotate`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from gensim2_tasks.procedural.folder import Joint, Model, to_root
from gensim2_tasks.procedural.palette import PAINT, WOOD, pick, shade
from gensim2_tasks.procedural.parts import Colour, Part, box, opening_rotation

LidKind = Literal["flat", "overhang", "lip"]
LID_KINDS: tuple[LidKind, ...] = ("flat", "overhang", "lip")


@dataclass(frozen=True)
class BoxParameters:
    """Sizes of one box, m and rad. Angles are those of the lid over its closed pose."""

    width: float
    depth: float
    height: float
    wall: float
    lid_thickness: float
    lid_kind: LidKind
    overhang: float
    lip: float
    raised_panel: bool
    gap: float
    head_inset: float
    angle_at_zero: float
    angle_open: float
    angle_limit: float
    friction: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> BoxParameters:
        """Draw sizes within the range of real boxes."""
        kind = LID_KINDS[int(rng.integers(len(LID_KINDS)))]
        angle_open = rng.uniform(1.30, 1.57)
        return cls(
            width=rng.uniform(0.22, 0.36),
            depth=rng.uniform(0.155, 0.20),
            height=rng.uniform(0.10, 0.165),
            wall=rng.uniform(0.006, 0.012),
            lid_thickness=rng.uniform(0.008, 0.014),
            lid_kind=kind,
            overhang=rng.uniform(0.008, 0.014) if kind == "overhang" else 0.0,
            lip=rng.uniform(0.010, 0.018) if kind == "lip" else 0.0,
            raised_panel=bool(rng.random() < 0.5),
            gap=rng.uniform(0.001, 0.002),
            head_inset=rng.uniform(0.006, 0.014),
            angle_at_zero=rng.uniform(0.4, angle_open),
            angle_open=angle_open,
            angle_limit=angle_open + rng.uniform(0.05, 0.5),
            friction=rng.uniform(0.20, 0.30),
        )


def _walls(p: BoxParameters, bottom: float, colour: Colour) -> tuple[Part, ...]:
    top, x, z, w = bottom + p.height, p.width / 2.0, p.depth / 2.0, p.wall
    inner, bevel = shade(colour, 0.8), 0.0015
    return (
        box("floor", (-x + w, bottom, -z + w), (x - w, bottom + w, z - w), inner),
        box("wall_front", (-x, bottom, z - w), (x, top, z), colour, chamfer=bevel),
        box("wall_back", (-x, bottom, -z), (x, top, -z + w), colour, chamfer=bevel),
        box("wall_left", (-x, bottom, -z + w), (-x + w, top, z - w), colour, chamfer=bevel),
        box("wall_right", (x - w, bottom, -z + w), (x, top, z - w), colour, chamfer=bevel),
    )


def _lid(p: BoxParameters, hinge_y: float, colour: Colour) -> tuple[Part, ...]:
    """Closed lid: its middle plane holds the hinge line, so it clears the walls at any angle."""
    x, back, half = p.width / 2.0 + p.overhang, -p.depth / 2.0, p.lid_thickness / 2.0
    front = back + lid_depth(p)
    low, high = hinge_y - half, hinge_y + half
    parts = [box("lid", (-x, low, back), (x, high, front), colour, chamfer=0.002)]
    if p.raised_panel:
        inset = 0.025
        panel = ((-x + inset, high, back + inset), (x - inset, high + 0.003, front - inset))
        parts.append(box("lid_panel", *panel, shade(colour, 0.85), chamfer=0.001))
    if p.lip > 0.0:
        # The lid hangs over the front wall, with the gap between the two.
        lip = ((-x, low - p.lip, p.depth / 2.0 + p.gap), (x, low, front))
        parts.append(box("lid_lip", *lip, colour, chamfer=0.0015))
    return tuple(parts)


def lid_depth(p: BoxParameters) -> float:
    """Distance of the front edge of the lid from the hinge line, m."""
    return p.depth + (p.gap + 0.008 if p.lid_kind == "lip" else p.overhang)


def build(p: BoxParameters, rng: np.random.Generator) -> Model:
    """Make the box of the given sizes; `rng` draws the colours only."""
    paint = pick(rng, PAINT + WOOD)
    lid_paint = pick(rng, PAINT + WOOD) if rng.random() < 0.5 else shade(paint, 1.15)

    # As in PartNet the origin is about the middle of the object as it stands at position 0.
    reach = lid_depth(p)
    bottom = -0.5 * (p.height + reach * np.sin(p.angle_at_zero))
    hinge_y = bottom + p.height + p.gap + p.lid_thickness / 2.0
    hinge = np.array([0.0, hinge_y, -p.depth / 2.0])
    turn = opening_rotation(p.angle_at_zero)
    lid = tuple(part.moved(turn, hinge) for part in _lid(p, hinge_y, lid_paint))
    head = hinge + turn @ np.array([0.0, 0.0, reach - p.head_inset])

    # Over the opening, off its middle towards the front, where the open lid leaves room.
    drop = to_root((0.0, bottom + p.height + 0.05, 0.2 * p.depth))
    return Model(
        body=_walls(p, bottom, paint),
        moving_link="lid",
        moving=lid,
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
            "articulated_object_inside_base": drop,
        },
        descriptions={
            "articulated_object_head": "the midpoint of the edge of the box lid",
            "articulated_object_tail": "the midpoint of the joint connecting the box lid and body",
            "articulated_object_inside_base": "the point to drop object into the box",
        },
        axis="x",
        geometry=asdict(p),
    )


def generate_model(rng: np.random.Generator) -> Model:
    """Draw a box."""
    return build(BoxParameters.sample(rng), rng)
