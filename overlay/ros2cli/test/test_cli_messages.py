"""Messages from and to YAML: what a user types must arrive as meant, or be refused by name."""

import array
from typing import Any

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from control_msgs.action import FollowJointTrajectory
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.serialization import deserialize_message, serialize_message
from ros2cli.interfaces import load_type
from ros2cli.messages import (
    Brevity,
    FieldError,
    build,
    parse_yaml,
    pick,
    to_csv,
    to_plain,
    to_yaml,
)
from rosidl_parser.definition import (
    AbstractNestedType,
    AbstractString,
    Array,
    NamespacedType,
)
from sensor_msgs.msg import Image, JointState, PointCloud2
from std_msgs.msg import Bool, Byte, ByteMultiArray, Float64, String, UInt8

NUMBERS = {
    "boolean": st.booleans(),
    "octet": st.integers(0, 255),
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
}


def values_of(slot: Any) -> st.SearchStrategy:
    """Plain values that fit a field."""
    if isinstance(slot, NamespacedType):
        name = "/".join(slot.namespaced_name())
        return fields_of(load_type(name, "msg"))
    if isinstance(slot, AbstractNestedType):
        if isinstance(slot, Array):
            return st.lists(values_of(slot.value_type), min_size=slot.size, max_size=slot.size)
        return st.lists(values_of(slot.value_type), max_size=3)
    if isinstance(slot, AbstractString):
        return st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    if slot.typename in NUMBERS:
        return NUMBERS[slot.typename]
    bits = int(slot.typename.split("int")[1])
    if slot.typename.startswith("u"):
        return st.integers(0, 2**bits - 1)
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def fields_of(message_type: Any) -> st.SearchStrategy:
    """Values for all fields of a message."""
    names = message_type.get_fields_and_field_types()
    slots = zip(names, message_type.SLOT_TYPES, strict=True)
    return st.fixed_dictionaries({name: values_of(slot) for name, slot in slots})


@pytest.mark.parametrize(
    "message_type",
    [
        DiagnosticArray,
        FollowJointTrajectory.Goal,
        JointState,
        PointCloud2,
        PoseWithCovarianceStamped,
        ByteMultiArray,
    ],
    ids=lambda cls: cls.__name__,
)
def test_yaml_and_wire_keep_every_message(message_type: Any) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(fields_of(message_type))
    def check(values: dict[str, Any]) -> None:
        message = build(message_type, values)
        assert build(message_type, parse_yaml(to_yaml(message))) == message
        wire = deserialize_message(serialize_message(message), message_type)
        assert to_plain(wire) == to_plain(message)

    check()


@pytest.mark.parametrize(
    ("message_type", "text", "complaint"),
    [
        (String, "{dota: x}", "'dota' is not a field of std_msgs/msg/String"),
        (Float64, "{data: fast}", "'data' needs a number"),
        (Float64, "{data: true}", "'data' needs a number"),
        (Bool, "{data: 1}", "'data' needs true or false"),
        (UInt8, "{data: 256}", "'data'"),
        (UInt8, "{data: 1.5}", "'data' needs an integer"),
        (Byte, "{data: 300}", "from 0 to 255"),
        (JointState, "{position: 1.0}", "'position' needs a list"),
        (JointState, "{position: [1.0, x]}", r"'position\[1\]' needs a number"),
        (JointState, "{header: {stamp: {sec: x}}}", "'header.stamp.sec' needs an integer"),
        (JointState, "{header: 3}", "'header' needs a mapping"),
        (PoseWithCovarianceStamped, "{pose: {covariance: [1.0]}}", "'pose.covariance'"),
        (String, "[1, 2]", "dictionary"),
        (String, "{data: [", "not valid YAML"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(message_type: Any, text: str, complaint: str) -> None:
    with pytest.raises(FieldError, match=complaint):
        build(message_type, parse_yaml(text))


def test_scientific_notation_and_infinity_are_numbers() -> None:
    assert build(Float64, parse_yaml("{data: 1e-3}")).data == 1e-3
    assert build(Float64, parse_yaml("{data: .inf}")).data == float("inf")


def test_auto_and_now_need_a_clock() -> None:
    now = Time(sec=7, nanosec=9)
    assert build(JointState, {"header": "auto"}, now=now).header.stamp == now
    assert build(JointState, {"header": {"stamp": "now"}}, now=now).header.stamp == now
    with pytest.raises(FieldError, match="'header' needs a mapping"):
        build(JointState, {"header": "auto"})


def test_long_arrays_are_cut_before_they_are_converted() -> None:
    message = Image(data=array.array("B", bytes(1000)), encoding="x" * 200)
    plain = to_plain(message, Brevity(3))
    assert plain["data"] == [0, 0, 0, "..."]
    assert plain["encoding"] == "xxx..."
    assert len(to_plain(message)["data"]) == 1000


def test_arrays_and_texts_can_be_left_out() -> None:
    message = JointState(name=["ab", "c"], position=[1.0])
    message.header.frame_id = "frame"
    plain = to_plain(message, Brevity(no_arr=True))
    assert plain["header"]["frame_id"] == "frame"
    assert plain["name"] == "<sequence type: string, length: 2>"
    assert plain["position"] == "<sequence type: double, length: 1>"
    plain = to_plain(message, Brevity(no_str=True))
    assert plain["header"]["frame_id"] == "<string length: <5>>"
    assert plain["name"] == ["<string length: <2>>", "<string length: <1>>"]
    assert plain["position"] == [1.0]
    pose = to_plain(PoseWithCovarianceStamped(), Brevity(no_arr=True))["pose"]
    assert pose["covariance"] == "<array type: double[36]>"
    cloud = to_yaml(PointCloud2(), Brevity(no_arr=True))
    assert "fields: '<sequence type: sensor_msgs/msg/PointField, length: 0>'\n" in cloud
    bounded = to_plain(ParameterDescriptor(), Brevity(no_arr=True))["integer_range"]
    assert bounded == "<sequence type: rcl_interfaces/msg/IntegerRange[1], length: 0>"
    assert (
        to_csv(message, Brevity(no_arr=True, no_str=True)).split(",")[2] == "<string length: <5>>"
    )
    # What was asked for itself is shown.
    assert to_plain(message.name, Brevity(no_arr=True, no_str=True)) == ["ab", "c"]


def test_pick_walks_fields_and_elements() -> None:
    message = build(JointState, {"header": {"frame_id": "f"}, "position": [1.0, 2.0]})
    assert pick(message, "header.frame_id") == "f"
    assert pick(message, "position[1]") == 2.0
    assert to_yaml(pick(message, "position")) == "- 1.0\n- 2.0\n"
    for wrong in ("nope", "position[2]", "header.frame_id.x", "a-b", "__class__"):
        with pytest.raises(FieldError, match="invalid field"):
            pick(message, wrong)


def test_csv_is_one_line_of_leaves() -> None:
    message = build(JointState, {"name": ["a", "b"], "position": [1.0]})
    assert to_csv(message) == "0,0,,a,b,1.0"
    assert to_plain(np.float32(2.0)) == 2.0
