"""Writes docs/graph.md: what the nodes offer and take, as the running graph shows it.

Usage: ./ws python tools/document_graph.py

Topics, services and actions are read from nodes that run; parameters from their tables, after a
look that the node declares exactly those. A test does the same and compares.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import rclpy
from gensim2_control.ros.parameters import markdown_table
from gensim2_policy.untrained import save_untrained
from graph_meanings import MEANINGS
from rclpy.action import get_action_server_names_and_types_by_node
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter_client import AsyncParameterClient
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "graph.md"


@dataclasses.dataclass(frozen=True)
class Graph:
    """Programs that are looked at together.

    Attributes:
        programs: Arguments of `ros2`.
        tables: The parameter tables of their nodes, by the name of the node.
        others: Nodes that have to be there as well, without a table or with that of another.
    """

    programs: tuple[tuple[str, ...], ...]
    tables: dict[str, tuple[str, ...]]
    others: tuple[str, ...] = ()


_FAKE = "use_fake_hardware:=true"
_BODY = "gensim2_control.ros.body_parameters:BodyParameters"
SIMULATED = Graph(
    programs=(
        ("launch", "gensim2", "robot_sim.launch.py", "obs:=pointcloud"),
        ("launch", "gensim2", "core.launch.py", "obs:=pointcloud"),
        ("launch", "gensim2", "shadow.launch.py", "use_sim_time:=true"),
        ("run", "gensim2_view", "web_view", "--ros-args", "-p", "port:=8097"),
        ("run", "gensim2_policy", "dagger"),
        ("run", "gensim2_generation", "task_generator"),
        ("run", "gensim2_policy", "policy", "--ros-args", "-p", "policy:={policy}"),
    ),
    tables={
        "sim_bridge": ("gensim2_sim_bridge.sim_parameters_node:SimParameters", _BODY),
        "pointcloud_fusion": ("gensim2_perception.fusion_parameters_node:FusionParameters",),
        "kpam_planner": ("gensim2_kpam.kpam_planner_node:PlannerParameters",),
        "kpam_expert": ("gensim2_kpam.kpam_expert_node:ExpertParameters",),
        "episode_manager": ("gensim2_episodes.manager_parameters_node:ManagerParameters",),
        "dagger": ("gensim2_policy.dagger_node:DaggerParameters",),
        "policy": ("gensim2_policy.policy_parameters_node:PolicyParameters",),
        "task_generator": ("gensim2_generation.settings:Settings",),
        "shadow": ("gensim2_sim_bridge.shadow_parameters_node:ShadowParameters",),
        "cloud_overlay": ("gensim2_perception.cloud_overlay_node:OverlayParameters",),
        "web_view": ("gensim2_view.view_parameters_node:ViewParameters",),
    },
    others=("robot_state_publisher", "shadow_fusion"),
)
# Beside it no simulation can run: both offer the same body.
REAL = Graph(
    programs=(
        ("launch", "gensim2", "robot_real.launch.py", "robot_ip:={address}", _FAKE),
        ("run", "gensim2_episodes", "deploy"),
        ("run", "gensim2_teleop", "teleop"),
        ("run", "gensim2_perception", "calibrate", "record", "{folder}", "--camera=left_camera"),
    ),
    tables={
        "franka_driver": ("gensim2_franka.driver_parameters_node:DriverParameters", _BODY),
        "fake_robot": ("gensim2_franka.fake_robot_node:FakeRobotParameters",),
        "wrist_camera": ("gensim2_perception.realsense_parameters_node:RealsenseParameters",),
        "labelled_scene": ("gensim2_kpam.labelled_scene_node:LabelledSceneParameters",),
        "deploy": ("gensim2_episodes.deploy_node:DeployParameters",),
        "teleop": ("gensim2_teleop.teleop_node:TeleopParameters",),
        "calibrate": ("gensim2_perception.calibrate_parameters_node:CalibrateParameters",),
    },
)
TABLES = SIMULATED.tables | REAL.tables
# What a node is where its name is another one.
TITLES = {"wrist_camera": "realsense_camera"}
# Of ROS itself: every node has them.
STANDARD = re.compile(
    r"/rosout|/parameter_events|/(\w+)/(describe|get|list|set)_parameter\w*"
    r"|/\w+/get_type_description|.*/_action/.*|use_sim_time|start_type_description_service"
    r"|qos_overrides\..*"
)
PROBE = "graph_probe"
QUIET = 4.0  # s without a change: everybody is there
PATIENCE = 90.0  # s
DOMAINS = 95
HEADER = """\
# The graph

Written by `./ws python tools/document_graph.py` from the running nodes; not to be edited by hand.
Names are relative: a namespace may stand in front. Poses and points are in `base`, in m;
quaternions are x, y, z, w; joints in rad. QoS is what the offering side promises: *latched* is
reliable and transient local, so that who comes late gets the newest as well.

Two graphs are put together here: the simulation with `policy` and `dagger`, and the real robot on
fake hardware with `deploy`, `teleop` and `calibrate record`. Of `sim_bridge` and `franka_driver`,
which offer the same body, only one runs at a time; `wrist_camera`, `left_camera` and `right_camera`
are three `realsense_camera`.

"""


class DocumentError(RuntimeError):
    """The graph and what is written about it do not fit."""


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """What can be seen of a graph; every row is (name, type, from or by, to, QoS)."""

    nodes: frozenset[str]
    topics: tuple[tuple[str, ...], ...]
    services: tuple[tuple[str, ...], ...]
    actions: tuple[tuple[str, ...], ...]


def take_snapshot(probe: Node) -> Snapshot:
    """Looks at the graph now."""
    found = [f"{space}{name}" for name, space in probe.get_node_names_and_namespaces()]
    names = frozenset(n.removeprefix("/") for n in found) - {PROBE}
    nodes = frozenset(name for name in names if not name.startswith(("_", "launch_ros")))
    topics = []
    for topic, types in probe.get_topic_names_and_types():
        if STANDARD.fullmatch(topic):
            continue
        offers = probe.get_publishers_info_by_topic(topic)
        takes = probe.get_subscriptions_info_by_topic(topic)
        row = (", ".join(types), _names(offers), _names(takes), _qos(offers or takes))
        topics.append((topic.removeprefix("/"), *row))
    services, actions = [], []
    for name in sorted(nodes):
        for service, types in probe.get_service_names_and_types_by_node(name, "/"):
            if not STANDARD.fullmatch(service) and not _lifecycle(service, name):
                services.append((service.removeprefix("/"), ", ".join(types), name))
        for action, types in get_action_server_names_and_types_by_node(probe, name, "/"):
            actions.append((action.removeprefix("/"), ", ".join(types), name))
    return Snapshot(nodes, *(tuple(sorted(rows)) for rows in (topics, services, actions)))


def merge(snapshots: Sequence[Snapshot]) -> Snapshot:
    """Puts graphs together: what has one name is one, and all who offer or take it are named."""
    nodes = frozenset(name for snapshot in snapshots for name in snapshot.nodes)
    parts = []
    for part in ("topics", "services", "actions"):
        rows: dict[tuple[str, str], list[tuple[str, ...]]] = {}
        for snapshot in snapshots:
            for name, kind, *others in getattr(snapshot, part):
                rows.setdefault((name, kind), []).append(tuple(others))
        parts.append(
            tuple(
                (*key, *(_union(cells) for cells in zip(*found, strict=True)))
                for key, found in sorted(rows.items())
            )
        )
    return Snapshot(nodes, *parts)


def _union(cells: Iterable[str]) -> str:
    """Puts lists together, one per line of QoS or comma list of names."""
    entries = {entry for cell in cells for entry in cell.split(", ") if entry}
    return ", ".join(sorted(entries))


def _lifecycle(service: str, node: str) -> bool:
    return bool(re.fullmatch(rf"/{node}/(change|get)_\w*(state|transition)\w*", service))


def _names(ends: Iterable[TopicEndpointInfo]) -> str:
    names = {e.node_name for e in ends} - {PROBE}
    return ", ".join(sorted(f"`{name}`" for name in names if not name.startswith("_")))


def _qos(ends: Iterable[TopicEndpointInfo]) -> str:
    return ", ".join(sorted({_profile(end.qos_profile) for end in ends}))


def _profile(qos: QoSProfile) -> str:
    if qos.durability is DurabilityPolicy.TRANSIENT_LOCAL:
        return "latched"
    return "best effort" if qos.reliability is ReliabilityPolicy.BEST_EFFORT else "reliable"


@contextmanager
def running(programs: Iterable[tuple[str, ...]], domain: int) -> Iterator[None]:
    """Runs `ros2 ...` programs on a domain, and ends them."""
    ros2 = shutil.which("ros2") or "ros2"
    environment = {**os.environ, "ROS_DOMAIN_ID": str(domain)}
    started = [
        subprocess.Popen(
            [ros2, *words],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for words in programs
    ]
    try:
        yield
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGINT)
        for process in started:
            process.wait(60.0)


def read_graph(domain: int) -> tuple[Snapshot, dict[str, set[str]]]:
    """Starts both graphs; returns what they show and the parameters of every node of `TABLES`.

    Raises:
        DocumentError: Somebody has not come up.
    """
    with tempfile.TemporaryDirectory() as folder:
        given = {
            # A fake robot of somebody else may listen at the usual address.
            "address": f"127.{1 + domain}.249.1",
            "folder": folder,
            "policy": save_untrained(Path(folder) / "policy"),
        }
        simulated, real = (
            dataclasses.replace(
                graph,
                programs=tuple(
                    tuple(word.format(**given) for word in words) for words in graph.programs
                ),
            )
            for graph in (SIMULATED, REAL)
        )
        shown = [_read(simulated, domain), _read(real, 1 + domain % DOMAINS)]
    return merge([snapshot for snapshot, _ in shown]), shown[0][1] | shown[1][1]


def _read(graph: Graph, domain: int) -> tuple[Snapshot, dict[str, set[str]]]:
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    probe = Node(PROBE, context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(probe)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    try:
        with running(graph.programs, domain):
            snapshot = _settled(probe, {*graph.tables, *graph.others})
            return snapshot, {name: _parameters(probe, name) for name in graph.tables}
    finally:
        executor.shutdown()
        thread.join()
        probe.destroy_node()
        rclpy.shutdown(context=context)


def _settled(probe: Node, wanted: set[str]) -> Snapshot:
    began = changed = time.monotonic()
    last = take_snapshot(probe)
    while time.monotonic() - began < PATIENCE:
        time.sleep(0.2)
        now = take_snapshot(probe)
        if now != last:
            last, changed = now, time.monotonic()
        elif wanted <= now.nodes and time.monotonic() - changed > QUIET:
            return now
    missing = ", ".join(sorted(wanted - last.nodes)) or "none, but the graph keeps changing"
    raise DocumentError(f"the graph has not come up in {PATIENCE:g} s; missing: {missing}")


def _parameters(probe: Node, name: str) -> set[str]:
    client = AsyncParameterClient(probe, name)
    if not client.wait_for_services(PATIENCE):
        raise DocumentError(f"{name} offers no parameters")
    done = threading.Event()
    future = client.list_parameters([])
    future.add_done_callback(lambda _: done.set())
    if not done.wait(PATIENCE):
        raise DocumentError(f"{name} does not list its parameters")
    names = future.result().result.names
    return {parameter for parameter in names if not STANDARD.fullmatch(parameter)}


def tables_of(node: str) -> list[type]:
    """The parameter tables of a node."""
    pairs = [entry.split(":") for entry in TABLES[node]]
    return [getattr(importlib.import_module(module), name) for module, name in pairs]


def render(snapshot: Snapshot, parameters: dict[str, set[str]]) -> str:
    """The document.

    Raises:
        DocumentError: A parameter is in no table, or the meaning of a name is not written down.
    """
    text = [HEADER]
    parts = (
        ("Topics", ("topic", "type", "from", "to", "QoS"), snapshot.topics),
        ("Services", ("service", "type", "by"), snapshot.services),
        ("Actions", ("action", "type", "by"), snapshot.actions),
    )
    for title, columns, rows in parts:
        text.append(f"## {title}\n\n| {' | '.join(columns)} | meaning |\n")
        text.append("|---" * (len(columns) + 1) + "|\n")
        for name, kind, *others in rows:
            if name not in MEANINGS:
                raise DocumentError(f"write in graph_meanings.py what {name} is")
            cells = [f"`{name}`", f"`{kind}`", *others, MEANINGS[name]]
            text.append(f"| {' | '.join(cells)} |\n")
        text.append("\n")
    written: dict[type, str] = {}
    text.append("## Parameters\n\nUnknown ones, and values out of bounds, end the start.\n\n")
    for node in TABLES:
        tables = tables_of(node)
        documented = {field.name for table in tables for field in dataclasses.fields(table)}
        if documented != parameters[node]:
            odd = ", ".join(sorted(documented ^ parameters[node]))
            raise DocumentError(f"{node} and its tables differ in: {odd}")
        text.append(f"### {TITLES.get(node, node)}\n\n")
        for table in tables:
            if table in written:
                text.append(f"And those of every body, as `{written[table]}` has them.\n\n")
            else:
                written[table] = node
                text.append(f"{markdown_table(table)}\n")
    return "".join(text).rstrip() + "\n"


def main() -> int:
    """Writes the document."""
    DOCUMENT.write_text(render(*read_graph(1 + os.getpid() % 95)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
