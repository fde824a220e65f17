"""Point clouds to numpy and back: nothing may be lost, whatever the layout."""

import array

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stnp
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import PointCloud2, PointField
from sensor_msgs_py import point_cloud2
from std_msgs.msg import Header

HEADER = Header(frame_id="base")
TYPES = {
    PointField.INT8: np.int8,
    PointField.UINT8: np.uint8,
    PointField.INT16: np.int16,
    PointField.UINT16: np.uint16,
    PointField.INT32: np.int32,
    PointField.UINT32: np.uint32,
    PointField.FLOAT32: np.float32,
    PointField.FLOAT64: np.float64,
}


@st.composite
def layouts(draw: st.DrawFn) -> tuple[list[PointField], int]:
    """Fields of any type with gaps between them, and the bytes per point."""
    fields, offset = [], 0
    for name in draw(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True)):
        offset += draw(st.integers(0, 3))
        datatype = draw(st.sampled_from(sorted(TYPES)))
        fields.append(PointField(name=name, offset=offset, datatype=datatype, count=1))
        offset += np.dtype(TYPES[datatype]).itemsize
    return fields, offset + draw(st.integers(0, 5))


@settings(max_examples=60, deadline=None)
@given(layouts(), st.data())
def test_any_layout_survives_the_wire(
    layout: tuple[list[PointField], int], data: st.DataObject
) -> None:
    fields, step = layout
    plain = np.dtype([(field.name, TYPES[field.datatype]) for field in fields])
    shape = data.draw(st.one_of(st.tuples(st.integers(0, 5)), st.tuples(*[st.integers(1, 3)] * 2)))
    points = data.draw(stnp.arrays(plain, shape))
    cloud = point_cloud2.create_cloud(HEADER, fields, points, step)
    assert cloud.point_step == step
    assert (cloud.height, cloud.width) == (shape if len(shape) == 2 else (1, *shape))
    wire = deserialize_message(serialize_message(cloud), PointCloud2)
    found = point_cloud2.read_points(wire, reshape_organized_cloud=len(shape) == 2)
    for name in plain.names or ():
        np.testing.assert_array_equal(found[name], points[name])


@settings(deadline=None)
@given(stnp.arrays(np.float32, st.tuples(st.integers(0, 20), st.just(3))))
def test_xyz_survives(points: np.ndarray) -> None:
    cloud = point_cloud2.create_cloud_xyz32(HEADER, points)
    assert isinstance(cloud.data, array.array)
    assert cloud.is_dense == (not np.isnan(points).any())
    np.testing.assert_array_equal(point_cloud2.read_points_numpy(cloud), points)
    kept = point_cloud2.read_points_numpy(cloud, skip_nans=True)
    np.testing.assert_array_equal(kept, points[~np.isnan(points).any(axis=1)])


def test_reading_does_not_alias_the_message() -> None:
    cloud = point_cloud2.create_cloud_xyz32(HEADER, np.zeros((2, 3)))
    for names in (None, ["y"]):
        points = point_cloud2.read_points(cloud, names)
        points["y"] = 5.0
        assert not any(cloud.data)


def test_padded_rows_and_big_endian_are_read() -> None:
    cloud = point_cloud2.create_cloud_xyz32(HEADER, np.arange(12.0).reshape(2, 2, 3))
    rows = np.frombuffer(cloud.data, np.uint8).reshape(2, 24)
    swapped = rows.reshape(2, 6, 4)[:, :, ::-1].reshape(2, 24)
    padded = np.concatenate([swapped, np.full((2, 5), 255, np.uint8)], axis=1)
    cloud.row_step, cloud.is_bigendian = 29, True
    cloud.data = array.array("B", padded.tobytes())
    found = point_cloud2.read_points_numpy(cloud, reshape_organized_cloud=True)
    np.testing.assert_array_equal(found, np.arange(12.0).reshape(2, 2, 3))


def test_selecting_fields_and_points() -> None:
    points = np.arange(18, dtype=np.float32).reshape(2, 3, 3)
    cloud = point_cloud2.create_cloud_xyz32(HEADER, points)
    found = point_cloud2.read_points_numpy(cloud, ("z", "x"), uvs=[(2, 1), (0, 0)])
    np.testing.assert_array_equal(found, [[17, 15], [2, 0]])
    found = point_cloud2.read_points_numpy(cloud, uvs=np.array([5]))
    np.testing.assert_array_equal(found, [[15, 16, 17]])
    first, *_ = point_cloud2.read_points_list(cloud, ("y", "z"))
    assert (first.y, first.z) == (1.0, 2.0)


def test_packed_colour_keeps_its_bits() -> None:
    names = ("x", "y", "z", "rgb")
    fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate(names)
    ]
    # These bits are a NaN as a number; the colour must survive nevertheless.
    colour = np.array([0xFFC08040], np.uint32).view(np.float32)
    points = np.zeros(1, dtype=[(name, np.float32) for name in names])
    points["rgb"] = colour
    cloud = point_cloud2.create_cloud(HEADER, fields, points)
    assert point_cloud2.read_points(cloud)["rgb"].view(np.uint32)[0] == 0xFFC08040


def test_fields_with_a_count_become_several() -> None:
    fields = [PointField(name="f", offset=0, datatype=PointField.UINT8, count=3)]
    cloud = point_cloud2.create_cloud(HEADER, fields, [(1, 2, 3)])
    assert point_cloud2.read_points(cloud).dtype.names == ("f_0", "f_1", "f_2")


def test_what_does_not_fit_is_refused() -> None:
    cloud = point_cloud2.create_cloud_xyz32(HEADER, np.zeros((4, 3)))
    with pytest.raises(ValueError, match="no field"):
        point_cloud2.read_points(cloud, ["intensity"])
    with pytest.raises(ValueError, match="do not fit 3 fields"):
        point_cloud2.create_cloud_xyz32(HEADER, np.zeros((4, 2)))
    with pytest.raises(ValueError, match="do not have all of"):
        point_cloud2.create_cloud_xyz32(HEADER, np.zeros(4, dtype=[("x", "f4"), ("y", "f4")]))
    with pytest.raises(ValueError, match="has no shape"):
        point_cloud2.read_points(cloud, uvs=[0], reshape_organized_cloud=True)
    cloud.data = cloud.data[:-1]
    with pytest.raises(ValueError, match="47 bytes"):
        point_cloud2.read_points(cloud)
    cloud.fields[0].datatype = 99
    with pytest.raises(ValueError, match="unknown datatype 99"):
        point_cloud2.read_points(cloud)
    mixed = [
        PointField(name="x", offset=0, datatype=PointField.FLOAT32, count=1),
        PointField(name="i", offset=4, datatype=PointField.UINT8, count=1),
    ]
    with pytest.raises(ValueError, match="one datatype"):
        point_cloud2.read_points_numpy(point_cloud2.create_cloud(HEADER, mixed, [(1.0, 2)]))
