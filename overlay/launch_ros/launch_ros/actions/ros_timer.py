"""A timer that follows the clock of ROS."""

from __future__ import annotations

from launch.actions import TimerAction

from launch import LaunchContext


class RosTimer(TimerAction):
    """Executes actions after a period; in simulation time after SetUseSimTime(True)."""

    async def _wait(self, context: LaunchContext, period: float) -> None:
        if not context.get_locals_as_dict().get("use_sim_time", False):
            await super()._wait(context, period)
            return
        # Imported late: launch itself should not need the time to load rclpy.
        from ..sim_time_node import wait_for_sim_time

        await wait_for_sim_time(period)


ROSTimer = RosTimer
