"""The rooms of the architecture: who may import whom, and where ROS may be seen."""

import ast
import re
from pathlib import Path

import pytest
from workspace.layout import Workspace
from workspace.packages import find_packages, read_package

ROOT = Path(__file__).resolve().parents[1]

# Which packages of this project each package may import.
MAY_IMPORT: dict[str, set[str]] = {
    "gensim2_tasks": set(),
    "gensim2_control": set(),
    "gensim2_sim_bridge": {"gensim2_tasks", "gensim2_control"},
    "gensim2_franka": {"gensim2_control"},
    "gensim2_perception": {"gensim2_control"},
    "gensim2_kpam": {"gensim2_tasks", "gensim2_control"},
    "gensim2_episodes": {"gensim2_tasks", "gensim2_control"},
    "gensim2_policy": {"gensim2_episodes", "gensim2_control"},
    "gensim2_generation": {
        "gensim2_tasks",
        "gensim2_control",
        "gensim2_kpam",
        "gensim2_episodes",
    },
    "gensim2_teleop": {"gensim2_tasks", "gensim2_control"},
    "gensim2_launch": set(),
    "gensim2_view": {"gensim2_tasks", "gensim2_control"},
}
# Single modules that join rooms on purpose: they run the same logic without the transport.
JOINING: dict[str, set[str]] = {
    "gensim2_episodes/gensim2_episodes/batch.py": {"gensim2_kpam", "gensim2_sim_bridge"},
    "gensim2_episodes/gensim2_episodes/batch_eyes.py": {
        "gensim2_perception",
        "gensim2_sim_bridge",
    },
    "gensim2_episodes/gensim2_episodes/bench_success.py": {"gensim2_sim_bridge"},
    "gensim2_episodes/gensim2_episodes/batch_graph.py": {"gensim2_kpam", "gensim2_sim_bridge"},
    "gensim2_episodes/gensim2_episodes/disturbance.py": {"gensim2_kpam", "gensim2_sim_bridge"},
    "gensim2_episodes/gensim2_episodes/replay.py": {"gensim2_sim_bridge"},
    "gensim2_generation/gensim2_generation/verifier.py": {"gensim2_sim_bridge"},
    "gensim2_generation/gensim2_generation/pictures.py": {"gensim2_sim_bridge"},
    "gensim2_policy/gensim2_policy/headless.py": {"gensim2_sim_bridge", "gensim2_tasks"},
    "gensim2_policy/gensim2_policy/headless_worker.py": {"gensim2_tasks"},
}
MESSAGES = "gensim2_msgs"
# Distributions of ROS, beside everything that ends as message packages do. ament_index_python only
# tells where packages are installed, which logic may ask.
ROS = {
    "launch",
    "launch_ros",
    "rclpy",
    "robot_state_publisher",
    "ros2cli",
    "ros2launch",
    "rosidl_runtime_py",
    "sensor_msgs_py",
    "tf2_geometry_msgs",
    "tf2_ros",
    "tf_transformations",
}
ROS_ENDINGS = ("_msgs", "_srvs", "_interfaces")
PACKAGES = sorted(path.parent for path in (ROOT / "src").glob("*/setup.py"))


def is_ros(name: str) -> bool:
    """Tells whether a top-level module belongs to ROS."""
    return name in ROS or name.endswith(ROS_ENDINGS)


def imported(path: Path) -> set[str]:
    """Lists the modules a file imports from elsewhere, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


def modules(package: Path) -> list[Path]:
    """Lists the modules of a package, without its tests."""
    return sorted((package / package.name).rglob("*.py"))


def may_see_ros(module: Path) -> bool:
    """Nodes, and the folders `ros` that nodes are put together from."""
    return module.name.endswith("_node.py") or "ros" in module.relative_to(ROOT).parts[:-1]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_logic_knows_nothing_of_ros(package: Path) -> None:
    """What computes runs and is tested without ROS."""
    wrong = {
        str(module.relative_to(ROOT)): sorted(names)
        for module in modules(package)
        if not may_see_ros(module) and (names := set(filter(is_ros, imported(module))))
    }
    assert not wrong, "only *_node.py and the modules below ros/ may import ROS"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_packages_import_what_the_architecture_allows(package: Path) -> None:
    """Arrows between packages point in one direction."""
    assert package.name in MAY_IMPORT, "a new package: give it a room in the table above"
    known = {*MAY_IMPORT, MESSAGES}
    for module in modules(package):
        name = str(module.relative_to(ROOT / "src"))
        allowed = MAY_IMPORT[package.name] | JOINING.get(name, set()) | {package.name}
        if may_see_ros(module):
            allowed.add(MESSAGES)
        assert imported(module) & known <= allowed, name


def test_exceptions_exist() -> None:
    """An exception that is no longer needed goes."""
    for name, packages in JOINING.items():
        path = ROOT / "src" / name
        used = imported(path)
        assert packages <= used, name
        assert not packages & MAY_IMPORT[name.split("/")[0]], name


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_packages_declare_the_packages_they_import(package: Path) -> None:
    """package.xml names what the code imports of this project and of ROS."""
    declared = (package / "package.xml").read_text()
    used = {name for module in modules(package) for name in imported(module)}
    needed = {name for name in used if is_ros(name) or name in {*MAY_IMPORT, MESSAGES}}
    missing = {name for name in needed - {package.name} if f"depend>{name}</" not in declared}
    assert not missing


def test_launch_package_is_no_python_module() -> None:
    """The package `gensim2` holds files only; nobody can import it."""
    assert read_package(ROOT / "launch").name == "gensim2"
    assert not list((ROOT / "launch").rglob("__init__.py"))
    for package in find_packages(Workspace(ROOT).sources(with_overlay=True)):
        assert not (package.folder / "gensim2").exists()


def test_src_does_not_know_about_the_overlay() -> None:
    """Nothing in src and launch asks which of the two ROS it runs on."""
    for folder in ("src", "launch"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not re.search(r"\boverlay/", path.read_text()), path
