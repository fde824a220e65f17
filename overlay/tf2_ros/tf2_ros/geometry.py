"""Rigid transforms as plain tuples: faster than arrays for one transform at a time.

A transform T_a_b is a pair (translation, rotation) that maps coordinates in frame b to frame a;
the translation is (x, y, z) in m, the rotation a unit quaternion (x, y, z, w).
"""

import math
from typing import TypeAlias

Vector: TypeAlias = tuple[float, float, float]
Quaternion: TypeAlias = tuple[float, float, float, float]
Rigid: TypeAlias = tuple[Vector, Quaternion]

IDENTITY: Rigid = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))


def multiply(a: Quaternion, b: Quaternion) -> Quaternion:
    """The rotation `b` followed by `a`."""
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def conjugate(q: Quaternion) -> Quaternion:
    """The opposite rotation."""
    return (-q[0], -q[1], -q[2], q[3])


def normalize(q: Quaternion) -> Quaternion:
    """The quaternion scaled to length 1; it must not be zero."""
    length = math.sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
    return (q[0] / length, q[1] / length, q[2] / length, q[3] / length)


def rotate(q: Quaternion, v: Vector) -> Vector:
    """The vector turned by a unit quaternion."""
    qx, qy, qz, qw = q
    x, y, z = v
    tx, ty, tz = 2 * (qy * z - qz * y), 2 * (qz * x - qx * z), 2 * (qx * y - qy * x)
    return (
        x + qw * tx + qy * tz - qz * ty,
        y + qw * ty + qz * tx - qx * tz,
        z + qw * tz + qx * ty - qy * tx,
    )


def compose(a_b: Rigid, b_c: Rigid) -> Rigid:
    """T_a_c from T_a_b and T_b_c."""
    (x, y, z), q = a_b
    rx, ry, rz = rotate(q, b_c[0])
    return (x + rx, y + ry, z + rz), multiply(q, b_c[1])


def invert(a_b: Rigid) -> Rigid:
    """T_b_a from T_a_b."""
    inverse = conjugate(a_b[1])
    x, y, z = rotate(inverse, a_b[0])
    return (-x, -y, -z), inverse


def slerp(a: Quaternion, b: Quaternion, ratio: float) -> Quaternion:
    """The rotation between two unit quaternions on the shorter way; ratio 0 gives `a`, 1 `b`."""
    dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]
    if dot < 0:
        b, dot = (-b[0], -b[1], -b[2], -b[3]), -dot
    wa, wb = 1.0 - ratio, ratio
    if dot < 1.0 - 1e-9:
        angle = math.acos(dot)
        wa, wb = math.sin(wa * angle) / math.sin(angle), math.sin(wb * angle) / math.sin(angle)
    return normalize(
        (
            wa * a[0] + wb * b[0],
            wa * a[1] + wb * b[1],
            wa * a[2] + wb * b[2],
            wa * a[3] + wb * b[3],
        )
    )


def interpolate(a: Rigid, b: Rigid, ratio: float) -> Rigid:
    """Between two transforms: translation along the line, rotation along the shorter arc."""
    (ax, ay, az), (bx, by, bz) = a[0], b[0]
    keep = 1.0 - ratio
    line = (keep * ax + ratio * bx, keep * ay + ratio * by, keep * az + ratio * bz)
    return line, slerp(a[1], b[1], ratio)


def from_rpy(roll: float, pitch: float, yaw: float) -> Quaternion:
    """The rotation about fixed x, then y, then z [rad], as URDF and REP-103 define it."""
    cr, sr = math.cos(roll / 2), math.sin(roll / 2)
    cp, sp = math.cos(pitch / 2), math.sin(pitch / 2)
    cy, sy = math.cos(yaw / 2), math.sin(yaw / 2)
    return (
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
        cr * cp * cy + sr * sp * sy,
    )


def from_axis_angle(axis: Vector, angle: float) -> Quaternion:
    """The rotation by `angle` [rad] about a unit axis."""
    s = math.sin(angle / 2)
    return (axis[0] * s, axis[1] * s, axis[2] * s, math.cos(angle / 2))
