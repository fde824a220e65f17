"""Pairs of links of the FR3 between which contacts mean nothing, for simulator and planner alike.

Every other pair is to be kept apart. Neighbours on both sides of a movable joint are not listed:
PhysX and Drake both leave them out by themselves.
"""

from __future__ import annotations

IGNORED_SELF_COLLISIONS: tuple[tuple[str, str], ...] = (
    # Touch by construction: link8 between the two has no shape, the hand sits upon the flange,
    # and the hulls overlap by 21 mm in every pose.
    ("fr3_link7", "fr3_hand"),
    # Meet where the hand closes: their joints stop them, not a contact.
    ("fr3_leftfinger", "fr3_rightfinger"),
    # One link apart. Their coarse hulls, one per link, overlap by up to 10 mm in some poses that
    # the arm can reach (0.33 % and 0.43 % of 4000 random ones), where nothing is known of the
    # true shapes: a real collision of these pairs is not seen.
    ("fr3_link5", "fr3_link7"),
    ("fr3_link5", "fr3_hand"),
)
