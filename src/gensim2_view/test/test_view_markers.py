"""Markers become what they mean, in base, and wrong ones harm none but themselves."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from gensim2_view.markers import Arrow, Lines, MarkerBoard, MarkerError, Solids, Text, primitive

from gensim2_view import markers as m


def xyz(x: float, y: float, z: float, w: float | None = None) -> SimpleNamespace:
    return SimpleNamespace(x=x, y=y, z=z, **({} if w is None else {"w": w}))


def color(r: float, g: float, b: float, a: float = 1.0) -> SimpleNamespace:
    return SimpleNamespace(r=r, g=g, b=b, a=a)


def marker(kind: int = m.SPHERE, points: Any = (), **fields: Any) -> SimpleNamespace:
    """A marker at x = 1 m, turned by 90 degrees about z."""
    half = np.sqrt(0.5)
    values = {
        "ns": "a",
        "id": 0,
        "action": m.ADD,
        "header": SimpleNamespace(frame_id="base"),
        "pose": SimpleNamespace(position=xyz(1, 0, 0), orientation=xyz(0, 0, half, half)),
        "scale": xyz(0.1, 0.2, 0.3),
        "color": color(1.0, 0.5, 0.0),
        "colors": [],
        "text": "",
    } | fields
    return SimpleNamespace(type=kind, points=[xyz(*p) for p in points], **values)


def test_points_are_posed_by_the_marker() -> None:
    item = primitive(marker(m.SPHERE_LIST, [(1, 0, 0), (0, 2, 0)]))
    assert isinstance(item, Solids) and item.shape == "sphere"
    np.testing.assert_allclose(item.positions, [[1, 1, 0], [-1, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(item.scales, [[0.1, 0.2, 0.3]] * 2)
    assert item.colors.tolist() == [[255, 127, 0]] * 2


@pytest.mark.parametrize(
    ("kind", "shape"), [(m.CUBE, "box"), (m.SPHERE, "sphere"), (m.CYLINDER, "cylinder")]
)
def test_single_solids_stand_at_their_pose(kind: int, shape: str) -> None:
    item = primitive(marker(kind, color=color(0, 0, 1, 0.25)))
    assert isinstance(item, Solids) and item.shape == shape and item.opacity == 0.25
    np.testing.assert_allclose(item.positions, [[1, 0, 0]])
    np.testing.assert_allclose(item.wxyz, [[np.sqrt(0.5), 0, 0, np.sqrt(0.5)]])


def test_a_strip_joins_its_points_and_a_list_its_pairs() -> None:
    points = [(0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0)]
    strip, pairs = primitive(marker(m.LINE_STRIP, points)), primitive(marker(m.LINE_LIST, points))
    assert isinstance(strip, Lines) and isinstance(pairs, Lines)
    assert np.rint(strip.points[:, :, 1]).tolist() == [[0, 1], [1, 2], [2, 3]]
    assert np.rint(pairs.points[:, :, 1]).tolist() == [[0, 1], [2, 3]]
    assert strip.width == pytest.approx(0.1)


@pytest.mark.parametrize("count", [0, 1])
def test_lines_without_two_points_are_empty(count: int) -> None:
    for kind in (m.LINE_STRIP, m.LINE_LIST):
        item = primitive(marker(kind, [(0, 0, 0)] * count))
        assert isinstance(item, Lines) and len(item.points) == 0


def test_an_arrow_goes_between_points_or_along_x() -> None:
    between = primitive(marker(m.ARROW, [(0, 0, 0), (1, 0, 0)]))
    along = primitive(marker(m.ARROW))
    assert isinstance(between, Arrow) and isinstance(along, Arrow)
    np.testing.assert_allclose(between.points, [[1, 0, 0], [1, 1, 0]], atol=1e-12)
    assert (between.shaft_radius, between.head_radius) == (0.05, 0.1)
    assert between.head_length == pytest.approx(0.3)
    np.testing.assert_allclose(along.points, [[1, 0, 0], [1, 0.1, 0]], atol=1e-12)
    with pytest.raises(MarkerError, match="not one"):
        primitive(marker(m.ARROW, [(0, 0, 0)]))


def test_colours_of_points_count_where_each_has_one() -> None:
    colors = [color(0, 1, 0), color(0, 0, 1)]
    item = primitive(marker(m.POINTS, [(0, 0, 0), (1, 0, 0)], colors=colors))
    assert isinstance(item, Solids)
    assert item.colors.tolist() == [[0, 255, 0], [0, 0, 255]]
    np.testing.assert_allclose(item.scales, 0.1)


def test_long_texts_are_cut() -> None:
    item = primitive(marker(m.TEXT_VIEW_FACING, text="x" * 10_000))
    assert isinstance(item, Text) and len(item.text) == m.MAX_TEXT and item.height == 0.3


def test_a_quaternion_that_was_never_set_means_no_rotation() -> None:
    pose = SimpleNamespace(position=xyz(1, 2, 3), orientation=xyz(0, 0, 0, 0))
    item = primitive(marker(m.SPHERE_LIST, [(1, 0, 0)], pose=pose))
    assert isinstance(item, Solids)
    np.testing.assert_allclose(item.positions, [[2, 2, 3]])


def test_wrong_markers_are_left_out_and_named() -> None:
    board = MarkerBoard()
    problems = board.apply(
        [
            marker(id=1),
            marker(id=2, header=SimpleNamespace(frame_id="camera")),
            marker(id=3, scale=xyz(np.nan, 1, 1)),
            marker(11, id=4),
            marker(id=5, action=9),
            marker(id=6),
        ]
    )
    assert sorted(key[1] for key in board.items) == [1, 6]
    assert [f"{i})" in text for i, text in zip((2, 3, 4, 5), problems, strict=True)] == [True] * 4


def test_markers_are_replaced_deleted_and_wiped() -> None:
    board = MarkerBoard()
    board.apply([marker(id=1), marker(id=2), marker(m.CUBE, id=1)])
    assert isinstance(first := board.items["a", 1], Solids) and first.shape == "box"
    board.apply([marker(id=1, action=m.DELETE)])
    assert list(board.items) == [("a", 2)]
    board.apply([marker(action=m.DELETE_ALL), marker(id=3)])
    assert list(board.items) == [("a", 3)]


def test_a_flood_of_markers_is_bounded() -> None:
    board = MarkerBoard()
    problems = board.apply(marker(id=i) for i in range(10 * m.MAX_MARKERS))
    assert len(board.items) == m.MAX_MARKERS and len(problems) == 1
    assert board.apply([marker(id=0)]) == [], "those that are there can still be changed"
