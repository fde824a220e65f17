"""Stored keypoints: numbers survive, mistakes are found by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gensim2_perception.keypoint_annotation import AnnotationError, KeypointAnnotation
from hypothesis import given, settings
from hypothesis import strategies as st

COORDINATES = st.floats(-10, 10, allow_nan=False)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,20}", fullmatch=True)
GOOD = (
    "{task: OpenBox, category: box, object_name: box1, keypoints: {lid: [0.1, 0.2, 0.3], "
    "hinge: [0.4, 0, 0.3]}}"
)


@given(st.dictionaries(NAMES, st.tuples(COORDINATES, COORDINATES, COORDINATES), min_size=1))
@settings(max_examples=40, deadline=None)
def test_what_is_saved_is_loaded(
    tmp_path_factory: pytest.TempPathFactory, points: dict[str, tuple[float, float, float]]
) -> None:
    if len(set(points.values())) != len(points):
        return
    path = tmp_path_factory.mktemp("annotation") / "box.yaml"
    written = KeypointAnnotation(
        task="OpenBox", category="box", object_name="box_1", keypoints=points
    )
    written.save(path)
    assert KeypointAnnotation.load(path) == written
    assert [p.name for p in path.parent.iterdir()] == [path.name], "nothing else is left behind"


def test_points_are_looked_up_by_name(tmp_path: Path) -> None:
    path = tmp_path / "box.yaml"
    path.write_text(GOOD)
    annotation = KeypointAnnotation.load(path)
    np.testing.assert_array_equal(annotation.p_base("hinge"), [0.4, 0.0, 0.3])
    with pytest.raises(AnnotationError, match="no keypoint 'lidd'; annotated are: hinge, lid"):
        annotation.p_base("lidd")


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("0.2", "'0.2'", "keypoints.lid.1"),
        ("0.2", ".nan", "keypoints.lid.1"),
        ("0.2", "200", "keypoints.lid.1"),
        (", 0.3], ", "], ", "keypoints.lid.2"),
        ("[0.4, 0, 0.3]", "[0.1, 0.2, 0.3]", "hinge and lid are the same point"),
        ("category: box, ", "", "category"),
        ("task: OpenBox", "task: OpenBox, frame: world", "frame"),
        ("task: OpenBox", "tsak: OpenBox", "tsak"),
        ("object_name: box1", "object_name: '../box'", "object_name"),
        (GOOD, "{", "not valid YAML"),
        (GOOD, "", "file"),
    ],
)
def test_mistakes_are_found_by_name(tmp_path: Path, old: str, new: str, text: str) -> None:
    path = tmp_path / "box.yaml"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(AnnotationError, match=text) as caught:
        KeypointAnnotation.load(path)
    assert str(path) in str(caught.value)


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="absent"):
        KeypointAnnotation.load(tmp_path / "absent.yaml")
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    with pytest.raises(AnnotationError, match="nowhere"):
        KeypointAnnotation.load(path).save(tmp_path / "nowhere" / "box.yaml")
