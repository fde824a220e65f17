"""Solver documents of any kind, and what must hold: a valid one, or a `SolverConfigError`."""

from __future__ import annotations

import json
import sys
from importlib import resources
from pathlib import Path

import numpy as np
from gensim2_kpam.solver_config import (
    SolverConfig,
    SolverConfigError,
    load_solver,
    parse_solver,
    solver_names,
)

sys.path.insert(0, str(Path(__file__).parents[2] / "gensim2_tasks" / "test"))

from yaml_fuzz_inputs import TOKENS, draw_document


class Documents:
    """Changed files of the shipped solvers, and names of solvers.

    Args:
        _scratch: Not used.
    """

    def __init__(self, _scratch: Path) -> None:
        folder = resources.files("gensim2_kpam") / "solvers"
        self._texts = [(folder / f"{name}.yaml").read_text("utf-8") for name in solver_names()]

    def run(self, seed: int) -> bool:
        """Reads one document, or looks up one name; True = taken."""
        rng = np.random.default_rng(seed)
        try:
            if rng.random() < 0.05:
                load_solver(str(rng.choice([*TOKENS, *solver_names()])))
                return True
            solver = parse_solver(draw_document(rng, self._texts), "input.yaml")
        except SolverConfigError as error:
            assert str(error).startswith(("input.yaml: ", "unknown solver "))
            return False
        check_solver(solver)
        return True


def check_solver(solver: SolverConfig) -> None:
    """Whatever uses the solver may rely on this."""
    json.dumps(solver.model_dump(mode="json"), allow_nan=False)
    assert solver.constraint_list
    for constraint in solver.constraint_list:
        assert 0.0 < constraint.tolerance <= 1.0
        if constraint.type.startswith("frame_axis"):
            assert abs(np.linalg.norm(constraint.target_axis) - 1.0) < 1e-9
    for motion in (*solver.pre_actuation_motions, *solver.post_actuation_motions):
        assert np.isfinite(motion.value) and abs(motion.value) < 10.0
