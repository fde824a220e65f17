"""The hand: what is connected can be asked."""

from __future__ import annotations

from franky_rig import FrankyRig
from gensim2_franka.hand import FrankaHand, HandState


def test_a_hand_that_is_connected_has_a_state() -> None:
    """At once: a driver would stop for a lost hand, and wait for somebody to recover it."""
    rig = FrankyRig()
    rig.hand.disconnect()
    hand = FrankaHand(rig.hardware._settings.robot_ip, 0.1)
    found: list[HandState] = []

    def connect() -> None:
        hand.connect()
        found.append(hand.state)

    rig.serve(connect)
    hand.disconnect()
    assert 0.0 <= found[0].width <= found[0].max_width
