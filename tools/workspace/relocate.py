"""Makes the ROS 2 wheels usable as a prefix of ament: to be done after every run of pip.

The wheels carry paths of the machine they were built on, and lack the setup files at the top
of the prefix through which colcon chains a workspace to it.
"""

import re
from pathlib import Path

_INCLUDE = re.compile(r"/opt/python/cp3\d+-cp3\d+/include/python3\.\d+")
_SITE_PACKAGES = re.compile(r"/opt/python/cp3\d+-cp3\d+/lib/python3\.\d+/site-packages")

_SETUP = """\
# Written by ./ws: puts the ROS 2 wheels on the search paths; sourcing it twice adds nothing.
_ws_prepend() {{
  eval "_ws_value=\\${{$1:-}}"
  case ":$_ws_value:" in
    *":$2:"*) ;;
    *) eval "export $1=\\"$2\\${{_ws_value:+:\\$_ws_value}}\\"" ;;
  esac
}}
_ws_prepend AMENT_PREFIX_PATH "{prefix}"
_ws_prepend CMAKE_PREFIX_PATH "{prefix}"
_ws_prepend PATH "{prefix}/bin"
{libraries}
# The last one tells the wheels' own bootstrapper that the libraries can be found already.
export ROS_VERSION=2 ROS_PYTHON_VERSION=3 ROS_DISTRO=jazzy _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
unset _ws_value
unset -f _ws_prepend
"""
SETUP_FILES = ("local_setup.sh", "local_setup.bash", "local_setup.zsh", "setup.sh", "setup.bash")


def relocate(prefix: Path, include: Path, site_packages: Path) -> int:
    """Adapts the installed wheels to the place they are in; harmless when repeated.

    Args:
        prefix: The virtual environment.
        include: Folder of `Python.h`.
        site_packages: Folder of the Python packages.

    Returns:
        Number of files of cmake that were changed.
    """
    changed = 0
    for path in prefix.glob("share/*/cmake/*.cmake"):
        before = path.read_text()
        # Functions, so that nothing in a path is taken for a group reference.
        after = _INCLUDE.sub(lambda _: str(include), before)
        after = _SITE_PACKAGES.sub(lambda _: str(site_packages), after)
        if after != before:
            path.write_text(after)
            changed += 1
    for path in prefix.glob("share/ament_index/resource_index/parent_prefix_path/*"):
        path.write_text("")
    libraries = [*sorted(site_packages.glob("ros_*.libs")), prefix / "lib"]
    lines = "\n".join(f'_ws_prepend LD_LIBRARY_PATH "{folder}"' for folder in libraries)
    for name in SETUP_FILES:
        (prefix / name).write_text(_SETUP.format(prefix=prefix, libraries=lines))
    return changed
