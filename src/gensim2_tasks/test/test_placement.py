"""Drawn scenes: within their ranges, the same for the same seed, facing the robot."""

import numpy as np
import pytest
from asset_samples import write_asset
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task, task_names
from gensim2_tasks.kinematic_tree import AssetError
from gensim2_tasks.outlet import outlet_of
from gensim2_tasks.placement import NoFitError, PlacedObject, draw_scene
from gensim2_tasks.specs import TaskSpec
from scipy.spatial.transform import Rotation

from gensim2_tasks import se3

SEEDS = range(250)


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> AssetLibrary:
    return AssetLibrary(None, tmp_path_factory.mktemp("cache"))


def placed(task: TaskSpec, library: AssetLibrary, seed: int, **options: object) -> PlacedObject:
    # The others follow the first; of them `test_footprint.py` tells.
    only_first = task.model_copy(update={"objects": task.objects[:1]})
    (first,) = draw_scene(only_first, library, np.random.default_rng(seed), **options)
    return first


def anchor_before_turn(item: PlacedObject, task: TaskSpec) -> np.ndarray:
    """Where the anchor is at the default openness, before the object turns about its root."""
    spec = task.objects[0]
    q = item.asset.joint_position(spec.openness.default)
    p = item.asset.R_rest @ item.asset.keypoints(q)[spec.placement.anchor]
    c, s = np.cos(spec.placement.yaw), np.sin(spec.placement.yaw)
    turned = np.array([c * p[0] - s * p[1], s * p[0] + c * p[1]])
    return item.T_base_root[:2, 3] + turned


def turn_of(item: PlacedObject) -> float:
    """How far an object that stands or lies is turned about the vertical, rad."""
    turned = item.T_base_root[:3, :3] @ item.asset.R_rest.T
    return float(np.arctan2(turned[1, 0], turned[0, 0]))


def turned_task(name: str, **placement: object) -> TaskSpec:
    document = load_task(name).model_dump()
    document["objects"][0]["placement"].update(placement)
    return TaskSpec.model_validate(document)


@pytest.mark.parametrize("task", [load_task(n) for n in task_names()], ids=lambda t: t.name)
def test_drawn_values_fill_their_ranges_and_stay_within(task, library):
    spec = task.objects[0]
    place = spec.placement
    drawn = [placed(task, library, seed, asset="3") for seed in SEEDS]
    offsets = np.array([anchor_before_turn(d, task) - (place.x, place.y) for d in drawn])
    assert np.abs(offsets).max() <= place.spread + 1e-9
    assert offsets.max(axis=0) == pytest.approx(place.spread, rel=0.1)
    assert offsets.min(axis=0) == pytest.approx(-place.spread, rel=0.1)
    openness = np.array([d.openness for d in drawn]) - spec.openness.default
    assert np.abs(openness).max() <= spec.openness.spread + 1e-9
    default, spread = spec.openness.default, spec.openness.spread
    assert np.ptp(openness) >= 0.9 * np.ptp(np.clip([default - spread, default + spread], 0, 1))

    turns = np.array([turn_of(d) for d in drawn]) - place.yaw
    yaws = np.arctan2(np.sin(turns), np.cos(turns))
    assert np.abs(yaws).max() <= place.yaw_spread + 1e-9
    assert np.ptp(yaws) > 1.8 * place.yaw_spread and np.abs(yaws).min() < 0.1 * place.yaw_spread
    assert np.all(np.sign(yaws) == np.sign(offsets[:, 1]))
    # Turned back by what the task turns the object by: a door of a room opens to its back.
    turned_back = Rotation.from_euler("z", -place.yaw).as_matrix()
    for item in drawn:
        # The front looks along -x of the root at rest: towards the robot's middle line, y = 0.
        turned = turned_back @ item.T_base_root[:3, :3] @ item.asset.R_rest.T
        front = -turned[:, 0]
        assert front[1] * (anchor_before_turn(item, task)[1] - place.y) <= 0.0 and front[0] < 0.0
        assert turned[:, 2] == pytest.approx([0, 0, 1]), "stands, or lies, level"
        assert item.T_base_root[2, 3] == item.asset.rest_height()
        assert item.parameters()["openness"] == pytest.approx(item.openness)
        assert item.parameters()["yaw"] == pytest.approx(turn_of(item))


@pytest.mark.parametrize("name", task_names())
@pytest.mark.parametrize("yaw", [0.0, 0.7])
def test_without_randomisation_the_anchor_of_any_asset_is_where_the_task_says(name, yaw, library):
    task = turned_task(name, yaw=yaw, y=0.1)
    spec = task.objects[0]
    for seed in range(3):
        item = placed(task, library, seed, asset=str(seed), randomize=False)
        anchor = item.keypoints()[spec.placement.anchor]
        assert anchor[:2] == pytest.approx([spec.placement.x, 0.1], abs=1e-9)
        assert turn_of(item) == pytest.approx(yaw)
        assert item.openness == pytest.approx(spec.openness.default)
    again = placed(task, library, 99, asset="2", randomize=False)
    assert np.array_equal(again.T_base_root, item.T_base_root)


def test_without_an_anchor_the_root_is_placed(library):
    task = turned_task("OpenBox", anchor="", x=0.7)
    item = placed(task, library, 0, asset="3", randomize=False)
    assert item.T_base_root[:2, 3] == pytest.approx([0.7, 0.0])


def test_an_asset_without_the_anchor_is_refused_by_name(tmp_path):
    write_asset(tmp_path / "articulated_objs" / "box_rotate" / "1")
    library = AssetLibrary(tmp_path, tmp_path / "cache")
    with pytest.raises(
        AssetError, match=r"box_rotate/1: no keypoint 'articulated_object_head'.*hea"
    ):
        placed(load_task("OpenBox"), library, 0)


@pytest.mark.parametrize("name", task_names())
def test_a_seed_gives_the_same_scene_whatever_the_cache_holds(name, tmp_path, library):
    task = load_task(name)
    cold = AssetLibrary(None, tmp_path / "cold")
    rngs = [np.random.default_rng(5) for _ in range(3)]
    first = [draw_scene(task, cold, rngs[0])[0] for _ in range(2)]
    warm = [draw_scene(task, cold, rngs[1])[0] for _ in range(2)]
    reread = [draw_scene(task, AssetLibrary(None, tmp_path / "cold"), rngs[2])[0] for _ in range(2)]
    for a, b, c in zip(first, warm, reread, strict=True):
        assert a.parameters() == b.parameters() == c.parameters()
        assert np.array_equal(a.T_base_root, c.T_base_root)
    assert first[0].asset.ref != first[1].asset.ref, "each draw another geometry"
    assert rngs[0].random() == rngs[1].random() == rngs[2].random(), "the stream goes on the same"
    assert placed(task, library, 6).parameters() != first[0].parameters()


def test_poses_of_a_placed_object_agree(library):
    item = placed(load_task("OpenLaptop"), library, 1, asset="3")
    head = "articulated_object_head"
    in_part = np.append(np.array(item.asset.info.keypoints[head]) * item.asset.info.scale, 1.0)
    assert (item.T_base_part @ in_part)[:3] == pytest.approx(item.keypoints()[head])


@pytest.mark.parametrize(
    ("task", "start", "openness"),
    [
        ("OpenDrawer", "honest", 0.0),
        ("PushDrawerClose", "honest", 1.0),
        ("OpenDrawer", "open", 1.0),
        ("PushDrawerClose", "closed", 0.0),
    ],
)
def test_a_start_changes_the_openness_and_nothing_else(library, task, start, openness):
    usual, other = (placed(load_task(task), library, 5, start=s) for s in ("task", start))
    assert other.openness == pytest.approx(openness)
    assert usual.openness != pytest.approx(openness, abs=0.1)
    assert other.asset.ref == usual.asset.ref
    assert other.T_base_root == pytest.approx(usual.T_base_root)


def test_an_honest_start_meets_no_goal_of_any_task(library):
    for task in map(load_task, task_names()):
        item = placed(task, library, 5, start="honest")
        # Of what is done first: a box that has to be closed in the end is opened before.
        wanted = {p.kind for p in task.done_conditions[0].predicates if p.object == item.name}
        assert "openness_above" not in wanted or item.openness == pytest.approx(0.0)
        assert "openness_below" not in wanted or item.openness == pytest.approx(1.0)


def test_what_has_to_go_under_something_is_low_enough(library: AssetLibrary) -> None:
    task = load_task("FillMugWithWater")
    for seed in range(12):
        faucet, mug = draw_scene(task, library, np.random.default_rng(seed))
        outlet = outlet_of(faucet.asset, "articulated_object_bottom_base", faucet.joint_position)
        assert outlet is not None
        height = se3.apply(faucet.T_base_root, outlet)[2]
        assert np.ptp(mug.asset.bounds(0.0), axis=0)[2] < height


def test_an_object_that_is_wanted_and_too_low_says_why(library: AssetLibrary) -> None:
    task = load_task("FillMugWithWater")
    # Its spout ends 5.6 cm over the table.
    with pytest.raises(NoFitError, match=r"fits: .* under the 5\.\d cm of 'faucet'"):
        draw_scene(task, library, np.random.default_rng(0), asset="1677900358")
