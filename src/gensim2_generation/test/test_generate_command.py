"""The program `generate`: what it ends with, and that nothing accepted is lost by Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from fake_workshop import Fake
from generation_script import Script, candidate
from gensim2_generation.generate_cli import main
from gensim2_generation.run_folder import read_decisions
from gensim2_generation.source import Refused, SourceError
from gensim2_tasks.task_library import VARIABLE


@pytest.fixture(autouse=True)
def own_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "library"))


def generate(fake: Fake, tmp_path: Path, *words: str) -> int:
    return main([f"runs:={tmp_path / 'runs'}", *words], fake, {})


def test_as_many_as_wanted_end_with_a_table_and_code_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = Refused("propose", "no \x1b[31msuch [bold]object", "X")
    fake = Fake(lambda: Script(bad, candidate(0.5), candidate(0.7)))
    assert generate(fake, tmp_path, "num_tasks:=2", "target_object:=drawer", "seed:=3") == 0
    said = capsys.readouterr().out
    assert "2 accepted of 3 proposed" in said and "OpenDrawerTo70" in said
    assert "without a language model" in said and "record: " in said
    assert "[bold]" in said and "\x1b[31m" not in said
    assert fake.asked[0][1].target_object == "drawer" and fake.asked[0][1].seed == 3


def test_fewer_than_wanted_is_a_failure_that_says_where_the_reasons_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = Fake(lambda: Script(candidate(0.5)))
    assert generate(fake, tmp_path, "num_tasks:=2") == 1
    assert "1 accepted of 1" in capsys.readouterr().out
    assert list(fake.shelf.kept) == ["OpenDrawerTo50"]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("jobs:=0", "jobs:=0"),
        ("jobs:=many", "expected int"),
        ("images:=maybe", "expected true or false"),
        ("seed:=-1", "seed"),
        ("seed:=x", "seed"),
        ("share:=nan", "share"),
        ("mode:=sideways", "primitive, topdown"),
        ("backend:=gpt", "catalogue, openai"),
        ("num_task:=3", "did you mean 'num_tasks'"),
        ("three", "expected name:=value"),
    ],
)
def test_a_wrong_word_is_one_line_and_code_2(
    word: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate(Fake(Script), tmp_path, word) == 2
    told = capsys.readouterr().out
    assert told.startswith("error: ") and said in told and len(told.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_a_backend_that_does_not_work_is_told_with_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> Script:
        raise SourceError("the key is not accepted")

    assert generate(Fake(broken), tmp_path) == 1
    assert "error: the key is not accepted" in capsys.readouterr().out


def test_help_names_every_word_and_asks_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = Fake(Script)
    assert generate(fake, tmp_path, "--help") == 0
    said = capsys.readouterr().out
    assert all(f"{word}:=" in said for word in ("run", "seed", "num_tasks", "max_cost", "library"))
    assert not fake.asked


def test_ctrl_c_keeps_what_was_accepted_and_the_run_goes_on_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    first = Fake(lambda: Script(candidate(0.5)))
    words = (f"run:={folder}", "seed:=4")
    assert generate(first, tmp_path, *words) == 0
    capsys.readouterr()

    waits = Fake(lambda: Script(candidate(0.7)), go=threading.Event())
    waits.shelf = first.shelf

    def interrupt() -> None:
        waits.begun.wait(30.0)
        os.kill(os.getpid(), signal.SIGINT)

    helper = threading.Thread(target=interrupt)
    helper.start()
    handler = signal.getsignal(signal.SIGINT)
    assert generate(waits, tmp_path, *words, "num_tasks:=2") == 130
    helper.join()
    assert signal.getsignal(signal.SIGINT) is handler
    assert "run:=" in capsys.readouterr().out
    assert list(first.shelf.kept) == ["OpenDrawerTo50"]

    last = Fake(lambda: Script(candidate(0.7)))
    last.shelf = first.shelf
    assert generate(last, tmp_path, *words, "num_tasks:=2") == 0
    assert [d.name for d, _ in read_decisions(folder)] == ["OpenDrawerTo50", "OpenDrawerTo70"]
    assert "2 accepted of 2" in capsys.readouterr().out
