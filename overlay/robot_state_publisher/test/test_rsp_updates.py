"""When joint states become transforms."""

import pytest
from robot_state_publisher.model import parse_urdf
from robot_state_publisher.updates import JointUpdates

SECOND = 1_000_000_000
MODEL = parse_urdf("""
<robot name="r"><link name="a"/><link name="b"/><link name="c"/><link name="d"/>
<joint name="slide" type="prismatic"><parent link="a"/><child link="b"/>
  <axis xyz="0 0 2"/></joint>
<joint name="follow" type="prismatic"><parent link="b"/><child link="c"/>
  <axis xyz="1 0 0"/><mimic joint="slide" multiplier="-2" offset="0.5"/></joint>
<joint name="turn" type="revolute"><parent link="c"/><child link="d"/></joint></robot>
""")


def new_updates(**options: bool) -> JointUpdates:
    return JointUpdates(MODEL, SECOND // 10, **options)


def publish(updates: JointUpdates, stamp: float, now: float | None = None, **joints: float) -> dict:
    """The translation per joint that a sample at `stamp` [s] gives."""
    found = updates.update(
        list(joints),
        list(joints.values()),
        int(stamp * SECOND),
        int((stamp if now is None else now) * SECOND),
    )
    return {joint.name: transform[0] for joint, transform in found}


def test_mimics_follow_unless_they_are_measured() -> None:
    updates = new_updates()
    assert publish(updates, 1, slide=0.25) == {"slide": (0, 0, 0.25), "follow": (0.0, 0, 0)}
    measured = publish(updates, 2, slide=0.25, follow=0.75)
    assert measured == {"slide": (0, 0, 0.25), "follow": (0.75, 0, 0)}
    assert publish(updates, 3, turn=0.0, unknown=1.0) == {"turn": (0, 0, 0)}


def test_the_rate_is_limited() -> None:
    updates = new_updates()
    stamps = [i / 100 for i in range(100, 200)]
    published = [stamp for stamp in stamps if publish(updates, stamp, slide=0.0)]
    assert len(published) == 10


def test_stragglers_are_dropped() -> None:
    updates = new_updates()
    assert publish(updates, 5.0, slide=0.0)
    assert not publish(updates, 4.9, now=5.0, slide=1.0)
    assert not publish(updates, 5.0, now=5.0, slide=1.0), "the same sample again"


def test_a_new_joint_is_published_at_once() -> None:
    updates = new_updates()
    assert publish(updates, 5.0, slide=0.0)
    assert publish(updates, 5.01, turn=0.0)
    assert publish(updates, 5.02, slide=0.0, turn=0.0) == {}


@pytest.mark.parametrize("clock_lags", [False, True])
def test_a_reset_of_the_simulation_starts_anew(clock_lags: bool) -> None:
    updates = new_updates()
    assert publish(updates, 50.0, slide=0.0)
    assert publish(updates, 2.0, now=50.0 if clock_lags else 2.0, slide=0.0)
    assert updates.jumped_back != clock_lags
    assert not publish(updates, 2.05, now=2.05, slide=0.0) or clock_lags
    assert publish(updates, 2.2, now=2.2, slide=0.0)


def test_a_short_step_back_of_the_clock_counts_as_well() -> None:
    updates = new_updates()
    assert publish(updates, 5.0, slide=0.0)
    assert publish(updates, 4.8, now=4.8, slide=0.0)
    assert updates.jumped_back


def test_timestamps_can_be_ignored() -> None:
    updates = new_updates(ignore_timestamp=True)
    assert all(publish(updates, stamp, now=5.0, slide=0.0) for stamp in (5.0, 5.0, 4.9))


def test_joints_without_a_state_are_known() -> None:
    updates = new_updates()
    assert updates.never_seen == ["follow", "slide", "turn"]
    publish(updates, 1, slide=0.0)
    assert updates.never_seen == ["turn"]


def test_a_malformed_joint_state_is_refused() -> None:
    with pytest.raises(ValueError, match="2 names and 1 positions"):
        new_updates().update(["slide", "turn"], [1.0], SECOND, SECOND)
