"""Typed settings of a policy and its training, the presets, and overrides from the command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

HeadKind = Literal["diffusion", "flow", "decoder", "mlp"]
ActionSpace = Literal["joints", "tcp"]


class SettingsError(ValueError):
    """A setting is unknown or does not fit; says which, and what would."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ObservationSettings(_Strict):
    """What the policy sees.

    Attributes:
        period: Between two steps of observations and actions, s; the same in training and use.
        rest: Steps of a demonstration in a row in which nothing moves that are kept before its last
            motion: a policy that has seen long ones stands still for ever.
        state_steps: Steps of the proprioceptive state, the present one and before.
        cloud_steps: The same of clouds.
        points: Of each cloud.
        cameras: Whose colour pictures are seen; empty = none.
        picture: Height and width they are brought to, pixels.
    """

    period: float = Field(default=0.1, ge=0.02, le=1.0)
    rest: int = Field(default=2, ge=1, le=1000)
    state_steps: int = Field(default=2, ge=1, le=16)
    cloud_steps: int = Field(default=1, ge=0, le=16)
    points: int = Field(default=384, ge=16, le=16384)
    cameras: tuple[str, ...] = ()
    picture: tuple[int, int] = (96, 128)

    @property
    def steps(self) -> int:
        """Steps that are looked back on, the present one among them."""
        return max(self.state_steps, self.cloud_steps)


class ActionSettings(_Strict):
    """What the policy does.

    Attributes:
        space: ``joints``: seven joint positions; ``tcp``: position and rotation of the TCP, which
            inverse kinematics turns into joints, near to those that the policy says too.
        horizon: Steps of a chunk, the first one ``period`` after the observation.
    """

    space: ActionSpace = "tcp"
    horizon: int = Field(default=16, ge=1, le=128)

    @property
    def width(self) -> int:
        """Numbers of one step, the gripper among them."""
        return {"joints": 8, "tcp": 17}[self.space]


class CloudSettings(_Strict):
    """The encoder of clouds.

    Attributes:
        encoder: ``pointnet``, or ``pointnext`` with set abstraction.
        widths: Of the layers of each point (pointnet), or of the levels (pointnext).
        tokens: Per cloud.
        colour: Whether the colours of points are used.
        stride: Points of a level over those of the next.
        radius: In which the first level looks for neighbours, m; ``growth`` per level.
        growth: See ``radius``.
        neighbours: Of each point at most.
        blocks: Inverted residual blocks per level.
    """

    encoder: Literal["pointnet", "pointnext"] = "pointnet"
    widths: tuple[int, ...] = Field(default=(64, 128), min_length=1)
    tokens: int = Field(default=4, ge=1, le=64)
    colour: bool = False
    stride: int = Field(default=4, ge=1, le=16)
    radius: float = Field(default=0.05, gt=0.0, le=2.0)
    growth: float = Field(default=2.0, ge=1.0, le=8.0)
    neighbours: int = Field(default=16, ge=1, le=128)
    blocks: int = Field(default=0, ge=0, le=8)


class ImageSettings(_Strict):
    """The encoder of pictures: widths of its residual cells, and tokens per picture."""

    widths: tuple[int, ...] = Field(default=(32, 64, 128), min_length=1)
    tokens: int = Field(default=4, ge=1, le=64)


class HeadSettings(_Strict):
    """What makes chunks of the tokens.

    Attributes:
        kind: ``diffusion`` and ``flow`` draw a chunk, ``decoder`` and ``mlp`` say the one.
        layers: Transformer blocks; not used by ``mlp``.
        train_steps: Of the noise schedule of diffusion.
        steps: Of inference, of diffusion and flow.
    """

    kind: HeadKind = "flow"
    layers: int = Field(default=2, ge=1, le=16)
    train_steps: int = Field(default=100, ge=2, le=1000)
    steps: int = Field(default=8, ge=1, le=1000)

    @model_validator(mode="after")
    def _steps_fit(self) -> HeadSettings:
        if self.kind == "diffusion" and self.steps > self.train_steps:
            raise ValueError(f"steps {self.steps} is more than train_steps {self.train_steps}")
        return self


class ModelSettings(_Strict):
    """The network.

    Attributes:
        width: Of tokens.
        heads: Of attention.
        layers: Transformer blocks of the trunk.
        language: The frozen encoder of instructions; ``none`` = a policy of one task.
        language_weights: Folder of a CLIP model, where that is the encoder.
        language_width: Of its embeddings.
        language_tokens: Of an instruction.
        domains: Bodies and worlds with stems and heads of their own, for example sim and real.
    """

    width: int = Field(default=128, ge=16, le=4096)
    heads: int = Field(default=4, ge=1, le=64)
    layers: int = Field(default=3, ge=1, le=64)
    language: Literal["minilm", "clip", "none"] = "minilm"
    language_weights: str = ""
    language_width: int = Field(default=384, ge=1, le=4096)
    language_tokens: int = Field(default=2, ge=1, le=64)
    cloud: CloudSettings = CloudSettings()
    image: ImageSettings = ImageSettings()
    head: HeadSettings = HeadSettings()
    domains: tuple[str, ...] = Field(default=("sim",), min_length=1)

    @model_validator(mode="after")
    def _heads_fit(self) -> ModelSettings:
        if self.width % (2 * self.heads):
            raise ValueError(f"width {self.width} is no multiple of 2 x {self.heads} heads")
        return self

    @model_validator(mode="after")
    def _weights_fit(self) -> ModelSettings:
        if (self.language == "clip") != bool(self.language_weights):
            raise ValueError("language clip and language_weights, its folder, belong together")
        return self


class AugmentSettings(_Strict):
    """What is changed at random in training, of observation and action together.

    Attributes:
        yaw: The whole scene is turned about the axis of the robot's base by up to this, rad; only
            where no pictures are used.
        shift: It is moved along the table by up to this, m; only where actions are of the TCP
            and no pictures are used.
        keep: Least share of the points of a cloud that are kept.
        point_noise: Standard deviation of the points, m.
        state_noise: Standard deviation of normalised states.
    """

    yaw: float = Field(default=0.2, ge=0.0, le=3.1416)
    shift: float = Field(default=0.05, ge=0.0, le=0.5)
    keep: float = Field(default=0.5, gt=0.0, le=1.0)
    point_noise: float = Field(default=0.002, ge=0.0, le=0.1)
    state_noise: float = Field(default=0.02, ge=0.0, le=1.0)


class TrainSettings(_Strict):
    """How it is trained.

    Attributes:
        steps: Optimiser steps.
        batch: Samples of a step, over all processes.
        rate: Highest learning rate, after the warm-up.
        last_rate: Share of it at the end of the cosine.
        warm_up: Steps of the warm-up.
        decay: Weight decay.
        clip: Largest norm of the gradient.
        ema: Decay of the averaged weights, which are the ones that are used; 0 = none.
        amp: Half precision (bfloat16) in the network.
        validation: Share of the episodes that are only looked at.
        validate_every: Steps between two validations.
        save_seconds: Longest time that a crash may cost, s.
        seed: Of everything that is drawn.
        threads: Of PyTorch on the CPU; 0 = as many as there are cores.
    """

    steps: int = Field(default=8000, ge=1)
    batch: int = Field(default=64, ge=1)
    rate: float = Field(default=1e-3, gt=0.0, le=1.0)
    last_rate: float = Field(default=0.01, ge=0.0, le=1.0)
    warm_up: int = Field(default=200, ge=0)
    decay: float = Field(default=1e-4, ge=0.0)
    clip: float = Field(default=1.0, gt=0.0)
    ema: float = Field(default=0.999, ge=0.0, lt=1.0)
    amp: bool = False
    validation: float = Field(default=0.1, ge=0.0, lt=1.0)
    validate_every: int = Field(default=500, ge=1)
    save_seconds: float = Field(default=45.0, ge=1.0, le=60.0)
    seed: int = Field(default=0, ge=0)
    threads: int = Field(default=0, ge=0)


class Settings(_Strict):
    """Everything about a policy; a copy lies beside its weights."""

    preset: str = "ppt-tiny"
    observation: ObservationSettings = ObservationSettings()
    action: ActionSettings = ActionSettings()
    model: ModelSettings = ModelSettings()
    augment: AugmentSettings = AugmentSettings()
    train: TrainSettings = TrainSettings()

    @model_validator(mode="after")
    def _augmentation_fits(self) -> Settings:
        if self.observation.cameras and (self.augment.yaw or self.augment.shift):
            raise ValueError(
                "augment.yaw and augment.shift: pictures cannot follow a moved scene; set both to 0"
            )
        if self.action.space == "joints" and self.augment.shift:
            raise ValueError(
                "augment.shift: joints cannot follow a shifted scene; set it to 0, or "
                "action.space to tcp"
            )
        return self


_PPT = {
    "observation": {"points": 1024, "state_steps": 3, "cloud_steps": 3},
    "model": {
        "width": 512,
        "heads": 8,
        "layers": 4,
        "language_tokens": 4,
        "cloud": {
            "encoder": "pointnext",
            "widths": [32, 64, 128, 256, 512],
            "tokens": 3,
            "stride": 2,
            "radius": 0.05,
            "growth": 1.5,
            "neighbours": 32,
        },
        "head": {"kind": "diffusion", "layers": 6, "steps": 10},
    },
    "train": {"rate": 1e-4, "decay": 1e-6, "batch": 32, "steps": 100_000, "warm_up": 500},
}
_SMALL = {
    "observation": {"points": 1024, "state_steps": 2},
    "model": {
        "width": 256,
        "heads": 8,
        "layers": 4,
        "cloud": {"encoder": "pointnext", "widths": [32, 64, 128, 256], "stride": 4},
        "head": {"kind": "flow", "layers": 4},
    },
    "train": {"rate": 3e-4, "steps": 50_000},
}
PRESETS: Mapping[str, Mapping[str, Any]] = {"ppt": _PPT, "ppt-small": _SMALL, "ppt-tiny": {}}


def make_settings(preset: str, overrides: Iterable[str] = ()) -> Settings:
    """Settings of a preset, changed by overrides such as ``train.steps=100``.

    Raises:
        SettingsError: The preset or a setting is unknown, or a value does not fit.
    """
    if preset not in PRESETS:
        raise SettingsError(f"preset {preset[:60]!r} is unknown; known: {', '.join(PRESETS)}")
    plain: dict[str, Any] = yaml.safe_load(yaml.safe_dump({"preset": preset, **PRESETS[preset]}))
    for override in overrides:
        name, sign, text = override.partition("=")
        if not sign:
            raise SettingsError(f"override {override[:60]!r}: expected name=value")
        *path, last = _known(name).split(".")
        inner = plain
        for part in path:
            inner = inner.setdefault(part, {})
        try:
            inner[last] = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, TypeError):  # the last two: no date, no key
            raise SettingsError(f"{name}: {text[:60]!r} cannot be read") from None
    return load_settings(plain)


def load_settings(plain: object) -> Settings:
    """Settings of a plain document.

    Raises:
        SettingsError: It does not fit; says where.
    """
    try:
        return Settings.model_validate(plain)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        text = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{where}: {text}" if where else text) from None


def _known(name: str) -> str:
    """The name of a setting, which must be one."""
    names = [n for n in _names(Settings) if n != "preset"]
    if name not in names:
        near = difflib.get_close_matches(name[:100], names, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise SettingsError(f"setting {name[:60]!r} is unknown{hint}")
    return name


def _names(model: type[BaseModel], before: str = "") -> Iterable[str]:
    """Names of all settings, by the groups they are in."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _names(kind, f"{before}{name}.")
        else:
            yield before + name
