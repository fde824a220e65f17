"""What an operator asks for is done, smoothly, within the limits, and ends by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from gensim2_control.body import Body
from gensim2_control.hardware import HOME_Q, Array
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.limits import JointLimits, Workspace
from gensim2_control.mock_hardware import MockHardware
from gensim2_teleop.servo import Servo, ServoConfig
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

URDF = Path(__file__).parents[3] / "launch" / "urdf" / "fr3.urdf"
KINEMATICS = Fr3Kinematics.from_urdf(URDF.read_text())
BOX = Workspace((-0.3, -0.8, 0.05), (0.9, 0.8, 1.0))
MARGIN = 0.05
PERIOD = 0.05
CONFIG = ServoConfig()


@dataclass
class Cell:
    """A servo that streams to a body, with the limits of the real robot's launch file."""

    q_start: Array = field(default_factory=lambda: np.array(HOME_Q))
    delays: tuple[float, ...] = (0.0,)

    def __post_init__(self) -> None:
        self.hardware = MockHardware(self.q_start, lag=0.0)
        self.hardware.connect()
        limits = JointLimits.fr3().reduced(margin=MARGIN, velocity=0.5, acceleration=0.5)
        self.body = Body(self.hardware, limits=limits, kinematics=KINEMATICS, workspace=BOX)
        self.body.update()
        own = JointLimits.fr3().reduced(margin=MARGIN + 0.01, velocity=0.5, acceleration=0.5)
        box = Workspace(tuple(np.array(BOX.lower) + 2e-3), tuple(np.array(BOX.upper) - 2e-3))
        self.servo = Servo(KINEMATICS, own, CONFIG, box)
        self.servo.begin(self.q_start)
        self.t = 0.0
        self.q: list[Array] = []
        self.limited: list[str] = []
        self.sent = 0

    def drive(self, twist: Array, seconds: float) -> None:
        """Ask for a twist for a while; the body refuses nothing that comes of it."""
        for _ in range(round(seconds / PERIOD)):
            chunk = self.servo.chunk(self.t, twist)
            self.limited.append(chunk.limited)
            late = round(self.delays[self.sent % len(self.delays)] / 0.005)
            for i in range(round(PERIOD / 0.005)):
                if i == late and chunk.trajectory is not None:
                    self.body.stream(chunk.trajectory, self.t if self.t else 0.0)
                self.coast(1)
            self.sent += 1
            self.t += PERIOD

    def coast(self, updates: int) -> None:
        """Let time go on without anybody who asks for anything."""
        for _ in range(updates):
            self.hardware.step(0.005)
            state = self.body.update()
            assert state is not None
            self.q.append(state.q[:7].copy())

    @property
    def T_base_tcp(self) -> Array:
        return KINEMATICS.fk(self.q[-1])


AXES = [np.eye(6)[i] * (0.1 if i < 3 else 0.4) * sign for i in range(6) for sign in (1, -1)]


@pytest.mark.parametrize("twist", AXES, ids=lambda v: str(v))
def test_the_tcp_moves_as_it_is_told(twist: Array) -> None:
    """In its direction, at its speed, and in no other."""
    cell = Cell(delays=(0.0, 0.01, 0.03))
    cell.drive(twist, 0.6)
    T_before = cell.T_base_tcp
    cell.drive(twist, 0.5)
    T = cell.T_base_tcp
    moved = (T[:3, 3] - T_before[:3, 3]) / 0.5
    turned = Rotation.from_matrix(T[:3, :3] @ T_before[:3, :3].T).as_rotvec() / 0.5
    np.testing.assert_allclose(moved, twist[:3], atol=4e-3)
    np.testing.assert_allclose(turned, twist[3:], atol=1.5e-2)
    assert cell.limited[-1] == ""


def test_the_arm_comes_to_rest_by_itself_when_nobody_asks_any_more() -> None:
    """As after the death of the node: nothing more is sent."""
    cell = Cell()
    cell.drive(np.array([0.0, 0.15, 0, 0, 0, 0]), 1.0)
    before = cell.T_base_tcp[:3, 3]
    cell.coast(140)
    rest = cell.T_base_tcp[:3, 3]
    cell.coast(20)
    np.testing.assert_allclose(cell.T_base_tcp[:3, 3], rest, atol=1e-6)
    assert np.linalg.norm(rest - before) < 0.06


def test_a_twist_that_is_too_fast_is_slowed_down_and_keeps_its_direction() -> None:
    cell = Cell()
    cell.drive(np.array([0.0, 3.0, 4.0, 0, 0, 0]), 0.6)
    before = cell.T_base_tcp[:3, 3]
    cell.drive(np.array([0.0, 3.0, 4.0, 0, 0, 0]), 0.5)
    way = (cell.T_base_tcp[:3, 3] - before) / 0.5
    np.testing.assert_allclose(way, [0.0, 0.6 * CONFIG.linear, 0.8 * CONFIG.linear], atol=6e-3)


def test_the_workspace_ends_softly_and_can_be_left_again() -> None:
    cell = Cell()
    cell.drive(np.array([0, 0, -0.15, 0, 0, 0]), 6.0)
    assert cell.limited[-1] == "the workspace ends here"
    assert 0.05 <= cell.T_base_tcp[2, 3] < 0.09
    cell.drive(np.array([0, 0, 0.1, 0, 0, 0]), 1.5)
    assert cell.T_base_tcp[2, 3] > 0.12


def test_a_stretched_arm_slows_down_and_says_so() -> None:
    cell = Cell()
    cell.drive(np.array([0.15, 0, 0.1, 0, 0, 0]), 6.0)
    assert any(cell.limited)
    speed = np.abs(np.diff(np.array(cell.q), axis=0)).max() / 0.005
    assert speed < 1.2 * CONFIG.joint_speed


def test_the_end_of_a_joint_is_named_and_never_passed() -> None:
    cell = Cell()
    cell.drive(np.array([0, 0, 0, 0, 0, 0.6]), 8.0)
    assert any("at the end of the range" in text for text in cell.limited)
    limits = JointLimits.fr3().reduced(margin=MARGIN)
    q = np.array(cell.q)
    assert (q >= limits.q_min).all() and (q <= limits.q_max).all()


@given(
    twists=st.lists(
        st.tuples(*[st.floats(-0.5, 0.5, width=32)] * 3, *[st.floats(-1.5, 1.5, width=32)] * 3),
        min_size=1,
        max_size=8,
    ),
    pauses=st.lists(st.sampled_from([0.1, 0.3, 0.9]), min_size=8, max_size=8),
    delays=st.lists(st.sampled_from([0.0, 0.005, 0.02, 0.045]), min_size=1, max_size=5),
)
@settings(max_examples=15, deadline=None)
def test_no_operator_brings_the_body_to_refuse(
    twists: list[tuple[float, ...]], pauses: list[float], delays: list[float]
) -> None:
    """Whatever is asked for, whenever; `Body.stream` raises where a chunk breaks a limit."""
    cell = Cell(delays=tuple(delays))
    for twist, seconds in zip(twists, pauses, strict=False):
        cell.drive(np.array(twist), seconds)
    cell.drive(np.zeros(6), 1.0)
    q = np.array(cell.q)
    ddq = np.diff(q, n=2, axis=0) / 0.005**2
    assert np.abs(ddq).max() < 5.0 + 1e-6
    np.testing.assert_allclose(q[-1], q[-10], atol=1e-9)


def test_nothing_is_sent_where_nothing_is_wanted() -> None:
    cell = Cell()
    assert cell.servo.chunk(0.0, np.zeros(6)).trajectory is None


@pytest.mark.parametrize("twist", [[0.0] * 5, [np.nan] + [0.0] * 5, [[0.0] * 6]])
def test_a_twist_that_is_none_is_refused(twist: object) -> None:
    with pytest.raises(ValueError, match="six finite numbers"):
        Cell().servo.chunk(0.0, twist)  # type: ignore[arg-type]
