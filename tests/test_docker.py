"""The container files: read by the builder's own parser, and true about this repository.

No container engine is asked: what only a build can tell is not tested here.
"""

from __future__ import annotations

import fnmatch
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from workspace import system

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

import dockerfile

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docker"
FILES = sorted(FOLDER.glob("Dockerfile.*"))
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES = sorted(COMPOSE["services"])
# The base image has Ubuntu 24.04, whose Python this is.
PYTHON = "python3.12"
# Programs of ROS that the commands of the images use, beside what the packages depend on.
ROS_PROGRAMS = {"ros-jazzy-ros2launch", "ros-jazzy-ros2run"}
# For a person who looks into a container; docker/README.md says so.
ROS_FOR_PEOPLE = {"ros-jazzy-ros2topic", "ros-jazzy-ros2service"}
GUARD_S = 60.0

# Launch files in which the nodes of a service stand.
FILES_OF = {
    "sim": ("robot_sim", "core"),
    "real": ("robot_real", "core"),
    "generate": ("generate",),
}

BOTH = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
EVERY_SERVICE = pytest.mark.parametrize("name", SERVICES)


@dataclass(frozen=True)
class Instruction:
    """One instruction: its name, its words (a shell command is one), and its flags."""

    name: str
    words: tuple[str, ...]
    flags: tuple[str, ...]
    is_json: bool


def parse(path: Path) -> list[Instruction]:
    """Reads a container file; what the builder would refuse to read raises."""
    return [
        Instruction(command.cmd.upper(), command.value, command.flags, command.json)
        for command in dockerfile.parse_file(str(path))
    ]


def of(path: Path, name: str) -> list[Instruction]:
    """The instructions of one name."""
    return [instruction for instruction in parse(path) if instruction.name == name]


def shell(path: Path) -> str:
    """The commands of all RUN instructions."""
    return "\n".join(instruction.words[0] for instruction in of(path, "RUN"))


def apt_packages(path: Path) -> set[str]:
    """What is installed through apt."""
    names: set[str] = set()
    for words in re.findall(r"apt-get install ([^&;\n]*)", shell(path).replace("\\\n", " ")):
        names.update(word for word in words.split() if not word.startswith("-"))
    return names


def sources(path: Path) -> list[str]:
    """What is copied from the repository."""
    return [
        word
        for copy in of(path, "COPY")
        if not any(flag.startswith("--from") for flag in copy.flags)
        for word in copy.words[:-1]
    ]


def test_there_is_an_image_for_the_simulation_and_one_for_the_robot() -> None:
    """The tests below are about all of them."""
    assert [path.name for path in FILES] == ["Dockerfile.robot", "Dockerfile.sim"]
    assert SERVICES == ["generate", "real", "sim"]


@BOTH
def test_only_known_instructions_are_used(path: Path) -> None:
    """The parser reads words it does not know; the builder refuses them."""
    known = {"ARG", "CMD", "COPY", "ENTRYPOINT", "FROM", "RUN", "SHELL", "USER", "WORKDIR"}
    used = [instruction.name for instruction in parse(path)]
    assert set(used) <= known
    assert used[:2] == ["ARG", "FROM"] and used.count("FROM") == 1
    assert all(i.is_json for name in ("CMD", "ENTRYPOINT", "SHELL") for i in of(path, name)), (
        "in words of a shell a signal would not reach the launch"
    )


@BOTH
def test_shell_commands_are_of_sound_syntax(path: Path) -> None:
    """A quote that is not closed shows after minutes of building."""
    runs = of(path, "RUN")
    assert len(runs) >= 3
    for run in runs:
        done = subprocess.run(["bash", "-n"], input=run.words[0], text=True, capture_output=True)
        assert done.returncode == 0, done.stderr


@BOTH
def test_everything_copied_exists_and_reaches_the_builder(path: Path) -> None:
    """What .dockerignore holds back cannot be copied."""
    copied = sources(path)
    assert {"src", "launch", "tools", "requirements", "ws"} <= set(copied)
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    for source in copied:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in lines, f".dockerignore holds {source} back"
        held_back = [line for line in lines if not line.startswith(("#", "!", "*"))]
        assert not any(fnmatch.fnmatch(source, line) for line in held_back)


@BOTH
def test_what_ws_looks_for_is_installed_before_it_is_called(path: Path) -> None:
    """It runs as a user there, who may not install what is missing."""
    needed = {
        *system._PROGRAMS.values(),
        *system._LIBRARIES.values(),
        *system.RENDERER_PACKAGES,
        f"{PYTHON}-dev",
        f"{PYTHON}-venv",
    }
    installed = apt_packages(path)
    assert not needed - installed
    ros = {name for name in installed if name.startswith("ros-jazzy-")}
    assert installed - ros == needed, "a package without a reason"
    order = [i.words[0] for i in parse(path) if i.name == "RUN"]
    assert "apt-get install" in order[0] and re.search(r"\./ws .*build", order[-1])


@BOTH
def test_the_ros_packages_are_those_ours_depend_on(path: Path) -> None:
    """Where ROS 2 is installed, no stand-ins are built for what is missing of it."""
    declared: set[str] = set()
    for manifest in [*ROOT.glob("src/*/package.xml"), ROOT / "launch" / "package.xml"]:
        text = manifest.read_text()
        declared |= set(re.findall(r"<(?:\w+_)?depend>([\w-]+)</", text))
        test_only = set(re.findall(r"<test_depend>([\w-]+)</", text))
        declared -= test_only - set(re.findall(r"<(?:exec|build)_depend>([\w-]+)</", text))
    needed = {
        f"ros-jazzy-{name.replace('_', '-')}"
        for name in declared
        if not name.startswith(("gensim2", "python3-"))
    }
    installed = {name for name in apt_packages(path) if name.startswith("ros-jazzy-")}
    assert needed | ROS_PROGRAMS <= installed
    assert installed - needed - ROS_PROGRAMS == ROS_FOR_PEOPLE


@BOTH
def test_containers_do_not_run_as_root(path: Path) -> None:
    """Root in a container of the host's network is root of the robot's network."""
    instructions = parse(path)
    last = max(i for i, one in enumerate(instructions) if one.name == "USER")
    assert instructions[last].words == ("${UID}:${GID}",)
    assert "useradd" in shell(path)
    defaults = dict(word.split("=") for one in of(path, "ARG") for word in one.words)
    assert int(defaults["UID"]) > 0 and int(defaults["GID"]) > 0
    after = [one.name for one in instructions[last + 1 :]]
    assert after.count("COPY") == len(of(path, "COPY")), "what root copies the user cannot change"
    assert after.count("RUN") == 1


def test_the_robot_gets_its_wheels_and_no_torch() -> None:
    """It learns elsewhere; torch would be ten times the rest."""
    commands = {path.name: of(path, "RUN")[-1].words[0] for path in FILES}
    assert "./ws --with real build" in commands["Dockerfile.robot"]
    assert "./ws build" in commands["Dockerfile.sim"]
    assert not any("policy" in command for command in commands.values())
    pins = "".join(
        (ROOT / "requirements" / f"{group}.txt").read_text()
        for group in ("core", "real", "ros_installed")
    )
    assert not re.search(r"^torch==", pins, re.MULTILINE)


@BOTH
def test_the_default_command_starts_what_exists(path: Path) -> None:
    """A container started without words of its own does something."""
    command = of(path, "CMD")[-1].words
    check_launch(command)


def check_launch(command: tuple[str, ...] | list[str]) -> None:
    """A command launches an existing file of ours with arguments it knows."""
    assert list(command[:4]) == ["./ws", "ros2", "launch", "gensim2"]
    file = ROOT / "launch" / "launch" / command[4]
    assert file.is_file()
    shown = subprocess.run(
        ["ros2", "launch", str(file), "--show-args"],
        capture_output=True,
        text=True,
        timeout=GUARD_S,
    )
    assert shown.returncode == 0, shown.stderr
    known = set(re.findall(r"^\s+'(\w+)':", shown.stdout, re.MULTILINE))
    assert {word.partition(":=")[0] for word in command[5:]} <= known


@EVERY_SERVICE
def test_a_service_is_built_from_its_file_and_starts_what_exists(name: str) -> None:
    """Files, arguments and folders that compose.yaml names are there."""
    service = COMPOSE["services"][name]
    context = (FOLDER / service["build"]["context"]).resolve()
    assert context == ROOT
    built_from = context / service["build"]["dockerfile"]
    assert built_from in FILES
    arguments = {word.split("=")[0] for one in of(built_from, "ARG") for word in one.words}
    assert set(service["build"]["args"]) <= arguments
    check_launch(service["command"])
    for volume in service["volumes"]:
        source, target = volume.split(":")
        assert source in COMPOSE["volumes"]
        # A new volume takes its owner from the folder in the image.
        assert re.search(rf"install -d .*{re.escape(target)}\b", shell(built_from))


@EVERY_SERVICE
def test_a_service_ends_like_a_launch_in_a_terminal(name: str) -> None:
    """With SIGTERM, or killed after ten seconds, the last episode would be lost."""
    service = COMPOSE["services"][name]
    assert service["stop_signal"] == "SIGINT"
    assert service["init"] is True
    assert service["stop_grace_period"] == "30s"


@EVERY_SERVICE
def test_the_health_check_asks_for_nodes_the_service_starts(name: str) -> None:
    """A node that nobody starts would be missing for ever."""
    service = COMPOSE["services"][name]
    check = service["healthcheck"]
    prefix = ["CMD", "/ros_entrypoint.sh", "./ws", "python", "docker/healthcheck.py"]
    assert check["test"][: len(prefix)] == prefix
    assert (ROOT / prefix[-1]).is_file()
    assert "docker/healthcheck.py" in sources(ROOT / service["build"]["dockerfile"])
    # The check gives up by itself before it is given up.
    assert float(check["timeout"].removesuffix("s")) >= 20
    nodes = set(check["test"][len(prefix) :])
    assert nodes
    launched = set()
    for file in FILES_OF[name]:
        text = (ROOT / "launch" / "launch" / f"{file}.launch.py").read_text()
        launched |= set(re.findall(r'node\(\s*"[\w]+",\s*"(\w+)"', text))
    assert nodes <= launched


def test_the_robot_service_may_do_what_a_control_loop_needs() -> None:
    """Real-time priority and locked memory, the host's network, and no more rights than that."""
    service = COMPOSE["services"]["real"]
    assert service["network_mode"] == "host"
    assert service["ipc"] == "host", "otherwise nodes on the host are discovered and not heard"
    assert service["ulimits"] == {"rtprio": 99, "memlock": -1}
    assert service["cap_add"] == ["SYS_NICE"]
    assert service["environment"]["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "SUBNET"
    for name in SERVICES:
        assert not COMPOSE["services"][name].get("privileged")
        assert "user" not in COMPOSE["services"][name], "the image's own user"


def test_the_gpu_file_changes_a_service_that_exists() -> None:
    """The GPU is an addition to the simulation; the image is the same."""
    override: dict[str, Any] = yaml.safe_load((FOLDER / "compose.gpu.yaml").read_text())
    assert set(override["services"]) == {"sim"}
    sim = override["services"]["sim"]
    (device,) = sim["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert sim["environment"]["NVIDIA_DRIVER_CAPABILITIES"] == "all"


def test_the_health_check_knows_living_nodes_from_silent_ones() -> None:
    """A node that lives is found, one that hangs is named."""
    environment = {
        **os.environ,
        "ROS_DOMAIN_ID": str(1 + (os.getpid() + 30) % 95),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
    }
    program = "import sys; from gensim2_control.programs import mock_robot; sys.exit(mock_robot())"
    body = subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stderr=subprocess.DEVNULL
    )

    def check(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(FOLDER / "healthcheck.py"), *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=GUARD_S,
        )

    try:
        done = check("--timeout", "30", "mock_robot")
        assert done.returncode == 0, done.stderr
        done = check("--timeout", "3", "mock_robot", "kpam_expert")
        assert done.returncode == 1
        assert done.stderr == "kpam_expert: is silent on diagnostics\n"
        body.send_signal(signal.SIGSTOP)
        done = check("--timeout", "3", "mock_robot")
        assert done.returncode == 1
        assert done.stderr == "mock_robot: is silent on diagnostics\n"
    finally:
        body.kill()
        body.wait()
