"""Checkpoints: what is loaded is what was saved, and no accident leaves half of one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from gensim2_policy.checkpoint import (
    BEST,
    CHECKPOINTS,
    LAST,
    POLICY,
    STATE,
    TRAINING,
    WEIGHTS,
    CheckpointError,
    find_checkpoint,
    load_network,
    load_record,
    load_training,
    save_checkpoint,
)
from gensim2_policy.network import PolicyNetwork
from policy_samples import (
    checkpoint_parts,
    output_of,
    random_actions,
    random_batch,
    small_settings,
    start,
)
from safetensors.torch import load_file, save_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_checkpoint(tmp_path / "run", LAST, *checkpoint_parts(step=1))


def test_loaded_policy_says_what_the_saved_one_said(tmp_path: Path) -> None:
    settings = small_settings("model.head.kind=diffusion", "model.domains=[sim,real]")
    weights, record, resumed = checkpoint_parts(step=1, settings=settings)
    save_checkpoint(tmp_path, BEST, weights, record)
    network, again = load_network(tmp_path)
    assert again == record and not network.training
    own = PolicyNetwork(settings)
    own.load_state_dict(weights)
    batch, noise = random_batch(settings), random_actions(settings)
    with torch.no_grad():
        assert torch.equal(network.act(batch, "real", noise), own.act(batch, "real", noise))
    with pytest.raises(CheckpointError, match=STATE):
        load_training(tmp_path / CHECKPOINTS / BEST)
    assert resumed.figures == {"step": 1}


def test_scales_are_kept_to_the_bit(folder: Path) -> None:
    """The public policy did not keep them: whoever used it had to know them."""
    _, record, _ = checkpoint_parts(step=1)
    again = load_record(folder).normaliser
    assert np.array_equal(again.state.offset, record.state.offset)
    assert np.array_equal(again.state.scale, record.state.scale)
    values = np.random.default_rng(0).normal(size=(4, 10))
    assert np.array_equal(again.action.apply(values), record.normaliser.action.apply(values))
    assert np.allclose(again.action.undo(again.action.apply(values)), values)


def test_training_goes_on_with_what_was_saved(folder: Path) -> None:
    _, _, resumed = checkpoint_parts(step=1)
    again = load_training(folder)
    assert again.figures == resumed.figures
    assert {*again.tensors} == {*resumed.tensors}
    assert all(torch.equal(again.tensors[k], v) for k, v in resumed.tensors.items())


def test_nothing_in_a_checkpoint_could_be_executed(folder: Path) -> None:
    assert {f.name for f in folder.iterdir()} == {WEIGHTS, POLICY, TRAINING, STATE}
    for file in folder.glob("*.json"):
        json.loads(file.read_text())
    for file in folder.glob("*.safetensors"):
        assert load_file(file)


def test_best_is_found_before_the_last(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(CheckpointError, match=rf"{run} holds no policy: expected the folder of a"):
        find_checkpoint(run)
    last = save_checkpoint(run, LAST, *checkpoint_parts(step=2))
    assert find_checkpoint(run) == find_checkpoint(last) == last
    best = save_checkpoint(run, BEST, *checkpoint_parts(step=1))
    assert find_checkpoint(run) == best
    # A crash between the two renames of a saving.
    best.rename(best.with_name(f".{BEST}.old"))
    assert load_record(find_checkpoint(run)).step == 1


def test_a_new_checkpoint_replaces_the_old_one(folder: Path) -> None:
    weights, record, _ = checkpoint_parts(step=2)
    assert save_checkpoint(folder.parents[1], LAST, weights, record) == folder
    assert load_record(folder).step == 2
    assert {f.name for f in folder.iterdir()} == {WEIGHTS, POLICY}
    assert [f.name for f in folder.parent.iterdir()] == [LAST]


@pytest.mark.parametrize("name", [WEIGHTS, TRAINING])
@pytest.mark.parametrize("left", [0, 5, 100, -10])
def test_truncated_tensors(folder: Path, name: str, left: int) -> None:
    file = folder / name
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(CheckpointError, match=rf"{name} cannot be read, it may have been cut off"):
        load_network(folder) if name == WEIGHTS else load_training(folder)


@pytest.mark.parametrize("name", [POLICY, STATE])
@pytest.mark.parametrize("text", ["", "{", "[]", "\x00\xff", '{"step": "x"}', "null"])
def test_damaged_figures(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="latin-1")
    with pytest.raises(CheckpointError, match=name):
        load_record(folder) if name == POLICY else load_training(folder)


@pytest.mark.parametrize("name", [WEIGHTS, TRAINING, STATE])
def test_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=name):
        load_network(folder) if name == WEIGHTS else load_training(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 2},
        {"schema_version": 2, "grippers": 2},
        {"schema_name": "other", "settings": 3},
    ],
)
def test_other_schema_is_called_that(folder: Path, change: dict[str, object]) -> None:
    file = folder / POLICY
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(CheckpointError, match=r"follows .* version .*; this program reads"):
        load_record(folder)


def test_weights_of_other_settings(folder: Path) -> None:
    file = folder / POLICY
    plain = json.loads(file.read_text())
    for group, name, value in (("model", "width", 32), ("model", "layers", 2)):
        changed = json.loads(json.dumps(plain))
        changed["settings"][group][name] = value
        file.write_text(json.dumps(changed))
        with pytest.raises(CheckpointError, match=rf"{WEIGHTS} does not fit its settings: "):
            load_network(folder)


def test_weights_that_are_not_finite(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    weights["norm.bias"][3] = torch.nan
    save_file(weights, folder / WEIGHTS)
    with pytest.raises(CheckpointError, match=r"not finite: norm\.bias"):
        load_network(folder)


def test_killed_while_saving(tmp_path: Path) -> None:
    """At every file-system call: the old checkpoint is there or the new one, whole."""
    count = int(output_of(start("die_at_each_step", tmp_path)))
    assert count > 10
    found = []
    for step in range(1, count + 2):
        network, record = load_network(tmp_path / str(step))
        weights, _, resumed = checkpoint_parts(record.step)
        assert all(torch.equal(network.state_dict()[k], v) for k, v in weights.items())
        folder = find_checkpoint(tmp_path / str(step))
        assert load_training(folder).figures == resumed.figures
        found.append(record.step)
    assert found == sorted(found) and {*found} == {1, 2}
    # The next saving clears what the killed one has left.
    weights, record, _ = checkpoint_parts(step=3)
    for step in range(1, count + 2):
        folder = save_checkpoint(tmp_path / str(step), LAST, weights, record)
        assert [f.name for f in folder.parent.iterdir()] == [LAST]


def test_no_room_for_a_checkpoint(folder: Path) -> None:
    sizes = sorted(f.stat().st_size for f in folder.iterdir())
    rooms = (0, sizes[0] - 1, sizes[1] - 1, sizes[2] - 1, sizes[3] - 1)
    said = output_of(start("save_without_room", folder.parents[1], *rooms))
    assert said.split("\n")[:-1] == [f"refused {room}" for room in rooms]
    assert load_network(folder)[1].step == 1
    assert [f.name for f in folder.parent.iterdir()] == [LAST]


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(OSError):
        save_checkpoint(tmp_path / "run", LAST, *checkpoint_parts(step=1))
    assert [f.name for f in tmp_path.iterdir()] == ["run"]
