"""The store: what is written is read, and no accident leaves half an episode behind."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from episode_samples import leftovers, sample_frame, sample_record, write_sample
from gensim2_episodes.errors import DatasetWriteError, SchemaError, StoreError
from gensim2_episodes.frame import Frame, FrameError, frame_arrays, frame_of
from gensim2_episodes.manifest import Manifest, Outcome
from gensim2_episodes.store import EpisodeStore
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import ValidationError

PROCESSES = Path(__file__).with_name("store_processes.py")
GUARD = 120  # s; only ends a test that hangs


def start(role: str, *arguments: object, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(PROCESSES), role, *(str(a) for a in arguments)]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        **options,
    )


def run(role: str, *arguments: object) -> str:
    process = start(role, *arguments)
    output, _ = process.communicate(timeout=GUARD)
    assert process.returncode == 0, output
    return output


def same(one: Frame, other: Frame) -> bool:
    pairs = zip(dataclasses.asdict(one).items(), dataclasses.asdict(other).values(), strict=True)
    return all(
        a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)
        if isinstance(a, dict)
        else (a is None) == (b is None) and np.array_equal(a, b)
        for (_, a), b in pairs
    )


finite = st.floats(-1e6, 1e6, width=64)
finite32 = st.floats(-1000, 1000, width=32)


@st.composite
def episodes(draw: st.DrawFn) -> list[Frame]:
    count = draw(st.integers(1, 5))
    n, m, k = draw(st.integers(0, 20)), draw(st.integers(0, 3)), draw(st.integers(0, 4))
    forces = draw(st.booleans())
    image = draw(st.none() | st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stamps = draw(
        st.lists(st.integers(0, 2**62), min_size=count, max_size=count, unique=True).map(sorted)
    )

    def vector(size: int) -> np.ndarray:
        return draw(hnp.arrays(np.float64, size, elements=finite))

    def points(size: int) -> np.ndarray:
        return draw(hnp.arrays(np.float32, (size, 3), elements=finite32))

    return [
        Frame(
            stamp_ns=stamp,
            q=vector(9),
            dq=vector(9),
            tcp_pose=vector(7),
            gripper=draw(finite),
            q_ref=vector(7),
            dq_ref=vector(7),
            tcp_ref=vector(7),
            gripper_ref=draw(finite),
            gripper_effort=draw(finite) if forces else None,
            cloud_xyz=points(n) if n else None,
            cloud_rgb=draw(hnp.arrays(np.uint8, (n, 3))) if n else None,
            images={"left": draw(hnp.arrays(np.uint8, (*image, 3)))} if image else {},
            depths={"left": draw(hnp.arrays(np.uint16, image))} if image and forces else {},
            openness=vector(m) if m else None,
            object_q=vector(m) if m else None,
            keypoints=points(k) if k else None,
        )
        for stamp in stamps
    ]


@settings(max_examples=25, deadline=None)
@given(frames=episodes())
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, frames: list) -> None:
    folder = tmp_path_factory.mktemp("dataset")
    store = EpisodeStore(folder / "new", create=True)
    with store.writer("OpenBox") as writer:
        for frame in frames:
            writer.append(frame)
        manifest = writer.commit(sample_record())
    reader = EpisodeStore(folder / "new").open_episode(manifest.episode_id)
    assert reader.manifest == manifest
    assert len(reader) == len(frames) == len(reader.time)
    assert all(same(reader.frame(i), frame) for i, frame in enumerate(frames))


def test_long_episode_in_many_chunks(tmp_path: Path) -> None:
    store = EpisodeStore(tmp_path, create=True)
    name = write_sample(store, frames=700, image=(30, 40))
    reader = store.open_episode(name)
    assert reader.array("cloud/xyz").nchunks > 1
    for index in (0, 255, 256, 511, 699):
        assert same(reader.frame(index), sample_frame(index, image=(30, 40)))
    assert np.allclose(reader.time, 0.1 * np.arange(700))
    assert reader.cloud(slice(100, 300))[0].shape == (200, 8, 3)
    assert reader.images("wrist_camera").shape == (700, 30, 40, 3)


def test_manifest_round_trip_and_strictness(tmp_path: Path) -> None:
    store = EpisodeStore(tmp_path, create=True)
    record = sample_record(seed=2**64 - 1, reason="two\n lines")
    with store.writer("OpenBox") as writer:
        writer.append(sample_frame(0))
        manifest = writer.commit(record)
    assert store.episodes()[0].manifest == manifest
    assert manifest.arrays["cloud/xyz"].shape == (8, 3)
    text = json.loads(manifest.model_dump_json())
    for change in ({"seed": -1}, {"extra": 1}, {"frames": 0}, {"schema_version": 2}):
        with pytest.raises(ValidationError):
            Manifest.model_validate(text | change)
    with pytest.raises(ValidationError):
        sample_record().model_validate({**dict(sample_record()), "approach_disturbance": np.nan})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"stamp_ns": 0}, "not later"),
        ({"q": np.zeros(7)}, "observation/joint_position .* shape"),
        ({"q": np.full(9, np.nan)}, "not finite"),
        ({"tcp_ref": np.full(7, np.inf)}, "action/tcp_pose .* not finite"),
        ({"cloud_rgb": np.zeros((8, 3))}, "expected uint8"),
        ({"cloud_rgb": None}, "both"),
        ({"cloud_rgb": np.zeros((5, 3), np.uint8)}, "points"),
        ({"cloud_xyz": None, "cloud_rgb": None}, "not in every frame"),
        ({"openness": np.zeros(2)}, "in the frames before"),
        ({"openness": np.zeros(0)}, "empty"),
        ({"images": {"left": np.zeros((2, 2, 3), np.uint8)}}, "not in every frame"),
        ({"depths": {"left": np.zeros((2, 2))}}, "expected uint16"),
        ({"depths": {"left": np.zeros((2, 2, 1), np.uint16)}}, "has shape"),
    ],
)
def test_bad_frame_is_refused_and_the_episode_goes_on(
    tmp_path: Path, change: dict[str, object], text: str
) -> None:
    store = EpisodeStore(tmp_path, create=True)
    with store.writer("OpenBox") as writer:
        writer.append(sample_frame(0))
        with pytest.raises(FrameError, match=text):
            writer.append(dataclasses.replace(sample_frame(1), **change))
        writer.append(sample_frame(2))
        name = writer.commit(sample_record()).episode_id
    assert same(store.open_episode(name).frame(1), sample_frame(2))


def test_nothing_is_left_of_a_discarded_episode(tmp_path: Path) -> None:
    store = EpisodeStore(tmp_path, create=True)
    with pytest.raises(KeyError), store.writer("OpenBox") as writer:
        writer.append(sample_frame(0))
        raise KeyError("something else went wrong")
    with store.writer("OpenBox") as writer, pytest.raises(StoreError, match="no frames"):
        writer.commit(sample_record())
    with pytest.raises(StoreError, match="ended"):
        writer.append(sample_frame(0))
    assert store.scan().episodes == () and leftovers(tmp_path) == []


def test_order_does_not_depend_on_who_was_faster(tmp_path: Path) -> None:
    store = EpisodeStore(tmp_path, create=True)
    for task, seed in (("B", 2), ("A", 9), ("B", 1), ("A", 3)):
        write_sample(store, task=task, seed=seed)
    found = [(info.manifest.task, info.manifest.seed) for info in store.episodes()]
    assert found == [("A", 3), ("A", 9), ("B", 1), ("B", 2)]


def test_killed_at_any_step_leaves_all_or_nothing(tmp_path: Path) -> None:
    """SIGKILL at file-system calls over the whole life of a writer."""
    store = EpisodeStore(tmp_path, create=True)
    write_sample(store, seed=0)
    steps = [1, 2, 3, 5, 9, 17, *range(30, 400, 12), 100_000]
    output = run("die_at_each_step", tmp_path, ",".join(map(str, steps)))
    ends = dict(reversed(line.split()) for line in output.splitlines())
    assert ends["1"] == "killed" and ends["100000"] == "finished"
    scan = store.scan()
    assert scan.broken == ()
    visible = {info.manifest.seed for info in scan.episodes}
    finished = {int(step) for step, end in ends.items() if end == "finished"}
    assert {0} | finished <= visible
    for info in scan.episodes[1:]:
        reader = store.open_episode(info.episode_id)
        assert same(reader.frame(299), sample_frame(299))
    killed_inside = len(steps) - len(visible - {0})
    assert 0 < len(scan.abandoned) <= killed_inside
    assert len(scan.partial) == len(scan.abandoned)


def test_running_and_crashed_writers_are_told_apart(tmp_path: Path) -> None:
    writers = [start("hold", tmp_path) for _ in range(2)]
    names = [writer.stdout.readline().strip() for writer in writers]
    store = EpisodeStore(tmp_path)
    assert [partial.in_progress for partial in store.scan().partial] == [True, True]
    assert store.episodes() == []
    with pytest.raises(StoreError, match="no episode"):
        store.open_episode(names[0])
    writers[0].send_signal(signal.SIGKILL)
    writers[0].wait(GUARD)
    writers[1].communicate("go on\n", timeout=GUARD)
    scan = store.scan()
    assert [partial.path.name for partial in scan.abandoned] == [f".partial-{names[0]}"]
    assert [info.episode_id for info in scan.episodes] == [names[1]]
    assert store.open_episode(names[1]).time.shape == (300,)


def test_a_living_writer_is_never_called_crashed(tmp_path: Path) -> None:
    """Not even between two of its steps: what counts as abandoned may be deleted."""
    EpisodeStore(tmp_path, create=True)
    (line,) = run("scan_at_each_step", tmp_path).splitlines()
    assert line.startswith("looks ") and int(line.split()[1]) > 20


def test_several_processes_write_and_one_reads(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "by_whoever_is_first"
    writers = [start("write_many", folder, number) for number in range(3)]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        if (folder / "dataset.json").exists():
            scan = EpisodeStore(folder).scan()
            assert scan.broken == () and scan.abandoned == () and len(scan.episodes) >= seen
            seen = len(scan.episodes)
    assert [writer.wait(GUARD) for writer in writers] == [0, 0, 0]
    found = [(i.manifest.task, i.manifest.seed) for i in EpisodeStore(folder).episodes()]
    assert found == [(f"Task{number}", seed) for number in range(3) for seed in range(4)]
    assert leftovers(folder) == []


def test_full_disk_is_a_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    write_sample(EpisodeStore(tmp_path, create=True))
    for limit in (0, 2_000, 200_000):
        output = run("full_disk", tmp_path, limit)
        assert output.startswith("DatasetWriteError cannot write the data set in"), output
        assert "File too large" in output and "MB free" in output
    assert len(EpisodeStore(tmp_path).episodes()) == 1 and leftovers(tmp_path) == []


def test_full_device_is_a_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs to be root and allowed to mount a tmpfs")
    try:
        output = run("full_device", tmp_path)
        assert output.startswith("DatasetWriteError") and "No space left" in output
        assert leftovers(tmp_path) == []
        write_sample(EpisodeStore(tmp_path))
        assert len(EpisodeStore(tmp_path).episodes()) == 1
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_unwritable_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetWriteError, match="cannot write the data set in"):
        EpisodeStore(tmp_path / "file" / "below", create=True)
    with pytest.raises(DatasetWriteError, match="name too long"):
        EpisodeStore(tmp_path / ("x" * 3000), create=True)
    if os.geteuid() != 0:
        pytest.skip("the rest needs to be root, to become somebody else")
    EpisodeStore(tmp_path / "mine", create=True)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    lines = run("other_user", tmp_path).splitlines()
    assert len(lines) == 2 and all(line.startswith("DatasetWriteError") for line in lines), lines
    assert "Permission denied" in lines[0] and "Permission denied" in lines[1]
    assert not (tmp_path / "new").exists() and leftovers(tmp_path / "mine") == []


def test_folders_that_are_no_data_sets(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"not a data set: dataset.json cannot be read"):
        EpisodeStore(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(SchemaError, match=r"not empty \(it holds 'thesis.txt'\)"):
        EpisodeStore(tmp_path, create=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_other_schema_is_a_clear_error(tmp_path: Path) -> None:
    EpisodeStore(tmp_path, create=True)
    file = tmp_path / "dataset.json"
    original = json.loads(file.read_text())
    for change in ({"schema_version": 99}, {"schema_name": "somebody_else"}):
        file.write_text(json.dumps(original | change))
        for create in (False, True):
            with pytest.raises(SchemaError, match="follows the schema"):
                EpisodeStore(tmp_path, create=create)
    file.write_text("{half of it")
    with pytest.raises(SchemaError, match="damaged"):
        EpisodeStore(tmp_path, create=True)


def test_damaged_manifests_are_skipped_and_named(tmp_path: Path) -> None:
    store = EpisodeStore(tmp_path, create=True)
    names = [write_sample(store, seed=seed) for seed in range(4)]
    episodes_folder = tmp_path / "episodes"
    (episodes_folder / names[0] / "manifest.json").write_text('{"task": ')
    (episodes_folder / names[1] / "manifest.json").unlink()
    (episodes_folder / names[2]).rename(episodes_folder / "renamed")
    scan = store.scan()
    assert [info.episode_id for info in scan.episodes] == [names[3]]
    problems = {broken.path.name: broken.problem for broken in scan.broken}
    assert problems.keys() == {names[0], names[1], "renamed"}
    assert "not valid" in problems[names[0]] and "cannot be read" in problems[names[1]]
    assert "belongs to" in problems["renamed"]


def test_a_frame_needs_all_that_every_frame_has() -> None:
    arrays = {path: value for path, (_, value) in frame_arrays(sample_frame(1)).items()}
    assert same(frame_of(sample_frame(1).stamp_ns, {**arrays, "other/path": 1}), sample_frame(1))
    del arrays["action/gripper"]
    with pytest.raises(FrameError, match="has no action/gripper"):
        frame_of(5, arrays)


def test_restored_under_the_same_name(tmp_path: Path) -> None:
    store = EpisodeStore(tmp_path / "one", create=True)
    name = write_sample(store, frames=4, note="first\nsecond")
    manifest = store.open_episode(name).manifest
    assert manifest.note == "first second"
    other = EpisodeStore(tmp_path / "other", create=True)
    with other.restore(manifest) as writer:
        for index in range(4):
            writer.append(sample_frame(index))
        assert writer.commit(manifest.record()) == manifest
    assert other.open_episode(name).manifest == manifest
    for change, text in (
        ({"episode_id": "../escaped"}, "no name of an episode"),
        ({"episode_id": ".hidden"}, "no name of an episode"),
        ({"created": "yesterday"}, "is no date"),
    ):
        with pytest.raises(StoreError, match=text):
            other.restore(manifest.model_copy(update=change))
    assert leftovers(tmp_path / "other") == []


def test_outcomes_of_the_record() -> None:
    assert sample_record().success
    assert not sample_record(outcome=Outcome.NOT_ACHIEVED).success
