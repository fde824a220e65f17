"""Safe with a door on its right side (`safe_rotate`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from gensim2_tasks.procedural.cabinet import CabinetParameters, carcass, door_slab
from gensim2_tasks.procedural.folder import Model, to_root
from gensim2_tasks.procedural.hinged_door import (
    HEAD,
    INSIDE,
    Swing,
    hinged_model,
    upright_bar,
    wheel,
)
from gensim2_tasks.procedural.palette import CASING, METAL, PAINT, pick, shade
from gensim2_tasks.procedural.parts import Colour, Part, box

HandleKind = Literal["wheel", "dial_and_pull", "dial"]
HANDLE_KINDS: tuple[HandleKind, ...] = ("wheel", "dial_and_pull", "dial")


@dataclass(frozen=True)
class SafeParameters:
    """Sizes of one safe, m.

    Attributes:
        cabinet: the safe without what is on its door.
        handle: what is on its door.
        handle_radius: of wheel or dial.
        handle_standoff: of wheel or dial from the door.
        handle_share: where it is, as a share of the width of the door from its free edge.
        keypad: whether there is one over the handle.
        head_inset: of the head from the free edge of the door.
    """

    cabinet: CabinetParameters
    handle: HandleKind
    handle_radius: float
    handle_standoff: float
    handle_share: float
    keypad: bool
    head_inset: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> SafeParameters:
        """Draw sizes within the range of small safes."""
        inset = bool(rng.random() < 0.6)
        opened = rng.uniform(1.50, 1.57)
        # Some real models are stored half open.
        at_zero = 0.5 * opened if rng.random() < 0.3 else 0.0
        kind = HANDLE_KINDS[int(rng.integers(len(HANDLE_KINDS)))]
        return cls(
            cabinet=CabinetParameters(
                width=rng.uniform(0.30, 0.36),
                depth=rng.uniform(0.24, 0.34),
                height=rng.uniform(0.30, 0.42),
                wall=rng.uniform(0.020, 0.035) if inset else rng.uniform(0.012, 0.020),
                feet=rng.uniform(0.006, 0.012) if rng.random() < 0.5 else 0.0,
                hinge="right",
                aside=0.0,
                mount="inset" if inset else "overlay",
                door_thickness=rng.uniform(0.012, 0.018),
                gap=rng.uniform(0.0015, 0.0025),
                shelves=int(rng.integers(2)),
                swing=Swing(
                    at_zero=at_zero,
                    opened=opened,
                    limit=opened + rng.uniform(0.1, 0.6),
                    friction=rng.uniform(0.08, 0.12),
                ),
            ),
            handle=kind,
            handle_radius=rng.uniform(0.035, 0.05) if kind == "wheel" else rng.uniform(0.02, 0.03),
            handle_standoff=rng.uniform(0.010, 0.020) if kind == "wheel" else 0.003,
            handle_share=rng.uniform(0.40, 0.55),
            keypad=bool(rng.random() < 0.5),
            head_inset=rng.uniform(0.022, 0.036),
        )


def _fittings(p: SafeParameters, metal: Colour) -> tuple[Part, ...]:
    c = p.cabinet
    foot = c.on_door(p.handle_share * c.door_width, 0.0)
    parts = list(wheel(p.handle, foot, p.handle_radius, p.handle_standoff, metal))
    low, high = c.door_heights
    if p.handle == "dial_and_pull":
        pull = c.on_door(0.22 * c.door_width, 0.0)
        parts += upright_bar("pull", pull, 0.09, 0.010, 0.018, metal)
    if p.keypad:
        x, y, z = c.on_door(p.handle_share * c.door_width, 0.5 * high + 0.5 * p.handle_radius)
        size = min(0.022, 0.3 * (high - p.handle_radius))
        pad = ((x - size, y - size, z - 0.001), (x + size, y + size, z + 0.004))
        parts.append(box("keypad", *pad, shade(metal, 0.4), chamfer=0.001))
    x, y, z = c.on_door(0.5 * c.door_width, 0.0)
    half, inset = 0.5 * c.door_width - 0.012, 0.012
    frame = ((x - half, low + inset, z), (x + half, high - inset, z + 0.0005))
    parts.append(box("door_panel", *frame, shade(metal, 0.7), collides=False))
    return tuple(parts)


def build(p: SafeParameters, rng: np.random.Generator) -> Model:
    """Make the safe of the given sizes; `rng` draws the colours only."""
    paint = pick(rng, CASING + PAINT)
    metal = pick(rng, METAL)
    c = p.cabinet
    return hinged_model(
        body=carcass(c, paint),
        door=(door_slab(c, shade(paint, 1.15)), *_fittings(p, metal)),
        hinge=c.hinge_point,
        sense=c.sense,
        swing=c.swing,
        keypoints={HEAD: c.on_door(p.head_inset, 0.0), INSIDE: to_root(c.drop_point(0.45))},
        descriptions={
            HEAD: "the middle point of the safe handle",
            INSIDE: "the point inside the safe to drop objects",
        },
        axis="y",
        geometry=asdict(p) | {"width": c.width, "door_width": c.door_width},
    )


def generate_model(rng: np.random.Generator) -> Model:
    """Draw a safe."""
    return build(SafeParameters.sample(rng), rng)
