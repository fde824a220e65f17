"""Reading and making sensor_msgs/PointCloud2 with numpy, one copy of the data each way."""

import array
import sys
from collections import namedtuple
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.lib.recfunctions import structured_to_unstructured, unstructured_to_structured
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

_DATATYPES: dict[int, np.dtype] = {
    PointField.INT8: np.dtype(np.int8),
    PointField.UINT8: np.dtype(np.uint8),
    PointField.INT16: np.dtype(np.int16),
    PointField.UINT16: np.dtype(np.uint16),
    PointField.INT32: np.dtype(np.int32),
    PointField.UINT32: np.dtype(np.uint32),
    PointField.FLOAT32: np.dtype(np.float32),
    PointField.FLOAT64: np.dtype(np.float64),
}
# Name of a field without one, as upstream gives it.
DUMMY_FIELD_PREFIX = "unnamed_field"


def dtype_from_fields(fields: Iterable[PointField], point_step: int | None = None) -> np.dtype:
    """The structured dtype of one point.

    Args:
        fields: of the cloud; one with count n > 1 becomes n fields `name_0` ... `name_{n-1}`.
        point_step: bytes per point; the end of the last field if None.

    Raises:
        ValueError: unknown datatype, or two fields of one name.
    """
    names: list[str] = []
    formats: list[np.dtype] = []
    offsets: list[int] = []
    for i, field in enumerate(fields):
        if field.datatype not in _DATATYPES:
            raise ValueError(f"field '{field.name}' has the unknown datatype {field.datatype}")
        base = _DATATYPES[field.datatype]
        name = field.name or f"{DUMMY_FIELD_PREFIX}_{i}"
        for part in range(field.count):
            names.append(f"{name}_{part}" if field.count > 1 else name)
            formats.append(base)
            offsets.append(field.offset + part * base.itemsize)
    if len(set(names)) < len(names):
        raise ValueError(f"field names are not unique: {names}")
    ends = [offset + each.itemsize for offset, each in zip(offsets, formats, strict=True)]
    size = max(ends, default=0) if point_step is None else point_step
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": size})


def read_points(
    cloud: PointCloud2,
    field_names: Sequence[str] | None = None,
    skip_nans: bool = False,
    uvs: Iterable[Any] | None = None,
    reshape_organized_cloud: bool = False,
) -> np.ndarray:
    """The points as a structured array.

    Args:
        cloud: to read.
        field_names: only these, in this order; all if None.
        skip_nans: leave out points with a NaN in one of the chosen fields.
        uvs: only the points with these indices: flat ones, or (u, v) = (column, row) pairs.
        reshape_organized_cloud: keep the shape (height, width) instead of (N,).

    Returns:
        Structured array; it shares no memory with the message.

    Raises:
        ValueError: the cloud has no such field, or less data than it says.
    """
    dtype = dtype_from_fields(cloud.fields, cloud.point_step)
    needed = cloud.height * cloud.row_step
    if len(cloud.data) < needed or cloud.row_step < cloud.width * cloud.point_step:
        raise ValueError(
            f"the cloud of {cloud.height} x {cloud.width} points with {cloud.point_step} bytes "
            f"each has {len(cloud.data)} bytes in rows of {cloud.row_step}"
        )
    # Rows may be padded, hence the detour over a two-dimensional view of the bytes.
    raw = np.frombuffer(cloud.data, np.uint8, count=needed).reshape(cloud.height, -1)
    used = np.ascontiguousarray(raw[:, : cloud.width * cloud.point_step])
    points: np.ndarray = used.reshape(-1).view(dtype)
    if cloud.is_bigendian != (sys.byteorder == "big"):
        points = points.byteswap()
    if field_names is not None:
        missing = [name for name in field_names if name not in (dtype.names or ())]
        if missing:
            raise ValueError(f"the cloud has no field {missing}; it has {list(dtype.names or ())}")
        points = points[list(field_names)]
    points = points.copy() if np.may_share_memory(points, raw) else points
    if uvs is not None:
        points = points[_flat_indices(uvs, cloud.width)]
    if skip_nans:
        points = points[_finite(points)]
    if reshape_organized_cloud:
        if uvs is not None or points.size != cloud.height * cloud.width:
            raise ValueError("a cloud with points left out has no shape (height, width)")
        points = points.reshape(cloud.height, cloud.width)
    return points


def _flat_indices(uvs: Iterable[Any], width: int) -> np.ndarray:
    indices = np.asarray(list(uvs) if not isinstance(uvs, np.ndarray) else uvs, dtype=np.int64)
    if indices.ndim == 2:
        indices = indices[:, 1] * width + indices[:, 0]
    return indices


def _finite(points: np.ndarray) -> np.ndarray:
    keep = np.ones(points.shape, dtype=bool)
    for name in points.dtype.names or ():
        if points[name].dtype.kind == "f":
            keep &= ~np.isnan(points[name])
    return keep


def read_points_numpy(
    cloud: PointCloud2,
    field_names: Sequence[str] | None = None,
    skip_nans: bool = False,
    uvs: Iterable[Any] | None = None,
    reshape_organized_cloud: bool = False,
) -> np.ndarray:
    """As `read_points`, as a plain array (N, fields); all chosen fields must have one type.

    Raises:
        ValueError: as `read_points`, or the fields have several types.
    """
    points = read_points(cloud, field_names, skip_nans, uvs, reshape_organized_cloud)
    names = points.dtype.names or ()
    kinds = {points.dtype[name] for name in names}
    if len(kinds) > 1:
        raise ValueError(
            f"all fields need one datatype, these have {sorted(map(str, kinds))}; choose some "
            "with field_names"
        )
    return structured_to_unstructured(points)


def read_points_list(
    cloud: PointCloud2,
    field_names: Sequence[str] | None = None,
    skip_nans: bool = False,
    uvs: Iterable[Any] | None = None,
) -> list[Any]:
    """As `read_points`, as a list of named tuples (slow)."""
    points = read_points(cloud, field_names, skip_nans, uvs)
    # The type is made at run time, from the field names of this cloud.
    names = list(points.dtype.names or ())
    point_type: Any = namedtuple("Point", names)  # type: ignore[misc]
    return [point_type._make(point) for point in points.tolist()]


def create_cloud(
    header: Header,
    fields: Sequence[PointField],
    points: Any,
    step: int | None = None,
    point_step: int | None = None,
) -> PointCloud2:
    """A cloud from points.

    Args:
        header: frame and time.
        fields: the layout of one point.
        points: structured array of that layout, plain array (N, fields) or (height, width,
            fields), or a sequence of sequences.
        step: bytes per point; the end of the last field if None.
        point_step: another name for `step`.

    Raises:
        ValueError: points and fields do not fit together.
    """
    dtype = dtype_from_fields(fields, step if step is not None else point_step)
    names = dtype.names or ()
    if not isinstance(points, np.ndarray):
        points = np.asarray([tuple(point) for point in points], dtype=dtype)
    if points.dtype.names is None:
        if points.ndim < 2 or points.shape[-1] != len(names):
            raise ValueError(
                f"points of shape {points.shape} do not fit {len(names)} fields {list(names)}"
            )
        points = unstructured_to_structured(points, dtype=dtype)
    elif points.dtype != dtype:
        if set(names) - set(points.dtype.names):
            raise ValueError(f"points with {points.dtype.names} do not have all of {list(names)}")
        packed = np.zeros(points.shape, dtype=dtype)
        for name in names:
            packed[name] = points[name]
        points = packed
    height, width = (1, points.shape[0]) if points.ndim == 1 else points.shape
    data = array.array("B")
    data.frombytes(np.ascontiguousarray(points).view(np.uint8).data)
    cloud = PointCloud2(header=header, height=height, width=width, fields=list(fields))
    cloud.is_bigendian = sys.byteorder == "big"
    cloud.is_dense = bool(_finite(points).all())
    cloud.point_step = dtype.itemsize
    cloud.row_step = dtype.itemsize * width
    # An array.array is taken as it is; anything else is checked element by element.
    cloud.data = data
    return cloud


def create_cloud_xyz32(
    header: Header, points: Any, step: int | None = None, point_step: int | None = None
) -> PointCloud2:
    """A cloud of x, y, z in float32 from an array (N, 3) or (height, width, 3) [m]."""
    fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate("xyz")
    ]
    return create_cloud(header, fields, points, step, point_step)
