"""Door of a room, small enough for a table: a leaf in a frame (`door`).

As in real models the leaf opens to the back of the root frame, so a task turns the object round.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from gensim2_tasks.procedural.folder import Model
from gensim2_tasks.procedural.hinged_door import BEVEL, HEAD, Swing, hinged_model
from gensim2_tasks.procedural.palette import METAL, PAINT, WOOD, pick, shade
from gensim2_tasks.procedural.parts import Colour, Part, bar, box

ON_TABLE = 0.25  # m over the table, about where the middle of the edge is grasped


@dataclass(frozen=True)
class DoorParameters:
    """Sizes of one door, m.

    Attributes:
        leaf_width: width of the leaf.
        leaf_height: height of the leaf.
        leaf_thickness: thickness of the leaf.
        post: width of the posts of the frame.
        lintel: height of the lintel.
        frame_depth: depth of the frame.
        beside: width of a fixed panel beside the leaf; 0 = none.
        gap: play between leaf and frame.
        knob: whether there is a knob on the leaf.
        head_inset: of the head from the free edge.
        head_height: of the head over the lowest point.
        swing: how the leaf turns.
    """

    leaf_width: float
    leaf_height: float
    leaf_thickness: float
    post: float
    lintel: float
    frame_depth: float
    beside: float
    gap: float
    knob: bool
    head_inset: float
    head_height: float
    swing: Swing

    @classmethod
    def sample(cls, rng: np.random.Generator) -> DoorParameters:
        """Draw sizes: a real door at about a quarter of its size."""
        opened = rng.uniform(1.40, 1.50)
        # Real models stand open at joint position 0, a little beyond openness 1.
        limit = opened + rng.uniform(0.05, 0.10)
        return cls(
            leaf_width=rng.uniform(0.12, 0.20),
            leaf_height=rng.uniform(0.42, 0.52),
            leaf_thickness=rng.uniform(0.008, 0.014),
            post=rng.uniform(0.035, 0.070),
            lintel=rng.uniform(0.04, 0.16),
            frame_depth=rng.uniform(0.020, 0.030),
            beside=rng.uniform(0.05, 0.10) if rng.random() < 0.5 else 0.0,
            gap=rng.uniform(0.0015, 0.0025),
            knob=bool(rng.random() < 0.5),
            head_inset=rng.uniform(0.010, 0.016),
            head_height=rng.uniform(0.95, 1.10) * ON_TABLE,
            swing=Swing(
                at_zero=limit, opened=opened, limit=limit, friction=rng.uniform(0.08, 0.12)
            ),
        )


def _frame(
    p: DoorParameters, bottom: float, left: float, right: float, colour: Colour
) -> list[Part]:
    """Posts, lintel and panel around an opening from x `left` to `right`."""
    z, top = p.frame_depth / 2.0, bottom + p.leaf_height + 2.0 * p.gap
    end = right + p.beside + p.post
    posts = ((left - p.post, left), (right + p.beside, end))
    parts = [
        box(f"post_{side}", (low, bottom, -z), (high, top, z), colour, chamfer=BEVEL)
        for side, (low, high) in zip(("hinge", "free"), posts, strict=True)
    ]
    corner = ((left - p.post, top, -z), (end, top + p.lintel, z))
    parts.append(box("lintel", *corner, colour, chamfer=BEVEL))
    if p.beside > 0.0:
        panel = ((right, bottom, -0.3 * z), (right + p.beside, top, 0.3 * z))
        parts.append(box("panel", *panel, shade(colour, 0.85)))
    return parts


def build(p: DoorParameters, rng: np.random.Generator) -> Model:
    """Make the door of the given sizes; `rng` draws the colours only."""
    paint = pick(rng, WOOD + PAINT)
    leaf_paint = pick(rng, WOOD + PAINT)
    metal = pick(rng, METAL)
    bottom = -0.5 * (p.leaf_height + 2.0 * p.gap + p.lintel)
    # The leaf is flush with the back of the frame, where its hinge is, and swings past the frame
    # with the edge behind its free end.
    free_gap = p.gap + 0.6 * p.leaf_thickness**2 / p.leaf_width
    width = p.leaf_width + p.gap + free_gap
    whole = p.post + width + p.beside + p.post
    left = -0.5 * whole + p.post
    x, back = left + p.gap, -0.5 * p.frame_depth - 0.002
    low = bottom + p.gap
    edge, front = x + p.leaf_width, back + p.leaf_thickness
    leaf = [
        box("leaf", (x, low, back), (edge, low + p.leaf_height, front), leaf_paint, chamfer=BEVEL)
    ]
    y = bottom + p.head_height
    if p.knob:
        at = edge - 0.022
        ends = ((at, y + 0.06, back - 0.014), (at, y + 0.06, back + 0.001))
        leaf.append(bar("knob", *ends, 0.010, metal, sides=12))
    return hinged_model(
        body=tuple(_frame(p, bottom, left, left + width, paint)),
        door=tuple(leaf),
        hinge=(x, 0.0, back),
        sense=1.0,
        swing=p.swing,
        keypoints={HEAD: (edge - p.head_inset, y, 0.5 * (back + front))},
        descriptions={HEAD: "the middle point on edge of the door"},
        axis="y",
        geometry=asdict(p) | {"width": whole},
    )


def generate_model(rng: np.random.Generator) -> Model:
    """Draw a door."""
    return build(DoorParameters.sample(rng), rng)
