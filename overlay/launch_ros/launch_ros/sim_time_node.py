"""Waits in simulation time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.qos import qos_profile_sensor_data
from rclpy.signals import SignalHandlerOptions
from rosgraph_msgs.msg import Clock


async def wait_for_sim_time(period: float) -> None:
    """Return when /clock has advanced by `period` seconds since its first message."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    begin: float | None = None

    def on_clock(message: Clock) -> None:
        nonlocal begin
        now = message.clock.sec + message.clock.nanosec * 1e-9
        begin = now if begin is None else begin
        if now - begin >= period:
            loop.call_soon_threadsafe(done.set)

    context = rclpy.Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node(f"launch_ros_{os.getpid()}", context=context)
    node.create_subscription(Clock, "/clock", on_clock, qos_profile_sensor_data)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)

    def spin() -> None:
        with contextlib.suppress(ExternalShutdownException):
            executor.spin()

    thread = threading.Thread(target=spin, daemon=True)
    thread.start()
    try:
        await done.wait()
    finally:
        executor.shutdown()
        node.destroy_node()
        context.try_shutdown()
        thread.join()
