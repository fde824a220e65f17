"""Recorded commands must do the task again, and only in the scene they were recorded in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from episode_samples import sample_record, write_sample
from gensim2_control.description import resolve_packages, robot_description
from gensim2_control.hardware import ARM_JOINTS, JOINTS
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_episodes.attempts import CollectRequest, ResultCode
from gensim2_episodes.batch import BatchRunner
from gensim2_episodes.batch_record import collect_batch
from gensim2_episodes.dataset_cli import main
from gensim2_episodes.errors import StoreError
from gensim2_episodes.frame_builder import JointReading, build_frame
from gensim2_episodes.manifest import EpisodeRecord, SoftwareRecord
from gensim2_episodes.replay import Replayer
from gensim2_episodes.replay_report import Tally, require_assets, tallies, version_notes
from gensim2_episodes.store import EpisodeInfo, EpisodeStore
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.randomisation import Variation

TASK, SEED = "OpenDrawer", 4


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[EpisodeStore, EpisodeInfo]:
    """One episode of the batch runner."""
    folder = tmp_path_factory.mktemp("set")
    runner = BatchRunner(resolve_packages(robot_description()), AssetLibrary())
    result = collect_batch(runner, CollectRequest((TASK,), seed=SEED, dataset=str(folder)))
    assert result.code is ResultCode.NONE, result.text
    store = EpisodeStore(folder)
    return store, store.episodes()[0]


@pytest.fixture(scope="module")
def replayer() -> Replayer:
    return Replayer(resolve_packages(robot_description()), AssetLibrary())


def test_recorded_commands_succeed_again(
    recorded: tuple[EpisodeStore, EpisodeInfo], replayer: Replayer
) -> None:
    store, episode = recorded
    result = replayer.replay(episode.manifest, store.open_episode(episode.episode_id))
    assert result.success, result.reason


def test_what_was_randomised_is_there_again(replayer: Replayer, tmp_path: Path) -> None:
    """Without it, the drawer would be a lighter one and alone."""
    asked = Variation(("all",), 2, "test")
    runner = BatchRunner(resolve_packages(robot_description()), AssetLibrary(), variation=asked)
    result = collect_batch(runner, CollectRequest((TASK,), seed=SEED, dataset=str(tmp_path)))
    assert result.code is ResultCode.NONE, result.text
    store = EpisodeStore(tmp_path)
    (episode,) = store.episodes()
    assert len(episode.manifest.scene.objects) == 3
    again = replayer.replay(episode.manifest, store.open_episode(episode.episode_id))
    assert again.success, again.reason
    recorded = episode.manifest.scene.parameters["randomised"]
    drawn = replayer._simulation.drawn
    assert drawn is not None and drawn.parameters["randomised"] == recorded
    assert recorded["objects"]["drawer"]["mass"] != 1.0


def test_another_scene_is_not_taken_for_the_recorded_one(
    recorded: tuple[EpisodeStore, EpisodeInfo], replayer: Replayer
) -> None:
    store, episode = recorded
    other = episode.manifest.model_copy(update={"seed": SEED + 1})
    result = replayer.replay(other, store.open_episode(episode.episode_id))
    assert not result.success
    assert "the scene is another one" in result.reason


def test_commands_that_do_nothing_fail(
    recorded: tuple[EpisodeStore, EpisodeInfo],
    replayer: Replayer,
    tmp_path: Path,
) -> None:
    """The judge looks at the drawer, not at what the manifest says."""
    store, episode = recorded
    reader = store.open_episode(episode.episode_id)
    idle = EpisodeStore(tmp_path, create=True, software=SoftwareRecord())
    first = reader.frame(0)
    with idle.writer(TASK) as writer:
        for i in range(5):
            stamp = first.stamp_ns + i * 100_000_000
            writer.append(
                build_frame(
                    stamp,
                    JointReading(JOINTS, first.q, np.zeros(9)),
                    JointReading(ARM_JOINTS, first.q_ref, np.zeros(7)),
                    first.gripper_ref,
                    Fr3Kinematics.from_urdf(robot_description()),
                )
            )
        fields = EpisodeRecord.model_fields
        writer.commit(EpisodeRecord(**{k: getattr(episode.manifest, k) for k in fields}))
    result = replayer.replay(
        idle.episodes()[0].manifest, idle.open_episode(idle.episodes()[0].episode_id)
    )
    assert not result.success
    assert "openness" in result.reason


@pytest.fixture
def dataset(recorded: tuple[EpisodeStore, EpisodeInfo], tmp_path: Path) -> Path:
    """The recorded episode, and a copy that claims to be of another scene."""
    folder = shutil.copytree(recorded[0].folder, tmp_path / "data")
    original = folder / "episodes" / recorded[1].episode_id
    shutil.copytree(original, original.with_name("other"))
    edit(original.with_name("other"), episode_id="other", seed=SEED + 1)
    return folder


def edit(episode: Path, **changes: object) -> None:
    file = episode / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def replay(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["dataset", "replay", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_a_share_of_failures_is_named_and_decides(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(monkeypatch, dataset, "--verify") == 1
    output = capsys.readouterr().out
    assert f"failed: other (seed {SEED + 1}): the scene is another one" in output
    assert "1 of 2 successful episodes succeed again (50.0 %, Wilson 95 %: 9.5 to 90.5 %)" in output
    assert "below the share of 0.98" in output
    assert replay(monkeypatch, dataset, "--verify", "--min-share", "0.5") == 0
    assert replay(monkeypatch, dataset) == 0


def test_a_set_that_cannot_be_replayed_is_refused_with_the_reason(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = dataset / "episodes" / "other"
    scene = json.loads((other / "manifest.json").read_text())["scene"]
    scene["objects"][0]["asset"] = "partnet:drawer/44781"
    edit(other, scene=scene)
    assert replay(monkeypatch, dataset, "--verify") == 1
    error = capsys.readouterr().err
    assert "1 episodes cannot be replayed" in error and "partnet:drawer/44781" in error
    assert "--asset-root" in error

    file = dataset / "dataset.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "schema_version": 99}))
    assert replay(monkeypatch, dataset, "--verify") == 1
    assert "version 99" in capsys.readouterr().err


def test_nothing_to_replay_proves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    EpisodeStore(tmp_path, create=True)
    assert replay(monkeypatch, tmp_path, "--verify", "--min-share", "0") == 1


def test_figures_by_task_and_over_all() -> None:
    results = [("B", True), ("A", True), ("B", False), ("B", True)]
    assert tallies(results) == [Tally("A", 1, 1), Tally("B", 2, 3), Tally("all", 3, 4)]
    assert tallies([]) == [Tally("all", 0, 0)] and Tally("all", 0, 0).share == 0.0


def test_other_versions_of_the_simulation_are_told(tmp_path: Path) -> None:
    store = EpisodeStore(tmp_path, create=True)
    for seed, version in enumerate(("3.0", "3.0", "2.9")):
        software = SoftwareRecord(versions={"sapien": version, "zarr": "1"})
        write_sample(store, seed=seed, software=software)
    manifests = [episode.manifest for episode in store.episodes()]
    here = SoftwareRecord(versions={"sapien": "3.0", "zarr": "2"})
    (note,) = version_notes(manifests, here)
    assert note.startswith("1 episodes were collected with sapien 2.9, here is sapien 3.0")
    # Those of the samples are generated, and can be made here.
    require_assets(manifests, AssetLibrary())
    scene = sample_record().scene
    gone = scene.objects[0].model_copy(update={"asset": "nonsense"})
    lost = manifests[0].model_copy(update={"scene": scene.model_copy(update={"objects": (gone,)})})
    with pytest.raises(StoreError, match=r"1 episodes cannot be replayed.*nonsense"):
        require_assets([*manifests, lost], AssetLibrary())
