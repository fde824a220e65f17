"""What stands about overlaps nothing, and is nowhere where an object of the task may come."""

import dataclasses

import numpy as np
import pytest
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task
from gensim2_tasks.clutter import APART, AREA_X, NEAR, draw_clutter, is_clutter, swept
from gensim2_tasks.conditions import clutter_rng
from gensim2_tasks.footprint import footprint, gap
from gensim2_tasks.observation import hull_points
from gensim2_tasks.placement import ROOM, NoRoomError, draw_scene
from gensim2_tasks.randomisation import Count

FOUR = Count(low=4, high=4)


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> AssetLibrary:
    return AssetLibrary(None, tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize("name", ["OpenDrawer", "SwingDoorOpen", "PushBox", "DropAppleIntoBox"])
def test_it_is_clear_of_all_that_moves_and_of_each_other(library, name):
    task = load_task(name)
    for seed in range(3):
        objects = draw_scene(task, library, np.random.default_rng(seed))
        things = draw_clutter(FOUR, objects, library, clutter_rng(seed, 1))
        assert [t.name for t in things] == [f"clutter_{n}" for n in (1, 2, 3, 4)]
        assert all(is_clutter(t.name) for t in things)
        outlines = [footprint(t.asset, t.T_base_root) for t in things]
        for number, own in enumerate(outlines):
            assert all(gap(own, other) >= APART for other in outlines[:number])
            for thing in objects:
                for q in np.linspace(*thing.asset.joint_range, 7):
                    moved = dataclasses.replace(thing, joint_position=float(q))
                    points = hull_points(moved)
                    low = points[points[:, 2] < 0.2][:, None, :2]
                    assert np.linalg.norm(low - own, axis=2).min(initial=np.inf) > 0.5 * ROOM
        near = [min(gap(own, swept(o)) for o in objects) for own in outlines]
        assert min(near) >= ROOM and np.median(near) <= NEAR
        kinds = {o.asset.ref.category for o in objects}
        assert kinds.isdisjoint(t.asset.ref.category for t in things)


def test_a_thing_that_is_pushed_needs_its_way_free(library):
    (bag,) = draw_scene(load_task("MoveBagForward"), library, np.random.default_rng(0))
    here, way = footprint(bag.asset, bag.T_base_root), swept(bag)
    assert (np.ptp(way, axis=0) - np.ptp(here, axis=0)).max() > 0.05


def test_it_says_why_where_there_is_no_room(library, monkeypatch):
    monkeypatch.setattr("gensim2_tasks.clutter.AREA_X", (AREA_X[0], AREA_X[0] + 0.15))
    monkeypatch.setattr("gensim2_tasks.clutter.AREA_Y", (-0.1, 0.1))
    objects = draw_scene(load_task("OpenDrawer"), library, np.random.default_rng(1))
    with pytest.raises(NoRoomError, match=r"no room for thing \d of 4 .* lacked .* cm"):
        draw_clutter(FOUR, objects, library, clutter_rng(1, 1))
