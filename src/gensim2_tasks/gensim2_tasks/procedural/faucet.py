"""Faucet with one handle on top (`faucet`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from gensim2_tasks.procedural.folder import Joint, Model, to_root
from gensim2_tasks.procedural.palette import METAL, PAINT, pick, shade
from gensim2_tasks.procedural.parts import Array, Colour, Part, bar, beam

LeverKind = Literal["plate", "rod", "paddle"]
LEVER_KINDS: tuple[LeverKind, ...] = ("plate", "rod", "paddle")
ROUND = 12  # sides of what is round
# Openness 0 and 1, and the stops, as most real models have them, rad.
CLOSED_OPEN = (-1.2, 1.2)
STOPS = (-1.570796, 1.570796)


@dataclass(frozen=True)
class FaucetParameters:
    """Sizes of one faucet, m and rad.

    Attributes:
        base_radius: radius of the foot.
        base_height: height of the foot.
        column_radius: radius of the column, whose middle is the axis of the handle.
        column_height: upper end of the column over the lower face of the foot.
        spout_drop: middle line of the spout under the upper end of the column.
        spout_reach: mouth of the spout from the axis.
        spout_size: width and height of the spout.
        spout_slope: angle by which the spout falls (positive) or rises towards its mouth.
        nozzle: length of the nozzle that hangs under the end of the spout.
        gap: play between column and handle.
        hub_radius: radius of the cap on the column.
        hub_height: height of the cap.
        lever: plate of equal width, round rod, or plate that widens towards its tip.
        lever_length: tip of the lever from the axis.
        lever_width: width of the lever where it leaves the cap.
        lever_thickness: thickness of the lever.
        lever_rise: angle by which the lever rises towards its tip.
        head_inset: tip of the lever beyond the keypoint at it.
        friction: joint friction, N m.
    """

    base_radius: float
    base_height: float
    column_radius: float
    column_height: float
    spout_drop: float
    spout_reach: float
    spout_size: float
    spout_slope: float
    nozzle: float
    gap: float
    hub_radius: float
    hub_height: float
    lever: LeverKind
    lever_length: float
    lever_width: float
    lever_thickness: float
    lever_rise: float
    head_inset: float
    friction: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> FaucetParameters:
        """Draw sizes within the range of real faucets."""
        column_radius = rng.uniform(0.020, 0.034)
        column_height = rng.uniform(0.14, 0.26)
        return cls(
            base_radius=column_radius + rng.uniform(0.006, 0.016),
            base_height=rng.uniform(0.008, 0.014),
            column_radius=column_radius,
            column_height=column_height,
            spout_drop=rng.uniform(0.030, 0.055),
            spout_reach=rng.uniform(0.15, 0.21),
            spout_size=rng.uniform(0.018, 0.028),
            spout_slope=rng.uniform(-0.05, 0.25),
            nozzle=rng.uniform(0.015, 0.030),
            gap=rng.uniform(0.0012, 0.002),
            hub_radius=column_radius * rng.uniform(0.85, 1.1),
            hub_height=rng.uniform(0.016, 0.030),
            lever=LEVER_KINDS[int(rng.integers(len(LEVER_KINDS)))],
            lever_length=rng.uniform(0.085, 0.130),
            lever_width=rng.uniform(0.014, 0.022),
            lever_thickness=rng.uniform(0.010, 0.015),
            lever_rise=rng.uniform(0.0, 0.25),
            head_inset=rng.uniform(0.012, 0.022),
            friction=rng.uniform(0.008, 0.014),
        )


def _body(p: FaucetParameters, bottom: float, axis_z: float, colour: Colour) -> tuple[Part, ...]:
    """Foot, column, spout and nozzle."""
    top = bottom + p.column_height
    foot = bottom + p.base_height
    root = np.array([0.0, top - p.spout_drop, axis_z])
    along = np.array([0.0, -np.sin(p.spout_slope), np.cos(p.spout_slope)])
    end = root + along * (p.spout_reach / np.cos(p.spout_slope))
    half = p.spout_size / 2.0
    mouth = _mouth(p, top, axis_z)
    return (
        bar("foot", (0.0, bottom, axis_z), (0.0, foot, axis_z), p.base_radius, colour, sides=ROUND),
        bar(
            "column", (0.0, foot, axis_z), (0.0, top, axis_z), p.column_radius, colour, sides=ROUND
        ),
        beam("spout", root, end + along * half, (1.0, 0.0, 0.0), (p.spout_size,) * 2, colour),
        bar("nozzle", end, mouth, 0.9 * half, shade(colour, 0.85)),
    )


def _mouth(p: FaucetParameters, top: float, axis_z: float) -> Array:
    """Centre (3,) of the opening that water comes from; `top` is the upper end of the column."""
    end = top - p.spout_drop - p.spout_reach * np.tan(p.spout_slope)
    return np.array([0.0, end - p.spout_size / 2.0 - p.nozzle, axis_z + p.spout_reach])


def _handle(
    p: FaucetParameters, low: float, axis_z: float, colour: Colour
) -> tuple[tuple[Part, ...], Array, Array]:
    """Cap and lever, which points to the front; `low` is the lower face of the cap.

    Returns:
        Parts, and the keypoints at the tip of the lever (3,) and on the axis (3,).
    """
    high = low + p.hub_height
    along = np.array([0.0, np.sin(p.lever_rise), np.cos(p.lever_rise)])
    start = np.array([0.0, high - p.lever_thickness / 2.0, axis_z])
    tip = start + along * (p.lever_length / np.cos(p.lever_rise))
    head = tip - along * p.head_inset
    hub = bar("hub", (0.0, low, axis_z), (0.0, high, axis_z), p.hub_radius, colour, sides=ROUND)
    if p.lever == "rod":
        lever = bar("lever", start, tip, 0.55 * p.lever_thickness, colour, bevel=0.001)
    else:
        section = (p.lever_width, p.lever_thickness)
        wide = p.lever_width * (1.5 if p.lever == "paddle" else 1.0)
        lever = beam(
            "lever",
            start,
            tip,
            (1.0, 0.0, 0.0),
            section,
            colour,
            end_section=(wide, 0.85 * p.lever_thickness),
        )
    return (hub, lever), head, np.array([0.0, high, axis_z])


def build(p: FaucetParameters, rng: np.random.Generator) -> Model:
    """Make the faucet of the given sizes; `rng` draws the colours only."""
    metal = pick(rng, METAL)
    handle_paint = pick(rng, METAL + PAINT) if rng.random() < 0.5 else shade(metal, 1.15)

    # As in PartNet the origin is about the middle of the whole.
    height = p.column_height + p.gap + p.hub_height
    bottom = -0.5 * height
    axis_z = -0.5 * (p.spout_reach - p.base_radius)
    top = bottom + p.column_height
    handle, head, tail = _handle(p, top + p.gap, axis_z, handle_paint)
    mouth = _mouth(p, top, axis_z)
    return Model(
        body=_body(p, bottom, axis_z, metal),
        moving_link="handle",
        moving=handle,
        joint=Joint(
            kind="revolute",
            origin=(0.0, 0.0, float(axis_z)),
            axis=(0.0, -1.0, 0.0),
            limits=STOPS,
            closed_open=CLOSED_OPEN,
            friction=p.friction,
        ),
        keypoints={
            "articulated_object_head": (float(head[0]), float(head[1]), float(head[2])),
            "articulated_object_tail": (float(tail[0]), float(tail[1]), float(tail[2])),
            "articulated_object_bottom_base": to_root(
                (0.0, float(mouth[1]) - 0.04, float(mouth[2]))
            ),
        },
        descriptions={
            "articulated_object_head": "the tip of the faucet handle",
            "articulated_object_tail": (
                "the intersection point between the faucet handle and the faucet joint"
            ),
            "articulated_object_bottom_base": "the point under the faucet",
        },
        axis="y",
        geometry=asdict(p),
    )


def generate_model(rng: np.random.Generator) -> Model:
    """Draw a faucet."""
    return build(FaucetParameters.sample(rng), rng)
