"""A policy that has learned nothing: small, quick, and good for trying out a graph.

Its chunks go a few centimetres about from wherever the arm is.
"""

from __future__ import annotations

from pathlib import Path

import torch

from .checkpoint import BEST, PolicyRecord, ScaleRecord, save_checkpoint
from .features import STATE
from .network import PolicyNetwork
from .settings import Settings, make_settings

TASK, INSTRUCTION = "CloseBox", "Close the box."
SMALL = (
    "observation.points=32",
    "model.width=32",
    "model.layers=1",
    "model.head.layers=1",
    "model.head.steps=2",
    "model.cloud.widths=[16,16]",
    "model.language=none",
)
WAY = 0.02  # m


def small_settings(*overrides: str) -> Settings:
    """Settings of the smallest policy, changed by overrides.

    Raises:
        SettingsError: An override does not fit.
    """
    return make_settings("ppt-tiny", [*SMALL, *overrides])


def save_untrained(run: Path, *overrides: str, duration: float = 60.0) -> Path:
    """Writes a run whose weights are drawn at random; returns its folder.

    Args:
        run: The folder.
        overrides: Of `small_settings`.
        duration: Of the longest demonstration that it claims to have seen, s.

    Raises:
        OSError: It cannot be written.
    """
    settings = small_settings(*overrides)
    torch.manual_seed(0)
    network = PolicyNetwork(settings)
    # The present pose, fingers open, the present joints; about them a little.
    tcp = settings.action.space == "tcp"
    offset = [*([0.0] * 3 + [1.0, 0.0, 0.0, 0.0, 1.0, 0.0] if tcp else []), 0.04, *[0.0] * 7]
    scale = [*([WAY] * 3 + [0.05] * 6 if tcp else []), 0.001, *[2.0 * WAY] * 7]
    record = PolicyRecord(
        settings=settings,
        state=ScaleRecord(offset=(0.0,) * STATE, scale=(1.0,) * STATE),
        action=ScaleRecord(offset=tuple(offset), scale=tuple(scale)),
        tasks={TASK: INSTRUCTION},
        durations={TASK: duration},
        step=0,
    )
    save_checkpoint(run, BEST, network.state_dict(), record)
    return run
