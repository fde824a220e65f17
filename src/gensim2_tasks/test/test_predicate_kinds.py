"""Predicates that name two objects: what a task file may say, and what is not known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gensim2_tasks.assets import AssetLibrary, AssetRef
from gensim2_tasks.observation import ObjectObservation, mass_centre, top_middle
from gensim2_tasks.placement import PlacedObject
from gensim2_tasks.predicates import SuccessCondition
from gensim2_tasks.specs import TaskSpec
from pydantic import ValidationError
from scipy.spatial import ConvexHull

from gensim2_tasks import se3

SPOUT = "articulated_object_bottom_base"
TWO = {
    "inside": {"container": "drawer"},
    "on_top": {"support": "drawer"},
    "near": {"target": "drawer", "keypoint": "articulated_object_head"},
    "under": {"target": "faucet", "keypoint": SPOUT},
}
ONE = ("held", "released", "lifted")


def task(*predicates: dict[str, object]) -> TaskSpec:
    """A task with a bucket, a drawer and a faucet, and this condition."""
    objects = [
        {"name": name, "category": category, "placement": {"x": 0.6}}
        for name, category in (
            ("bucket", "bucket_lift"), ("drawer", "drawer"), ("faucet", "faucet"),
        )
    ]  # fmt: skip
    return TaskSpec.model_validate(
        {
            "name": "Sample",
            "instruction": "Do it.",
            "objects": objects,
            "subtasks": [{"name": "do", "object": "bucket", "solvers": ["LiftBucketUpright"]}],
            "success": {"all": list(predicates)},
        }
    )


def predicate(kind: str, **other: object) -> dict[str, object]:
    """One about the bucket."""
    return {"kind": kind, "object": "bucket", **TWO.get(kind, {}), **other}


def test_a_task_may_say_all_of_them() -> None:
    spec = task(*[predicate(kind) for kind in (*TWO, *ONE)])
    assert [p.kind for p in spec.success.predicates] == [*TWO, *ONE]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (predicate("inside", container="box"), "'inside' refers to object 'box'; known"),
        (predicate("inside", container="faucet"), "a faucet is no container"),
        (predicate("inside", container="bucket"), "refers to object 'bucket' twice"),
        (predicate("on_top", support="tray"), "'on_top' refers to object 'tray'"),
        (predicate("near", keypoint="articulated_object_tail"), "a drawer has: .*_head"),
        (predicate("near", target="sink"), "refers to object 'sink'"),
        (predicate("under", target="drawer"), "refers to keypoint .*bottom_base"),
        (predicate("held", object="apple"), "'held' refers to object 'apple'"),
    ],
)
def test_names_that_do_not_agree_are_refused(wrong: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        task(wrong)


@pytest.mark.parametrize("kind", ["inside", "on_top", "near", "under", "held", "lifted"])
@pytest.mark.parametrize("value", [-0.01, 1e3, math.nan])
def test_thresholds_are_bounded(kind: str, value: float) -> None:
    with pytest.raises(ValidationError):
        task(predicate(kind, value=value))


def test_what_nobody_knows_satisfies_nothing() -> None:
    """Objects that are not tracked have no pose."""
    condition = task(*[predicate(kind) for kind in (*TWO, "lifted")]).success
    unseen = {name: ObjectObservation(0.5, 0.0) for name in ("bucket", "drawer", "faucet")}
    _, evaluations = condition.evaluate(unseen)
    assert not any(e.satisfied for e in evaluations)
    assert all(math.isnan(e.value) for e in evaluations)


def test_what_has_no_room_holds_nothing() -> None:
    """Also where a task file could not have said so."""
    library = AssetLibrary()
    bucket, faucet = (
        library.load(AssetRef("procedural", category, "0"))
        for category in ("bucket_lift", "faucet")
    )
    scene = {
        name: ObjectObservation(0.5, 0.0, placed=PlacedObject(name, asset, np.eye(4), 0.0))
        for name, asset in (("bucket", bucket), ("faucet", faucet))
    }
    condition = SuccessCondition.model_validate(
        {"all": [predicate("inside", container="faucet")], "dwell": 0.0}
    )
    holds, (evaluation,) = condition.evaluate(scene)
    assert not holds and math.isnan(evaluation.value)


def test_the_centre_of_mass_is_that_of_random_points_in_its_hulls() -> None:
    rng = np.random.default_rng(0)
    asset = AssetLibrary().load(AssetRef("procedural", "drawer", "0"))
    q = asset.joint_position(0.7)
    T = se3.from_xyz_rpy([0.3, -0.2, 0.4], [0.1, 0.2, 0.3])
    poses = asset.tree.link_poses(q)
    total, weighted = 0.0, np.zeros(3)
    for link, vertices in asset.hulls:
        hull = ConvexHull(vertices)
        low, high = vertices.min(axis=0), vertices.max(axis=0)
        points = rng.uniform(low, high, (4000, 3))
        within = np.all(points @ hull.equations[:, :3].T <= -hull.equations[:, 3], axis=1)
        total += hull.volume
        weighted += hull.volume * se3.apply(poses[link], points[within]).mean(axis=0)
    expected = se3.apply(T, weighted / total)
    np.testing.assert_allclose(mass_centre(PlacedObject("x", asset, T, q)), expected, atol=0.003)


def test_the_middle_of_the_upper_edge_is_not_that_of_the_whole() -> None:
    """The handle of a mug is lower than its edge."""
    ring = [[0.04 * np.cos(a), 0.04 * np.sin(a), 0.1] for a in np.linspace(0.0, 6.0, 200)]
    points = np.array([*ring, [0.08, 0.0, 0.05], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(top_middle(points), [0.0, 0.0, 0.1], atol=1e-3)
