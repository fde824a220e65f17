"""Wrong settings are refused before a robot is touched, and refusals say what to do."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from franky_rig import URDF, FrankyRig
from gensim2_control.hardware import HOME_Q, HardwareError
from gensim2_control.kinematics import TCP_LINK, Fr3Kinematics
from gensim2_franka.connection import (
    explain_version,
    has_realtime_kernel,
    require_realtime,
    require_tcp,
)
from gensim2_franka.errors import ERROR_NAMES
from gensim2_franka.fake_server import WIRE_ERRORS
from gensim2_franka.reference_guard import ReferenceGuard
from gensim2_franka.settings import FrankaSettings


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"robot_ip": ""}, "robot_ip is empty"),
        ({"stiffness": (600.0,) * 6}, "stiffness must hold 7"),
        ({"damping": (0.0,) * 7}, "damping must be positive"),
        ({"collision_torque": (1.0,) * 7}, "collision_torque must not be below"),
        ({"collision_force": (float("nan"),) * 6}, "collision_force must hold 6 finite"),
    ],
)
def test_settings_that_a_robot_would_refuse_are_named(wrong: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        FrankaSettings(**({"robot_ip": "10.0.0.1"} | wrong))  # type: ignore[arg-type]


def test_a_kernel_without_real_time_needs_a_decision(tmp_path: Path) -> None:
    """The robot would stop in the middle of a motion otherwise."""
    with pytest.raises(HardwareError, match="allow_non_rt"):
        require_realtime(allow_non_rt=False, realtime=False)
    require_realtime(allow_non_rt=True, realtime=False)
    require_realtime(allow_non_rt=False, realtime=True)
    (tmp_path / "realtime").write_text("1\n")
    assert has_realtime_kernel(tmp_path / "realtime")
    (tmp_path / "realtime").write_text("0\n")
    assert not has_realtime_kernel(tmp_path / "realtime")


def test_another_tool_than_the_described_one_is_refused() -> None:
    """Every plan would miss by the difference."""
    kinematics = Fr3Kinematics.from_urdf(URDF.read_text(encoding="utf-8"))
    q = np.array(HOME_Q)
    T_base_tcp = kinematics.fk(q, TCP_LINK)
    require_tcp(T_base_tcp, q, kinematics, 1e-6)
    T_base_tcp[2, 3] += 0.1034
    with pytest.raises(HardwareError, match=r"103\.4 mm.*Desk"):
        require_tcp(T_base_tcp, q, kinematics, 0.002)


def test_a_version_that_does_not_fit_is_explained() -> None:
    text = explain_version("server 9, library 10", "10.0.0.1")
    assert "10.0.0.1" in text and "server 9" in text and "franky" in text


def test_the_fake_robot_knows_the_errors_of_the_real_one() -> None:
    assert len(ERROR_NAMES) == 41
    assert sorted(WIRE_ERRORS) == sorted(ERROR_NAMES)


def test_an_error_arrives_under_its_own_name() -> None:
    """The order on the wire is nowhere written down; a wrong one names the wrong error."""
    rig = FrankyRig()
    seen: list[tuple[str, ...]] = []
    for error in WIRE_ERRORS:
        rig.fake.reflex(error)
        rig.fake.tick()
        # A state that was sent before may still be on its way.
        deadline = time.monotonic() + 30.0
        while not seen or seen[-1] != (error,):
            rig.serve(lambda: seen.append(rig.hardware.status().errors))
            assert time.monotonic() < deadline, f"{error} shows as {seen[-1]}"


def test_a_reference_that_nobody_renews_is_held_once() -> None:
    """Its velocity would count for ever."""
    now, held = [0.0], []
    guard = ReferenceGuard(0.2, lambda: held.append(now[0]), lambda: now[0])
    assert not guard.check(), "nothing was sent yet"
    guard.renew()
    now[0] = 0.19
    assert not guard.check()
    now[0] = 0.21
    assert guard.check() and held == [0.21]
    now[0] = 5.0
    assert not guard.check()
    guard.renew()
    now[0] = 5.3
    assert guard.check() and held == [0.21, 5.3]


def test_the_library_leaves_the_signals_as_they_were() -> None:
    """Programs started later would have SIGPIPE blocked, and never end at a closed pipe."""
    program = (
        "import signal; import gensim2_franka.franky_hardware; "
        "print(signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
