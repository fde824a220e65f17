"""Where closed fingers can move a part of an object along its joint, from its geometry alone.

Two kinds of contact. A *push*: the part gives way along the normal of its face, as the overhanging
lip of a lid that is lifted from below. A *press*: it gives way across the normal, and friction
takes it along, as the edge of a closed laptop that is pressed and lifted; what the press itself
does, the joint holds. Both lie within the friction cone with some margin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from gensim2_tasks import se3

from .grasps import points_on
from .hand_shape import hand_points, hull_of
from .motions import JointAxis

Array = NDArray[np.float64]
ContactKind = Literal["push", "press", "grasp"]
TIP = 0.1131  # m, end of the fingers along z of fr3_hand
PUSH_CONE = np.cos(np.radians(35.0))  # of the angle between push and motion
PRESS_SLOPE = np.sin(np.radians(12.0))  # of that between press and what is square to the motion
PRESS_DEPTH = 0.004  # m by which the arm, being soft, is led into what it presses
GAP = 1e-3  # m between finger and face before contact
POINTS = 100  # of each kind
SPINS = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)
STEEPEST_UP = 0.35  # z of the direction of the fingers
LEAST_AREA = 2e-5  # m^2 of all faces of a kind; less is an edge
# What of closed fingers touches (point and outward normal, frame fr3_hand): the end, the end near
# its rim, so that the fingers stand over one side of a seam, and the flat sides near the end.
_SIDE_Z = TIP - 0.005
FEATURES = tuple(
    (np.array(p), np.array(n))
    for p, n in (
        ((0.0, 0.0, TIP), (0.0, 0.0, 1.0)),
        ((0.007, 0.0, TIP), (0.0, 0.0, 1.0)),
        ((-0.007, 0.0, TIP), (0.0, 0.0, 1.0)),
        ((0.0105, 0.0, _SIDE_Z), (1.0, 0.0, 0.0)),
        ((-0.0105, 0.0, _SIDE_Z), (-1.0, 0.0, 0.0)),
    )
)
CHUNK = 64  # contacts whose hands are looked at together
JITTER = 0.3  # of the cost: neighbours are alike, and fail alike


@dataclass(frozen=True)
class Contact:
    """A way to move a part.

    Attributes:
        kind: See the module.
        T_base_hand: Hand pose in which the fingers are just off the face.
        p_hand: What touches, in the frame of the hand, m.
        press: From the pose to where the hand is led, m in base.
        cost: Lower is better: along the motion, far from the axis, from above.
        width: Of what the fingers close on, m; 0 = they are closed before.
    """

    kind: ContactKind
    T_base_hand: Array
    p_hand: Array
    press: Array
    cost: float
    width: float = 0.0


@dataclass(frozen=True)
class Solid:
    """A convex piece: rows n, d (n @ p + d <= 0 within), and the box around it, m."""

    rows: Array
    low: Array
    high: Array

    @staticmethod
    def of(hull: ConvexHull) -> Solid:
        """Of a hull."""
        return Solid(hull.equations, hull.points.min(axis=0), hull.points.max(axis=0))


@dataclass(frozen=True)
class MovingPart:
    """A part that is to be moved, and all that stands there, in base.

    Attributes:
        hulls: Of its convex pieces.
        solids: Of all convex pieces, its own too.
        joint: Of the part.
        sign: Of the motion of the joint that is wanted.
    """

    hulls: tuple[ConvexHull, ...]
    solids: tuple[Solid, ...]
    joint: JointAxis
    sign: float

    @staticmethod
    def of(
        part: Iterable[Array], others: Iterable[Array], joint: JointAxis, sign: float
    ) -> MovingPart:
        """Of vertices (N, 3) of the pieces of the part and of all else, m in base."""
        hulls = tuple(map(hull_of, part))
        return MovingPart(hulls, tuple(map(Solid.of, (*hulls, *map(hull_of, others)))), joint, sign)

    def motion(self, points: Array) -> Array:
        """Velocity (N, 3) of points of the part per unit of the joint, the way it is wanted."""
        return self.sign * motion_of(points, self.joint)


def find_contacts(part: MovingPart, rng: np.random.Generator) -> list[Iterator[Contact]]:
    """Contacts that move a part, by kind, good ones early; whether the arm gets there is not seen.

    Args:
        part: The part.
        rng: Source of the points of the surface.
    """
    hulls = part.hulls
    corners = np.concatenate([h.points[h.simplices] for h in hulls])
    normals = np.concatenate([h.equations[:, :3] for h in hulls])
    middles = corners.mean(axis=1)
    motion = part.motion(middles)
    lever = np.linalg.norm(motion, axis=1)
    along = -np.einsum("ij,ij->i", normals, motion) / np.maximum(lever, 1e-9)
    longest = float(lever.max())
    sides = corners[:, 1:] - corners[:, :1]
    area = 0.5 * np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
    far = lever > 0.4 * longest
    found: list[Contact] = []
    kinds: tuple[tuple[ContactKind, NDArray[np.bool_]], ...] = (
        ("push", (along > PUSH_CONE) & far),
        ("press", (np.abs(along) < PRESS_SLOPE) & far),
    )
    for kind, fits in kinds:
        if area[fits].sum() < LEAST_AREA:
            continue
        p, faces = points_on(corners[fits], area[fits], rng, POINTS)
        n = normals[fits][faces]
        outside = ~_inside(p + 2.0 * GAP * n, part.solids)
        for point, normal in zip(p[outside], n[outside], strict=True):
            found += _hands(kind, point, normal, part, longest)
    shapes = (hand_points(closed=True, apart=0.03), hand_points(closed=True, apart=0.008))
    return [
        open_to([c for c in found if c.kind == kind], shapes, part.solids, rng) for kind, _ in kinds
    ]


def open_to(
    contacts: Sequence[Contact],
    shapes: Sequence[Array],
    solids: Sequence[Solid],
    rng: np.random.Generator,
) -> Iterator[Contact]:
    """Those in which no point of a hand is in anything; good ones early.

    Args:
        contacts: Any.
        shapes: Points (N, 3) in the frame of the hand, m; few before many.
        solids: All that stands there.
        rng: Of the order.
    """
    order = np.argsort([c.cost + JITTER * rng.random() for c in contacts])
    for first in range(0, len(order), CHUNK):
        chunk = [contacts[i] for i in order[first : first + CHUNK]]
        for shape in shapes:
            if not chunk:
                break
            poses = np.stack([c.T_base_hand for c in chunk])
            points = np.einsum("cij,pj->cpi", poses[:, :3, :3], shape) + poses[:, None, :3, 3]
            met = _inside(points.reshape(-1, 3), solids).reshape(len(chunk), -1).any(1)
            met |= (points[..., 2] < 0.0).any(1)
            chunk = [c for c, hit in zip(chunk, met, strict=True) if not hit]
        yield from chunk


def motion_of(points: Array, joint: JointAxis) -> Array:
    """Velocity (N, 3) of points of the part per unit of the joint."""
    if joint.prismatic:
        return np.tile(joint.direction, (len(points), 1))
    return np.cross(joint.direction, points - joint.point)


def _inside(points: Array, solids: Sequence[Solid]) -> NDArray[np.bool_]:
    """Which points (N, 3) are in one of the solids."""
    found = np.zeros(len(points), dtype=bool)
    for solid in solids:
        near = np.all((points > solid.low) & (points < solid.high), axis=1) & ~found
        rows = solid.rows
        found[near] = np.all(points[near] @ rows[:, :3].T + rows[:, 3] < 0.0, axis=1)
    return found


def _hands(
    kind: ContactKind, p: Array, normal: Array, part: MovingPart, longest: float
) -> list[Contact]:
    """Hands that touch at a point, whichever part of the fingers does, turned about the normal."""
    motion = part.motion(p[None])[0]
    speed = float(np.linalg.norm(motion))
    off = 1.0 + float(normal @ motion) / speed if kind == "push" else 1.0
    lever = 1.0 - speed / longest
    found = []
    for p_hand, n_hand in FEATURES:
        facing = _rotation_between(n_hand, -normal)
        for spin in SPINS:
            R = (Rotation.from_rotvec(normal * spin) * facing).as_matrix()
            if R[2, 2] > STEEPEST_UP:
                continue
            T = se3.transform(p + GAP * normal - R @ p_hand, R)
            depth = PRESS_DEPTH if kind == "press" else 0.0
            cost = off + lever + 0.3 * max(0.0, float(R[2, 2]))
            found.append(Contact(kind, T, p_hand, -(GAP + depth) * normal, cost))
    return found


def _rotation_between(a: Array, b: Array) -> Rotation:
    """The shortest rotation that turns one unit vector to another."""
    axis, c = np.cross(a, b), float(np.clip(a @ b, -1.0, 1.0))
    length = float(np.linalg.norm(axis))
    if length < 1e-9:
        if c > 0.0:
            return Rotation.identity()
        axis = np.cross(a, [1.0, 0.0, 0.0] if abs(a[0]) < 0.9 else [0.0, 1.0, 0.0])
        length = float(np.linalg.norm(axis))
    return Rotation.from_rotvec(axis / length * np.arccos(c))
