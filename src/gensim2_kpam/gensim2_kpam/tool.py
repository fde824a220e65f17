"""Keypoints of the tool: the stock Franka Hand, in frame ``fr3_hand`` (z approach, y opening)."""

from __future__ import annotations

import numpy as np

HAND_LINK = "fr3_hand"

# Name -> point, m. The names and the points are those of GenSim2's file for the stock hand; the
# description bears them out, and a test compares: the head is between the pads of the fingers (by
# the TCP), the tail between their roots, behind the pads, and the side in the pad of the left
# finger when it is open. Another hand needs its own points here.
TOOL_KEYPOINTS = {
    "tool_head": np.array([0.0, 0.0, 0.105]),
    "tool_tail": np.array([0.0, 0.0, 0.075]),
    "tool_side": np.array([0.0, 0.053, 0.105]),
}

# The hand is symmetric: the tool may sit in it as it is, or turned by half a turn about z.
STRAIGHT = np.eye(3)
HALF_TURN = np.diag([-1.0, -1.0, 1.0])
