"""`./ws` itself: which Python it hands over to."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    """A copy of the script beside a tool that says what runs it, and a `.venv`."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "ws.py").write_text("import sys; print(sys.executable, sys.argv[1:])")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    return Path(shutil.copy(ROOT / "ws", tmp_path))


def _run(entry: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME")}
    command = [str(entry), "a", "b c"]
    return subprocess.run(command, env=kept | environ, capture_output=True, text=True)


def test_the_python_of_the_workspace_comes_first(entry: Path) -> None:
    """Also within a workspace, where ROS 2 is sourced and yet not installed."""
    expected = f"{entry.parent / '.venv' / 'bin' / 'python'} ['a', 'b c']\n"
    assert _run(entry).stdout == expected
    assert _run(entry, ROS_DISTRO="jazzy", GENSIM2_WORKSPACE="/somewhere").stdout == expected


def test_a_python_can_be_named_and_a_wrong_one_is_explained(entry: Path) -> None:
    """A name that is none must not end in another Python without a word."""
    assert _run(entry, GENSIM2_PYTHON=sys.executable).stdout.startswith(sys.executable)
    wrong = _run(entry, GENSIM2_PYTHON="/no/such/python")
    assert wrong.returncode == 1 and not wrong.stdout
    assert "tried: /no/such/python" in wrong.stderr and "apt-get install" in wrong.stderr
