"""Checkpoints: weights as safetensors, everything else as JSON; nothing that could be executed.

<run>/settings.yaml             what it was trained with
<run>/checkpoints/<name>/       a checkpoint; a folder is there whole or not at all
    weights.safetensors         the averaged weights, which are used
    policy.json                 settings, scales, tasks and statistics of the training set
    training.safetensors        weights, averages and moments of the optimiser; only to go on
    training.json               step and figures
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gensim2_episodes.files import sync_folder, sync_tree
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from .network import PolicyNetwork
from .normaliser import Normaliser, Scale
from .settings import Settings

SCHEMA = "gensim2_policy"
VERSION = 1
WEIGHTS, POLICY = "weights.safetensors", "policy.json"
TRAINING, STATE = "training.safetensors", "training.json"
CHECKPOINTS = "checkpoints"
BEST, LAST = "best", "last"


class CheckpointError(ValueError):
    """A checkpoint is missing, damaged or of another kind; says which file, and why."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ScaleRecord(_Model):
    """A `Scale`."""

    offset: tuple[float, ...]
    scale: tuple[float, ...]

    def scale_of(self) -> Scale:
        """As arrays."""
        return Scale(np.array(self.offset), np.array(self.scale))


class CloudStatistics(_Model):
    """Of the clouds of the training set, to compare a live one with: m in base.

    Attributes:
        low: Of the coordinates, 1 % of the points are lower.
        high: 1 % are higher.
        centre_low: Of the means of single clouds, the least of each coordinate.
        centre_high: The largest.
        spread: Standard deviation.
        share_above_table: Of the points higher than 2 cm.
    """

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    centre_low: tuple[float, float, float]
    centre_high: tuple[float, float, float]
    spread: tuple[float, float, float]
    share_above_table: float


class _Kind(BaseModel):
    """What every version of a record says of itself."""

    schema_name: str
    schema_version: int


class PolicyRecord(_Model):
    """Everything but the weights that it takes to use a policy.

    Attributes:
        schema_name: Constant.
        schema_version: Changes whenever a reader of the older version would misread.
        settings: Of the policy.
        state: Scale of the states.
        action: Scale of the actions.
        tasks: Instruction of every task it was trained on.
        durations: Longest demonstration of every task, s.
        slowest: Way of any joint in a slow chunk of a demonstration in motion, rad; 0 = unknown.
        instances: Assets of the first objects it has seen.
        step: Of the training.
        validation: Loss on the validation set, or of the training where there is none.
        language: Name of the encoder of instructions, which tells models apart.
        clouds: By domain; empty where clouds are not used.
        cameras: Pose T_parent_cam of every camera, row by row, by domain and name.
        software: Versions, and the commit.
    """

    schema_name: str = SCHEMA
    schema_version: int = VERSION
    settings: Settings
    state: ScaleRecord
    action: ScaleRecord
    tasks: dict[str, str]
    durations: dict[str, float] = Field(default_factory=dict)
    slowest: float = Field(default=0.0, ge=0.0)
    instances: tuple[str, ...] = ()
    step: int = Field(ge=0)
    validation: float | None = None
    language: str = ""
    clouds: dict[str, CloudStatistics] = Field(default_factory=dict)
    cameras: dict[str, dict[str, tuple[float, ...]]] = Field(default_factory=dict)
    software: dict[str, str] = Field(default_factory=dict)

    @property
    def normaliser(self) -> Normaliser:
        """The scales as arrays."""
        return Normaliser(self.state.scale_of(), self.action.scale_of())


def scale_record(scale: Scale) -> ScaleRecord:
    """The record of a scale."""
    return ScaleRecord(offset=tuple(scale.offset.tolist()), scale=tuple(scale.scale.tolist()))


@dataclass(frozen=True)
class Resumed:
    """What a training goes on with: tensors by name, and plain figures."""

    tensors: Mapping[str, Tensor]
    figures: Mapping[str, Any]


def save_checkpoint(
    run: Path,
    name: str,
    weights: Mapping[str, Tensor],
    record: PolicyRecord,
    resumed: Resumed | None = None,
) -> Path:
    """Writes a checkpoint in place of one of the same name; returns its folder.

    It is written beside, and takes the place at once: whoever reads, or whatever crash comes, finds
    the old one or the new one.

    Raises:
        OSError: It cannot be written.
    """
    folder = run / CHECKPOINTS / name
    partial = folder.with_name(f".{name}.{os.getpid()}")
    for left in folder.parent.glob(f".{name}.[0-9]*"):  # by a crash
        shutil.rmtree(left, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _save(weights, partial / WEIGHTS)
        (partial / POLICY).write_text(record.model_dump_json(indent=1) + "\n")
        if resumed is not None:
            _save(resumed.tensors, partial / TRAINING)
            (partial / STATE).write_text(json.dumps(dict(resumed.figures)) + "\n")
        sync_tree(partial)
        old = folder.with_name(f".{name}.old")
        shutil.rmtree(old, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            folder.rename(old)
        partial.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
        sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return folder


def _save(tensors: Mapping[str, Tensor], file: Path) -> None:
    plain = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    try:
        save_file(plain, file)
    except SafetensorError as error:  # which is also how it says that the disk is full
        raise OSError(f"{file} cannot be written: {error}") from error


def find_checkpoint(path: Path) -> Path:
    """The folder of a checkpoint: itself, or the best, else the last one of a run.

    Raises:
        CheckpointError: There is none.
    """
    path = path.expanduser()
    if (path / POLICY).is_file():
        return path
    for name in (BEST, LAST):
        for folder in _places(path, name):
            if (folder / POLICY).is_file():
                return folder
    raise CheckpointError(
        f"{path} holds no policy: expected the folder of a run, with {CHECKPOINTS}/{BEST} in it, "
        f"or of a checkpoint, with {POLICY} in it"
    )


def find_last(run: Path) -> Path | None:
    """The checkpoint that a training goes on from; None where there is none."""
    for folder in _places(run, LAST):
        if (folder / POLICY).is_file():
            return folder
    return None


def _places(run: Path, name: str) -> tuple[Path, Path]:
    """Where a checkpoint is; a crash between two renames leaves it under the other name."""
    return run / CHECKPOINTS / name, run / CHECKPOINTS / f".{name}.old"


def load_record(folder: Path) -> PolicyRecord:
    """The record of a checkpoint.

    Raises:
        CheckpointError: It cannot be read, or is of another kind.
    """
    file = folder / POLICY
    try:
        text = file.read_bytes()
        kind = _Kind.model_validate_json(text)
        if (kind.schema_name, kind.schema_version) != (SCHEMA, VERSION):
            raise CheckpointError(
                f"{file} follows {kind.schema_name} version {kind.schema_version}; this program "
                f"reads {SCHEMA} version {VERSION}"
            )
        record = PolicyRecord.model_validate_json(text)
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CheckpointError(f"{file} is damaged: {where}: {first['msg']}") from None
    return record


def load_network(path: Path) -> tuple[PolicyNetwork, PolicyRecord]:
    """A policy that can be used: its network, in evaluation mode, and its record.

    Raises:
        CheckpointError: There is none, or it is damaged.
    """
    folder = find_checkpoint(path)
    record = load_record(folder)
    network = PolicyNetwork(record.settings)
    _fill(network, _load(folder / WEIGHTS), folder / WEIGHTS)
    return network.eval(), record


def load_training(folder: Path) -> Resumed:
    """What a training goes on with.

    Raises:
        CheckpointError: It is not there, or damaged.
    """
    try:
        figures = json.loads((folder / STATE).read_text())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder / STATE} cannot be read: {error}") from None
    if not isinstance(figures, dict) or not isinstance(figures.get("step"), int):
        raise CheckpointError(f"{folder / STATE} is damaged: it does not say the step")
    return Resumed(_load(folder / TRAINING), figures)


def _load(file: Path) -> dict[str, Tensor]:
    try:
        return load_file(file)
    except (OSError, SafetensorError, ValueError) as error:
        raise CheckpointError(f"{file} cannot be read, it may have been cut off: {error}") from None


def _fill(network: torch.nn.Module, weights: Mapping[str, Tensor], file: Path) -> None:
    wanted = network.state_dict()
    wrong = sorted({*wanted} ^ {*weights})
    wrong += [k for k in wanted if k in weights and wanted[k].shape != weights[k].shape]
    if wrong:
        raise CheckpointError(f"{file} does not fit its settings: {', '.join(wrong[:3])}")
    bad = [k for k, v in weights.items() if not torch.isfinite(v).all()]
    if bad:
        raise CheckpointError(f"{file}: weights that are not finite: {', '.join(bad[:3])}")
    network.load_state_dict(dict(weights))
