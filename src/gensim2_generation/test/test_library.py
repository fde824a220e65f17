"""The library on disk: whole tasks or none, whoever writes, and whatever lies in the folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
import yaml
from generation_script import candidate, verdict
from gensim2_control.atomic_file import write_atomically
from gensim2_generation.candidate import Candidate, Origin, make_candidate
from gensim2_generation.library import NAME, TaskLibrary
from gensim2_generation.library_files import LibraryError
from gensim2_generation.novelty import Novelty
from gensim2_generation.source import Refused
from gensim2_tasks.catalogue import load_task
from gensim2_tasks.task_library import VARIABLE, library_names
from hypothesis import given
from hypothesis import strategies as st

NEW = Novelty("OpenDrawer", 0.4, "")
GOOD = verdict(True)


def own_solver(name: str, solver: str, origin: Origin | None = None) -> Candidate:
    """A task with a solver configuration of its own."""
    document = load_task("OpenDrawer").model_dump(mode="json", exclude_unset=True) | {"name": name}
    document["subtasks"] = [{"name": "open", "object": "drawer", "solvers": [solver]}]
    text = (resources.files("gensim2_kpam") / "solvers" / "OpenDrawer.yaml").read_text()
    return make_candidate(
        document, {solver: yaml.safe_load(text)}, origin or Origin("openai", "m", tokens=(3, 4))
    )


def filled(folder: Path, *levels: float) -> TaskLibrary:
    library = TaskLibrary(folder)
    for level in levels:
        library.add(candidate(level), GOOD, NEW)
    return library


def test_what_is_added_is_read_back_with_where_it_comes_from(tmp_path: Path) -> None:
    library = TaskLibrary(tmp_path, {"commit": "abc"})
    made = own_solver("PullDrawer", "PullDrawerPull")
    assert library.add(made, GOOD, NEW) == tmp_path / "tasks" / "PullDrawer.yaml"
    again = library.load("PullDrawer")
    assert (again.task, again.solvers, again.origin) == (made.task, made.solvers, made.origin)
    record = library.record("PullDrawer")
    assert record["software"] == {"commit": "abc"}
    assert record["novelty"]["distance"] == 0.4
    assert record["verification"]["trials"][0]["success"] is True
    assert library.problems() == []


def test_every_node_finds_a_task_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    made = own_solver("PullDrawer", "PullDrawerPull")
    TaskLibrary(tmp_path).add(made, GOOD, NEW)
    assert load_task("PullDrawer") == made.task


def test_a_second_task_of_a_name_is_refused_and_the_first_stays(tmp_path: Path) -> None:
    library = filled(tmp_path, 0.5)
    other = candidate(0.5, words="Something else that nobody has said.")
    with pytest.raises(LibraryError, match="already"):
        library.add(other, GOOD, NEW)
    assert library.load("OpenDrawerTo50").task == candidate(0.5).task


def test_a_solver_of_another_task_is_not_overwritten(tmp_path: Path) -> None:
    """The names of both begin with Pull, so that both may have one of this name."""
    library = TaskLibrary(tmp_path)
    library.add(own_solver("PullDrawer", "PullDrawerPull"), GOOD, NEW)
    with pytest.raises(LibraryError, match="of the task PullDrawer"):
        library.add(own_solver("Pull", "PullDrawerPull"), GOOD, NEW)
    assert library.names() == ["PullDrawer"]


def test_removing_a_task_leaves_the_solvers_of_others(tmp_path: Path) -> None:
    library = TaskLibrary(tmp_path)
    library.add(own_solver("PullDrawer", "PullDrawerPull"), GOOD, NEW)
    library.add(own_solver("Pull", "PullIt"), GOOD, NEW)
    library.remove("Pull")
    assert library.names() == ["PullDrawer"]
    assert library.load("PullDrawer").solvers
    assert [f.name for f in (tmp_path / "solvers").iterdir()] == ["PullDrawerPull.yaml"]
    assert [f.name for f in (tmp_path / "records").iterdir()] == ["PullDrawer.json"]
    with pytest.raises(LibraryError, match="no task 'Pull'"):
        library.remove("Pull")


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_crash_while_a_task_is_written_leaves_none_and_it_can_be_added_again(
    tmp_path: Path, lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0

    def write(path: Path, data: bytes) -> None:
        nonlocal written
        written += 1
        if written > lost:
            raise OSError(28, "No space left on device", str(path))
        write_atomically(path, data)

    monkeypatch.setenv(VARIABLE, str(tmp_path))
    made = own_solver("PullDrawer", "PullDrawerPull")
    with pytest.raises(OSError, match="No space left"):
        TaskLibrary(tmp_path, write=write).add(made, GOOD, NEW)
    assert TaskLibrary(tmp_path).names() == library_names() == []
    TaskLibrary(tmp_path).add(made, GOOD, NEW)
    assert TaskLibrary(tmp_path).load("PullDrawer").task == made.task


ADD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from generation_script import KNOWN, candidate, verdict
from gensim2_generation.grammar import SHARES
from gensim2_generation.library import TaskLibrary
from gensim2_generation.library_files import LibraryError
from gensim2_generation.novelty import Novelty
openable = [category for category, way in KNOWN.moves if way == "up"]
made = [candidate(level, category) for category in openable[:4] for level in SHARES]
print("ready", flush=True)
sys.stdin.readline()
mine = 0
for each in made:
    try:
        TaskLibrary(Path(sys.argv[2])).add(each, verdict(True), Novelty("", 1.0, ""))
        mine += 1
    except LibraryError:
        pass
    TaskLibrary(Path(sys.argv[2])).reject(each, "execute", "it fell")
print(mine)
"""


def test_of_two_processes_that_add_the_same_tasks_each_task_has_one_winner(tmp_path: Path) -> None:
    both = [
        subprocess.Popen(
            [sys.executable, "-c", ADD, str(Path(__file__).parent), str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    wins = [int(process.communicate(timeout=60.0)[0]) for process in both]
    library = TaskLibrary(tmp_path)
    tasks = len(library.names())
    assert sum(wins) == tasks > 5
    assert library.problems() == []
    # Neither took the number of a rejection of the other.
    assert len(library.rejected()) == 2 * tasks


@pytest.mark.parametrize("kind", ["tasks", "solvers", "records", "rejected"])
def test_nothing_is_written_through_a_link_out_of_the_folder(tmp_path: Path, kind: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / kind).symlink_to(outside)
    library = TaskLibrary(tmp_path / "library")
    with pytest.raises(OSError, match="is a link"):
        if kind == "rejected":
            library.reject(candidate(), "execute", "it fell")
        else:
            library.add(own_solver("PullDrawer", "PullDrawerPull"), GOOD, NEW)
    assert not list(outside.iterdir())
    (tmp_path / "library" / kind).unlink()
    (tmp_path / "library" / kind).write_text("")
    assert "is no folder" in "\n".join(library.problems())


@pytest.mark.parametrize("kind", ["tasks", "solvers", "records"])
def test_nothing_is_read_or_removed_behind_a_link(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = TaskLibrary(tmp_path / "library")
    library.add(own_solver("PullDrawer", "PullDrawerPull"), GOOD, NEW)
    outside = tmp_path / "outside"
    (library.folder / kind).rename(outside)
    (library.folder / kind).symlink_to(outside)
    there = list(outside.iterdir())
    with pytest.raises(OSError, match="is a link"):
        library.remove("PullDrawer")
    assert list(outside.iterdir()) == there
    assert f"{kind} is a link" in "\n".join(library.problems())
    assert library.names() == ([] if kind == "tasks" else ["PullDrawer"])
    with pytest.raises(LibraryError):
        library.record("PullDrawer") if kind == "records" else library.load("PullDrawer")
    monkeypatch.setenv(VARIABLE, str(library.folder))
    assert library_names(kind) == []


def test_a_file_that_no_task_can_be_named_after_is_told_of(tmp_path: Path) -> None:
    library = filled(tmp_path, 0.5)
    text = (tmp_path / "tasks" / "OpenDrawerTo50.yaml").read_text()
    (tmp_path / "tasks" / "lower.yaml").write_text(text)
    (problem,) = library.problems()
    assert "lower.yaml" in problem and "capital" in problem


def test_a_copied_record_is_not_longer_than_the_one_that_was_given(tmp_path: Path) -> None:
    """Indenting what is nested deeply would make a gigabyte of a file of two megabytes."""
    library = filled(tmp_path / "one", 0.5)
    record = tmp_path / "one" / "records" / "OpenDrawerTo50.json"
    record.write_text(f'{{"x": {"[" * 300}{",".join("0" * 2000)}{"]" * 300}}}')
    library.export(["OpenDrawerTo50"], tmp_path / "two")
    copy = tmp_path / "two" / "records" / "OpenDrawerTo50.json"
    assert copy.read_bytes() == record.read_bytes()


def test_broken_and_hostile_files_are_told_of_and_spoil_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = filled(tmp_path, 0.5)
    secret = tmp_path / "secret"
    secret.write_text("name: Secret")
    tasks = tmp_path / "tasks"
    (tasks / "Linked.yaml").symlink_to(secret)
    os.mkfifo(tasks / "Pipe.yaml")
    (tasks / "Folder.yaml").mkdir()
    (tasks / "Bomb.yaml").write_text("a: &a [1]\nb: &b [*a,*a]\n")
    (tasks / "Code.yaml").write_text("!!python/object/apply:os.system ['true']")
    (tasks / "Large.yaml").write_bytes(b"x" * 1_000_000)
    (tasks / "Binary.yaml").write_bytes(bytes(range(256)))
    (tasks / "Other.yaml").write_text((tasks / "OpenDrawerTo50.yaml").read_text())
    (tasks / "bad\x1b[31mname.yaml").write_text("")
    (tmp_path / "records" / "OpenDrawerTo50.json").write_text("[" * 100_000)
    problems = "\n".join(library.problems())
    for name in ("Linked", "Pipe", "Folder", "Bomb", "Code", "Large", "Binary", "Other"):
        assert f"{name}.yaml" in problems, name
    assert "OpenDrawerTo50.json" in problems
    assert "\x1b" not in problems
    # The task is as good as before, only nobody knows any more where it comes from.
    assert library.load("OpenDrawerTo50").origin.source == "unknown"
    assert library.search("drawer") == ["OpenDrawerTo50"]
    assert [e.name for e in library.examples("drawer", 3)] == []
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert "Linked" not in library_names()


def outside_names() -> st.SearchStrategy[str]:
    odd = st.sampled_from(["..", "/", "\0", "\n", "~", "A", "a", ".", "-", " ", "é"])
    return st.lists(odd, max_size=8).map("".join)


@given(st.one_of(st.text(max_size=80), outside_names()))
def test_a_name_is_never_a_path(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = tmp_path_factory.mktemp("names")
    library = TaskLibrary(folder / "library")
    for call in (library.load, library.record, library.remove):
        with pytest.raises(LibraryError, match="no task"):
            call(name)
    file = library.reject(Refused("propose", "why", name), "propose", "why")
    assert file.parent == folder / "library" / "rejected"
    assert file.is_file() and NAME.fullmatch(file.stem.rpartition("-")[0])
    assert [f.name for f in folder.iterdir()] == ["library"]
    assert json.loads(file.read_text())["name"] == name


def test_rejections_are_numbered_and_kept_with_files_and_verdict(tmp_path: Path) -> None:
    library = TaskLibrary(tmp_path)
    bad = verdict(False, reason="it fell")
    files = [library.reject(candidate(), "execute", "it fell", bad).name for _ in range(3)]
    assert files == [f"OpenDrawerTo50-{n}.json" for n in (1, 2, 3)]
    record = library.rejected()[-1]
    assert record["verification"]["accepted"] is False
    assert "tasks/OpenDrawerTo50.yaml" in record["files"]
    assert library.names() == []


def test_examples_are_the_nearest_of_both_kinds_with_reasons(tmp_path: Path) -> None:
    library = filled(tmp_path, 0.5, 0.7)
    library.add(candidate(0.5, "microwave"), GOOD, NEW)
    library.reject(candidate(0.7), "execute", "the drawer sticks")
    library.reject(candidate(0.7, "microwave"), "execute", "the lid falls")
    found = library.examples("open a microwave half", 1)
    assert [(e.name, e.accepted, e.reason) for e in found] == [
        ("OpenMicrowaveTo50", True, ""),
        ("OpenMicrowaveTo70", False, "the lid falls"),
    ]


def test_exported_tasks_are_a_library_that_can_be_imported(tmp_path: Path) -> None:
    library = filled(tmp_path / "one", 0.5, 0.7)
    library.add(own_solver("PullDrawer", "PullDrawerPull"), GOOD, NEW)
    library.export(["PullDrawer", "OpenDrawerTo50"], tmp_path / "sent")
    sent = TaskLibrary(tmp_path / "sent")
    assert sent.names() == ["OpenDrawerTo50", "PullDrawer"]
    sent.export(sent.names(), tmp_path / "two")
    two = TaskLibrary(tmp_path / "two")
    assert two.load("PullDrawer") == library.load("PullDrawer")
    assert two.record("PullDrawer") == library.record("PullDrawer")
    library.remove("OpenDrawerTo70")
    with pytest.raises(LibraryError, match="already"):
        library.export(["OpenDrawerTo50", "PullDrawer"], tmp_path / "two")


def test_of_tasks_of_which_one_is_there_none_is_exported(tmp_path: Path) -> None:
    library = filled(tmp_path / "one", 0.5, 0.7)
    other = filled(tmp_path / "two", 0.7)
    with pytest.raises(LibraryError, match="OpenDrawerTo70 already"):
        library.export(["OpenDrawerTo50", "OpenDrawerTo70"], tmp_path / "two")
    assert other.names() == ["OpenDrawerTo70"]
