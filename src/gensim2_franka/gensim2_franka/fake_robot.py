"""A fake robot: MuJoCo physics behind libfranka's network protocol, on this machine."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence

import mujoco
import numpy as np
from franky_sim.mujoco_simulator import MujocoSimulator
from gensim2_control.hardware import FINGER_MAX, HOME_Q, Array

from gensim2_franka.fake_server import RobotServer

TICK = 0.001
"""Period of the robot's own loop, s."""
HAND_TICKS = 10
"""Periods between two states of the hand, which is no part of the robot's fast loop."""
_FAR_AWAY = (0.0, 0.0, -5.0)
_LATEST = 0.05
_LOOK = 0.01
_PRIORITY = 60
_ANSWER = 1.0


class FakeRobotError(RuntimeError):
    """The fake robot cannot be started."""


class FakeRobot:
    """One FR3 with its hand, and two boxes that can be put in its way.

    Either `run` lets time pass in a thread, as fast as the clock on the wall, or the caller does
    with `step`, which waits for the client, so that the same calls give the same motion.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        q: Sequence[float] = HOME_Q,
        finger: float = FINGER_MAX,
        longest_silence: float = 0.02,
    ) -> None:
        """Open the ports.

        Args:
            host: address of this machine to listen at; the ports are fixed by libfranka.
            q: arm configuration (7,), rad.
            finger: position of both finger joints, m.
            longest_silence: time without a command after which the robot stops, s.

        Raises:
            FakeRobotError: the ports are in use.
        """
        self._sim = MujocoSimulator()
        self._sim.init()
        robot = self._sim.add_robot(initial_q=tuple(q), initial_hand_width=2 * finger)
        for name in ("held", "obstacle"):
            body = ElementTree.SubElement(
                self._sim.worldbody, "body", name=name, mocap="true", pos=_text(_FAR_AWAY)
            )
            # The fingers are so light that they would sink deep into a contact of usual softness.
            ElementTree.SubElement(
                body,
                "geom",
                name=name,
                type="box",
                size="0.01 0.01 0.01",
                priority="1",
                solimp="0.999 0.9999 0.001",
                solref="0.004 1",
            )
        self.server = RobotServer(robot, [host], round(longest_silence / TICK))
        try:
            self.server.init()
        except OSError as error:
            raise FakeRobotError(
                f"the ports 1337 and 1338 of {host} cannot be opened ({error}): does another fake "
                "robot run? End it, or give this one another address, as 127.0.0.2"
            ) from None
        self._sim.start()
        # The tree of bounding boxes is built once; the boxes get their sizes later.
        self._sim.model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_MIDPHASE
        self._frozen = False
        self._hand_silent = False
        self._calls: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.ticks = 0
        """Milliseconds that have passed."""
        self.tick()  # before, there is no state to send

    @property
    def t(self) -> float:
        """Time that has passed, s."""
        return self.ticks * TICK

    def run(self, on_failure: Callable[[BaseException], None]) -> None:
        """Let time pass in a thread, as fast as the clock on the wall.

        Args:
            on_failure: called where that ends by an error.
        """

        def live() -> None:
            try:
                self._run()
            except BaseException as error:  # a robot that is dead must not seem to be alive
                on_failure(error)

        self._stopping.clear()
        self._thread = threading.Thread(target=live, name="fake robot", daemon=True)
        self._thread.start()

    def wait_until_left(self, timeout: float) -> None:
        """Wait until no client controls the arm, at most so long, s."""
        deadline = time.monotonic() + timeout
        while self.server.in_motion and time.monotonic() < deadline:
            time.sleep(_LOOK)

    def close(self) -> None:
        """End the thread and close the ports."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.server.cleanup()

    def tick(self) -> None:
        """Let one millisecond pass."""
        self._carry_out()
        self.ticks += 1
        if self._frozen:
            return
        self.server.process_commands()
        self._sim.step()
        self.server.send_arm_state()
        if self.ticks % HAND_TICKS == 0 and not self._hand_silent:
            self.server.hand.send_state()

    def wait_for_answers(self) -> None:
        """Serve a client that is connecting, while the time of the physics stands still."""
        self.server.process_commands()
        self.server.send_state()

    def step(self, count: int) -> None:
        """Let milliseconds pass, each when a client that controls the arm has answered.

        The hand's state is not sent: `send_hand_state` does that.
        """
        for _ in range(count):
            self._carry_out()
            self.ticks += 1
            self.server.process_commands()
            self._sim.step()
            self.server.send_arm_state()
            socket = self.server.udp_socket
            if socket is not None and self.server.in_motion:
                select.select([socket], [], [], _ANSWER)

    def send_hand_state(self) -> None:
        """Send the state of the hand to its client."""
        self.server.hand.send_state()

    def call(self, function: Callable[[], None]) -> None:
        """Call a function in the thread of the robot, before its next millisecond."""
        with self._lock:
            self._calls.append(function)

    def reflex(self, error: str = "joint_reflex") -> None:
        """Stop as after a collision, with a named error."""
        self.call(lambda: self.server.reflex(error))

    def press_user_stop(self, pressed: bool) -> None:
        """Press or release the user stop."""
        self.call(lambda: self.server.press_user_stop(pressed))

    def freeze(self, frozen: bool) -> None:
        """Cut the network: nothing is sent and nothing heard; the arm stands."""
        self._frozen = frozen

    def silence_hand(self, silent: bool) -> None:
        """Let the hand send no states; the arm goes on."""
        self._hand_silent = silent

    def place_object(self, finger: float | None) -> None:
        """Put a box between the fingers that stops both at a joint position, m; None = none."""
        if finger is None:
            self.call(lambda: self._place("held", None))
            return
        data = self._sim.data
        pads = [data.body(f"robot0_{side}_finger") for side in ("left", "right")]
        hand = data.body("robot0_hand")
        rotation = hand.xmat.reshape(3, 3)
        centre = np.mean([pad.xpos for pad in pads], axis=0) + 0.045 * rotation[:, 2]
        size = np.array([0.012, finger, 0.012])
        self.call(lambda: self._place("held", (centre, hand.xquat.copy(), size)))

    def block_joint2(self) -> None:
        """Put a box under the hand, so that the arm cannot lean forward far."""
        hand = self._sim.data.body("robot0_hand").xpos.copy()
        centre = np.array([hand[0] + 0.1, hand[1], hand[2] - 0.2 - 0.12])
        pose = centre, np.array([1.0, 0, 0, 0]), np.array([0.2, 0.2, 0.12])
        self.call(lambda: self._place("obstacle", pose))

    def _carry_out(self) -> None:
        with self._lock:
            calls, self._calls = self._calls, []
        for call in calls:
            call()

    def _place(self, name: str, pose: tuple[Array, Array, Array] | None) -> None:
        model, data = self._sim.model, self._sim.data
        slot = model.body(name).mocapid[0]
        if pose is None:
            data.mocap_pos[slot] = _FAR_AWAY
            return
        position, quaternion, size = pose
        geom = model.geom(name).id
        model.geom_size[geom] = size
        model.geom_rbound[geom] = np.linalg.norm(size)
        model.geom_aabb[geom, 3:] = size
        data.mocap_pos[slot], data.mocap_quat[slot] = position, quaternion
        mujoco.mj_forward(model, data)

    def _run(self) -> None:
        # The real robot's loop is not held up by what this machine does besides.
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
        due = time.perf_counter()
        while not self._stopping.is_set():
            self.tick()
            due = max(due + TICK, time.perf_counter() - _LATEST)
            if (wait := due - time.perf_counter()) > 0:
                time.sleep(wait)


def _text(numbers: Sequence[float]) -> str:
    return " ".join(f"{number:g}" for number in numbers)
