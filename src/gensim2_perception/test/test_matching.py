"""Matching by stamp: nothing lost, nothing out of order, nobody waited for without end."""

import pytest
from gensim2_perception.matching import Arrival, StampMatcher
from hypothesis import given, settings
from hypothesis import strategies as st

MS = 1_000_000
CAMERAS = ("a", "b", "c")


def matcher(**changes: object) -> StampMatcher[str]:
    options = {"max_spread_ns": 20 * MS, "deadline_s": 0.5, **changes}
    return StampMatcher(CAMERAS, **options)  # type: ignore[arg-type]


def drain(m: StampMatcher[str], now: float = 0.0) -> list:
    sets = []
    while (matched := m.pop(now)) is not None:
        sets.append(matched)
    return sets


@st.composite
def interleavings(draw: st.DrawFn) -> list[tuple[str, int]]:
    """Every camera sends every tick in order; the cameras among each other come in any order."""
    ticks = draw(st.integers(1, 8))
    slots = draw(st.permutations([camera for camera in CAMERAS for _ in range(ticks)]))
    sent = dict.fromkeys(CAMERAS, 0)
    arrivals = []
    for camera in slots:
        arrivals.append((camera, sent[camera] * 100 * MS))
        sent[camera] += 1
    return arrivals


@given(interleavings(), st.sampled_from([0, 20 * MS, 99 * MS, 250 * MS]))
@settings(max_examples=200)
def test_identical_stamps_lose_no_tick_whatever_the_order_of_arrival(
    arrivals: list[tuple[str, int]], max_spread_ns: int
) -> None:
    m = matcher(max_spread_ns=max_spread_ns)
    sets = []
    for camera, stamp in arrivals:
        assert m.add(camera, stamp, f"{camera}{stamp}", 0.0) is Arrival.ACCEPTED
        sets += drain(m)
    ticks = len(arrivals) // len(CAMERAS)
    assert [s.stamp_ns for s in sets] == [k * 100 * MS for k in range(ticks)]
    for s in sets:
        assert s.spread_ns == 0 and not s.missing
        assert dict(s.items) == {c: f"{c}{s.stamp_ns}" for c in CAMERAS}
        assert tuple(s.items) == CAMERAS


@given(
    st.lists(
        st.tuples(st.sampled_from(CAMERAS), st.integers(0, 2000), st.floats(0.0, 5.0)), max_size=60
    ),
    st.integers(0, 100),
)
@settings(max_examples=200)
def test_whatever_comes_sets_are_ordered_within_spread_and_never_repeat(
    arrivals: list[tuple[str, int, float]], spread_ms: int
) -> None:
    m = matcher(max_spread_ns=spread_ms * MS, queue_depth=4, jump_back_ns=10_000 * MS)
    sets = []
    now = 0.0
    for camera, stamp_ms, pause in arrivals:
        m.add(camera, stamp_ms * MS, f"{camera}{stamp_ms}", now)
        sets += drain(m, now)
        now += pause
    sets += drain(m, now + 10.0)
    stamps = [s.stamp_ns for s in sets]
    assert stamps == sorted(set(stamps))
    items = [item for s in sets for item in s.items.values()]
    assert len(items) == len(set(items))
    for s in sets:
        assert s.spread_ns <= spread_ms * MS
        assert set(s.items) | set(s.missing) == set(CAMERAS)
        assert not set(s.items) & set(s.missing)
    assert m.counts.partial_sets == sum(bool(s.missing) for s in sets)


def test_a_missing_camera_is_waited_for_until_the_deadline_and_then_survived() -> None:
    m = matcher()
    m.add("a", 0, "a0", 10.0)
    m.add("b", 0, "b0", 10.3)
    assert m.pop(10.49) is None
    partial = m.pop(10.5)
    assert partial is not None and partial.missing == ("c",) and m.silent == ("c",)
    assert dict(partial.items) == {"a": "a0", "b": "b0"}


def test_later_sets_do_not_wait_for_a_silent_camera() -> None:
    """Half a second per tick would slow a whole simulation down."""
    m = matcher()
    m.add("a", 0, "", 0.0)
    m.add("b", 0, "", 0.0)
    assert m.pop(0.5) is not None
    m.add("a", 100 * MS, "", 0.6)
    assert m.pop(0.6) is None, "b still lives and must be waited for"
    m.add("b", 100 * MS, "", 0.61)
    second = m.pop(0.61)
    assert second is not None and second.missing == ("c",)


def test_a_camera_that_returns_is_waited_for_again() -> None:
    m = matcher()
    m.add("a", 0, "", 0.0)
    m.add("b", 0, "", 0.0)
    assert m.pop(0.5) is not None
    assert m.add("c", 0, "late", 0.7) is Arrival.LATE
    assert m.silent == ()
    m.add("a", 100 * MS, "", 0.8)
    m.add("b", 100 * MS, "", 0.8)
    assert m.pop(0.9) is None
    m.add("c", 100 * MS, "", 0.9)
    whole = m.pop(0.9)
    assert whole is not None and not whole.missing


def test_a_skipped_tick_is_known_as_soon_as_the_camera_is_ahead() -> None:
    m = matcher()
    m.add("a", 0, "", 0.0)
    m.add("b", 0, "", 0.0)
    m.add("c", 100 * MS, "", 0.0)
    partial = m.pop(0.0)
    assert partial is not None and partial.missing == ("c",) and m.silent == ()
    m.add("a", 100 * MS, "", 0.1)
    m.add("b", 100 * MS, "", 0.1)
    whole = m.pop(0.1)
    assert whole is not None and not whole.missing


def test_a_late_frame_never_makes_an_old_set() -> None:
    m = matcher()
    for camera in CAMERAS:
        m.add(camera, 100 * MS, "", 0.0)
    assert m.pop(0.0) is not None
    assert m.add("a", 50 * MS, "", 0.0) is Arrival.LATE
    assert m.add("b", 100 * MS, "", 0.0) is Arrival.LATE
    assert m.pop(100.0) is None
    assert m.counts.late == 2


def test_free_running_cameras_are_paired_with_the_nearest_older_frame() -> None:
    m = matcher(max_spread_ns=50 * MS)
    for stamp in (0, 33):
        m.add("a", stamp * MS, f"a{stamp}", 0.0)
    m.add("b", 16 * MS, "b16", 0.0)
    m.add("c", 40 * MS, "c40", 0.0)
    matched = m.pop(0.0)
    assert matched is not None
    assert dict(matched.items) == {"a": "a33", "b": "b16", "c": "c40"}
    assert (matched.stamp_ns, matched.spread_ns) == (16 * MS, 24 * MS)
    assert m.counts.superseded == 1


def test_a_jump_back_flushes_everything_and_starts_afresh() -> None:
    """After a restart of the simulation old frames must not be mixed with new ones."""
    m = matcher()
    for stamp in (5000, 5100):
        m.add("a", stamp * MS, "old", 0.0)
    m.add("b", 5000 * MS, "old", 0.0)
    assert m.add("a", 0, "new", 0.0) is Arrival.JUMPED_BACK
    for camera in ("b", "c"):
        assert m.add(camera, 0, "new", 0.0) is Arrival.ACCEPTED
    sets = drain(m)
    assert [set(s.items.values()) for s in sets] == [{"new"}]
    assert m.counts.jumps == 1


def test_queues_are_bounded() -> None:
    m = matcher(queue_depth=3)
    for k in range(10):
        m.add("a", k * 100 * MS, str(k), 0.0)
    assert m.counts.overflow == 7
    assert [s.items["a"] for s in drain(m, 1.0)] == ["7", "8", "9"]


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="once each"):
        StampMatcher(("a", "a"), max_spread_ns=1, deadline_s=1.0)
    with pytest.raises(ValueError, match="positive"):
        StampMatcher(("a",), max_spread_ns=1, deadline_s=0.0)
    with pytest.raises(KeyError):
        matcher().add("d", 0, "", 0.0)


def test_a_lost_frame_is_given_up_with_the_next_one_not_at_the_deadline() -> None:
    """At 30 Hz the next frame lies within the spread: it ends the waiting, and no time passes."""
    m = matcher(max_spread_ns=50 * MS, deadline_s=1.0)
    sets = []
    for k in range(6):
        for camera in CAMERAS:
            if (camera, k) != ("c", 2):
                m.add(camera, k * 33 * MS, f"{camera}{k}", k * 0.033)
                sets += drain(m, k * 0.033)
    assert m.silent == ()
    whole = [s.stamp_ns // (33 * MS) for s in sets if s.spread_ns == 0 and not s.missing]
    assert whole == [0, 1, 3, 4, 5]
    assert sets[-1].items == {camera: f"{camera}5" for camera in CAMERAS}
