"""System packages: finds what is missing, and installs it through apt or names it."""

import ctypes
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workspace.apt_sources import backports_source, has_suite, read_sources
from workspace.stamps import digest
from workspace.steps import Runner, Step, StepError, StepLog

# The first Mesa whose software Vulkan driver (lavapipe) SAPIEN 3 renders with.
MESA_MINIMUM = (23, 1)
VULKAN_MINIMUM = (1, 2)
RENDERER = f"a Vulkan driver (a GPU's, or Mesa >= {MESA_MINIMUM[0]}.{MESA_MINIMUM[1]} lavapipe)"
RENDERER_PACKAGES = ("mesa-vulkan-drivers", "libvulkan1")
# Releases whose own Mesa is too old and whose backports have a newer one.
BACKPORTS_FOR_MESA = frozenset({"bookworm"})
BACKPORTS_FILE = "gensim2-backports.sources"

BROWSERS = ("chromium", "chromium-browser", "chrome")
# Elsewhere the package only points to another way of installing.
_PACKS_CHROMIUM = frozenset({"bookworm", "trixie"})

_PROGRAMS = {"cmake": "cmake", "make": "make", "c++": "g++"}
# Loaded by the wheels (sapien, drake, open3d, opencv) and not part of them.
_LIBRARIES = {
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libSM.so.6": "libsm6",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgomp.so.1": "libgomp1",
    "libudev.so.1": "libudev1",
    "libusb-1.0.so.0": "libusb-1.0-0",
}


@dataclass(frozen=True)
class Missing:
    """Something the machine lacks.

    Attributes:
        what: For the reader.
        packages: The Debian packages that bring it; empty if apt cannot help.
    """

    what: str
    packages: tuple[str, ...]


@dataclass(frozen=True)
class Machine:
    """What the way of installing depends on.

    Attributes:
        codename: Release of Debian or its derivative, such as `bookworm`; empty elsewhere.
        has_apt: Whether there is apt.
        apt_folder: Its configuration.
    """

    codename: str
    has_apt: bool
    apt_folder: Path = Path("/etc/apt")

    @classmethod
    def this(cls) -> "Machine":
        """Looks at the machine this runs on."""
        release = parse_os_release(_text(Path("/etc/os-release")))
        codename = release.get("DEBIAN_CODENAME") or release.get("VERSION_CODENAME", "")
        return cls(codename, shutil.which("apt-get") is not None)


def parse_os_release(text: str) -> dict[str, str]:
    """Reads os-release(5)."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] != "#")
    return {name: value.strip("\"'") for name, value in pairs}


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def ensure(runner: Runner) -> None:
    """Sees to it that the machine has the system packages.

    Looking costs a tenth of a second and is repeated only after packages were installed or
    removed on this machine.

    Raises:
        StepError: If something is missing that cannot be installed from here.
    """
    if runner.stamps.is_current("system", _fingerprint()):
        return
    missing = find_missing()
    if missing:
        names = [name for item in missing for name in item.packages]
        title = f"system packages: {' '.join(names)}" if names else "system packages"
        mend = "read the log: a mirror that does not answer is the usual reason"
        runner.run(Step("system", title, lambda log: _install(missing, log), mend))
    runner.stamps.put("system", _fingerprint())


def _fingerprint() -> str:
    """Changes whenever looking again could give another answer."""
    try:
        changed = str(Path("/var/lib/dpkg/status").stat().st_mtime_ns)
    except OSError:
        changed = ""
    versions = [*_PROGRAMS, *_LIBRARIES, RENDERER, sys.base_prefix, sys.version]
    return digest([changed, _text(Path("/etc/os-release")), *versions])


def find_missing() -> list[Missing]:
    """Lists what the machine lacks."""
    missing = [
        Missing(program, (package,))
        for program, package in _PROGRAMS.items()
        if shutil.which(program) is None
    ]
    missing += _missing_of_python()
    missing += [
        Missing(library, (package,))
        for library, package in _LIBRARIES.items()
        if not _loads(library)
    ]
    if not can_render(vulkan_devices()):
        missing.append(Missing(RENDERER, RENDERER_PACKAGES))
    return missing


def _missing_of_python() -> list[Missing]:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    from_distribution = sys.base_prefix == "/usr"
    missing = []
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").is_file():
        packages = (f"{version}-dev",) if from_distribution else ()
        missing.append(Missing(f"the C headers of {version} in {sys.base_prefix}", packages))
    if importlib.util.find_spec("ensurepip") is None:
        packages = (f"{version}-venv",) if from_distribution else ()
        missing.append(Missing(f"the module ensurepip of {version}", packages))
    return missing


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def vulkan_devices() -> list[dict[str, object]]:
    """Lists the Vulkan devices as `vulkan_probe.py` describes them."""
    probe = Path(__file__).with_name("vulkan_probe.py")
    try:
        found = subprocess.run(
            [sys.executable, "-E", "-s", str(probe)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=True,
        ).stdout
    except (subprocess.SubprocessError, OSError):
        return []
    return list(json.loads(found))


def can_render(devices: Sequence[Mapping[str, object]]) -> bool:
    """Tells whether SAPIEN can render on one of the devices."""
    for device in devices:
        api = device["api"]
        if not isinstance(api, list) or tuple(api) < VULKAN_MINIMUM:
            continue
        mesa = re.match(r"Mesa (\d+)\.(\d+)", str(device["driver"]))
        too_old = mesa is not None and (int(mesa[1]), int(mesa[2])) < MESA_MINIMUM
        if not (device["cpu"] and too_old):
            return True
    return False


def install_script(missing: Sequence[Missing], machine: Machine) -> str:
    """Writes the shell script, for root, that installs what is missing.

    Raises:
        StepError: If apt cannot do it on this machine.
    """
    hopeless = [item.what for item in missing if not item.packages]
    if hopeless or not machine.has_apt:
        mend = "install them with your package manager"
        if hopeless:
            mend += (
                f", or choose a Python that has {hopeless[0]}: GENSIM2_PYTHON=/path/to/python3.11"
            )
        raise StepError("missing: " + ", ".join(item.what for item in missing), mend)
    renderer = [item for item in missing if item.what == RENDERER]
    packages = [name for item in missing if item not in renderer for name in item.packages]
    install = "apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300"
    lines = ["set -e", "export DEBIAN_FRONTEND=noninteractive"]
    suite = ""
    if renderer and machine.codename in BACKPORTS_FOR_MESA:
        suite = f"{machine.codename}-backports"
        lines += _add_backports(machine, suite)
    # One broken source of many must not stop what the others have: installing will tell.
    lines.append("apt-get update || true")
    if packages:
        lines.append(f"{install} {shlex.join(sorted(set(packages)))}")
    if renderer:
        release = f" -t {suite}" if suite else ""
        lines.append(f"{install}{release} {shlex.join(RENDERER_PACKAGES)}")
    return "\n".join(lines) + "\n"


def _add_backports(machine: Machine, suite: str) -> list[str]:
    sources = read_sources(machine.apt_folder)
    if has_suite(sources, suite):
        return []
    paragraph = backports_source(sources, machine.codename)
    if paragraph is None:
        raise StepError(
            f"{RENDERER} is missing, and {machine.apt_folder} names no source of"
            f" {machine.codename} main to derive {suite} from",
            mend=f"add {suite} to the sources of apt and install {' '.join(RENDERER_PACKAGES)}",
        )
    target = machine.apt_folder / "sources.list.d" / BACKPORTS_FILE
    return [f"printf %s {shlex.quote(paragraph)} > {shlex.quote(str(target))}"]


def try_browser(runner: Runner) -> None:
    """Sees to it that there is a browser for the tests of the web view, where that is possible.

    Without one they are skipped, so a failure is told and no error. It is tried again after
    packages were installed or removed on this machine.
    """
    machine = Machine.this()
    if any(map(shutil.which, BROWSERS)) or machine.codename not in _PACKS_CHROMIUM:
        return
    if runner.stamps.is_current("browser", _fingerprint()) or not _may_install():
        return
    missing = [Missing("a browser", (BROWSERS[0],))]

    def install(log: StepLog) -> None:
        _run_as_root(install_script(missing, machine), log)

    mend = "nothing has to be: the tests of the web view in a browser are skipped"
    try:
        runner.run(Step("browser", f"a browser for the tests: {BROWSERS[0]}", install, mend))
    except StepError:
        runner.stamps.put("browser", _fingerprint())


def _may_install() -> bool:
    return os.geteuid() == 0 or _sudo_without_password()


def _run_as_root(script: str, log: StepLog) -> None:
    log.run([*(() if os.geteuid() == 0 else ("sudo", "-n")), "sh", "-c", script])


def _install(missing: Sequence[Missing], log: StepLog) -> None:
    for item in missing:
        log.write(f"missing: {item.what}")
    script = install_script(missing, Machine.this())
    if not _may_install():
        raise StepError(
            "missing: " + ", ".join(item.what for item in missing),
            mend="type this command:\n\nsudo sh -c " + shlex.quote(script) + "\n",
        )
    _run_as_root(script, log)
    remaining = find_missing()
    if remaining:
        raise StepError("still missing: " + ", ".join(item.what for item in remaining))


def _sudo_without_password() -> bool:
    if shutil.which("sudo") is None:
        return False
    try:
        asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0
