"""Keeps nodes of the ROS 2 wheels from hanging when they end.

The last node of a process takes its DDS participant with it, which waits for a running callback
of discovery. The Fast DDS of the wheels was built with a standard library in which waiting without
a limit is spinning: it lets go of the lock for an instant and takes it back, and the callback,
which needs the lock, never gets it where each thread has a processor of its own
(https://github.com/eProsima/Fast-DDS/issues/6513). Ends that coincide, as those of all nodes of a
launch do, hang now and then: 1 of some 200 where six processes ended at a time. On one processor
the waking callback comes first, and the lock is free by then.
"""

import shutil
from pathlib import Path

from workspace import one_cpu

_MODULE = "_one_cpu"
_IMPORT = f"from rclpy.{_MODULE} import one_cpu  # added by ./ws\n"
_BEFORE = "\n        self.__node.destroy_when_not_in_use()\n"
_AFTER = "\n        with one_cpu():\n            self.__node.destroy_when_not_in_use()\n"
_FIRST_IMPORT = "\nimport "


class UnknownRclpyError(Exception):
    """The rclpy that is installed is not the one whose defect is known."""


def mend(site_packages: Path) -> bool:
    """Makes `rclpy.node.Node.destroy_node` end on one processor; harmless when repeated.

    Args:
        site_packages: Folder of the Python packages.

    Returns:
        Whether anything was changed; not where there is no rclpy, or a mended one.

    Raises:
        UnknownRclpyError: The place to mend is not there.
    """
    rclpy = site_packages / "rclpy"
    node = rclpy / "node.py"
    if not node.is_file():
        return False
    text = node.read_text()
    changed = False
    if _IMPORT not in text:
        if text.count(_BEFORE) != 1 or _FIRST_IMPORT not in text:
            raise UnknownRclpyError(f"{node} ends nodes in another way than the pinned rclpy")
        text = text.replace(_BEFORE, _AFTER)
        text = text.replace(_FIRST_IMPORT, f"\n{_IMPORT}import ", 1)
        changed = True
    shutil.copyfile(str(one_cpu.__file__), rclpy / f"{_MODULE}.py")
    if changed:
        node.write_text(text)
    return changed
