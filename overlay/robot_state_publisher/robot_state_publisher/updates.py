"""Which transforms a joint state gives, and whether it is time to publish them. No ROS."""

from collections.abc import Sequence

from tf2_ros.geometry import Rigid

from robot_state_publisher.model import Joint, RobotModel

# A sample that much older than one before is no straggler: time itself has gone back.
_RESET_NS = 1_000_000_000


class JointUpdates:
    """Turns joint positions into transforms, at most so often and never backwards in time.

    Times are in ns. A sample older than what was published, or too soon after it, gives nothing;
    when time itself has gone back (a simulation was reset), everything starts anew. That shows in
    the clock, or in the stamps: which of the two comes first is a matter of luck.
    """

    def __init__(
        self, model: RobotModel, interval_ns: int, *, ignore_timestamp: bool = False
    ) -> None:
        """Start with nothing published.

        Args:
            model: the robot.
            interval_ns: shortest time between two transforms of one joint.
            ignore_timestamp: publish every sample, whatever its time.
        """
        self._joints = {joint.name: joint for joint in model.movable}
        self._interval_ns = interval_ns
        self._ignore_timestamp = ignore_timestamp
        self._published_ns: dict[str, int] = {}
        self._last_now_ns = 0
        self._seen: set[str] = set()
        self.jumped_back = False

    @property
    def never_seen(self) -> list[str]:
        """The movable joints whose position nobody has told yet, directly or by mimicry."""
        return sorted(set(self._joints) - self._seen)

    def update(
        self, names: Sequence[str], positions: Sequence[float], stamp_ns: int, now_ns: int
    ) -> list[tuple[Joint, Rigid]]:
        """The transforms (T_parent_child) to publish for a joint state.

        `jumped_back` tells afterwards whether the clock had gone back since the last call.

        Args:
            names: of the joints; those that are not in the model are ignored.
            positions: of the joints [rad] or [m], in the same order.
            stamp_ns: when they were measured.
            now_ns: the time now.

        Raises:
            ValueError: names and positions are not equally many.
        """
        if len(names) != len(positions):
            raise ValueError(
                f"a joint state with {len(names)} names and {len(positions)} positions is ignored"
            )
        self.jumped_back = now_ns < self._last_now_ns
        self._last_now_ns = now_ns
        if self.jumped_back:
            self._published_ns.clear()
        measured = {
            name: position
            for name, position in zip(names, positions, strict=True)
            if name in self._joints
        }
        if not measured or not (self._ignore_timestamp or self._due(measured, stamp_ns)):
            return []
        for name in measured:
            self._published_ns[name] = stamp_ns
        complete = self._with_mimics(measured)
        self._seen.update(complete)
        return [
            (self._joints[name], self._joints[name].transform(position))
            for name, position in complete.items()
        ]

    def _due(self, measured: dict[str, float], stamp_ns: int) -> bool:
        known = [self._published_ns[name] for name in measured if name in self._published_ns]
        if len(known) < len(measured):
            # A joint that is new makes the whole sample worth publishing.
            return True
        return stamp_ns >= min(known) + self._interval_ns or stamp_ns < max(known) - _RESET_NS

    def _with_mimics(self, measured: dict[str, float]) -> dict[str, float]:
        complete = dict(measured)
        for joint in self._joints.values():
            # What was measured counts more than what the model says it should be.
            if joint.mimic is not None and joint.mimic.joint in measured:
                position = measured[joint.mimic.joint]
                complete.setdefault(
                    joint.name, joint.mimic.multiplier * position + joint.mimic.offset
                )
        return complete
