"""The command line of static_transform_publisher, in all its forms."""

import argparse
import math

import pytest
from tf2_ros.geometry import from_rpy
from tf2_ros.static_transform_arguments import StaticTransform, parse_arguments


def parse(line: str) -> StaticTransform:
    return parse_arguments(line.split())


def test_new_form_with_angles() -> None:
    request = parse(
        "--x 1 --y -2.5 --z 1e-3 --roll 0.1 --pitch 0.2 --yaw -0.3 --frame-id w --child-frame-id c"
    )
    assert (request.frame_id, request.child_frame_id) == ("w", "c")
    assert request.transform == ((1.0, -2.5, 1e-3), pytest.approx(from_rpy(0.1, 0.2, -0.3)))


def test_new_form_with_a_quaternion_that_is_not_quite_normal() -> None:
    request = parse("--qz 2 --qw 2 --frame-id w --child-frame-id c")
    assert request.transform[1] == pytest.approx((0, 0, math.sqrt(0.5), math.sqrt(0.5)))


def test_nothing_given_is_the_identity() -> None:
    request = parse("--frame-id w --child-frame-id c")
    assert request.transform == ((0, 0, 0), (0, 0, 0, 1))


def test_old_forms() -> None:
    angles = parse("1 2 -3 0.3 0.2 0.1 w c")
    assert angles.transform == ((1, 2, -3), pytest.approx(from_rpy(0.1, 0.2, 0.3)))
    quaternion = parse("1 2 -3 0 0 -1 0 w c")
    assert quaternion.transform == ((1, 2, -3), (0, 0, -1, 0))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("1 2 x 0 0 0 w c", "not a number"),
        ("1 2 3 0 0 0 w w", "its own parent"),
        ("1 2 3 0 0 0 0 w c", "quaternion is zero"),
        ("--qw 1 --yaw 1 --frame-id w --child-frame-id c", "not both"),
    ],
)
def test_nonsense_is_refused(line: str, complaint: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=complaint):
        parse(line)
