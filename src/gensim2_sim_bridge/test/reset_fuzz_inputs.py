"""Requests for scenes of any kind, and what must hold: a scene, or a `ResetError` that says why.

A refusal leaves the scene of before or none, and the robot where it is; the next request is served.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
from gensim2_control.description import resolve_packages, robot_description
from gensim2_control.hardware import HOME_Q
from gensim2_control.trajectory import Trajectory
from gensim2_sim_bridge.simulation import ResetError, Simulation
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task, task_names
from sim_cell import Cell

from gensim2_tasks import procedural

sys.path.insert(0, str(Path(__file__).parents[2] / "gensim2_tasks" / "test"))

from asset_fuzz_inputs import change_folder
from asset_samples import write_asset

ROOT = Path(__file__).resolve().parents[3]
HOME = np.array(HOME_Q)
NAMES = ("", "OpenBx", "all", "../OpenBox", "é", "x" * 3000, "\0", "OpenBox\n", "openbox")
ASSETS = (
    *("", "", "7", "1", "0", "x", "²", "9" * 200, "partnet:box_rotate/1"),
    *("procedural:box_rotate/3", "procedural:drawer/1", "partnet:drawer/1", "partnet:../x"),
    *(":", "/", "procedural:safe/1"),
)  # fmt: skip


class Resets:
    """Resets of one simulation after another, over generated and damaged imported assets.

    Args:
        scratch: For assets.
    """

    def __init__(self, scratch: Path) -> None:
        text = robot_description(ROOT / "launch" / "urdf" / "fr3.urdf")
        cell = Cell(resolve_packages(text, {"gensim2": ROOT / "launch"}))
        self._generated = AssetLibrary(None, scratch / "cache")
        self._simulation = Simulation(cell.world, cell.body, self._generated, 20)
        self._scratch = scratch
        self._sources = [write_asset(scratch / "sample")]
        procedural.generate("box_rotate", 3, scratch / "box")
        self._sources.append(scratch / "box")
        self._begin()

    def _begin(self) -> None:
        """The same state before every input, whatever was before."""
        simulation = self._simulation
        simulation.library = self._generated
        while simulation.body.busy:
            simulation.tick()
        simulation.body.recover()
        while simulation.body.busy:
            simulation.tick()
        simulation.reset("OpenDrawer", "1", 0, False)

    def run(self, seed: int) -> bool:
        """Sends one request; True = there is a new scene."""
        rng = np.random.default_rng(seed)
        simulation = self._simulation
        try:
            return self._run(rng)
        finally:
            simulation.body.stop("the case ends")
            self._begin()

    def _run(self, rng: np.random.Generator) -> bool:
        simulation = self._simulation
        simulation.library = self._library(rng)
        running = rng.random() < 0.1
        if running:
            q = simulation.body.state.q_ref  # type: ignore[union-attr]
            simulation.body.follow(Trajectory(np.array([0.0, 2.0]), np.vstack([q, q])))
        elif rng.random() < 0.1:
            simulation.body.stop("a stopped robot")
            simulation.tick()
        task = str(rng.choice(NAMES if rng.random() < 0.15 else task_names()))
        asset = "" if rng.random() < 0.5 else str(rng.choice(ASSETS))
        number = (0, 1, 2**32, 2**63, 2**64 - 1)[int(rng.integers(5))]
        before, count = simulation.world.robot_state()[0].copy(), simulation.reset_count
        try:
            drawn = simulation.reset(task, asset, number, bool(rng.integers(2)))
        except ResetError as error:
            assert 1 <= error.code <= 5 and str(error)
            assert simulation.reset_count == count
            # A scene that cannot be built is taken down, with the robot at home, where it was.
            moved = np.abs(simulation.world.robot_state()[0] - before)[:7].max()
            assert moved < 0.01, f"a refused request moved the robot by {moved:g} rad"
            if error.code == ResetError.ROBOT_BUSY:
                assert simulation.world.objects
            accepted = False
        else:
            assert not running, "a scene was changed under a goal"
            json.dumps(drawn.parameters, allow_nan=False)
            assert simulation.world.objects and load_task(task).name == drawn.task.name
            accepted = True
        for _ in range(3):
            state = simulation.tick()
        assert state is not None and np.isfinite(state.q).all()
        assert np.abs(state.q[:7] - HOME).max() < 0.02, "the robot is not at home"
        assert all(np.isfinite(o.openness) for o in simulation.world.observations().values())
        return accepted

    def _library(self, rng: np.random.Generator) -> AssetLibrary:
        if rng.random() < 0.6:
            return self._generated
        root = self._scratch / "root"
        shutil.rmtree(root, ignore_errors=True)
        folder = root / "articulated_objs" / "box_rotate" / "1"
        shutil.copytree(self._sources[int(rng.integers(2))], folder)
        for _ in range(int(rng.integers(0, 3))):
            change_folder(rng, folder)
        return AssetLibrary(root, self._scratch / "cache")
