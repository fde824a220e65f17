"""The families of inputs: the modules `*_fuzz_inputs.py` in the test folders of the packages."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).resolve().parents[2]
# Name -> package with the module, module, class, share of the inputs.
FAMILIES: dict[str, tuple[str, str, str, float]] = {
    "trajectories": ("gensim2_control", "control_fuzz_inputs", "Family", 0.40),
    "task files": ("gensim2_tasks", "task_fuzz_inputs", "Documents", 0.15),
    "solver files": ("gensim2_kpam", "solver_fuzz_inputs", "Documents", 0.15),
    "asset folders": ("gensim2_tasks", "asset_fuzz_inputs", "Folders", 0.15),
    "reset requests": ("gensim2_sim_bridge", "reset_fuzz_inputs", "Resets", 0.05),
    "plan requests": ("gensim2_kpam", "plan_fuzz_inputs", "Plans", 0.05),
    "collect requests": ("gensim2_episodes", "collect_fuzz_inputs", "Collections", 0.05),
}


class Family(Protocol):
    """One kind of input."""

    def run(self, seed: int) -> bool:
        """Makes the input of a seed and sends it; True = accepted, False = refused.

        Raises:
            Exception: What must hold does not, or an error that is no refusal.
        """


def load_family(name: str, scratch: Path) -> Family:
    """Makes a family.

    Args:
        name: One of `FAMILIES`.
        scratch: A folder that may be written to.
    """
    package, module, kind, _ = FAMILIES[name]
    # The helpers of a test folder import each other by name.
    sys.path.insert(0, str(ROOT / "src" / package / "test"))
    family: Family = getattr(import_module(module), kind)(scratch)
    return family


def split(inputs: int) -> dict[str, int]:
    """Splits a number of inputs over the families by their shares; every one gets some."""
    return {name: max(1, round(inputs * share)) for name, (_, _, _, share) in FAMILIES.items()}
