"""Keypoints of the tool: the stock Franka Hand, in frame ``fr3_hand`` (z approach, y opening)."""

from __future__ import annotations

import numpy as np

HAND_LINK = "fr3_hand"

# Name -> point, m. GenSim2's names: between the finger tips, between the finger bases, one tip.
TOOL_KEYPOINTS = {
    "tool_head": np.array([0.0, 0.0, 0.105]),
    "tool_tail": np.array([0.0, 0.0, 0.075]),
    "tool_side": np.array([0.0, 0.053, 0.105]),
}
