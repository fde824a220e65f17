"""Cabinet with one drawer (`drawer`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from gensim2_tasks.procedural.folder import Joint, Model
from gensim2_tasks.procedural.handles import HandleParameters, handle_parts
from gensim2_tasks.procedural.palette import METAL, PAINT, WOOD, pick, shade
from gensim2_tasks.procedural.parts import Colour, Part, box

FrontKind = Literal["inset", "overlay"]
LowerKind = Literal["panel", "open", "legs"]
LOWER_KINDS: tuple[LowerKind, ...] = ("panel", "open", "legs")
BEVEL = 0.0015


@dataclass(frozen=True)
class DrawerParameters:
    """Sizes of one cabinet with its drawer, m; height runs over the bottom of the cabinet.

    Attributes:
        width: outer width.
        depth: outer depth of the carcass.
        board: thickness of the carcass boards.
        lower_height: height of what is under the shelf that carries the drawer.
        lower: closed front, open compartment or legs.
        opening_height: height of the drawer's opening.
        front: front panel within the opening, or in front of the carcass.
        front_thickness: thickness of the front panel.
        wall: thickness of the other walls of the drawer.
        gap: play between drawer and carcass on every side.
        drawer_depth: length of the drawer behind its front panel.
        wall_height: height of the side walls as a share of the front panel.
        handle: the handle.
        handle_x: centre of the handle, from the middle of the panel.
        handle_drop: centre of the handle under the upper edge of the panel.
        travel: openness 1.
        stop: upper joint limit.
        friction: joint friction, N.
    """

    width: float
    depth: float
    board: float
    lower_height: float
    lower: LowerKind
    opening_height: float
    front: FrontKind
    front_thickness: float
    wall: float
    gap: float
    drawer_depth: float
    wall_height: float
    handle: HandleParameters
    handle_x: float
    handle_drop: float
    travel: float
    stop: float
    friction: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> DrawerParameters:
        """Draw sizes within the range of real cabinets."""
        width, depth = rng.uniform(0.23, 0.36), rng.uniform(0.21, 0.27)
        board = rng.uniform(0.008, 0.012)
        opening_height = rng.uniform(0.085, 0.12)
        drawer_depth = depth - board - rng.uniform(0.010, 0.020)
        panel_width = width - 2.0 * board
        handle = HandleParameters.sample(rng, panel_width, opening_height - 0.004)
        # Close to the upper edge, so that a hand from above reaches it with its fingers alone.
        drop = handle.half_height + rng.uniform(0.012, 0.022)
        off_middle = min(0.08 * width, panel_width / 2.0 - handle.half_width - 0.008)
        lower = LOWER_KINDS[int(rng.integers(len(LOWER_KINDS)))]
        travel = rng.uniform(0.13, min(0.18, 0.8 * drawer_depth))
        return cls(
            width=width,
            depth=depth,
            board=board,
            lower_height=rng.uniform(0.08, 0.17) if lower == "legs" else rng.uniform(0.05, 0.13),
            lower=lower,
            opening_height=opening_height,
            front="overlay" if rng.random() < 0.5 else "inset",
            front_thickness=rng.uniform(0.008, 0.014),
            wall=rng.uniform(0.005, 0.008),
            gap=rng.uniform(0.0012, 0.002),
            drawer_depth=drawer_depth,
            wall_height=rng.uniform(0.65, 0.85),
            handle=handle,
            handle_x=rng.uniform(-1.0, 1.0) * max(0.0, off_middle),
            handle_drop=drop,
            travel=travel,
            stop=min(travel + rng.uniform(0.0, 0.03), 0.88 * drawer_depth),
            friction=rng.uniform(0.08, 0.12),
        )


def _carcass(p: DrawerParameters, bottom: float, colour: Colour) -> tuple[Part, ...]:
    """Boards around the drawer, front faces in the plane z = depth / 2."""
    x, z, b = p.width / 2.0, p.depth / 2.0, p.board
    shelf = bottom + p.lower_height
    inside, top = shelf + b, shelf + b + p.opening_height
    side_bottom = shelf if p.lower == "legs" else bottom
    parts = [
        box("top", (-x, top, -z), (x, top + b, z), colour, chamfer=BEVEL),
        box("shelf", (-x + b, shelf, -z + b), (x - b, inside, z), shade(colour, 0.9)),
        box("side_left", (-x, side_bottom, -z), (-x + b, top, z), colour, chamfer=BEVEL),
        box("side_right", (x - b, side_bottom, -z), (x, top, z), colour, chamfer=BEVEL),
        box("back", (-x + b, side_bottom, -z), (x - b, top, -z + b), shade(colour, 0.8)),
    ]
    if p.lower == "legs":
        leg = 0.022
        for i, lx in enumerate((-x, x - leg)):
            for j, lz in enumerate((-z, z - leg)):
                corner = ((lx, bottom, lz), (lx + leg, shelf, lz + leg))
                parts.append(box(f"leg_{i}{j}", *corner, shade(colour, 0.75), chamfer=0.003))
        return tuple(parts)
    plinth = ((-x + b, bottom, -z + b), (x - b, bottom + b, z))
    parts.append(box("bottom", *plinth, shade(colour, 0.9)))
    if p.lower == "panel":
        panel = ((-x + b, bottom + b, z - b), (x - b, shelf, z - 0.002))
        parts.append(box("lower_panel", *panel, shade(colour, 1.1), chamfer=0.001))
    return tuple(parts)


def _drawer(
    p: DrawerParameters, inside: float, colour: Colour, metal: Colour
) -> tuple[tuple[Part, ...], dict[str, np.ndarray]]:
    """Drawer at joint position 0 (closed); `inside` is the height of the shelf's upper face.

    Returns:
        Its parts, and the points `handle` (3,) and `drop` (3,).
    """
    x = p.width / 2.0 - p.board - p.gap
    low, high = inside + p.gap, inside + p.opening_height - p.gap
    carcass_front = p.depth / 2.0
    front_x, front_low, front_high = x, low, high
    # An inset panel stands out by a hair so that its outline shows in a point cloud.
    back_face = carcass_front - p.front_thickness + 0.002
    if p.front == "overlay":
        front_x = p.width / 2.0
        front_low, front_high = inside - 0.5 * p.board, inside + p.opening_height + 0.5 * p.board
        back_face = carcass_front + p.gap
    face = back_face + p.front_thickness

    rear = carcass_front - p.drawer_depth
    height = p.wall_height * (high - low)
    floor_top = low + p.wall
    wood = shade(colour, 0.85)
    parts = [
        box(
            "front",
            (-front_x, front_low, back_face),
            (front_x, front_high, face),
            colour,
            chamfer=0.002,
        ),
        box("drawer_floor", (-x, low, rear), (x, floor_top, back_face), wood),
        box("drawer_left", (-x, floor_top, rear), (-x + p.wall, low + height, back_face), wood),
        box("drawer_right", (x - p.wall, floor_top, rear), (x, low + height, back_face), wood),
        box(
            "drawer_back",
            (-x + p.wall, floor_top, rear),
            (x - p.wall, low + height, rear + p.wall),
            wood,
        ),
    ]
    foot = np.array([p.handle_x, high - p.handle_drop, face])
    grips, handle = handle_parts(p.handle, foot, metal)
    drop = np.array([0.0, front_high + 0.015, face - 0.065])
    return (*parts, *grips), {"handle": handle, "drop": drop, "face": foot}


def build(p: DrawerParameters, rng: np.random.Generator) -> Model:
    """Make the cabinet of the given sizes; `rng` draws the colours only."""
    paint = pick(rng, WOOD + PAINT)
    front_paint = pick(rng, WOOD + PAINT) if rng.random() < 0.5 else shade(paint, 1.15)
    metal = pick(rng, METAL)

    height = p.lower_height + 2.0 * p.board + p.opening_height
    bottom = -height / 2.0
    inside = bottom + p.lower_height + p.board
    parts, points = _drawer(p, inside, front_paint, metal)
    keypoints = {
        "articulated_object_head": points["handle"],
        "articulated_object_inside": points["drop"],
    }
    return Model(
        body=_carcass(p, bottom, paint),
        moving_link="drawer",
        moving=parts,
        joint=Joint(
            kind="prismatic",
            origin=(0.0, 0.0, 0.0),
            axis=(0.0, 0.0, 1.0),
            limits=(0.0, p.stop),
            closed_open=(0.0, p.travel),
            friction=p.friction,
        ),
        keypoints={
            name: (float(point[0]), float(point[1]), float(point[2]))
            for name, point in keypoints.items()
        },
        descriptions={
            "articulated_object_head": "the middle point of the drawer handle",
            "articulated_object_inside": "a point to drop object inside the drawer",
        },
        axis=None,
        geometry=asdict(p) | {"front_face_z": float(points["face"][2])},
    )


def generate_model(rng: np.random.Generator) -> Model:
    """Draw a cabinet."""
    return build(DrawerParameters.sample(rng), rng)
