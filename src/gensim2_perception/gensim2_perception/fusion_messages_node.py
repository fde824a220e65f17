"""Messages of the node `pointcloud_fusion` from the types of this package."""

from __future__ import annotations

from array import array

import numpy as np
from builtin_interfaces.msg import Time
from numpy.typing import NDArray
from sensor_msgs.msg import PointCloud2, PointField

from .fusion import FusedCloud
from .layouts import XYZRGB_FIELDS, XYZRGB_STEP, pack_xyzrgb


def to_nanoseconds(stamp: Time) -> int:
    """Stamp of a message [ns]."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def to_time(stamp_ns: int) -> Time:
    """Stamp for a message, from [ns]."""
    sec, nanosec = divmod(stamp_ns, 1_000_000_000)
    return Time(sec=sec, nanosec=nanosec)


def xyzrgb_cloud(
    stamp_ns: int, frame_id: str, xyz: NDArray[np.float32], rgb: NDArray[np.uint8]
) -> PointCloud2:
    """Points (N, 3) [m] and colours (N, 3) as x, y, z and packed rgb, float32 each."""
    message = PointCloud2(height=1, width=len(xyz), is_dense=True, is_bigendian=False)
    message.header.frame_id = frame_id
    message.header.stamp = to_time(stamp_ns)
    message.fields = [
        PointField(name=f.name, offset=f.offset, datatype=f.datatype, count=f.count)
        for f in XYZRGB_FIELDS
    ]
    message.point_step = XYZRGB_STEP
    message.row_step = XYZRGB_STEP * len(xyz)
    # rclpy copies an array.array at once and bytes one by one.
    message.data = array("B", pack_xyzrgb(xyz, rgb))
    return message


def to_pointcloud2(cloud: FusedCloud, frame_id: str) -> PointCloud2:
    """The cloud as x, y, z and packed rgb, float32 each."""
    return xyzrgb_cloud(cloud.stamp_ns, frame_id, cloud.xyz, cloud.rgb)
