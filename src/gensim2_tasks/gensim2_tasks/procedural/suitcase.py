"""Suitcase of two shells (`suitcase_rotate`).

As in PartNet it stands in its frame, handle up and hinge down, with its lid to the front. On the
table it lies on its back.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from gensim2_tasks.procedural.folder import Joint, Model
from gensim2_tasks.procedural.palette import METAL, PAINT, pick, shade
from gensim2_tasks.procedural.parts import Colour, Part, bar, box

LidKind = Literal["plain", "ribbed", "strapped"]
LID_KINDS: tuple[LidKind, ...] = ("plain", "ribbed", "strapped")
BEVEL = 0.002
_SUNK = 0.003


@dataclass(frozen=True)
class SuitcaseParameters:
    """Sizes of one suitcase, m and rad.

    Attributes:
        width: along the hinge.
        height: from the hinge to the edge with the handle.
        base_depth: of the shell that lies on the table.
        lid_depth: of the other.
        wall: thickness of both.
        gap: between the rims of the closed shells; the hinge line is in its middle.
        lid_kind: what is on the outside of the lid.
        handle_width: of the handle, which is on the base.
        handle_reach: how far the handle stands out.
        handle_radius: of its bar.
        head_drop: of the keypoint under the rim of the lid.
        angle_open: openness 1.
        angle_limit: upper joint limit.
        friction: joint friction, N m.
    """

    width: float
    height: float
    base_depth: float
    lid_depth: float
    wall: float
    gap: float
    lid_kind: LidKind
    handle_width: float
    handle_reach: float
    handle_radius: float
    head_drop: float
    angle_open: float
    angle_limit: float
    friction: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> SuitcaseParameters:
        """Draw sizes of a small suitcase."""
        angle_open = rng.uniform(1.40, 1.55)
        return cls(
            width=rng.uniform(0.27, 0.36),
            height=rng.uniform(0.20, 0.26),
            base_depth=rng.uniform(0.045, 0.07),
            lid_depth=rng.uniform(0.028, 0.045),
            wall=rng.uniform(0.005, 0.009),
            gap=rng.uniform(0.0022, 0.003),
            lid_kind=LID_KINDS[int(rng.integers(len(LID_KINDS)))],
            handle_width=rng.uniform(0.06, 0.09),
            handle_reach=rng.uniform(0.014, 0.024),
            handle_radius=rng.uniform(0.003, 0.0045),
            head_drop=rng.uniform(0.0, 0.012),
            angle_open=angle_open,
            angle_limit=angle_open + rng.uniform(0.05, 1.0),
            friction=rng.uniform(0.30, 0.50),
        )


def _shell(name: str, p: SuitcaseParameters, rim: float, face: float, colour: Colour) -> list[Part]:
    """Plate at z = `face` and walls from it to z = `rim`."""
    x, y, w = p.width / 2.0, p.height / 2.0, p.wall
    outwards = np.sign(face - rim)
    inner = face - outwards * w
    low, high = sorted((rim, inner))
    plate_low, plate_high = sorted((inner, face))
    return [
        box(f"{name}", (-x, -y, plate_low), (x, y, plate_high), colour, chamfer=BEVEL),
        box(f"{name}_top", (-x, y - w, low), (x, y, high), colour),
        box(f"{name}_bottom", (-x, -y, low), (x, -y + w, high), colour),
        box(f"{name}_left", (-x, -y + w, low), (-x + w, y - w, high), colour),
        box(f"{name}_right", (x - w, -y + w, low), (x, y - w, high), colour),
    ]


def _base(p: SuitcaseParameters, seam: float, colour: Colour, metal: Colour) -> tuple[Part, ...]:
    """Shell at the back, with the handle and two latches on its upper edge."""
    x, y, rim = p.width / 2.0, p.height / 2.0, seam - p.gap / 2.0
    parts = _shell("shell", p, rim, rim - p.base_depth, colour)
    half, r = p.handle_width / 2.0, p.handle_radius
    middle = rim - 0.014
    dark = shade(colour, 0.5)
    ends = [np.array([side * half, y + p.handle_reach, middle]) for side in (-1.0, 1.0)]
    out = np.array([1.0, 0.0, 0.0])
    parts.append(bar("handle", ends[0] - r * out, ends[1] + r * out, r, dark))
    for number, end in enumerate(ends):
        foot = np.array([end[0], y - _SUNK, middle])
        parts.append(bar(f"handle_leg_{number}", foot, end, 0.8 * r, dark))
    for number, side in enumerate((-1.0, 1.0)):
        latch = side * 0.62 * x
        low, high = (latch - 0.010, y - _SUNK, rim - 0.024), (latch + 0.010, y + 0.003, rim - 0.002)
        parts.append(box(f"latch_{number}", low, high, metal, chamfer=0.001))
    return tuple(parts)


def _lid(p: SuitcaseParameters, seam: float, colour: Colour) -> tuple[Part, ...]:
    """Shell at the front, closed."""
    x, y, rim = p.width / 2.0, p.height / 2.0, seam + p.gap / 2.0
    face = rim + p.lid_depth
    parts = _shell("lid", p, rim, face, colour)
    if p.lid_kind == "ribbed":
        for number, centre in enumerate(np.linspace(-0.7, 0.7, 5)):
            low = (centre * x - 0.006, -0.92 * y, face - 0.001)
            high = (centre * x + 0.006, 0.92 * y, face + 0.002)
            parts.append(box(f"rib_{number}", low, high, shade(colour, 1.15), chamfer=0.001))
    elif p.lid_kind == "strapped":
        for number, side in enumerate((-1.0, 1.0)):
            low = (side * 0.62 * x - 0.014, -y + 0.001, face - 0.001)
            high = (side * 0.62 * x + 0.014, y - 0.001, face + 0.0015)
            parts.append(box(f"strap_{number}", low, high, shade(colour, 0.45)))
    return tuple(parts)


def build(p: SuitcaseParameters, rng: np.random.Generator) -> Model:
    """Make the suitcase of the given sizes; `rng` draws the colours only."""
    paint = pick(rng, PAINT)
    lid_paint = shade(paint, 1.1) if rng.random() < 0.7 else pick(rng, PAINT)
    metal = pick(rng, METAL)

    # The origin is in the middle of the closed suitcase.
    seam = (p.base_depth - p.lid_depth) / 2.0
    y = p.height / 2.0
    return Model(
        body=_base(p, seam, paint, metal),
        moving_link="lid",
        moving=_lid(p, seam, lid_paint),
        joint=Joint(
            kind="revolute",
            origin=(0.0, -y, seam),
            axis=(1.0, 0.0, 0.0),
            limits=(0.0, p.angle_limit),
            closed_open=(0.0, p.angle_open),
            friction=p.friction,
        ),
        keypoints={
            "articulated_object_head": (0.0, y, seam + p.gap / 2.0 - p.head_drop),
            "articulated_object_tail": (0.0, -y, seam),
        },
        descriptions={
            "articulated_object_head": "the midpoint of the edge of the suitcase lid",
            "articulated_object_tail": (
                "the midpoint of the joint connecting the suitcase lid and body"
            ),
        },
        axis="x",
        geometry=asdict(p),
    )


def generate_model(rng: np.random.Generator) -> Model:
    """Draw a suitcase."""
    return build(SuitcaseParameters.sample(rng), rng)
