"""The state of a fake robot, computed as seldom as nobody notices.

franky-sim computes some fifty quantities anew for every state that it sends, a thousand times a
second, which takes most of a core. While a client commands torques only those of the joints
change meaning from one to the next: they are written into the last complete state, which is
renewed fifty times a second.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from franky_sim.base_simulator import BaseRobot

RENEWED = 20
"""Periods between two complete states."""
_JOINTS = struct.Struct("<56f")
_JOINTS_AT = 126 * 4
"""Where tau_J, tau_J_d, dtau_J, q, q_d, dq, dq_d, ddq_d lie in a state: seven numbers each."""
_ZERO = (0.0,) * 7


class BriefState:
    """Takes the place of what a robot of franky-sim does after every step.

    Args:
        robot: The robot.
        commands_torques: Whether a client commands torques at present.
    """

    def __init__(self, robot: BaseRobot, commands_torques: Callable[[], bool]) -> None:
        self._robot: Any = robot
        self._commands_torques = commands_torques
        self._complete = bytearray()
        self._since = 0
        self._is_brief = self._may_be_brief = False
        self._finish_step = robot._post_step
        self._robot._post_step = self._after_step

    def bytes(self, complete: Callable[[], bytes]) -> bytes:
        """The state to send.

        Args:
            complete: Computes a complete one.
        """
        if not self._is_brief:
            self._complete = bytearray(complete())
            # One of before the motion has other modes.
            self._may_be_brief = self._commands_torques()
            return bytes(self._complete)
        state = self._robot.inner_state
        told = self._robot._tracked_state_components["tau_J_d"]
        torques = told._TrackedStateComponent__explicit_value
        numbers = (*state.tau_j, *torques, *_ZERO, *state.q, *state.q, *state.dq, *state.dq, *_ZERO)
        _JOINTS.pack_into(self._complete, _JOINTS_AT, *numbers)
        return bytes(self._complete)

    def _after_step(self) -> None:
        self._since += 1
        self._is_brief = self._may_be_brief and self._since < RENEWED and self._commands_torques()
        if not self._is_brief:
            self._since = 0
            self._finish_step()
            return
        # What asks for a state meanwhile gets the last complete one.
        self._robot._BaseRobot__t += 0.001
