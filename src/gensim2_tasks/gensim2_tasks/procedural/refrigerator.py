"""Refrigerator with a door on its left side (`refrigerator`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from gensim2_tasks.procedural.cabinet import CabinetParameters, carcass, door_slab
from gensim2_tasks.procedural.folder import Model, to_root
from gensim2_tasks.procedural.hinged_door import HEAD, INSIDE, Swing, hinged_model, upright_bar
from gensim2_tasks.procedural.palette import CASING, METAL, PAINT, pick, shade

DoorKind = Literal["single", "side_by_side"]
ON_TABLE = 0.40  # m over the table, about where the middle of the handle is


@dataclass(frozen=True)
class RefrigeratorParameters:
    """Sizes of one refrigerator, m.

    Attributes:
        cabinet: the refrigerator without its handles; what is aside is a second door.
        doors: one door, or two of which the left one moves.
        handle_length: of the bar handle.
        handle_diameter: of the bar handle.
        handle_clearance: free distance between door and bar.
        handle_inset: of the middle of the bar from the free edge of the door.
        handle_height: of the middle of the bar over the lowest point of the refrigerator.
    """

    cabinet: CabinetParameters
    doors: DoorKind
    handle_length: float
    handle_diameter: float
    handle_clearance: float
    handle_inset: float
    handle_height: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> RefrigeratorParameters:
        """Draw sizes: a large refrigerator at half its size, or a small one."""
        two = bool(rng.random() < 0.5)
        width = rng.uniform(0.46, 0.54) if two else rng.uniform(0.26, 0.34)
        height = rng.uniform(0.58, 0.80)
        opened = rng.uniform(1.35, 1.45)
        handle = rng.uniform(0.20, 0.32)
        return cls(
            cabinet=CabinetParameters(
                width=width,
                depth=rng.uniform(0.30, 0.42),
                height=height,
                wall=rng.uniform(0.015, 0.025),
                feet=rng.uniform(0.010, 0.020),
                hinge="left",
                aside=rng.uniform(0.47, 0.52) * width if two else 0.0,
                mount="overlay",
                door_thickness=rng.uniform(0.020, 0.032),
                gap=rng.uniform(0.002, 0.003),
                shelves=int(rng.integers(1, 4)),
                swing=Swing(
                    at_zero=0.0,
                    opened=opened,
                    limit=opened + rng.uniform(0.2, 0.7),
                    friction=rng.uniform(0.08, 0.12),
                ),
            ),
            doors="side_by_side" if two else "single",
            handle_length=handle,
            handle_diameter=rng.uniform(0.018, 0.028),
            handle_clearance=rng.uniform(0.022, 0.034),
            handle_inset=rng.uniform(0.018, 0.026),
            handle_height=min(rng.uniform(0.95, 1.05) * ON_TABLE, height - 0.5 * handle - 0.05),
        )


def build(p: RefrigeratorParameters, rng: np.random.Generator) -> Model:
    """Make the refrigerator of the given sizes; `rng` draws the colours only."""
    paint = pick(rng, CASING + PAINT)
    metal = pick(rng, METAL)
    c = p.cabinet
    size = (p.handle_length, p.handle_diameter, p.handle_clearance)
    y = p.handle_height - 0.5 * c.height
    foot = c.on_door(p.handle_inset, y)
    body = carcass(c, paint)
    if p.doors == "side_by_side":
        other = (foot[0] - c.sense * (2.0 * p.handle_inset + c.gap), y, c.door_face)
        body += upright_bar("handle_aside", other, *size, metal)
    # The middle of the front of the bar.
    head = (foot[0], y, foot[2] + p.handle_clearance + p.handle_diameter)
    return hinged_model(
        body=body,
        door=(door_slab(c, shade(paint, 0.95)), *upright_bar("handle", foot, *size, metal)),
        hinge=c.hinge_point,
        sense=c.sense,
        swing=c.swing,
        keypoints={HEAD: head, INSIDE: to_root(c.drop_point(0.3))},
        descriptions={
            HEAD: "the middle point of the refrigerator handle",
            INSIDE: "the point inside the refrigerator to place the object",
        },
        axis=None,
        geometry=asdict(p) | {"width": c.width, "door_width": c.door_width},
    )


def generate_model(rng: np.random.Generator) -> Model:
    """Draw a refrigerator."""
    return build(RefrigeratorParameters.sample(rng), rng)
