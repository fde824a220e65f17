"""Episodes without transport: those of the graph, and the same ones every time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer
from gensim2_control.description import resolve_packages, robot_description
from gensim2_episodes.attempts import CollectRequest, ResultCode
from gensim2_episodes.batch import BatchCell, BatchEpisode, BatchRunner
from gensim2_episodes.batch_graph import scene_of
from gensim2_episodes.batch_record import collect_batch
from gensim2_episodes.bench_success import main
from gensim2_episodes.check import check_episode
from gensim2_episodes.manifest import NOT_REPRODUCIBLE, Manifest
from gensim2_episodes.reader import EpisodeReader
from gensim2_episodes.store import EpisodeStore
from gensim2_kpam.expert import perform
from gensim2_kpam.performance import ExpertCode
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task

TASK = "OpenBox"


@pytest.fixture(scope="module")
def runner() -> BatchRunner:
    return BatchRunner(resolve_packages(robot_description()), AssetLibrary())


def collect(runner: BatchRunner, folder: Path, seed: int, episodes: int) -> list[EpisodeReader]:
    request = CollectRequest((TASK,), seed=seed, episodes=episodes, dataset=str(folder))
    result = collect_batch(runner, request)
    assert result.code is ResultCode.NONE, result.text
    store = EpisodeStore(folder)
    infos = store.episodes()
    assert [check_episode(store, info) for info in infos] == [[]] * episodes
    return [store.open_episode(info.episode_id) for info in infos]


def differences(one: Manifest, other: Manifest) -> Iterator[str]:
    left, right = one.reproducible(), other.reproducible()
    return (name for name in left if left[name] != right[name])


def test_the_same_seed_gives_the_same_episode_to_the_bit(
    runner: BatchRunner, tmp_path: Path
) -> None:
    """Whatever was before, and however long the simulation has run."""
    _, reference = collect(runner, tmp_path / "first", 0, 2)
    (again,) = collect(runner, tmp_path / "second", 1, 1)
    assert again.stamp_ns[0] != reference.stamp_ns[0]
    assert again.manifest.frames > 20 and again.manifest.recording.lost == 0
    assert list(differences(again.manifest, reference.manifest)) == ["attempt"]
    assert again.manifest.arrays.keys() >= {"truth/keypoints", "action/joint_velocity"}
    for path in again.manifest.arrays.keys() - {"stamp_ns"}:
        assert np.array_equal(again.read(path), reference.read(path)), f"{path} differs"


@pytest.mark.parametrize(
    ("first", "second", "closed"),
    [("OpenDrawer", "PushDrawerClose", True), ("PushDrawerClose", "OpenDrawer", False)],
)
@pytest.mark.parametrize("seed", [0, 2, 6])
def test_the_next_task_begins_where_the_last_one_has_ended(
    runner: BatchRunner, first: str, second: str, closed: bool, seed: int
) -> None:
    """Nobody drives the arm home in between: the hand is still at the handle."""
    assert runner.run(first, seed).success
    performance = perform(load_task(second), BatchCell(runner.simulation, runner.planner, seed))
    assert performance.code is ExpertCode.NONE, performance.text
    assert (runner.simulation.world.observations()["drawer"].openness < 0.2) is closed


def test_what_is_reproducible_leaves_out_nothing_else(tmp_path: Path, runner: BatchRunner) -> None:
    (reader,) = collect(runner, tmp_path, 3, 1)
    manifest = reader.manifest
    timings = manifest.timings
    for update in (
        {"seed": 4},
        {"timings": timings.model_copy(update={"execution": 99.0})},
        {"predicates": ()},
        {"approach_disturbance": 0.5},
        {"scene": manifest.scene.model_copy(update={"parameters": {}})},
    ):
        assert list(differences(manifest, manifest.model_copy(update=update))) == list(update)
    same = manifest.model_copy(
        update={
            "episode_id": "other",
            "created": "later",
            "timings": timings.model_copy(
                update={"plan_cpu": 9.0, "wall": 9.0, "actuation_stamp_ns": 9}
            ),
        }
    )
    assert list(differences(manifest, same)) == []
    assert len(NOT_REPRODUCIBLE) == 5


def test_the_scene_is_told_as_the_node_tells_it(runner: BatchRunner) -> None:
    """Message or not, the manager sees the same numbers."""
    pytest.importorskip("gensim2_msgs.msg", reason="needs the built workspace")
    from gensim2_episodes.episode_messages_node import scene_from_msg
    from gensim2_sim_bridge.scene_messages_node import scene_state

    for seed in range(3):
        runner.simulation.reset("OpenDrawer", "", seed, True)
        assert scene_from_msg(scene_state(runner.simulation)) == scene_of(runner.simulation)


def test_an_asset_that_is_not_there_is_told(runner: BatchRunner, tmp_path: Path) -> None:
    result = collect_batch(runner, CollectRequest((TASK,), asset="nobody", dataset=str(tmp_path)))
    assert result.code is ResultCode.INCOMPLETE and "nobody" in result.text
    assert result.attempts == () and EpisodeStore(tmp_path).episodes() == []


def test_the_benchmark_keeps_what_it_measures(
    tmp_path: Path, runner: BatchRunner, capsys: pytest.CaptureFixture[str]
) -> None:
    main(tasks=TASK, episodes=2, seed=5, dataset=tmp_path / "kept")
    assert "2/2" in capsys.readouterr().out
    found = [(i.manifest.task, i.manifest.seed) for i in EpisodeStore(tmp_path / "kept").episodes()]
    assert found == [(TASK, 5), (TASK, 6)]
    # The figures are those of the benchmark without a data set.
    told: list[BatchEpisode] = []
    request = CollectRequest((TASK,), seed=5, dataset=str(tmp_path / "again"))
    collect_batch(runner, request, told.append)
    plain = runner.run(TASK, 5)
    (recorded,) = told
    for field in ("asset", "success", "start_openness", "end_openness", "solver"):
        assert getattr(recorded, field) == getattr(plain, field), field


def test_a_folder_that_is_no_data_set_is_told_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(typer.Exit) as end:
        main(tasks=TASK, dataset=tmp_path)
    assert end.value.exit_code == 2
    assert "thesis.txt" in capsys.readouterr().out
