"""The asset library: what it offers, generates and refuses."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from asset_samples import SIX_TASKS, write_asset
from gensim2_tasks.assets import AssetLibrary, AssetRef
from gensim2_tasks.kinematic_tree import AssetError

from gensim2_tasks import procedural

IDS = ("100221", "100243", "9960")


@pytest.fixture
def imported(tmp_path) -> AssetLibrary:
    for key in IDS:
        write_asset(tmp_path / "root" / "articulated_objs" / "box_rotate" / key)
    return AssetLibrary(tmp_path / "root", tmp_path / "cache")


@pytest.fixture
def generated(tmp_path) -> AssetLibrary:
    return AssetLibrary(None, tmp_path / "cache")


def test_a_root_may_be_in_the_home_of_the_user(tmp_path, monkeypatch):
    (tmp_path / "root" / "articulated_objs").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert AssetLibrary("~/root").root == tmp_path / "root"
    assert AssetLibrary("").root is None


def test_a_root_that_holds_no_assets_is_refused(tmp_path):
    for root in (tmp_path / "gone", tmp_path):
        with pytest.raises(AssetError, match=f"{root}.*no folder 'articulated_objs'"):
            AssetLibrary(root)


def test_imported_assets_are_listed_and_loaded(imported, tmp_path):
    category = tmp_path / "root" / "articulated_objs" / "box_rotate"
    (category / "no_urdf").mkdir()
    (category / "readme.txt").write_text("")
    shutil.copytree(category / "9960", category / ".partial")
    assert imported.keys("box_rotate") == sorted(IDS)
    assert imported.keys("safe") == []
    ref = imported.find("box_rotate", "9960")
    assert ref == imported.find("box_rotate", "partnet:box_rotate/9960")
    assert imported.load(ref).folder == category / "9960"
    assert imported.describe(ref)["ref"] == "partnet:box_rotate/9960"


def test_every_imported_asset_is_drawn_and_a_seed_draws_the_same(imported):
    draws = [str(imported.draw("box_rotate", np.random.default_rng(i))) for i in range(60)]
    again = [str(imported.draw("box_rotate", np.random.default_rng(i))) for i in range(60)]
    assert draws == again and {d.rpartition("/")[2] for d in draws} == {*IDS}


def test_an_unknown_id_offers_the_nearest(imported):
    message = "no asset '10022' of category 'box_rotate'; nearest: 100221"
    with pytest.raises(AssetError, match=message):
        imported.find("box_rotate", "10022")
    with pytest.raises(AssetError, match=r"partnet:box_rotate/10024: no folder.*nearest: 100243"):
        imported.load(AssetRef.parse("partnet:box_rotate/10024"))
    with pytest.raises(AssetError, match=r"no asset '1' of category 'drawer'; asset_root .*none"):
        imported.find("drawer", "1")
    with pytest.raises(AssetError, match="is no 'drawer', which this task needs"):
        imported.find("drawer", "partnet:box_rotate/9960")
    with pytest.raises(AssetError, match="holds no asset of 'drawer'"):
        imported.draw("drawer", np.random.default_rng(0))


def test_without_a_root_only_generators_are_known(generated):
    assert generated.find("drawer", "12") == AssetRef("procedural", "drawer", "12")
    with pytest.raises(AssetError, match="no asset 'big' of category 'drawer'; give a seed"):
        generated.find("drawer", "big")
    with pytest.raises(AssetError, match="no asset '7' of category 'safe'; set asset_root"):
        generated.find("safe", "7")
    with pytest.raises(AssetError, match="'safe' has no procedural generator; set asset_root"):
        generated.draw("safe", np.random.default_rng(0))
    with pytest.raises(AssetError, match="partnet:drawer/1: needs asset_root"):
        generated.load(AssetRef("partnet", "drawer", "1"))
    for ref in (AssetRef("procedural", "safe", "1"), AssetRef("procedural", "drawer", "x1")):
        with pytest.raises(AssetError, match="no such generator; categories: box_rotate, "):
            generated.load(ref)


@pytest.mark.parametrize("category", SIX_TASKS)
def test_generated_assets_load_and_are_kept(category, generated, tmp_path):
    ref = generated.draw(category, np.random.default_rng(4))
    asset = generated.load(ref)
    assert generated.load(ref) is asset
    stamp = (asset.folder / "info.json").stat().st_mtime_ns
    second = AssetLibrary(None, tmp_path / "cache").load(ref)
    assert (second.folder / "info.json").stat().st_mtime_ns == stamp, "not made again"
    assert [p.name for p in asset.folder.parent.iterdir()] == [ref.key], "no scratch is left"


def test_huge_seeds_work_or_are_refused(generated):
    assert generated.load(generated.find("drawer", "9" * 60)).rest_height() > 0
    with pytest.raises(AssetError, match="expected"):
        generated.find("drawer", "9" * 5000)


def test_a_cache_that_cannot_be_written_says_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    caches = [tmp_path / "file" / "cache"]
    if os.geteuid() != 0:  # nothing is read-only for root
        (tmp_path / "locked").mkdir(mode=0o555)
        caches.append(tmp_path / "locked" / "cache")
    for cache in caches:
        with pytest.raises(AssetError, match=r"drawer/1: cannot be generated in .*XDG_CACHE_HOME"):
            AssetLibrary(None, cache).load(AssetRef("procedural", "drawer", "1"))


@pytest.mark.parametrize("file", ["info.json", "mobility.urdf"])
def test_a_damaged_cache_says_what_to_delete_and_heals(file, generated, tmp_path):
    ref = AssetRef("procedural", "drawer", "1")
    folder = generated.load(ref).folder
    (folder / file).write_text("")  # as after a power cut
    with pytest.raises(AssetError, match=f"{file}: .*; delete {folder}: it is generated again"):
        AssetLibrary(None, tmp_path / "cache").load(ref)
    shutil.rmtree(folder)
    assert AssetLibrary(None, tmp_path / "cache").load(ref).rest_height() > 0


def test_an_interrupted_generation_leaves_nothing_to_load(generated, monkeypatch):
    write = procedural.generate

    def dies(category: str, seed: int, folder: Path) -> None:
        write(category, seed, folder)
        (folder / "info.json").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr(procedural, "generate", dies)
    ref = AssetRef("procedural", "drawer", "1")
    with pytest.raises(KeyboardInterrupt):
        generated.load(ref)
    monkeypatch.undo()
    assert generated.load(ref).rest_height() > 0


def test_the_loser_of_a_race_takes_the_asset_of_the_winner(tmp_path, monkeypatch):
    ref = AssetRef("procedural", "drawer", "1")
    write = procedural.generate

    def beaten(category: str, seed: int, folder: Path) -> None:
        monkeypatch.undo()
        AssetLibrary(None, tmp_path).load(ref)  # another process is quicker
        write(category, seed, folder)

    monkeypatch.setattr(procedural, "generate", beaten)
    assert AssetLibrary(None, tmp_path).load(ref).rest_height() > 0
    assert [p.name for p in (tmp_path / "drawer").iterdir()] == ["1"]


CHILD = """
import sys
from pathlib import Path
from gensim2_tasks.assets import AssetLibrary, AssetRef
library = AssetLibrary(None, Path(sys.argv[1]))
print("ready", flush=True)
for line in sys.stdin:
    asset = library.load(AssetRef("procedural", "laptop_rotate", line.strip()))
    print(asset.rest_height(), flush=True)
"""


def test_two_processes_generate_the_same_assets_at_once(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )
        for _ in range(2)
    ]  # fmt: skip
    try:
        for child in children:
            assert child.stdout.readline() == "ready\n"
        for seed in range(8):
            for child in children:
                child.stdin.write(f"{seed}\n")
                child.stdin.flush()
            heights = [child.stdout.readline() for child in children]
            assert heights[0] == heights[1] and float(heights[0]) > 0
        for child in children:
            child.stdin.close()
            assert child.wait(timeout=300) == 0
    finally:
        for child in children:
            child.kill()
            child.wait()
            child.stdin.close()
            child.stdout.close()
    left = sorted(p.name for p in (tmp_path / "laptop_rotate").iterdir())
    assert left == [str(seed) for seed in range(8)], "no scratch is left"
