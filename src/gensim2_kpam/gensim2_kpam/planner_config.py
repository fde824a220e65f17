"""Numbers of the planner."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlannerConfig:
    """Numbers of the planner; lengths in m, angles in rad."""

    speed: float = 0.35  # share of the joint velocity limits
    acceleration: float = 0.3  # share of the joint acceleration limits
    clearance: float = 0.010  # kept from everything in free motion
    near_clearance: float = 0.003  # kept between the pre-poses and the touch pose
    touch_step: float = 0.003  # rad and m, spacing at which the touch pose is searched
    overshoot: float = 0.04  # rad beyond the goal when following a revolute joint
    overshoot_linear: float = 0.01  # m, same for a prismatic joint
    settle_time: float = 1.2  # s of holding at the end
    turn_shares: tuple[float, ...] = (0.4, 0.7, 0.1, 1.0)
    # Shifts of the hand from the actuation pose in the tool frame (x, y, z), and factors of the
    # sideways pre-motions, tried in this order: the nearest to what was asked for first.
    shifts: tuple[tuple[float, float, float], ...] = (
        (0.0, 0.0, 0.0),
        (0.0, 0.0, -0.02),
        (0.0, 0.0, 0.015),
        (0.0, 0.0, -0.04),
        (0.02, 0.0, 0.0),
        (-0.02, 0.0, 0.0),
        (0.04, 0.0, 0.0),
        (-0.04, 0.0, 0.0),
        (0.0, 0.0, -0.06),
    )
    sideways: tuple[float, ...] = (1.0, 0.6, 1.5, 0.4)
    # Share of the pre-motions that is enough where the arm reaches no farther back; the transit
    # then leads to where they begin.
    least_approach: float = 0.5
    max_candidates: int = 40
    cpu_limit: float = 5.0  # CPU s after which a call is given up; many times what is usual
    skill_cpu_limit: float = 15.0  # the same for pick and place, which look ahead
    max_strikes: int = 3  # a configuration out of reach this often is given up
    goal_slack: float = 0.1  # openness by which a joint may be left short of the goal
    max_slack: float = 0.06  # m the contact may move before it meets the part
    # Shifts of the hand (tool frame, m) in which it must still meet the part.
    engagement: tuple[tuple[float, float, float], ...] = (
        (0.0, 0.0, -0.010),
        (0.006, 0.0, 0.0),
        (-0.006, 0.0, 0.0),
        (0.0, 0.006, 0.0),
        (0.0, -0.006, 0.0),
    )
    end_margin: float = 0.02  # rad or share of a joint's range kept from its end
    finger_open: float = 0.04
    finger_closed: float = 0.0
    grip_effort: float = 20.0  # N
