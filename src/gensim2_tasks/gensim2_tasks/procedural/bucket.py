"""Bucket with a handle that swings over its rim (`bucket_swing`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from gensim2_tasks.procedural.arches import ARCH_KINDS, ArchKind, arch_line
from gensim2_tasks.procedural.folder import Joint, Model
from gensim2_tasks.procedural.palette import METAL, PAINT, WOOD, pick, shade
from gensim2_tasks.procedural.parts import Colour, Part, bar, box, tube

ClosedSide = Literal["front", "back"]
EAR = 0.006  # m, thickness of what holds the handle
SIDES = 12


@dataclass(frozen=True)
class BucketParameters:
    """Sizes of one bucket, m and rad; 0 rad = the handle stands upright.

    Attributes:
        rim_radius: outer radius at the upper edge.
        base_radius: outer radius at the bottom.
        height: of the wall.
        wall: thickness of wall and bottom.
        ear_drop: axis of the handle under the upper edge.
        gap: play between the handle and what holds it.
        arch: round handle, or one with upright legs and a level top.
        arch_height: top of the handle over its axis.
        wire: radius of the bar the handle is bent of.
        grip: radius of the grip in the middle of the handle, 0 = none.
        grip_length: length of the grip.
        closed_side: where the handle lies at openness 0; real ones have both.
        angle_closed: how far the handle is swung down at openness 0.
        angle_open: the same at openness 1, to the other side.
        beyond: how far it goes on to its stops, on both sides.
        friction: joint friction, N m.
    """

    rim_radius: float
    base_radius: float
    height: float
    wall: float
    ear_drop: float
    gap: float
    arch: ArchKind
    arch_height: float
    wire: float
    grip: float
    grip_length: float
    closed_side: ClosedSide
    angle_closed: float
    angle_open: float
    beyond: float
    friction: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> BucketParameters:
        """Draw sizes within the range of real buckets."""
        rim_radius = rng.uniform(0.075, 0.125)
        wire = rng.uniform(0.0045, 0.006)
        return cls(
            rim_radius=rim_radius,
            base_radius=rim_radius * rng.uniform(0.70, 0.92),
            height=rng.uniform(0.13, 0.20),
            wall=rng.uniform(0.005, 0.008),
            ear_drop=rng.uniform(0.012, 0.022),
            gap=rng.uniform(0.0012, 0.002),
            arch=ARCH_KINDS[int(rng.integers(len(ARCH_KINDS)))],
            arch_height=rim_radius * rng.uniform(1.12, 1.30) + 2.0 * wire,
            wire=wire,
            grip=wire + rng.uniform(0.002, 0.005) if rng.random() < 0.5 else 0.0,
            grip_length=rng.uniform(0.06, 0.08),
            closed_side="back" if rng.random() < 0.5 else "front",
            angle_closed=rng.uniform(1.50, 1.70),
            angle_open=rng.uniform(1.42, 1.57),
            beyond=rng.uniform(0.02, 0.20),
            # More than GenSim2's 0.05, with which the heaviest handles creep down by themselves.
            friction=rng.uniform(0.06, 0.09),
        )


def _body(p: BucketParameters, bottom: float, pivot: float, colour: Colour) -> tuple[Part, ...]:
    top = bottom + p.height
    inner = p.base_radius - p.wall
    floor = bar(
        "floor",
        (0.0, bottom, 0.0),
        (0.0, bottom + p.wall, 0.0),
        inner,
        shade(colour, 0.85),
        sides=SIDES,
    )
    ears = tuple(
        box(
            f"ear_{side}",
            (min(sign * p.rim_radius, sign * ear_out(p)), pivot - 0.010, -0.010),
            (max(sign * p.rim_radius, sign * ear_out(p)), pivot + 0.010, 0.010),
            shade(colour, 0.8),
            chamfer=0.001,
        )
        for side, sign in (("left", -1.0), ("right", 1.0))
    )
    wall = tube("wall", (bottom, p.base_radius), (top, p.rim_radius), p.wall, colour, sides=SIDES)
    return (floor, *wall, *ears)


def ear_out(p: BucketParameters) -> float:
    """Outer face of an ear from the middle of the bucket, m."""
    return p.rim_radius + EAR


def _handle(p: BucketParameters, pivot: float, metal: Colour, wood: Colour) -> tuple[Part, ...]:
    """Upright handle, its ends beside the ears."""
    half = ear_out(p) + p.gap + p.wire
    line = arch_line(p.arch, half, p.arch_height)
    line[:, 1] += pivot
    parts = [bar(f"handle_{i}", a, b, p.wire, metal) for i, (a, b) in enumerate(pairwise(line))]
    if p.grip > 0.0:
        x, y = p.grip_length / 2.0, pivot + p.arch_height
        parts.append(bar("grip", (-x, y, 0.0), (x, y, 0.0), p.grip, wood, bevel=0.001))
    return tuple(parts)


def build(p: BucketParameters, rng: np.random.Generator) -> Model:
    """Make the bucket of the given sizes; `rng` draws the colours only."""
    paint = pick(rng, PAINT + METAL)
    metal, wood = pick(rng, METAL), pick(rng, WOOD + PAINT)
    bottom = -0.5 * p.height
    pivot = bottom + p.height - p.ear_drop
    # Positive motion opens: about +x it takes the handle from upright to the front.
    sign = 1.0 if p.closed_side == "back" else -1.0
    return Model(
        body=_body(p, bottom, pivot, paint),
        moving_link="handle",
        moving=_handle(p, pivot, metal, wood),
        joint=Joint(
            kind="revolute",
            origin=(0.0, float(pivot), 0.0),
            axis=(sign, 0.0, 0.0),
            limits=(-p.angle_closed - p.beyond, p.angle_open + p.beyond),
            closed_open=(-p.angle_closed, p.angle_open),
            friction=p.friction,
        ),
        keypoints={"articulated_object_head": (0.0, float(pivot + p.arch_height), 0.0)},
        descriptions={"articulated_object_head": "the middle of the bucket handle"},
        axis="x",
        geometry=asdict(p),
    )


def generate_model(rng: np.random.Generator) -> Model:
    """Draw a bucket."""
    return build(BucketParameters.sample(rng), rng)
