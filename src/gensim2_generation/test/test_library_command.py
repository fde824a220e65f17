"""The command `library`: what it shows, what it ends with, and that it never shows a traceback."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from generation_script import Judge, candidate, verdict
from gensim2_generation.generator import Pool
from gensim2_generation.library import TaskLibrary
from gensim2_generation.library_cli import Shop, main
from gensim2_generation.novelty import Novelty
from gensim2_generation.settings import Settings
from gensim2_generation.source import Refused
from gensim2_tasks.task_library import VARIABLE

TO_50, TO_70 = "OpenDrawerTo50", "OpenDrawerTo70"
HUGE = f"1{'0' * 400}"  # more than a float can hold


class Commands:
    """Runs the command line on a library of two tasks."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.library = TaskLibrary(folder)
        for level in (0.5, 0.7):
            self.library.add(candidate(level), verdict(True), Novelty("OpenDrawer", 0.4, ""))
        self._capsys = capsys
        self.judge = Judge()
        self.asked: list[Settings] = []

    def pool(self, settings: Settings) -> AbstractContextManager[Pool]:
        self.asked.append(settings)
        return contextlib.nullcontext(self.judge)

    def run(self, *arguments: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as end:
            main([str(a) for a in arguments], Shop(self.pool, {}))
        said = self._capsys.readouterr()
        assert "Traceback" not in said.err
        return int(end.value.code or 0), said.out + said.err


@pytest.fixture
def commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Commands:
    folder = tmp_path / "library"
    monkeypatch.setenv(VARIABLE, str(folder))
    return Commands(folder, capsys)


def test_list_shows_every_task_with_its_source_and_success(commands: Commands) -> None:
    code, said = commands.run("list")
    assert code == 0
    assert "2 tasks" in said and TO_50 in said and TO_70 in said
    assert "catalogue" in said and "100%" in said and "0.40" in said


def test_list_names_broken_files_and_still_shows_the_others(commands: Commands) -> None:
    (commands.library.folder / "tasks" / f"{TO_50}.yaml").write_text("{")
    code, said = commands.run("list")
    assert code == 1
    assert "broken" in said and f"{TO_50}.yaml" in said and TO_70 in said


def test_list_shows_why_tasks_were_rejected_and_no_control_characters(commands: Commands) -> None:
    said_by_model = "no such \x1b[31mkeypoint [bold]" + "\u202e"
    commands.library.reject(
        Refused("constraints", said_by_model, "X"), "constraints", said_by_model
    )
    code, said = commands.run("list", "--rejected")
    assert code == 0 and "constraints" in said and "[bold]" in said
    assert "\x1b[31m" not in said and "\u202e" not in said


def test_another_folder_is_looked_at_and_an_empty_one_is_no_error(
    commands: Commands, tmp_path: Path
) -> None:
    code, said = commands.run("list", "--library", tmp_path / "none")
    assert code == 0 and "0 tasks" in said
    assert not (tmp_path / "none").exists()


def test_search_takes_all_words_and_tells_where_there_is_nothing(commands: Commands) -> None:
    code, said = commands.run("search", "drawer", "half")
    assert code == 0 and TO_50 in said and TO_70 not in said
    assert commands.run("search", "submarine")[0] == 1


def test_show_prints_files_origin_and_episodes(commands: Commands) -> None:
    code, said = commands.run("show", TO_50)
    assert code == 0
    for part in (f"tasks/{TO_50}.yaml", "instruction:", "nearest", "expert"):
        assert part in said, part


@pytest.mark.parametrize("command", ["show", "verify", "remove"])
@pytest.mark.parametrize("name", ["Nothing", "../../etc/passwd", "a\nb"])
def test_an_unknown_task_is_one_line_and_exit_code_1(
    commands: Commands, command: str, name: str
) -> None:
    code, said = commands.run(command, name)
    assert code == 1
    assert said.startswith("error: ") and len(said.splitlines()) == 1 and "list shows all" in said
    assert commands.library.names() == [TO_50, TO_70]


def test_verify_runs_the_tasks_again_and_fails_where_one_does_not_work_now(
    commands: Commands,
) -> None:
    commands.judge.by_name = {TO_50: verdict(True), TO_70: verdict(False, reason="it [red]fell")}
    code, said = commands.run("verify", "all", "--jobs", 3, "--episodes", 4)
    assert code == 1
    assert "1 of 2 tasks work" in said and "it [red]fell" in said
    assert (commands.asked[0].jobs, commands.asked[0].episodes) == (3, 4)
    assert commands.run("verify", TO_50)[0] == 0


def test_remove_takes_a_task_and_leaves_the_other(commands: Commands) -> None:
    assert commands.run("remove", TO_50)[0] == 0
    assert commands.library.names() == [TO_70]


def test_export_and_import_carry_tasks_to_another_library(
    commands: Commands, tmp_path: Path
) -> None:
    sent, other = tmp_path / "sent", tmp_path / "other"
    assert commands.run("export", sent, "all")[0] == 0
    code, said = commands.run("import", sent, TO_50, "--library", other)
    assert code == 0 and "library verify" in said
    assert TaskLibrary(other).load(TO_50) == commands.library.load(TO_50)
    code, said = commands.run("import", sent, TO_50, "--library", other)
    assert code == 1 and "already" in said


def test_what_is_no_task_is_not_imported(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "sent" / "tasks").mkdir(parents=True)
    (tmp_path / "sent" / "tasks" / "Evil.yaml").write_text("!!python/object/apply:os.abort []")
    code, said = commands.run("import", tmp_path / "sent", "all")
    assert code == 1 and "Evil.yaml" in said
    assert commands.library.names() == [TO_50, TO_70]


def test_a_folder_that_cannot_be_written_is_told(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, said = commands.run("export", tmp_path / "file", TO_50)
    assert code == 1 and said.startswith("error: ") and "file" in said
    assert "choose a folder" in said
    code, said = commands.run("list", "--library", tmp_path / "file")
    assert code == 1 and "is no folder" in said.replace("\n", "")


@pytest.mark.parametrize(
    "text",
    [
        '{"verification": {"pass_rate": HUGE, "trials": [{"sim_time": HUGE}]}}'.replace(
            "HUGE", HUGE
        ),
        '{"verification": {"pass_rate": NaN, "trials": [1, {"seed": []}]}, "novelty": []}',
        '{"objects": {"a": 1}, "origin": {"tokens": "x"}, "software": 3, "date": 5}',
        f'{{"objects": {"[" * 500}{"]" * 500}}}',
        '{"instruction": "\\ud800\\u0000"}',
        "[]",
    ],
)
def test_a_hostile_record_ends_no_command(commands: Commands, tmp_path: Path, text: str) -> None:
    (commands.library.folder / "records" / f"{TO_50}.json").write_text(text)
    assert TO_70 in commands.run("list")[1]
    assert commands.run("search", "drawer")[0] == 0
    assert TO_50 in commands.run("show", TO_50)[1]
    assert commands.run("export", tmp_path / "sent", "all")[0] == 0


def test_a_folder_of_a_user_whom_nobody_knows_is_no_traceback(commands: Commands) -> None:
    code, said = commands.run("search", "drawer", "--library", "~nobody-of-this-name/x")
    assert code == 1 and "0 tasks" in said
