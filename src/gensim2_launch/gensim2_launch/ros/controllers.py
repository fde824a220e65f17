"""The nodes of controllers that are not always there."""

from __future__ import annotations

from launch_ros.actions import Node

from gensim2_launch.ros.arguments import (
    LANGUAGE_WEIGHTS,
    POLICY,
    POLICY_DEVICE,
    PREFLIGHT,
    Argument,
)
from gensim2_launch.ros.description import node
from launch import Condition


def dagger(use_sim_time: Argument, condition: Condition | None = None) -> Node:
    """A policy that begins and an expert that takes over."""
    return node("gensim2_policy", "dagger", use_sim_time, condition=condition)


def policy(use_sim_time: Argument, condition: Condition | None = None) -> Node:
    """A trained policy.

    Its arguments are `POLICY`, `POLICY_DEVICE`, `LANGUAGE_WEIGHTS` and `PREFLIGHT`.
    """
    return node(
        "gensim2_policy",
        "policy",
        *(POLICY, LANGUAGE_WEIGHTS, PREFLIGHT, use_sim_time),
        parameters={"device": POLICY_DEVICE.parameter()},
        condition=condition,
    )
