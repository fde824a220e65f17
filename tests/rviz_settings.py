"""What a settings file of RViz wants to hear, and what a graph would not give it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)

# Class of a display: the property that holds its topic, and the type it subscribes to.
TOPICS = {
    "rviz_default_plugins/Image": ("Topic", "sensor_msgs/msg/Image"),
    "rviz_default_plugins/MarkerArray": ("Topic", "visualization_msgs/msg/MarkerArray"),
    "rviz_default_plugins/Path": ("Topic", "nav_msgs/msg/Path"),
    "rviz_default_plugins/PointCloud2": ("Topic", "sensor_msgs/msg/PointCloud2"),
    "rviz_default_plugins/PoseArray": ("Topic", "geometry_msgs/msg/PoseArray"),
    "rviz_default_plugins/RobotModel": ("Description Topic", "std_msgs/msg/String"),
}
WITHOUT_TOPIC = {"rviz_default_plugins/Grid"}
# All frames come from what RViz listens to by itself, with the profiles of tf2_ros.
TF = "rviz_default_plugins/TF"
TF_TYPE = "tf2_msgs/msg/TFMessage"
TF_TOPICS = {
    "/tf": QoSProfile(depth=100),
    "/tf_static": QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL),
}
RELIABILITY = {"Reliable": ReliabilityPolicy.RELIABLE, "Best Effort": ReliabilityPolicy.BEST_EFFORT}
DURABILITY = {
    "Transient Local": DurabilityPolicy.TRANSIENT_LOCAL,
    "Volatile": DurabilityPolicy.VOLATILE,
}
HISTORY = {"Keep Last": HistoryPolicy.KEEP_LAST, "Keep All": HistoryPolicy.KEEP_ALL}


@dataclass(frozen=True)
class Wanted:
    """One subscription of RViz."""

    display: str
    topic: str
    type_name: str
    qos: QoSProfile


def subscriptions(settings: Mapping[str, Any]) -> list[Wanted]:
    """The subscriptions of all displays of a settings file.

    Raises:
        ValueError: a display of an unknown class.
        KeyError: a property of a topic is not stored, or has an unknown value.
    """
    found = []
    for display in settings["Visualization Manager"]["Displays"]:
        kind, name = display["Class"], display["Name"]
        if kind == TF:
            found += [Wanted(name, topic, TF_TYPE, qos) for topic, qos in TF_TOPICS.items()]
        elif kind in TOPICS:
            key, type_name = TOPICS[kind]
            found.append(Wanted(name, display[key]["Value"], type_name, profile(display[key])))
        elif kind not in WITHOUT_TOPIC:
            raise ValueError(f"display '{name}' is of the unknown class '{kind}'")
    return found


def profile(topic: Mapping[str, Any]) -> QoSProfile:
    """The profile that is stored with a topic."""
    return QoSProfile(
        depth=topic["Depth"],
        history=HISTORY[topic["History Policy"]],
        reliability=RELIABILITY[topic["Reliability Policy"]],
        durability=DURABILITY[topic["Durability Policy"]],
    )


def complaint(wanted: Wanted, offered: Iterable[tuple[str, QoSProfile]]) -> str | None:
    """Why a subscription would hear nothing, or not everything; None if it would.

    Args:
        wanted: the subscription.
        offered: type and profile of every publisher of its topic.
    """
    publishers = list(offered)
    where = f"display '{wanted.display}': {wanted.topic}"
    if not publishers:
        return f"{where} has no publisher"
    for type_name, qos in publishers:
        if type_name != wanted.type_name:
            return f"{where} is of type {type_name}, not {wanted.type_name}"
        compatibility, reason = qos_check_compatible(qos, wanted.qos)
        if compatibility == QoSCompatibility.ERROR:
            return f"{where} is not heard: {reason}"
    return None
