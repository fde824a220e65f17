"""Whole trainings over small data sets: they end, go on, share their work, say what is wrong."""

from __future__ import annotations

import csv
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from gensim2_policy.augment import Moved
from gensim2_policy.checkpoint import (
    BEST,
    CHECKPOINTS,
    LAST,
    CheckpointError,
    load_network,
    load_record,
    load_training,
)
from gensim2_policy.demonstrations import DataError, Source
from gensim2_policy.network import PolicyNetwork
from gensim2_policy.settings import AugmentSettings, load_settings
from gensim2_policy.training import SETTINGS_FILE, Outcome, Progress, TrainingError, train
from policy_samples import STILL, output_of, same, small_settings, start, words_of, write_episode
from safetensors.torch import load_file

from gensim2_policy import language, training


@pytest.fixture(autouse=True)
def _no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_run", lambda texts: [words_of(text) for text in texts])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for seed in range(4):
        write_episode(folder, seed, points=16)
    write_episode(folder, 4, points=16, task="OpenBox", instruction="open the box")
    return folder


class Told:
    """Keeps what a training says, and does something at a step of it."""

    def __init__(self, at: int = 0, act: object = None) -> None:
        self.losses: list[float] = []
        self._at, self._act = at, act

    def __call__(self, progress: Progress) -> None:
        self.losses.append(progress.loss)
        if progress.step == self._at and callable(self._act):
            self._act()


def run(
    data: Path, folder: Path, *overrides: str, told: Told | None = None, **options: Any
) -> Outcome:
    settings = small_settings("train.validate_every=3", *overrides)
    return train(settings, [Source(data)], folder, told=told or Told(), **options)


def weights(folder: Path, name: str = LAST) -> list[np.ndarray]:
    found = load_file(folder / CHECKPOINTS / name / "training.safetensors")
    return [found[key].numpy() for key in sorted(found)]


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_training_ends_with_a_policy_that_can_be_used(data: Path, tmp_path: Path) -> None:
    told, before = Told(), signal.getsignal(signal.SIGINT)
    outcome = run(data, tmp_path / "run", told=told, software={"torch": "2"})
    assert (outcome.step, outcome.finished, outcome.run) == (6, True, tmp_path / "run")
    assert len(told.losses) == 6 and outcome.loss == told.losses[-1]
    network, record = load_network(tmp_path / "run")
    assert record.tasks == {"CloseBox": "close the box", "OpenBox": "open the box"}
    assert record.software == {"torch": "2"} and {*record.clouds} == {"sim"}
    # One of the four objects was held back.
    assert len(record.instances) == 4 and len({*record.instances}) == 4
    assert record.validation == pytest.approx(outcome.best)
    saved = load_settings(yaml.safe_load((tmp_path / "run" / SETTINGS_FILE).read_text()))
    assert saved == record.settings == network.settings
    assert signal.getsignal(signal.SIGINT) is before


def test_scales_of_the_policy_are_those_of_its_training_set(data: Path, tmp_path: Path) -> None:
    run(data, tmp_path / "run", *STILL)
    _, record = load_network(tmp_path / "run")
    held = training.split(
        list(training.load_demonstrations([Source(data)], record.settings.observation)), 0.1, 0
    )[0]
    windows = training.Windows(held, record.settings, language.InstructionEncoder())
    for one, other in (("state", "offset"), ("state", "scale"), ("action", "scale")):
        mine = getattr(getattr(record.normaliser, one), other)
        assert np.array_equal(mine, getattr(getattr(windows.normaliser, one), other))


def test_validation_has_the_scales_of_the_training(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def validate(_: training.Learner, windows: training.Windows) -> dict[str, float]:
        seen.append(windows)
        return {"loss": 1.0, "error": 1.0}

    monkeypatch.setattr(training.Learner, "validate", validate)
    run(data, tmp_path / "run", "train.steps=3")
    (held,) = seen
    record = load_record(tmp_path / "run" / CHECKPOINTS / LAST)
    assert np.array_equal(held.normaliser.state.offset, record.normaliser.state.offset)
    assert np.array_equal(held.normaliser.action.scale, record.normaliser.action.scale)
    assert not {d.instance for d in held.demonstrations} & {*record.instances}
    assert all("OpenBox" not in d.task for d in held.demonstrations)


def test_log_has_every_validation(data: Path, tmp_path: Path) -> None:
    outcome = run(data, tmp_path / "run")
    with (tmp_path / "run" / "losses.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["step"] for row in rows] == ["3", "6"]
    errors = [float(row["validation_error"]) for row in rows]
    assert outcome.best == pytest.approx(min(errors), rel=1e-4)
    assert list((tmp_path / "run" / "tensorboard").iterdir())


def test_a_policy_is_tried_out_while_it_is_trained(data: Path, tmp_path: Path) -> None:
    """At the asked steps and at the end, each time with the weights of that step."""
    tried: list[int] = []

    def try_out(checkpoint: Path) -> float:
        tried.append(load_network(checkpoint)[1].step)
        return 0.25 * len(tried)

    rollouts = training.Rollouts(4, try_out)
    run(data, tmp_path / "run", rollouts=rollouts)
    assert tried == [4, 6]
    with (tmp_path / "run" / "losses.csv").open() as stream:
        rows = {row["step"]: row["success"] for row in csv.DictReader(stream)}
    assert rows == {"3": "", "4": "0.25", "6": "0.5"}


def test_best_is_kept_and_not_the_last(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = iter([0.5, 0.2, 0.9])
    monkeypatch.setattr(
        training.Learner, "validate", lambda *_: {"loss": 1.0, "error": next(errors)}
    )
    outcome = run(data, tmp_path / "run", "train.steps=9")
    best, last = (load_record(tmp_path / "run" / CHECKPOINTS / name) for name in (BEST, LAST))
    assert (outcome.best, best.validation, best.step, last.step) == (0.2, 0.2, 6, 9)


def test_interrupted_training_goes_on_as_if_it_had_not_been(data: Path, tmp_path: Path) -> None:
    whole, first, second = Told(), Told(4, interrupt), Told()
    run(data, tmp_path / "whole", told=whole)
    outcome = run(data, tmp_path / "parts", told=first)
    assert (outcome.step, outcome.finished) == (4, False)
    again = run(data, tmp_path / "parts", told=second)
    assert again.finished and first.losses + second.losses == whole.losses
    assert same(weights(tmp_path / "parts"), weights(tmp_path / "whole"))
    with (tmp_path / "parts" / "losses.csv").open() as stream:
        assert [row["step"] for row in csv.DictReader(stream)] == ["3", "6"]


def test_finished_training_may_be_made_longer(data: Path, tmp_path: Path) -> None:
    run(data, tmp_path / "run", "train.steps=4")
    told = Told()
    assert run(data, tmp_path / "run", told=told).finished
    assert len(told.losses) == 2


def test_every_step_is_augmented_in_its_own_way(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    draw = Moved.draw

    def keep(settings: AugmentSettings, count: int, rng: np.random.Generator) -> Moved:
        drawn.append(draw(settings, count, rng))
        return drawn[-1]

    monkeypatch.setattr(Moved, "draw", staticmethod(keep))
    run(data, tmp_path / "run")
    assert len(drawn) >= 6
    assert len({float(yaw) for moved in drawn for yaw in moved.yaw}) == 8 * len(drawn)


def test_killed_training_loses_what_came_after_its_checkpoint(data: Path, tmp_path: Path) -> None:
    """Steps that were not saved are made again, and the log does not have them twice."""

    class KilledError(Exception):
        pass

    def kill() -> None:
        raise KilledError

    whole, folder = Told(), tmp_path / "run"
    run(data, tmp_path / "whole", told=whole)
    run(data, folder, told=Told(2, interrupt))
    with pytest.raises(KilledError):
        run(data, folder, told=Told(5, kill))
    assert load_training(folder / CHECKPOINTS / LAST).figures["step"] == 2
    told = Told()
    run(data, folder, told=told)
    assert told.losses == whole.losses[2:]
    with (folder / "losses.csv").open() as stream:
        assert [row["step"] for row in csv.DictReader(stream)] == ["3", "6"]


def test_killed_between_two_renames(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run(data, folder, told=Told(4, interrupt))
    last = folder / CHECKPOINTS / LAST
    last.rename(last.with_name(f".{LAST}.old"))
    told = Told()
    run(data, folder, told=told)
    assert len(told.losses) == 2


def test_checkpoint_is_written_in_time(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever it is killed, a training has lost no more than the seconds of its setting."""
    now, saved = [0.0], []

    def clock() -> float:
        now[0] += 1e-3
        return now[0]

    monkeypatch.setattr(training.time, "monotonic", clock)

    class Clock(Told):
        def __call__(self, progress: Progress) -> None:
            now[0] += 10.0
            last = tmp_path / "run" / CHECKPOINTS / LAST
            saved.append(load_record(last).step if last.exists() else 0)

    run(data, tmp_path / "run", "train.save_seconds=25", "train.steps=9", told=Clock())
    assert saved == [0, 0, 0, 3, 3, 3, 6, 6, 6]


def test_finished_training_stays_as_it_is(data: Path, tmp_path: Path) -> None:
    run(data, tmp_path / "run")
    before = weights(tmp_path / "run")
    told = Told()
    assert run(data, tmp_path / "run", told=told).finished
    assert told.losses == [] and same(weights(tmp_path / "run"), before)


def test_without_validation_the_best_is_that_of_the_training(data: Path, tmp_path: Path) -> None:
    told = Told()
    outcome = run(data, tmp_path / "run", "train.validation=0", told=told)
    assert outcome.best == min(told.losses[2], told.losses[5])


def test_sim_and_real_together(data: Path, tmp_path: Path) -> None:
    write_episode(tmp_path / "real", 9, points=16, simulated=False)
    sources = [Source(data), Source(tmp_path / "real")]
    with pytest.raises(DataError, match=r"domain real.*set model.domains=\[sim,real\]"):
        train(small_settings(), sources, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    settings = small_settings("model.domains=[sim,real]")
    assert train(settings, sources, tmp_path / "run").finished
    _, record = load_network(tmp_path / "run")
    assert {*record.clouds} == {"sim", "real"}


# What cannot be


def test_folder_of_something_else(data: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(TrainingError, match="is not empty and holds no training"):
        run(data, tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == ["notes.txt"]


def test_folder_of_another_training(data: Path, tmp_path: Path) -> None:
    run(data, tmp_path / "run", told=Told(2, interrupt))
    before = weights(tmp_path / "run")
    with pytest.raises(TrainingError, match=r"other settings \(model.width, train.rate\)"):
        run(data, tmp_path / "run", "model.width=32", "train.rate=0.5", "train.threads=2")
    assert same(weights(tmp_path / "run"), before)


@pytest.mark.parametrize("text", ["", "{", "[]", "train: 3"])
def test_damaged_settings_of_a_run(data: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / SETTINGS_FILE).write_text(text)
    with pytest.raises(TrainingError, match=f"{SETTINGS_FILE}|other settings"):
        run(data, tmp_path)


def test_truncated_checkpoint_of_a_run(data: Path, tmp_path: Path) -> None:
    run(data, tmp_path / "run", told=Told(2, interrupt))
    file = tmp_path / "run" / CHECKPOINTS / LAST / "training.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="may have been cut off"):
        run(data, tmp_path / "run")


def test_gpu_that_is_not_there(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(TrainingError, match="there is no GPU that PyTorch can use; take cpu"):
        run(data, tmp_path / "run", device="cuda")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_nothing_to_train_on(tmp_path: Path, weight: float) -> None:
    write_episode(tmp_path / "data", success=weight == 0.0)
    with pytest.raises(DataError, match=r"data: no successful episode of CloseBox"):
        train(
            small_settings(),
            [Source(tmp_path / "data", weight)],
            tmp_path / "run",
            tasks=["CloseBox"],
        )
    assert not (tmp_path / "run").exists()


def test_batch_that_processes_cannot_share(data: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"train.batch 1 is less .* set it to 2 at least"):
        run(data, tmp_path / "run", "train.batch=1", processes=2)
    assert not (tmp_path / "run").exists()


def test_loss_that_is_not_finite_leaves_the_last_checkpoint(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(data, tmp_path / "run", told=Told(3, interrupt))
    before = weights(tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    with monkeypatch.context() as patch:
        patch.setattr(training.Learner, "loss", lambda *_: torch.tensor(np.nan, requires_grad=True))
        with pytest.raises(FloatingPointError, match="at step 3"):
            run(data, tmp_path / "run")
    assert same(weights(tmp_path / "run"), before)
    assert run(data, tmp_path / "run").finished


# Together


def test_two_processes_learn_as_one_does(data: Path, tmp_path: Path) -> None:
    """Their losses are those of one process, step by step; one that is asked to stop stops all."""
    overrides = (*STILL, "model.language=none", "model.domains=[sim,real]", "train.batch=7")
    overrides += ("train.validation=0.3", "train.decay=0.1", "train.rate=0.01")
    alone = Told()
    run(data, tmp_path / "alone", *overrides, told=alone)
    together = [
        start(
            "train_together",
            data,
            tmp_path / "together",
            rank,
            2,
            *overrides,
            "train.validate_every=3",
        )
        for rank in range(2)
    ]
    said = [output_of(process).split("\n") for process in together]
    for lines in said:
        losses = [float(line.split()[2]) for line in lines if line.startswith("loss")]
        assert losses == pytest.approx(alone.losses, rel=1e-4)
        assert "finished True" in lines and "stopped 4" in lines
    records = [load_record(tmp_path / name / CHECKPOINTS / LAST) for name in ("together", "alone")]
    assert records[0].validation == pytest.approx(records[1].validation, rel=1e-3)
    # What no sample was about stays as it was, weight decay or not.
    torch.manual_seed(0)
    first = PolicyNetwork(records[0].settings).state_dict()
    last = load_network(tmp_path / "together")[0].state_dict()
    for name in (n for n in first if n.startswith(("stems.real.", "heads.real."))):
        assert torch.allclose(last[name], first[name], rtol=1e-6, atol=0.0)
    stopped = tmp_path / "together.stopped" / CHECKPOINTS / LAST
    assert load_training(stopped).figures["step"] == 4
