"""The executables of all packages that are nodes, and what each does not start without."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Programs that are no nodes; they take options, not parameters.
COMMANDS = {
    *{"dataset", "bench_success", "calibrate", "catalogue"},
    *{"train", "evaluate", "export"},
    *{"generate", "library", "generation_report"},
}
# What a node does not start without.
NEEDED = {
    "sim_bridge": ("-p", "obs:=state"),
    "franka_driver": ("-p", "robot_ip:=127.0.0.1"),
}
POLICIES = {"policy", "sim_eval"}
"""They need a policy."""
GUARD = 120.0  # s; only ends a test that hangs


def nodes() -> list[tuple[str, str]]:
    """Package and executable of every node, from the entry points."""
    found = []
    for setup in sorted((ROOT / "src").glob("*/setup.py")):
        # Functions; what other entry points name are classes.
        names = re.findall(r'"(\w+) = gensim2_\w+\.\w+:[a-z_]+"', setup.read_text())
        found += [(setup.parent.name, name) for name in names if name not in COMMANDS]
    return found


def needed(executable: str, folder: Path) -> tuple[str, ...]:
    """Arguments that a node does not start without; what they name is made in a folder."""
    if executable not in POLICIES:
        return NEEDED.get(executable, ())
    from gensim2_policy.untrained import save_untrained

    return "-p", f"policy:={save_untrained(folder / 'run')}"
