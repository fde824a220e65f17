"""Finding a topic and its type on the graph."""

import sys
from typing import Any

from rclpy.qos import QoSProfile

from ros2cli.command import CliError
from ros2cli.graph import Session
from ros2cli.interfaces import load_type
from ros2cli.qos import QosOptions, matching_profile


def topic_types(session: Session, topic: str) -> list[str]:
    """The types a topic has on the graph now; empty if it does not exist."""
    return dict(session.node.get_topic_names_and_types()).get(topic, [])


def require_topic(session: Session, name: str) -> tuple[str, list[str]]:
    """The full name and the types of a topic, after having waited for it.

    Raises:
        CliError: it does not appear.
    """
    topic = session.full_name(name)
    types = session.find(lambda: topic_types(session, topic))
    if not types:
        raise CliError(
            f"WARNING: topic [{topic}] does not appear to be published yet\n"
            "Could not determine the type for the passed topic"
        )
    return topic, types


def resolve(session: Session, name: str, type_name: str | None) -> tuple[str, Any]:
    """The full name and the message class of a topic.

    Args:
        session: to look at the graph with.
        name: of the topic.
        type_name: the type if the user gave it, so that the topic need not exist yet.

    Raises:
        CliError: the topic does not appear, has several types, or its type is not installed.
    """
    if type_name is not None:
        return session.full_name(name), load_type(type_name, "msg")
    topic, types = require_topic(session, name)
    if len(types) > 1:
        raise CliError(
            f"Topic '{topic}' has more than one type: [{', '.join(types)}]; name the one you want"
        )
    return topic, load_type(types[0], "msg")


def subscription_profile(session: Session, topic: str, options: QosOptions) -> QoSProfile:
    """What to subscribe with: what the user said, the rest such that all publishers are heard."""
    publishers = session.find(lambda: session.node.get_publishers_info_by_topic(topic), 0.5)
    return options.apply(matching_profile(publishers or []))


def warn_incompatible(event: Any) -> None:
    """Tell on stderr that a publisher offers less than what was asked for."""
    print(
        f"WARNING: an endpoint with incompatible QoS (policy kind {event.last_policy_kind}) is "
        "not heard; see --qos-reliability and --qos-durability",
        file=sys.stderr,
    )
