"""Microwave oven with a door on its left side (`microwave`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from gensim2_tasks.procedural.cabinet import CabinetParameters, carcass, door_slab
from gensim2_tasks.procedural.folder import Model, to_root
from gensim2_tasks.procedural.hinged_door import HEAD, INSIDE, Swing, hinged_model, upright_bar
from gensim2_tasks.procedural.palette import CASING, KEYS, METAL, PAINT, SCREEN, pick, shade
from gensim2_tasks.procedural.parts import Colour, Part, bar, box

HandleKind = Literal["none", "bar", "ledge"]
HANDLE_KINDS: tuple[HandleKind, ...] = ("none", "bar", "ledge")
PLATE = 0.0004


@dataclass(frozen=True)
class MicrowaveParameters:
    """Sizes of one microwave oven, m.

    Attributes:
        cabinet: the oven without what is on its front.
        handle: an upright bar, a ledge along the free edge, or nothing but the edge itself.
        handle_length: of bar or ledge.
        handle_depth: of bar or ledge.
        knobs: whether there are two knobs beside the door instead of keys.
        head_inset: of the head, and of the handle, from the free edge of the door.
    """

    cabinet: CabinetParameters
    handle: HandleKind
    handle_length: float
    handle_depth: float
    knobs: bool
    head_inset: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> MicrowaveParameters:
        """Draw sizes within the range of small ovens."""
        kind = HANDLE_KINDS[int(rng.integers(len(HANDLE_KINDS)))]
        width, height = rng.uniform(0.34, 0.46), rng.uniform(0.18, 0.25)
        opened = rng.uniform(1.50, 1.57)
        return cls(
            cabinet=CabinetParameters(
                width=width,
                depth=rng.uniform(0.22, 0.34),
                height=height,
                wall=rng.uniform(0.008, 0.014),
                feet=rng.uniform(0.006, 0.012),
                hinge="left",
                aside=rng.uniform(0.22, 0.30) * width,
                mount="overlay",
                door_thickness=rng.uniform(0.012, 0.020),
                gap=rng.uniform(0.0015, 0.0025),
                shelves=0,
                swing=Swing(
                    at_zero=0.0,
                    opened=opened,
                    limit=opened + rng.uniform(0.03, 0.4),
                    friction=rng.uniform(0.08, 0.12),
                ),
            ),
            handle=kind,
            handle_length=rng.uniform(0.5, 0.7) * height,
            handle_depth=rng.uniform(0.008, 0.012),
            knobs=bool(rng.random() < 0.5),
            head_inset=rng.uniform(0.010, 0.018),
        )


def _handle(p: MicrowaveParameters, colour: Colour) -> tuple[Part, ...]:
    foot = p.cabinet.on_door(p.head_inset, 0.0)
    if p.handle == "bar":
        return upright_bar("handle", foot, p.handle_length, p.handle_depth, 0.016, colour)
    if p.handle == "ledge":
        x, y, z = foot
        half = p.handle_length / 2.0
        corner = ((x - 0.006, y - half, z - 0.001), (x + 0.006, y + half, z + p.handle_depth))
        return (box("handle", *corner, colour, chamfer=0.002),)
    return ()


def _front(p: MicrowaveParameters) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """What is drawn on the door, and what is on the front beside it."""
    c = p.cabinet
    x, _, z = c.on_door(0.5 * c.door_width, 0.0)
    low, high = c.door_heights
    half, rim = 0.5 * c.door_width - 0.035, 0.25 * (high - low)
    pane = ((x - half, low + rim, z), (x + half, high - rim, z + PLATE))
    window = box("window", *pane, SCREEN, collides=False)
    x = c.across(c.width - 0.5 * c.aside)
    half = 0.32 * c.aside
    clock = ((x - half, high - 0.045, z), (x + half, high - 0.02, z + PLATE))
    parts = [box("clock", *clock, SCREEN, collides=False)]
    if p.knobs:
        for index, y in enumerate((low + 0.3 * (high - low), low + 0.6 * (high - low))):
            ends = ((x, y, z - 0.001), (x, y, z + 0.012))
            parts.append(bar(f"knob_{index}", *ends, 0.5 * half, KEYS, sides=12))
    else:
        keys = ((x - half, low + 0.02, z), (x + half, high - 0.06, z + PLATE))
        parts.append(box("keys", *keys, KEYS, collides=False))
    return (window,), tuple(parts)


def build(p: MicrowaveParameters, rng: np.random.Generator) -> Model:
    """Make the oven of the given sizes; `rng` draws the colours only."""
    paint = pick(rng, CASING + PAINT)
    metal = pick(rng, METAL)
    c = p.cabinet
    drawn, beside = _front(p)
    return hinged_model(
        body=(*carcass(c, paint), *beside),
        door=(door_slab(c, shade(paint, 0.9)), *drawn, *_handle(p, metal)),
        hinge=c.hinge_point,
        sense=c.sense,
        swing=c.swing,
        keypoints={HEAD: c.on_door(p.head_inset, 0.0), INSIDE: to_root(c.drop_point(0.5))},
        descriptions={
            HEAD: "the middle point of the microwave handle",
            INSIDE: "the point to drop object into the microwave",
        },
        axis="y",
        geometry=asdict(p) | {"width": c.width, "door_width": c.door_width},
    )


def generate_model(rng: np.random.Generator) -> Model:
    """Draw a microwave oven."""
    return build(MicrowaveParameters.sample(rng), rng)
