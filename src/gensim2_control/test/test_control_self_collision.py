"""A pair that is ignored without need is a collision that nobody sees."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from gensim2_control.self_collision import IGNORED_SELF_COLLISIONS


def test_ignored_pairs_are_links_with_shapes_and_none_is_named_twice(urdf_file: Path) -> None:
    robot = ET.parse(urdf_file).getroot()
    solid = {link.get("name") for link in robot.findall("link") if link.find("collision")}
    assert {name for pair in IGNORED_SELF_COLLISIONS for name in pair} <= solid
    pairs = {frozenset(pair) for pair in IGNORED_SELF_COLLISIONS}
    assert len(pairs) == len(IGNORED_SELF_COLLISIONS) and all(len(pair) == 2 for pair in pairs)
