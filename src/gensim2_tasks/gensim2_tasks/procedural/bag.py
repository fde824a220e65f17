"""Bag with a strap that swings over its top (`bag_swing`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np

from gensim2_tasks.procedural.arches import ARCH_KINDS, ArchKind, arch_line
from gensim2_tasks.procedural.folder import Joint, Model
from gensim2_tasks.procedural.palette import CASING, METAL, PAINT, pick, shade
from gensim2_tasks.procedural.parts import Colour, Part, beam, box

STOPS = (-1.570796, 1.570796)  # rad: level to the front, level to the back, as in real models
BUCKLE = 0.005  # m, thickness of what holds the strap


@dataclass(frozen=True)
class BagParameters:
    """Sizes of one bag, m.

    Attributes:
        width: of the bag, from strap to strap.
        depth: of its lower part.
        height: of the bag.
        shoulder: height of the lower part as a share of the whole.
        top_depth: depth at the upper edge as a share of that of the lower part.
        pivot_drop: axis of the strap under the upper edge.
        gap: play between the strap and what holds it.
        arch: round strap, or one with upright legs and a level top.
        strap_height: middle of the strap over its axis.
        strap_width: width of the strap.
        strap_thickness: thickness of the strap.
        friction: joint friction, N m.
    """

    width: float
    depth: float
    height: float
    shoulder: float
    top_depth: float
    pivot_drop: float
    gap: float
    arch: ArchKind
    strap_height: float
    strap_width: float
    strap_thickness: float
    friction: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> BagParameters:
        """Draw sizes within the range of real bags."""
        return cls(
            width=rng.uniform(0.18, 0.26),
            depth=rng.uniform(0.08, 0.12),
            height=rng.uniform(0.10, 0.16),
            shoulder=rng.uniform(0.45, 0.65),
            top_depth=rng.uniform(0.45, 0.75),
            pivot_drop=rng.uniform(0.010, 0.018),
            gap=rng.uniform(0.0012, 0.002),
            arch=ARCH_KINDS[int(rng.integers(len(ARCH_KINDS)))],
            strap_height=rng.uniform(0.13, 0.17),
            strap_width=rng.uniform(0.018, 0.026),
            strap_thickness=rng.uniform(0.008, 0.011),
            friction=rng.uniform(0.08, 0.12),
        )


def _body(
    p: BagParameters, bottom: float, pivot: float, colour: Colour, metal: Colour
) -> tuple[Part, ...]:
    x, z = p.width / 2.0, p.depth / 2.0
    shoulder, top = bottom + p.shoulder * p.height, bottom + p.height
    upper = beam(
        "upper",
        (0.0, shoulder, 0.0),
        (0.0, top, 0.0),
        (1.0, 0.0, 0.0),
        (p.width, 0.96 * p.depth),
        shade(colour, 1.1),
        end_section=(p.width, p.top_depth * p.depth),
    )
    buckles = tuple(
        box(
            f"buckle_{side}",
            (min(sign * x, sign * (x + BUCKLE)), pivot - 0.008, -0.008),
            (max(sign * x, sign * (x + BUCKLE)), pivot + 0.008, 0.008),
            metal,
        )
        for side, sign in (("left", -1.0), ("right", 1.0))
    )
    lower = box("lower", (-x, bottom, -z), (x, shoulder, z), colour, chamfer=0.006)
    return (lower, upper, *buckles)


def _strap(p: BagParameters, pivot: float, colour: Colour) -> tuple[Part, ...]:
    """Upright strap, its ends beside the buckles."""
    half = p.width / 2.0 + BUCKLE + p.gap + p.strap_thickness / 2.0
    # Its legs are so long that the strap lies around the bag when it is swung down.
    line = arch_line(p.arch, half, p.strap_height, leg=p.depth / 2.0 + 0.01)
    line[:, 1] += pivot
    section = (p.strap_width, p.strap_thickness)
    return tuple(
        beam(f"strap_{i}", a, b, (0.0, 0.0, 1.0), section, colour)
        for i, (a, b) in enumerate(pairwise(line))
    )


def build(p: BagParameters, rng: np.random.Generator) -> Model:
    """Make the bag of the given sizes; `rng` draws the colours only."""
    paint, metal = pick(rng, PAINT + CASING), pick(rng, METAL)
    strap_paint = pick(rng, PAINT + CASING) if rng.random() < 0.5 else shade(paint, 0.75)
    bottom = -0.5 * p.height
    pivot = bottom + p.height - p.pivot_drop
    return Model(
        body=_body(p, bottom, pivot, paint, metal),
        moving_link="strap",
        moving=_strap(p, pivot, strap_paint),
        joint=Joint(
            kind="revolute",
            origin=(0.0, float(pivot), 0.0),
            # Positive motion opens: it takes the strap from upright to the back.
            axis=(-1.0, 0.0, 0.0),
            limits=STOPS,
            closed_open=STOPS,
            friction=p.friction,
        ),
        keypoints={"articulated_object_head": (0.0, float(pivot + p.strap_height), 0.0)},
        descriptions={"articulated_object_head": "the middle point on the strap of the bag"},
        axis="x",
        geometry=asdict(p),
    )


def generate_model(rng: np.random.Generator) -> Model:
    """Draw a bag."""
    return build(BagParameters.sample(rng), rng)
