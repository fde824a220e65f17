"""Objects that stand free: a toaster, a bag and a suitcase to push, a bucket to lift.

Each is the object of the same name with a joint, whose parts are fixed to each other as they lie at
joint position 0.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gensim2_tasks.procedural import bag, bucket, suitcase, toaster
from gensim2_tasks.procedural.folder import Joint, Model
from gensim2_tasks.procedural.hinged_door import HEAD
from gensim2_tasks.procedural.parts import Array

Vector = tuple[float, float, float]
AWAY: Vector = (0.0, 0.0, -1.0)  # from the front, which faces the robot
UP: Vector = (0.0, 1.0, 0.0)
DOWN: Vector = (0.0, -1.0, 0.0)  # away from the robot, for what lies on its back
STOP = 0.30  # m, how far the way of what is pushed goes
LIFT, LIFT_STOP = 0.20, 0.30  # m
PUSH_HEIGHT = 0.05  # m over the table: further up a push would tip a bag


def _bounds(model: Model) -> Array:
    """Bounds (2, 3) of what collides, body frame."""
    points = np.concatenate([p.vertices for p in (*model.body, *model.moving) if p.collides])
    return np.stack([points.min(axis=0), points.max(axis=0)])


def _loose(
    model: Model,
    axis: Vector,
    ends: tuple[float, float],
    keypoints: Mapping[str, tuple[Vector, str]],
    density: float,
) -> Model:
    """The same object, rigid and free.

    Args:
        model: the object with a joint.
        axis: which way it is meant to go.
        ends: openness 1 and the end of its way, m.
        keypoints: (3,) and what they are, by name.
        density: kg/m^3.
    """
    return Model(
        body=(),
        moving_link="whole",
        moving=(*model.body, *model.moving),
        joint=Joint(
            kind="prismatic",
            origin=(0.0, 0.0, 0.0),
            axis=axis,
            limits=(0.0, ends[1]),
            closed_open=(0.0, ends[0]),
            friction=0.0,
        ),
        keypoints={name: point for name, (point, _) in keypoints.items()},
        descriptions={name: text for name, (_, text) in keypoints.items()},
        axis=None,
        geometry={**model.geometry, "travel": ends[0], "density": density},
        free=True,
        density=density,
    )


def _pushed(model: Model, rng: np.random.Generator, axis: Vector, head: Vector, text: str) -> Model:
    ends = float(rng.uniform(0.10, 0.12)), STOP
    density = float(rng.uniform(100.0, 200.0))
    return _loose(model, axis, ends, {HEAD: (head, text)}, density)


def _pushed_low(model: Model, rng: np.random.Generator, what: str) -> Model:
    """One that is pushed at the lower part of its front."""
    low, high = _bounds(model)
    head = (0.0, float(low[1]) + PUSH_HEIGHT, float(high[2]))
    return _pushed(model, rng, AWAY, head, f"the middle of the front of the {what}")


def generate_toaster(rng: np.random.Generator) -> Model:
    """Draw a toaster; it is pushed at its front, under the lever."""
    return _pushed_low(toaster.generate_model(rng), rng, "toaster")


def generate_bag(rng: np.random.Generator) -> Model:
    """Draw a bag; its strap stands."""
    return _pushed_low(bag.generate_model(rng), rng, "bag")


def generate_suitcase(rng: np.random.Generator) -> Model:
    """Draw a closed suitcase; it lies, its handle towards the robot."""
    model = suitcase.generate_model(rng)
    low, high = _bounds(model)
    head = (0.0, float(high[1]), float(low[2] + high[2]) / 2.0)
    return _pushed(model, rng, DOWN, head, "the midpoint of the edge of the suitcase body")


def generate_bucket(rng: np.random.Generator) -> Model:
    """Draw a bucket; its handle stands."""
    model = bucket.generate_model(rng)
    x, y, z = model.keypoints[HEAD]
    keypoints: Mapping[str, tuple[Vector, str]] = {
        HEAD: ((x, y, z), "the middle of the bucket handle"),
        "articulated_object_above": (
            (x, y, z - 0.04),
            "the point above the bucket to drop the object in",
        ),
    }
    return _loose(model, UP, (LIFT, LIFT_STOP), keypoints, float(rng.uniform(80.0, 150.0)))
