"""Two processes that send and hear clouds and joint states; each prints what it saw as JSON.

python transport_pair_node.py send SECONDS
python transport_pair_node.py hear
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState, PointCloud2, PointField

POINTS, CLOUD_RATE, STATE_RATE = 10_000, 30.0, 100.0
_STRIDE = 16  # bytes: x, y, z, rgb
_END = "end"
_GUARD = 30.0
_SETTLE = 1.0
# As the simulation publishes them.
_CLOUD_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
_STATE_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)


def _cloud() -> PointCloud2:
    names = ("x", "y", "z", "rgb")
    fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate(names)
    ]
    data = np.random.default_rng(0).random((POINTS, 4), dtype=np.float32)
    message = PointCloud2(height=1, width=POINTS, fields=fields, is_dense=True)
    message.point_step, message.row_step = _STRIDE, _STRIDE * POINTS
    message.data = data.tobytes()
    return message


def _stamp(message: Any) -> None:
    """Writes monotonic time, which is the same in all processes of a machine."""
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(time.monotonic_ns(), 10**9)


def _age(message: Any) -> float:
    """Gives the time since a message was stamped, s."""
    stamp = message.header.stamp
    return (time.monotonic_ns() - stamp.sec * 10**9 - stamp.nanosec) * 1e-9


def send(seconds: float) -> dict[str, Any]:
    """Publishes for so long; returns what was sent and the CPU time per wall time."""
    node = rclpy.create_node("bench_sender")
    publishers = {
        "cloud": node.create_publisher(PointCloud2, "bench/cloud", _CLOUD_QOS),
        "state": node.create_publisher(JointState, "bench/state", _STATE_QOS),
    }
    messages: dict[str, Any] = {
        "cloud": _cloud(),
        "state": JointState(name=[f"joint{i}" for i in range(9)], position=[0.0] * 9),
    }
    periods = {"cloud": 1.0 / CLOUD_RATE, "state": 1.0 / STATE_RATE}
    deadline = time.monotonic() + _GUARD
    while not all(p.get_subscription_count() for p in publishers.values()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"no listener within {_GUARD:g} s")
        time.sleep(0.01)
    time.sleep(_SETTLE)
    began, cpu = time.monotonic(), time.process_time()
    due = dict.fromkeys(publishers, began)
    sent = dict.fromkeys(publishers, 0)
    while (now := time.monotonic()) < began + seconds:
        for name, publisher in publishers.items():
            if now >= due[name]:
                _stamp(messages[name])
                publisher.publish(messages[name])
                sent[name] += 1
                due[name] += periods[name]
        time.sleep(max(0.0, min(due.values()) - time.monotonic()))
    share = (time.process_time() - cpu) / (time.monotonic() - began)
    time.sleep(_SETTLE)
    publishers["state"].publish(_last())
    time.sleep(_SETTLE)
    node.destroy_node()
    return {"sent": sent, "cpu": share}


def _last() -> JointState:
    message = JointState()
    message.header.frame_id = _END
    return message


def hear() -> dict[str, Any]:
    """Hears until the end is told; returns the ages and the CPU time per wall time."""
    node = rclpy.create_node("bench_hearer")
    ages: dict[str, list[float]] = {"cloud": [], "state": []}
    times: list[tuple[float, float]] = []
    ended = threading.Event()
    _subscribe(node, ages, times, ended)
    while not ended.is_set() and rclpy.ok():
        rclpy.spin_once(node, timeout_sec=1.0)
    (wall, cpu), (wall_end, cpu_end) = times[0], times[-1]
    node.destroy_node()
    return {"ages": ages, "cpu": (cpu_end - cpu) / (wall_end - wall) if wall_end > wall else 0.0}


def _subscribe(
    node: Node,
    ages: dict[str, list[float]],
    times: list[tuple[float, float]],
    ended: threading.Event,
) -> None:
    def listen(name: str) -> Callable[[Any], None]:
        def callback(message: Any) -> None:
            if message.header.frame_id == _END:
                ended.set()
                return
            ages[name].append(_age(message))
            times.append((time.monotonic(), time.process_time()))

        return callback

    node.create_subscription(PointCloud2, "bench/cloud", listen("cloud"), _CLOUD_QOS)
    node.create_subscription(JointState, "bench/state", listen("state"), _STATE_QOS)


def main(role: str, *rest: str) -> None:
    """Does one of the two parts."""
    rclpy.init()
    print(json.dumps(send(float(rest[0])) if role == "send" else hear()))
    rclpy.try_shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
