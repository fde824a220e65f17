"""Where the gripper can take hold of a part of an object to carry it along its joint: handles.

Antipodal grasps as in `grasps`, on every piece of the part alike: the bar on a door is small, and
the door is what one must not miss it for. Fingers may be one above the other here.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from gensim2_tasks import se3

from .grasps import LOWEST, STEEPEST, TCP, WIDEST, angle_between, pieces_on, surface_of
from .hand_shape import hand_points
from .part_contacts import Contact, MovingPart, open_to

Array = NDArray[np.float64]
POINTS_PER_PIECE, MOST_POINTS = 14, 260
ANGLES = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)  # of the approach about the line
STEEPEST_UP = 0.35  # z of the approach
DEEPER = (0.0, 0.006)  # m, the line of the grasp may be off the TCP towards the hand
NEAREST = 0.35  # share of the longest lever


def find_part_grasps(part: MovingPart, rng: np.random.Generator) -> Iterator[Contact]:
    """Grasps, good ones early; whether the arm gets there is not looked at.

    Args:
        part: The part.
        rng: Source of the points of the surface.
    """
    hulls = part.hulls
    corners = np.concatenate([h.points for h in hulls])
    longest = float(np.linalg.norm(part.motion(corners), axis=1).max())
    each = max(1, min(POINTS_PER_PIECE, MOST_POINTS // len(hulls)))
    found: list[Contact] = []
    for hull in hulls:
        for p, normal in surface_of([hull], rng, each):
            for enter, leave, end_normal in pieces_on(hulls, p, -normal):
                slant = angle_between(-normal, end_normal)
                if abs(enter) > LOWEST or not 2 * LOWEST <= leave <= WIDEST or slant > STEEPEST:
                    continue
                middle = p - 0.5 * leave * normal
                motion = part.motion(middle[None])[0]
                lever = float(np.linalg.norm(motion))
                if lever >= NEAREST * longest:
                    cost = 0.5 * slant + (1.0 - lever / longest)
                    found += _hands(middle, normal, leave, motion / lever, cost)
    shapes = (hand_points(closed=False, apart=0.03), hand_points(closed=False, apart=0.008))
    return open_to(found, shapes, part.solids, rng)


def _hands(middle: Array, line: Array, width: float, motion: Array, cost: float) -> list[Contact]:
    """Hands that close along a line, all around it; best where they draw straight back."""
    side = np.cross(line, [1.0, 0.0, 0.0] if abs(line[0]) < 0.9 else [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side)
    found = []
    for approach in Rotation.from_rotvec(line * ANGLES[:, None]).apply(side):
        if approach[2] > STEEPEST_UP:
            continue
        against = 0.2 * (1.0 + float(approach @ motion))
        for y in (line, -line):
            R = np.stack([np.cross(y, approach), y, approach], axis=1)
            for deeper in DEEPER:
                p_hand = np.array([0.0, 0.0, TCP - deeper])
                T = se3.transform(middle - R @ p_hand, R)
                found.append(
                    Contact("grasp", T, p_hand, np.zeros(3), cost + against + deeper, width)
                )
    return found
