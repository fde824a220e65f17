"""What an evaluation says of its episodes, and the arguments of the programs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from gensim2_episodes.words import Word, WordError, read_words
from gensim2_policy.evaluation import (
    PAGE,
    RESULTS,
    SEEN,
    UNSEEN,
    Judged,
    read_results,
    rows,
    share,
    write_report,
)
from gensim2_policy.loss_plot import save_loss_plot
from gensim2_policy.strip import Strip
from gensim2_policy.untrained import TASK, save_untrained

from gensim2_policy import evaluate_cli, export_cli, train_cli

ONE = Judged("CloseBox", "Close the box.", 1, "box/1", UNSEEN, True, "", 7.5)
LOST = dataclasses.replace(ONE, seed=2, success=False, failure="not_achieved", reason="<b>0.4 & up")
EPISODES = [
    ONE,
    LOST,
    dataclasses.replace(ONE, seed=3, instance=SEEN, seconds=8.5),
    dataclasses.replace(LOST, task="OpenBox", failure="timed_out"),
]


def test_shares_are_by_task_and_by_what_was_seen() -> None:
    lines = rows(EPISODES)
    assert [line[0] for line in lines] == ["CloseBox", "OpenBox", "all"]
    close, open_, whole = lines
    assert close[1].startswith("2/3 = 67%") and close[2].startswith("1/1") and close[4] == "8.0"
    assert close[3].startswith("1/2") and close[5] == "not_achieved 1"
    assert open_[1].startswith("0/1 = 0%") and open_[4] == "-" and open_[2] == "-"
    assert whole[1].startswith("2/4 = 50%")
    assert len(rows(EPISODES[:3])) == 1, "one task needs no sum"


def test_the_interval_is_wilsons() -> None:
    assert share([ONE] * 20).text == "20/20 = 100% (84% to 100%)"
    assert share([]).text == "-"


def test_the_report_can_be_read_again_and_escapes_what_it_shows(tmp_path: Path) -> None:
    page = write_report(tmp_path / "out", "a <title>", [*EPISODES, LOST])
    assert read_results(tmp_path / "out" / RESULTS) == [*EPISODES, LOST]
    text = page.read_text()
    assert page.name == PAGE and "a &lt;title&gt;" in text and "<b>0.4" not in text
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="no results"):
        read_results(tmp_path / "other.csv")


def lines_of(file: Path) -> list[str]:
    return file.read_text().splitlines()


def test_a_training_is_drawn_from_its_log(tmp_path: Path) -> None:
    log = tmp_path / "losses.csv"
    head = "step,loss,samples_per_second,validation_loss,validation_error\n"
    log.write_text(head)
    assert save_loss_plot(tmp_path) is None
    lines = (
        f"{10 * k},{1.0 / (k + 1)},300,{'0.5,0.4' if k % 5 == 0 else ','}\n" for k in range(30)
    )
    log.write_text(head + "".join(lines))
    picture = save_loss_plot(tmp_path)
    assert picture is not None and picture.stat().st_size > 5000
    without = picture.read_bytes()
    tried = [*lines_of(log)]
    log.write_text("\n".join([f"{tried[0]},success", *(f"{line},0.5" for line in tried[1:])]))
    assert save_loss_plot(tmp_path) == picture and picture.read_bytes() != without


def test_a_strip_is_spread_over_an_episode_of_any_length(tmp_path: Path) -> None:
    for length in (1, 5, 8, 16, 17, 500):
        strip = Strip(8)
        for k in range(length):
            strip.take(np.full((6, 8, 3), k % 256, np.uint8))
        assert len(strip) <= 17 and (length < 8 or len(strip) >= 8)
        strip.save(tmp_path / f"{length}.png")
        assert (tmp_path / f"{length}.png").stat().st_size > 50


KNOWN = {"dataset": Word(None, "where"), "device": Word("cpu", "which")}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ((), "dataset:= is needed"),
        (("dataset:=x", "devise:=cuda"), "did you mean 'device'"),
        (("dataset",), "expected name:=value"),
        (("dataset:=x", "train.steps=3"), "is unknown"),
    ],
)
def test_wrong_arguments_are_named(given: tuple[str, ...], text: str) -> None:
    with pytest.raises(WordError, match=text):
        read_words(given, KNOWN)


def test_arguments_and_settings_are_told_apart() -> None:
    values, settings = read_words(
        ["dataset:=a=b", "train.steps:=3", "model.layers=2"], KNOWN, settings=True
    )
    assert values == {"dataset": "a=b", "device": "cpu"}
    assert settings == ["train.steps=3", "model.layers=2"]


@pytest.mark.parametrize(
    ("program", "given", "code", "text"),
    [
        (train_cli, ("dataset:=nowhere",), 1, "nowhere"),
        (train_cli, ("dataset:=nowhere", "preset:=huge"), 2, "known: ppt"),
        (train_cli, ("dataset:=nowhere", "train.step=3"), 2, "did you mean 'train.steps'"),
        (train_cli, ("dataset:=nowhere", "device:=cuda"), 1, "there is no GPU"),
        (train_cli, ("--help",), 0, "train.steps=2000"),
        (evaluate_cli, ("policy:=nowhere",), 2, "holds no policy"),
        (evaluate_cli, ("policy:={run}", "episodes:=none"), 2, "whole number"),
        (evaluate_cli, ("--help",), 0, "episodes"),
        (export_cli, ("policy:=nowhere",), 2, "holds no policy"),
        (export_cli, ("policy:={run}", "domain:=mars"), 1, "the policy knows sim"),
    ],
)
def test_wrong_uses_are_told_and_leave_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    program: object,
    given: tuple[str, ...],
    code: int,
    text: str,
) -> None:
    run = save_untrained(tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    assert program.main([word.format(run=run) for word in given]) == code  # type: ignore[attr-defined]
    assert text in " ".join(capsys.readouterr().out.split())
    assert not (tmp_path / "runs").exists(), "no half-written run"


LOOKS = ("observation.cameras=[a,b]", "observation.picture=[16,24]")


@pytest.mark.parametrize(
    "overrides",
    [
        ("model.language=minilm", "model.cloud.colour=true"),
        (*LOOKS, "augment.yaw=0", "augment.shift=0"),
    ],
    ids=["words, coloured points", "pictures"],
)
def test_an_exported_policy_says_what_it_says_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], overrides: tuple[str, ...]
) -> None:
    pytest.importorskip("onnxruntime")
    run = save_untrained(tmp_path / "run", *overrides)
    assert export_cli.main([f"policy:={run}"]) == 0
    assert (run / "export" / "policy.onnx").stat().st_size > 1000
    assert (run / "export" / "policy.json").read_text()
    assert "off by" in capsys.readouterr().out and TASK == "CloseBox"
