"""Nothing that is tested on may be among what is trained on, and nothing may be left out."""

import numpy as np
import pytest
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.kinematic_tree import AssetError
from gensim2_tasks.splits import of_split, seed_range
from hypothesis import given
from hypothesis import strategies as st

KEYS = st.lists(st.text("abc0123", min_size=1, max_size=6), unique=True, max_size=12)


@given(KEYS)
def test_every_id_is_in_exactly_one_split(keys):
    train, test = (of_split("drawer", keys, split) for split in ("train", "test"))
    assert sorted(train + test) == sorted(keys)
    if len(keys) > 1:
        assert train and test


def test_about_a_fifth_is_for_testing_and_stays_there_when_others_come():
    keys = [str(n) for n in range(400)]
    test = of_split("drawer", keys, "test")
    assert 0.15 < len(test) / len(keys) < 0.25
    assert of_split("drawer", [*keys, *map(str, range(400, 600))], "test")[: len(test)] == test


def test_generated_assets_are_split_by_seed(tmp_path):
    library = AssetLibrary(None, tmp_path)
    bound = seed_range("train")[1]
    assert bound == seed_range("test")[0]
    for split, expected in (("train", False), ("test", True)):
        rng = np.random.default_rng(0)
        seeds = [int(library.draw("drawer", rng, split).key) for _ in range(50)]
        assert all((seed >= bound) == expected for seed in seeds)


def test_without_a_split_everything_is_drawn_as_ever(tmp_path):
    library = AssetLibrary(None, tmp_path)
    drawn = library.draw("drawer", np.random.default_rng(5)).key
    assert drawn == str(np.random.default_rng(5).integers(2**31))


def test_a_category_of_one_imported_asset_has_none_for_testing(tmp_path):
    folder = tmp_path / "articulated_objs" / "drawer" / "7"
    folder.mkdir(parents=True)
    (folder / "mobility.urdf").write_text("<robot/>")
    library, rng = AssetLibrary(tmp_path, tmp_path / "cache"), np.random.default_rng(0)
    assert library.draw("drawer", rng, "train").key == "7"
    with pytest.raises(AssetError, match="for test, which takes two"):
        library.draw("drawer", rng, "test")
    assert library.draw("apple", rng, "test").source == "procedural"
