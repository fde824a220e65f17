"""fake_robot and franka_driver as processes, and a client of what they offer."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from mock_process import GUARD, ROOT, Client, graph_environment
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter

from gensim2_msgs.msg import FrankaState

PROGRAM = "import sys; from gensim2_franka.programs import {0}; sys.exit({0}())"


def start(name: str, domain: int, *parameters: str) -> subprocess.Popen[str]:
    """Start one of the programs of the package."""
    words = [word for given in parameters for word in ("-p", given)]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(name), "--ros-args", *words],
        env=graph_environment(domain),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def start_fake(domain: int, address: str) -> subprocess.Popen[str]:
    # Longer than a moment in which this machine has no time for one of the processes.
    return start("fake_robot", domain, f"robot_ip:={address}", "longest_silence:=0.5")


def start_driver(domain: int, address: str, *parameters: str) -> subprocess.Popen[str]:
    urdf = ROOT / "launch" / "urdf" / "fr3.urdf"
    return start(
        "franka_driver",
        domain,
        *(f"robot_ip:={address}", "allow_non_rt:=true", "connect_timeout:=60.0"),
        *(f"urdf:={urdf}", *parameters),
    )


class FrankaClient(Client):
    """A client of the driver that can break the fake robot."""

    def __init__(self, domain: int) -> None:
        super().__init__(domain)
        self.node.create_subscription(
            FrankaState, "franka_driver/franka_state", self._hear("franka_state"), 10
        )

    def inject(self, **values: Any) -> None:
        """Set parameters of the fake robot."""
        service = self.node.create_client(SetParameters, "fake_robot/set_parameters")
        assert service.wait_for_service(GUARD)
        request = SetParameters.Request(
            parameters=[Parameter(k, value=v).to_parameter_msg() for k, v in values.items()]
        )
        results = self.result(service.call_async(request)).results
        assert all(result.successful for result in results), results
