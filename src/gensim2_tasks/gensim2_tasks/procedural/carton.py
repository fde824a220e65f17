"""Closed carton that is pushed over the table (`box_move`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from gensim2_tasks.procedural.folder import Joint, Model
from gensim2_tasks.procedural.palette import PAINT, WOOD, pick, shade
from gensim2_tasks.procedural.parts import box

TAPE = 0.0004  # m, thickness of the tape
STOP = 0.30  # m, how far its way goes


@dataclass(frozen=True)
class CartonParameters:
    """Sizes of one carton, m.

    Attributes:
        width: to the side.
        depth: in the direction in which it is pushed.
        height: upright.
        tape: width of the tape over its top.
        travel: openness 1.
        density: of carton and contents together, kg/m^3.
    """

    width: float
    depth: float
    height: float
    tape: float
    travel: float
    density: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> CartonParameters:
        """Draw sizes within the range of parcels; none is so tall that a push tips it."""
        depth = rng.uniform(0.12, 0.20)
        return cls(
            width=rng.uniform(0.14, 0.26),
            depth=depth,
            height=rng.uniform(0.08, min(0.16, 1.1 * depth)),
            tape=rng.uniform(0.03, 0.05),
            travel=rng.uniform(0.16, 0.20),
            density=rng.uniform(60.0, 180.0),
        )


def build(p: CartonParameters, rng: np.random.Generator) -> Model:
    """Make the carton of the given sizes; `rng` draws the colours only."""
    paint = pick(rng, WOOD + PAINT)
    x, y, z = p.width / 2.0, p.height / 2.0, p.depth / 2.0
    parts = (
        box("carton", (-x, -y, -z), (x, y, z), paint, chamfer=0.002),
        box(
            "tape",
            (-p.tape / 2.0, y, -z + 0.002),
            (p.tape / 2.0, y + TAPE, z - 0.002),
            shade(paint, 0.7),
            collides=False,
        ),
    )
    return Model(
        body=(),
        moving_link="carton",
        moving=parts,
        # Away from the front, which faces the robot.
        joint=Joint(
            kind="prismatic",
            origin=(0.0, 0.0, 0.0),
            axis=(0.0, 0.0, -1.0),
            limits=(0.0, STOP),
            closed_open=(0.0, p.travel),
            friction=0.0,
        ),
        keypoints={"articulated_object_head": (0.0, 0.0, z)},
        descriptions={"articulated_object_head": "the middle of the front of the carton"},
        axis=None,
        geometry=asdict(p),
        free=True,
        density=p.density,
    )


def generate_model(rng: np.random.Generator) -> Model:
    """Draw a carton."""
    return build(CartonParameters.sample(rng), rng)
