"""Quality of service: command line options, and the best match for what is published."""

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSPresetProfiles,
    QoSProfile,
    ReliabilityPolicy,
)

from ros2cli.command import CliError


@dataclasses.dataclass(frozen=True)
class QosOptions:
    """What the user asked for on the command line; None means: not said."""

    profile: str | None
    depth: int | None
    history: str | None
    reliability: str | None
    durability: str | None
    liveliness: str | None

    @classmethod
    def add_arguments(cls, parser: argparse.ArgumentParser) -> None:
        """Declare the `--qos-*` options."""
        presets = [p.name.lower() for p in QoSPresetProfiles if p.name != "UNKNOWN"]
        parser.add_argument("--qos-profile", choices=presets, help="QoS preset to start from")
        parser.add_argument("--qos-depth", type=int, metavar="N", help="Queue size")
        for option, policy in (
            ("history", HistoryPolicy),
            ("reliability", ReliabilityPolicy),
            ("durability", DurabilityPolicy),
            ("liveliness", LivelinessPolicy),
        ):
            parser.add_argument(
                f"--qos-{option}", choices=policy.short_keys(), help=f"QoS {option} setting"
            )

    @classmethod
    def from_args(cls, args: argparse.Namespace) -> "QosOptions":
        """The options of a parsed command line."""
        return cls(**{f.name: getattr(args, f"qos_{f.name}") for f in dataclasses.fields(cls)})

    def apply(self, default: QoSProfile) -> QoSProfile:
        """The profile to use: what was asked for, else `default`.

        Raises:
            CliError: the depth is negative.
        """
        profile = default
        if self.profile is not None:
            profile = QoSPresetProfiles.get_from_short_key(self.profile)
        if self.depth is not None and self.depth < 0:
            raise CliError(f"--qos-depth must not be negative, not {self.depth}")
        settings: dict[str, Any] = {
            "depth": profile.depth if self.depth is None else self.depth,
            "history": _choose(HistoryPolicy, self.history, profile.history),
            "reliability": _choose(ReliabilityPolicy, self.reliability, profile.reliability),
            "durability": _choose(DurabilityPolicy, self.durability, profile.durability),
            "liveliness": _choose(LivelinessPolicy, self.liveliness, profile.liveliness),
        }
        return QoSProfile(**settings)


def _choose(policy: Any, key: str | None, default: Any) -> Any:
    return default if key is None else policy.get_from_short_key(key)


def matching_profile(publishers: Sequence[Any], depth: int = 10) -> QoSProfile:
    """The strictest subscription that still hears all of these publishers.

    Args:
        publishers: their endpoint infos; with none, what hears any publisher.
        depth: of the queue.
    """
    profiles = [info.qos_profile for info in publishers]
    reliable = bool(profiles) and all(p.reliability == ReliabilityPolicy.RELIABLE for p in profiles)
    latched = bool(profiles) and all(
        p.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in profiles
    )
    return QoSProfile(
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )
