"""The Franka Hand, commanded without waiting for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from gensim2_control.hardware import HardwareError

from gensim2_franka.answering import answered
from gensim2_franka.library import franky

_POLL = 0.02
_UNREACHABLE = (
    franky.NetworkException,
    franky.ProtocolException,
    franky.IncompatibleVersionException,
)
_ANY_WIDTH = 0.08
"""Epsilon of grasps, m: a narrow one makes the hand let go of what it has found."""


@dataclass(frozen=True)
class HandState:
    """What the hand reported last.

    Attributes:
        t: its clock, s.
        width: gap between the fingers, m.
        speed: change of the width, m/s.
        max_width: largest gap, measured by homing, m.
        is_grasped: it holds something with force.
    """

    t: float
    width: float
    speed: float
    max_width: float
    is_grasped: bool


class FrankaHand:
    """Sends commands and keeps the newest state; two threads of its own, nothing here blocks.

    libfranka's calls return when the fingers have arrived, and a running one has to be stopped
    before the next: a worker does that, and the newest command is the one that counts.
    """

    def __init__(self, robot_ip: str, speed: float, poll: float = _POLL) -> None:
        """Prepare; `connect` opens the connection.

        Args:
            robot_ip: address of the robot.
            speed: of both fingers together, m/s.
            poll: time between two looks at the state, s.
        """
        self._ip = robot_ip
        self._speed = speed
        self._poll_time = poll
        self._gripper: franky.Gripper | None = None
        self._state: HandState | None = None
        self._failure = ""
        self._wanted: tuple[str, Callable[[franky.Gripper], franky.BoolFuture]] | None = None
        self._wake = threading.Condition()
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self.commands_sent = 0
        """Commands that have been handed to the hand so far, stops in between among them."""

    @property
    def state(self) -> HandState:
        """The newest state.

        Raises:
            HardwareError: there is none, or the hand no longer answers.
        """
        if self._failure:
            raise HardwareError(f"the hand does not answer: {self._failure}")
        if self._state is None:
            raise HardwareError("there is no state of the hand yet")
        return self._state

    @property
    def idle(self) -> bool:
        """Whether every command has been handed over."""
        with self._wake:
            return self._wanted is None

    def connect(self) -> None:
        """Open the connection and read the first state.

        Raises:
            HardwareError: there is no hand.
        """
        try:
            self._gripper = answered(lambda: franky.Gripper(self._ip), f"the hand at {self._ip}")
            # Whoever asks before the first state has come would think that the hand is lost.
            self._look(self._gripper)
        except _UNREACHABLE as error:
            self._gripper = None
            raise HardwareError(
                f"no connection to the hand at {self._ip}: {error}. Is it mounted, and selected "
                "and switched on in Desk?"
            ) from None
        self._closing.clear()
        self._failure = ""
        for target in (self._poll, self._work):
            thread = threading.Thread(target=target, name=f"hand{target.__name__}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def disconnect(self) -> None:
        """End the threads; safe to call twice."""
        self._closing.set()
        with self._wake:
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(2.0)
        self._threads.clear()
        self._gripper = None

    def move(self, width: float) -> None:
        """Move the fingers to a gap in m."""
        self._want("move", lambda gripper: gripper.move_async(width, self._speed))

    def grasp(self, force: float) -> None:
        """Close until something resists, and hold it with a force in N."""
        self._want(
            "grasp",
            lambda gripper: gripper.grasp_async(0.0, self._speed, force, _ANY_WIDTH, _ANY_WIDTH),
        )

    def stop(self) -> None:
        """Stop the fingers where they are."""
        self._want("stop", lambda gripper: gripper.stop_async())

    def homing(self) -> None:
        """Open fully to find out how far that is, and come back."""
        self._want("homing", lambda gripper: gripper.homing_async())

    def _want(self, name: str, call: Callable[[franky.Gripper], franky.BoolFuture]) -> None:
        with self._wake:
            self._wanted = (name, call)
            self._wake.notify_all()

    def _work(self) -> None:
        running: franky.BoolFuture | None = None
        while not self._closing.is_set():
            with self._wake:
                self._wake.wait_for(lambda: self._wanted is not None or self._closing.is_set(), 0.2)
                wanted = self._wanted
            if wanted is None or self._gripper is None:
                continue
            name, call = wanted
            try:
                if running is not None and name != "stop" and not running.wait(0.0):
                    self.commands_sent += 1
                    self._gripper.stop_async().wait(1.0)
                running = call(self._gripper)
                self.commands_sent += 1
            except (franky.NetworkException, franky.CommandException) as error:
                self._failure = f"{name}: {error}"
            with self._wake:
                if self._wanted is wanted:
                    self._wanted = None

    def _poll(self) -> None:
        while not self._closing.is_set() and self._gripper is not None:
            try:
                self._look(self._gripper)
            except (franky.NetworkException, franky.ProtocolException) as error:
                if not self._closing.is_set():
                    self._failure = str(error)
                return
            self._closing.wait(self._poll_time)

    def _look(self, gripper: franky.Gripper) -> None:
        state = gripper.state
        t, before = state.time.to_sec(), self._state
        speed = 0.0
        if before is not None and t > before.t:
            speed = (state.width - before.width) / (t - before.t)
        self._state = HandState(t, state.width, speed, state.max_width, state.is_grasped)
