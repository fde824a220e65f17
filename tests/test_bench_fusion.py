"""`./ws python bench --only fusion`: what is compared does the same, with and without Open3D."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

from figures import BenchError
from fusion_figures import CPU_BOUND, POINTS, fusion_figures

BENCH = Path(__file__).resolve().parents[1] / "bench"
GUARD = 300.0  # s; only ends a test that hangs
CASES = ("plain", "voxel", "radius", "statistical")
OTHERS = ("open3d_fpsample", "open3d")


def found(open3d: bool) -> dict[str, Any]:
    """Gives what the worker prints."""
    columns = {"fusion": 20.0, **(dict.fromkeys(OTHERS, 50.0) if open3d else {})}
    keys = {f"{case}.{column}": ms for case in CASES for column, ms in columns.items()}
    return {
        "cpu": {key: [ms, ms, ms + 10.0] for key, ms in keys.items()},
        "points": dict.fromkeys(keys, POINTS),
        "in_workspace": dict.fromkeys(keys, 100_000),
        "open3d": open3d,
    }


def test_the_fusion_stands_beside_open3d() -> None:
    """A ratio above 1 means that the fusion takes less; only its own CPU time has a bound."""
    figures = {figure.key: figure for figure in fusion_figures(found(open3d=True))}
    assert figures["fusion.radius.open3d.ratio"].value == 2.5
    assert figures["fusion.plain.cpu.median"].value == 20.0
    bounds = {key: figure.bound for key, figure in figures.items() if figure.bound is not None}
    assert bounds == {"fusion.plain.cpu.median": CPU_BOUND}


def test_without_open3d_its_columns_are_left_out() -> None:
    """The fusion itself is measured everywhere."""
    figures = {figure.key for figure in fusion_figures(found(open3d=False))}
    assert figures == {f"fusion.{case}.cpu.{name}" for case in CASES for name in ("median", "p95")}


@pytest.mark.parametrize(("kind", "value"), [("points", POINTS - 1), ("in_workspace", 99_000)])
def test_what_does_not_do_the_same_is_not_compared(kind: str, value: int) -> None:
    """A ratio of different work would be worth nothing."""
    given = found(open3d=True)
    given[kind]["radius.open3d"] = value
    with pytest.raises(BenchError, match=r"radius\.open3d"):
        fusion_figures(given)


def test_it_measures_the_fusion(tmp_path: Path) -> None:
    """Pictures, poses and every case work; where Open3D is absent it is said."""
    file = tmp_path / "figures.json"
    words = ["--only", "fusion", "--quick", "--no-check", "--json", str(file)]
    done = subprocess.run(
        [sys.executable, str(BENCH), *words], capture_output=True, text=True, timeout=GUARD
    )
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(file.read_text())
    for case in CASES:
        assert document["figures"][f"fusion.{case}.cpu.median"]["value"] > 0
    compared = "fusion.plain.open3d.ratio" in document["figures"]
    assert compared != ("without the columns of Open3D" in done.stderr)
    assert compared == ("open3d" in document["versions"])
