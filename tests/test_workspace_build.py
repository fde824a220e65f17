"""`./ws` installs and builds what is missing or stale, and nothing else."""

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from workspace import build, packages, participant_end, venv, wheels
from workspace.environment import Overlay, cached_overlay, clean, command_environment, sourced
from workspace.layout import Workspace
from workspace.one_cpu import one_cpu
from workspace.packages import Package, find_packages, package_digests
from workspace.relocate import relocate
from workspace.ros_installation import WORKSPACE_VARIABLE
from workspace.stamps import Stamps
from workspace.steps import Runner, StepError

ROOT = Path(__file__).resolve().parents[1]


def _package(folder: Path, build_type: str = "ament_python", needs: tuple[str, ...] = ()) -> Path:
    """Writes a small ROS package named like its folder."""
    name = folder.name
    (folder / name).mkdir(parents=True)
    (folder / "test").mkdir()
    depends = "".join(f"<depend>{other}</depend>" for other in needs)
    (folder / "package.xml").write_text(
        f"<package format='3'><name>{name}</name>{depends}<exec_depend>late</exec_depend>"
        f"<export><build_type>{build_type}</build_type></export></package>"
    )
    (folder / "setup.py").write_text("setup()")
    (folder / name / "__init__.py").write_text("")
    return folder


def _digest(folder: Path) -> str:
    return package_digests(find_packages([folder]), "common")[folder.name]


Change = Callable[[Path], object]
STALE: dict[str, Change] = {
    "setup.py": lambda p: (p / "setup.py").write_text("setup(1)"),
    "a new launch file": lambda p: (p / "x.launch.py").write_text(""),
    "a new data file": lambda p: (p / "some" / "x.yaml").write_text(""),
    "a data file that is gone": lambda p: (p / "some" / "data.yaml").unlink(),
    "a message": lambda p: (p / "A.msg").write_text("int64 a"),
    "cmake": lambda p: (p / "CMakeLists.txt").write_text("project(a)"),
}
FRESH: dict[str, Change] = {
    "a module": lambda p: (p / p.name / "__init__.py").write_text("x = 1"),
    "a new module": lambda p: (p / p.name / "new.py").write_text(""),
    "a test": lambda p: (p / "test" / "test_x.py").write_text(""),
    "compiled modules": lambda p: (p / "x.pyc").write_text(""),
    "the text of a data file": lambda p: (p / "some" / "data.yaml").write_text("a: 1"),
    "nothing": lambda p: None,
}


@pytest.mark.parametrize(
    ("change", "stale"),
    [
        *(pytest.param(change, True, id=name) for name, change in STALE.items()),
        *(pytest.param(change, False, id=name) for name, change in FRESH.items()),
    ],
)
def test_what_makes_a_package_stale(tmp_path: Path, change: Change, stale: bool) -> None:
    """Files that are links after the build may change; what is compiled or listed may not."""
    folder = _package(tmp_path / "pkg")
    (folder / "some").mkdir()
    (folder / "some" / "data.yaml").write_text("")
    (folder / "A.msg").write_text("int32 a")
    before = _digest(folder)
    change(folder)
    assert (_digest(folder) != before) == stale


def test_compiled_packages_inherit_what_they_are_compiled_against(tmp_path: Path) -> None:
    """A message package is stale when one it uses has changed; a Python package is not."""
    low = _package(tmp_path / "low", "ament_cmake")
    _package(tmp_path / "middle", "ament_cmake", ("low",))
    _package(tmp_path / "high", "ament_cmake", ("middle",))
    _package(tmp_path / "script", "ament_python", ("low", "high"))
    _package(tmp_path / "late", "ament_cmake")
    before = package_digests(find_packages([tmp_path]), "common")
    (low / "A.msg").write_text("int32 a")
    after = package_digests(find_packages([tmp_path]), "common")
    assert {name for name in before if before[name] != after[name]} == {"low", "middle", "high"}
    everything = package_digests(find_packages([tmp_path]), "other interpreter")
    assert all(everything[name] != after[name] for name in after)


def test_package_errors_name_the_file(tmp_path: Path) -> None:
    """A broken manifest or a circle of dependencies is an error, not an endless loop."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "package.xml").write_text("<package>")
    with pytest.raises(StepError, match="broken/package"):
        find_packages([tmp_path])
    (broken / "package.xml").write_text("<package/>")
    with pytest.raises(StepError, match="no <name>"):
        find_packages([tmp_path])
    circle = [
        Package("a", _package(tmp_path / "a"), "ament_cmake", ("b",)),
        Package("b", _package(tmp_path / "b"), "ament_cmake", ("a",)),
    ]
    with pytest.raises(StepError, match="circle: a -> b -> a"):
        package_digests(circle, "common")


FAKE_COLCON = """#!/bin/bash
# Builds as colcon does, as far as ./ws can see: a return code per package; `bad` fails.
set -e
selected=no
result=0
for word in "$@"; do
  case "$word" in
    --packages-select) selected=yes ;;
    --*) selected=no ;;
    *) if [ $selected = yes ]; then
         code=0; [ "$word" != bad ] || [ -e good ] || code=1
         mkdir -p "build/$word" "install/$word"
         echo $code > "build/$word/colcon_build.rc"
         echo "$word" >> calls
         [ $code = 0 ] || result=1
       fi ;;
  esac
done
exit $result
"""


class _Clone:
    """A clone with a few packages and programs that only pretend."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(root)
        self.screen = io.StringIO()
        self.runner = Runner(self.workspace.logs, Stamps(self.workspace.state), self.screen)
        (self.workspace.venv / "bin").mkdir(parents=True)
        self.workspace.state.mkdir()
        self.program("colcon", FAKE_COLCON)

    def program(self, name: str, text: str) -> None:
        """Writes a program of the virtual environment."""
        path = self.workspace.venv / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def build(self, *, ros_installed: bool = False) -> list[str]:
        """Builds, and lists what was built."""
        calls = self.workspace.root / "calls"
        calls.unlink(missing_ok=True)
        try:
            build.ensure(self.workspace, self.runner, dict(os.environ), ros_installed=ros_installed)
        finally:
            self.built = calls.read_text().split() if calls.exists() else []
        return self.built


@pytest.fixture
def clone(tmp_path: Path) -> _Clone:
    """A clone with the packages good, bad and, in the overlay, stand_in."""
    for folder in ("src/good", "src/bad", "overlay/stand_in"):
        _package(tmp_path / folder)
    return _Clone(tmp_path)


def test_only_what_is_due_is_built(clone: _Clone) -> None:
    """A package that fails is tried again; those that were built are left alone."""
    root = clone.workspace.root
    with pytest.raises(StepError, match="not built: bad"):
        clone.build()
    assert sorted(clone.built) == ["bad", "good", "stand_in"]
    (root / "good").touch()
    assert clone.build() == ["bad"]
    assert clone.build() == []
    (root / "src" / "good" / "setup.py").write_text("other")
    assert clone.build() == ["good"]
    (root / "install" / "good").rmdir()
    assert clone.build() == ["good"]
    (root / "colcon.meta").write_text("{}")
    assert sorted(clone.build()) == ["bad", "good", "stand_in"]


def test_nothing_of_an_older_build_is_left(clone: _Clone) -> None:
    """What a package no longer installs, or a package that is gone, cannot be found any more."""
    root = clone.workspace.root
    (root / "good").touch()
    clone.build()
    (root / "install" / "good" / "old_message").touch()
    (root / "src" / "good" / "setup.py").write_text("other")
    clone.build()
    assert not (root / "install" / "good" / "old_message").exists()
    (root / "src" / "good" / "package.xml").unlink()
    assert clone.build() == []
    assert not (root / "install" / "good").exists()


def test_the_overlay_gives_way_to_an_installation(clone: _Clone) -> None:
    """Where ROS 2 is sourced the stand-ins are neither built nor left over."""
    root = clone.workspace.root
    (root / "good").touch()
    clone.build()
    assert (root / "install" / "stand_in").exists()
    assert sorted(clone.build(ros_installed=True)) == ["bad", "good"]
    assert not (root / "install" / "stand_in").exists()


def test_groups_are_named_by_the_command() -> None:
    """A heavy group is wanted by the commands that use it, and by no others."""
    assert wheels.groups_of(["ros2", "launch", "gensim2", "sim_collect.launch.py"]) == set()
    assert wheels.groups_of(["ros2", "run", "gensim2_policy", "train"]) == {"policy"}
    assert wheels.groups_of(["ros2", "launch", "gensim2", "real_collect.launch.py"]) == {"real"}
    assert wheels.groups_of(["ros2", "launch", "launch/launch/real_x.launch.py"]) == {"real"}
    assert wheels.groups_of(["test", "src/gensim2_policy"]) == {"policy"}
    assert wheels.groups_of(["ros2", "launch", "gensim2", "generate.launch.py"]) == {"generation"}
    local = ["ros2", "run", "gensim2_generation", "generate", "backend:=local"]
    assert wheels.groups_of(local) == {"generation", "policy", "local"}
    assert wheels.groups_of(["realpath", "."]) == set()
    collect = ["ros2", "launch", "gensim2", "sim_collect.launch.py"]
    assert wheels.groups_of([*collect, "real_time_factor:=1"]) == set()
    assert wheels.groups_of([*collect, "dataset:=/data/real_robot"]) == set()


FAKE_PYTHON = """#!/bin/sh
# Writes down what pip is asked for; fails while the file `offline` exists.
case "$*" in
  *"-m pip"*) echo "$*" >> calls; [ ! -e offline ] ;;
  *) exec {python} "$@" ;;
esac
"""


def test_wheels_are_installed_once_per_pins(clone: _Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Core always, a group when it is wanted, both again when their pins change."""
    root = clone.workspace.root
    monkeypatch.chdir(root)
    clone.program("python", FAKE_PYTHON.format(python=sys.executable))
    clone.workspace.requirements.mkdir()
    for name in ("ros", "ros_installed", "core", "dev", "policy", "constraints"):
        (clone.workspace.requirements / f"{name}.txt").write_text(f"{name}==1\n")

    def ensure(*groups: str, ros_installed: bool = False) -> list[str]:
        (root / "calls").unlink(missing_ok=True)
        wheels.ensure(clone.workspace, clone.runner, groups, ros_installed=ros_installed)
        calls = (root / "calls").read_text().splitlines() if (root / "calls").exists() else []
        return [
            "+".join(Path(word).stem for word in call.split() if word.endswith(".txt"))
            for call in calls
        ]

    (root / "offline").touch()
    with pytest.raises(StepError):
        ensure()
    (root / "offline").unlink()
    assert ensure() == ["ros+core+constraints"]
    assert (clone.workspace.venv / "local_setup.sh").is_file()
    assert ensure() == []
    assert ensure("dev") == ["dev+constraints"]
    assert ensure() == []
    (clone.workspace.requirements / "dev.txt").write_text("dev==2\n")
    assert ensure() == ["dev+constraints"], "a group once installed follows its pins"
    (clone.workspace.requirements / "policy.txt").write_text("policy==2\n")
    assert ensure() == []
    assert ensure(ros_installed=True) == ["ros_installed+core", "dev"]


def _venv(folder: Path, **config: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    for name in ("python", "pip", "activate"):
        (folder / "bin" / name).write_text(str(folder))
    settings = {"include-system-site-packages": "false", "version": "3.11.7", **config}
    (folder / "pyvenv.cfg").write_text("".join(f"{k} = {v}\n" for k, v in settings.items()))
    return folder


def test_a_virtual_environment_that_cannot_serve_is_noticed(tmp_path: Path) -> None:
    """Of another Python, of another place, incomplete, or not showing the sourced ROS 2."""
    good = _venv(tmp_path / "good")
    assert venv.defect(good, (3, 11), system_site=False) is None
    assert "wanted is 3.12" in str(venv.defect(good, (3, 12), system_site=False))
    assert "sourced now" in str(venv.defect(good, (3, 11), system_site=True))
    assert venv.defect(tmp_path / "missing", (3, 11), system_site=False) == venv.MISSING
    moved = good.rename(tmp_path / "moved")
    assert "another place" in str(venv.defect(moved, (3, 11), system_site=False))
    (moved / "bin" / "python").unlink()
    (moved / "bin" / "python").symlink_to("/nowhere")
    assert "incomplete" in str(venv.defect(moved, (3, 11), system_site=False))


def test_a_new_environment_knows_nothing_of_old_wheels(clone: _Clone) -> None:
    """After it is made, every group counts as not installed. This makes a real one."""
    clone.runner.stamps.put("wheels-core", "old")
    venv.ensure(clone.workspace, clone.runner, system_site=False)
    assert clone.runner.stamps.read("wheels-core") is None
    assert venv.defect(clone.workspace.venv, sys.version_info[:2], system_site=False) is None
    before = clone.screen.getvalue()
    venv.ensure(clone.workspace, clone.runner, system_site=False)
    assert clone.screen.getvalue() == before


def test_wheels_are_adapted_to_their_place(tmp_path: Path) -> None:
    """Paths of the build machine go, everything else stays, and doing it twice is harmless."""
    prefix, include = tmp_path / "a b\\1", tmp_path / "include"
    site = prefix / "lib" / "site-packages"
    (site / "ros_rcl.libs").mkdir(parents=True)
    cmake = prefix / "share" / "std_msgs" / "cmake" / "export.cmake"
    cmake.parent.mkdir(parents=True)
    cmake.write_text(
        "a /opt/python/cp311-cp311/include/python3.11;"
        "/opt/python/cp311-cp311/lib/python3.11/site-packages/numpy/include b"
    )
    parent = prefix / "share" / "ament_index" / "resource_index" / "parent_prefix_path" / "x"
    parent.parent.mkdir(parents=True)
    parent.write_text("/opt/python/cp311-cp311")
    assert relocate(prefix, include, site) == 1
    assert cmake.read_text() == f"a {include};{site}/numpy/include b"
    assert parent.read_text() == ""
    assert relocate(prefix, include, site) == 0


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_setup_file_of_the_wheels(tmp_path: Path, shell: str) -> None:
    """Sourced twice it adds once, before what was there, and leaves no helper behind."""
    (tmp_path / "site" / "ros_rcl.libs").mkdir(parents=True)
    relocate(tmp_path, tmp_path, tmp_path / "site")
    show = 'echo "$AMENT_PREFIX_PATH|$LD_LIBRARY_PATH|$ROS_DISTRO|${_ws_value-gone}"'
    setup = tmp_path / "local_setup.sh"
    result = subprocess.run(
        [shell, "-uc", f". {setup}; . {setup}; {show}"],
        env={"PATH": os.environ["PATH"], "AMENT_PREFIX_PATH": "/before"},
        capture_output=True,
        text=True,
        check=True,
    )
    libraries = f"{tmp_path}/lib:{tmp_path}/site/ros_rcl.libs"
    assert result.stdout.strip() == f"{tmp_path}:/before|{libraries}|jazzy|gone"


def test_the_environment_of_commands(clone: _Clone) -> None:
    """What the workspace offers comes first; what the user has set stays."""
    overlay = Overlay({"PATH": ("/ws/bin",), "PYTHONPATH": ("/ws/py",)}, {"ROS_VERSION": "2"})
    environ = {"PATH": "/bin:/ws/bin", "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}
    result = command_environment(clone.workspace, overlay, environ)
    assert result["PATH"] == "/ws/bin:/bin"
    assert result["PYTHONPATH"] == "/ws/py"
    assert result["ROS_VERSION"] == "2"
    assert result["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "SUBNET"
    profile = Path(result["FASTRTPS_DEFAULT_PROFILES_FILE"])
    assert profile == clone.workspace.root / "launch" / "config" / "fastdds_profile.xml"
    assert overlay.onto(overlay.onto(environ)) == overlay.onto(environ)


def test_a_nested_call_forgets_the_outer_workspace() -> None:
    """Inside `./ws` of one clone, that of another finds nothing of the first."""
    inside = {
        WORKSPACE_VARIABLE: "/outer",
        "PYTHONHOME": "/python",
        "PATH": "/outer/.venv/bin:/bin",
        "PYTHONPATH": "/outer/install/x",
        "FASTRTPS_DEFAULT_PROFILES_FILE": "/outer/profile.xml",
        "HOME": "/outer",
    }
    assert clean(inside) == {"PATH": "/bin", "HOME": "/outer"}


def test_sourcing_takes_everything_and_reports_failure(tmp_path: Path) -> None:
    """Values may hold anything; a script that fails is named."""
    good, bad = tmp_path / "good.sh", tmp_path / "bad.sh"
    good.write_text("export ODD='a\nb=c'")
    bad.write_text("echo sorry >&2; false")
    assert sourced([tmp_path / "missing", good], {"PATH": os.environ["PATH"]})["ODD"] == "a\nb=c"
    with pytest.raises(StepError, match="sorry"):
        sourced([good, bad], {"PATH": os.environ["PATH"]})


def test_the_environment_is_computed_when_something_was_built(clone: _Clone) -> None:
    """From the cache otherwise; a damaged cache is made anew."""
    install = clone.workspace.install
    install.mkdir()
    setup = install / "local_setup.bash"

    def value(built: str) -> str:
        return cached_overlay(clone.workspace, built, ros_installed=False).settings["X"]

    setup.write_text("export X=1 PATH=/new:$PATH")
    assert value("one") == "1"
    setup.write_text("export X=2")
    assert value("one") == "1"
    assert value("two") == "2"
    (clone.workspace.state / "environment.json").write_text("[]")
    assert value("two") == "2"


def test_every_compiled_package_has_its_arguments() -> None:
    """colcon.meta names each package that cmake builds, and no others."""
    named = set(json.loads((ROOT / "colcon.meta").read_text())["names"])
    found = packages.find_packages(Workspace(ROOT).sources(with_overlay=True))
    assert named == {package.name for package in found if package.build_type == "ament_cmake"}


RCLPY = """# A licence.

import math

class Node:
    def destroy_node(self):
        self.__node.destroy_when_not_in_use()
        self._wake_executor()
"""


def test_rclpy_ends_nodes_on_one_processor(tmp_path: Path) -> None:
    """The wheel is changed in one place, once; what cannot be changed is told, not ignored."""
    assert not participant_end.mend(tmp_path)
    node = tmp_path / "rclpy" / "node.py"
    node.parent.mkdir()
    node.write_text(RCLPY)
    assert participant_end.mend(tmp_path)
    mended = node.read_text()
    assert "with one_cpu():\n            self.__node.destroy_when_not_in_use()" in mended
    assert compile(mended, "node.py", "exec") and (node.parent / "_one_cpu.py").is_file()
    assert not participant_end.mend(tmp_path)
    assert node.read_text() == mended
    node.write_text(RCLPY.replace("when_not_in_use", "at_once"))
    with pytest.raises(participant_end.UnknownRclpyError, match=r"node\.py"):
        participant_end.mend(tmp_path)


def test_threads_get_their_processors_back() -> None:
    """Also one that was started meanwhile, and after an error."""
    everywhere = os.sched_getaffinity(0)
    end = threading.Event()
    seen: list[set[int]] = []
    thread = threading.Thread(target=end.wait)
    with pytest.raises(KeyError), one_cpu():
        thread.start()
        assert thread.native_id is not None
        seen += [os.sched_getaffinity(0), os.sched_getaffinity(thread.native_id)]
        raise KeyError
    seen += [os.sched_getaffinity(0), os.sched_getaffinity(thread.native_id)]
    end.set()
    thread.join()
    assert [len(cpus) for cpus in seen[:2]] == [1, 1]
    assert seen[2:] == [everywhere, everywhere]
