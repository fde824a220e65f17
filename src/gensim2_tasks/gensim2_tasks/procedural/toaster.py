"""Toaster with a lever to press down (`toaster_press`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from gensim2_tasks.procedural.folder import Joint, Model
from gensim2_tasks.procedural.palette import CASING, KEYS, METAL, PAINT, pick, shade
from gensim2_tasks.procedural.parts import Colour, Part, bar, box

BEVEL = 0.003
_CARRIAGE = 0.006  # m, thickness of what the lever is fixed to, inside
_FLOOR = 0.008  # m, thickness


@dataclass(frozen=True)
class ToasterParameters:
    """Sizes of one toaster, m.

    Attributes:
        width: across the slots for bread.
        length: along them, from the end with the lever to the other.
        height: without the feet.
        foot: height of the feet.
        wall: thickness of the casing.
        slot_width: of each of the two slots.
        slot_spacing: between the middles of the two.
        gap: play of what moves.
        lever_width: of the lever.
        lever_thickness: its height.
        lever_reach: how far it stands out of the casing.
        lever_drop: its upper face under the upper edge of the casing when it is up.
        stem: width of what joins it to the inside, through a slit in the casing.
        head_share: where along the reach the keypoint is, 1 = at the end.
        travel: openness 1.
        stop: lower end of the way of the lever.
        dial: radius of the dial beside the lever.
        friction: joint friction as the physics takes it, not the force that moves the lever.
    """

    width: float
    length: float
    height: float
    foot: float
    wall: float
    slot_width: float
    slot_spacing: float
    gap: float
    lever_width: float
    lever_thickness: float
    lever_reach: float
    lever_drop: float
    stem: float
    head_share: float
    travel: float
    stop: float
    dial: float
    friction: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> ToasterParameters:
        """Draw sizes of a toaster for two slices."""
        height = rng.uniform(0.19, 0.22)
        thickness, drop = rng.uniform(0.013, 0.020), rng.uniform(0.040, 0.060)
        travel = rng.uniform(0.055, min(0.085, height - drop - thickness - 0.05))
        return cls(
            width=rng.uniform(0.15, 0.19),
            length=rng.uniform(0.26, 0.32),
            height=height,
            foot=rng.uniform(0.006, 0.012),
            wall=rng.uniform(0.008, 0.012),
            slot_width=rng.uniform(0.022, 0.030),
            slot_spacing=rng.uniform(0.045, 0.060),
            gap=rng.uniform(0.0015, 0.0025),
            lever_width=rng.uniform(0.035, 0.080),
            lever_thickness=thickness,
            lever_reach=rng.uniform(0.018, 0.028),
            lever_drop=drop,
            stem=rng.uniform(0.006, 0.010),
            head_share=rng.uniform(0.6, 1.0),
            travel=travel,
            stop=travel + rng.uniform(0.0, 0.004),
            dial=rng.uniform(0.009, 0.014),
            # The lever weighs a few grams: what the physics makes of less lets it sink by itself.
            friction=rng.uniform(50.0, 150.0),
        )


def _lever_y(p: ToasterParameters) -> tuple[float, float]:
    """Lower and upper face of the lever when it is up, the casing being centred at y = 0."""
    high = p.height / 2.0 - p.lever_drop
    return high - p.lever_thickness, high


def _casing(p: ToasterParameters, colour: Colour, trim: Colour) -> tuple[Part, ...]:
    """Walls, floor and a top with two slots; the front wall has a slit for the stem."""
    x, y, z, w = p.width / 2.0, p.height / 2.0, p.length / 2.0, p.wall
    top, slit = y - w, p.stem / 2.0 + p.gap
    lever_low, lever_high = _lever_y(p)
    slit_low, slit_high = lever_low - p.stop - p.gap, lever_high + p.gap
    front, dark = z - w, shade(colour, 0.6)
    parts = [
        box("side_left", (-x, -y, -z), (-x + w, y, z), colour, chamfer=BEVEL),
        box("side_right", (x - w, -y, -z), (x, y, z), colour, chamfer=BEVEL),
        box("back", (-x + w, -y, -z), (x - w, top, -z + w), colour),
        box("floor", (-x + w, -y, -z + w), (x - w, -y + _FLOOR, front), dark),
        box("front_left", (-x + w, -y, front), (-slit, top, z), colour),
        box("front_right", (slit, -y, front), (x - w, top, z), colour),
        box("front_low", (-slit, -y, front), (slit, slit_low, z), colour),
        box("front_high", (-slit, slit_high, front), (slit, top, z), colour),
    ]
    # The top: a piece at each end of the slots, and strips beside and between them.
    ends = 0.16 * p.length
    parts += [
        box("top_front", (-x + w, top, z - ends), (x - w, y, z), trim, chamfer=0.001),
        box("top_back", (-x + w, top, -z), (x - w, y, -z + ends), trim, chamfer=0.001),
    ]
    inner = (p.slot_spacing - p.slot_width) / 2.0
    outer = (p.slot_spacing + p.slot_width) / 2.0
    for name, low, high in (
        ("left", -x + w, -outer), ("middle", -inner, inner), ("right", outer, x - w)
    ):  # fmt: skip
        strip = ((low, top, -z + ends), (high, y, z - ends))
        parts.append(box(f"top_{name}", *strip, trim))
    for i, side in enumerate((-1.0, 1.0)):
        for j, end in enumerate((-1.0, 1.0)):
            at_x, at_z = side * (x - 0.02), end * (z - 0.03)
            foot = ((at_x - 0.008, -y - p.foot, at_z - 0.008), (at_x + 0.008, -y, at_z + 0.008))
            parts.append(box(f"foot_{i}{j}", *foot, KEYS))
    at_x, at_y = 0.68 * x, -y + 0.035
    dial = ((at_x, at_y, z - 0.001), (at_x, at_y, z + 0.008))
    parts.append(bar("dial", *dial, p.dial, KEYS, bevel=0.001))
    return tuple(parts)


def _lever(p: ToasterParameters, colour: Colour, metal: Colour) -> tuple[Part, ...]:
    """The lever when it is up, its stem through the casing, and the carriage with two racks."""
    z, w, half = p.length / 2.0, p.wall, p.lever_width / 2.0
    low, high = _lever_y(p)
    near, far = z + p.gap, z + p.lever_reach
    inside = z - w - p.gap
    middle = (low + high) / 2.0
    parts = [
        box("lever", (-half, low, near), (half, high, far), colour, chamfer=0.002),
        box("stem", (-p.stem / 2.0, low, inside), (p.stem / 2.0, high, near), metal),
    ]
    reach = (p.slot_spacing + 0.008) / 2.0
    plate = ((-reach, low, inside - _CARRIAGE), (reach, high, inside))
    parts.append(box("carriage", *plate, metal))
    back, front = -p.length / 2.0 + 0.16 * p.length, inside - _CARRIAGE
    for number, side in enumerate((-1.0, 1.0)):
        at = side * p.slot_spacing / 2.0
        rack = ((at - 0.004, middle - 0.003, back), (at + 0.004, middle + 0.003, front))
        parts.append(box(f"rack_{number}", *rack, metal))
    return tuple(parts)


def build(p: ToasterParameters, rng: np.random.Generator) -> Model:
    """Make the toaster of the given sizes; `rng` draws the colours only."""
    paint = pick(rng, CASING + PAINT)
    metal = pick(rng, METAL)
    lever_paint = KEYS if rng.random() < 0.6 else shade(paint, 0.6)
    head = (0.0, _lever_y(p)[1], p.length / 2.0 + p.head_share * p.lever_reach)
    return Model(
        body=_casing(p, paint, metal),
        moving_link="lever_link",
        moving=_lever(p, lever_paint, shade(metal, 0.8)),
        joint=Joint(
            kind="prismatic",
            origin=(0.0, 0.0, 0.0),
            axis=(0.0, -1.0, 0.0),
            limits=(0.0, p.stop),
            closed_open=(0.0, p.travel),
            friction=p.friction,
        ),
        keypoints={"articulated_object_head": head},
        descriptions={"articulated_object_head": "the center of the button on the toaster"},
        axis=None,
        geometry=asdict(p),
    )


def generate_model(rng: np.random.Generator) -> Model:
    """Draw a toaster."""
    return build(ToasterParameters.sample(rng), rng)
