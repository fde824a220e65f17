"""Where the robot description comes from, and its meshes as files."""

from __future__ import annotations

from pathlib import Path

import pytest
from gensim2_control.description import (
    DescriptionError,
    resolve_packages,
    robot_description,
    robot_description_path,
)
from gensim2_control.kinematics import Fr3Kinematics


def install(prefix: Path, package: str) -> Path:
    """Make an installed package in an empty prefix."""
    index = prefix / "share" / "ament_index" / "resource_index" / "packages"
    index.mkdir(parents=True, exist_ok=True)
    (index / package).touch()
    share = prefix / "share" / package
    share.mkdir(parents=True)
    return share


def test_the_installed_description_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, urdf_file: Path
) -> None:
    share = install(tmp_path, "gensim2")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    with pytest.raises(DescriptionError, match=r"fr3\.urdf is missing"):
        robot_description_path()
    (share / "urdf").mkdir()
    (share / "urdf" / "fr3.urdf").write_text(urdf_file.read_text())
    text = robot_description()
    assert Fr3Kinematics.from_urdf(text).root == "base"
    resolved = resolve_packages(text)
    assert "package://" not in resolved
    assert f'filename="{share}/meshes/' in resolved


def test_without_the_package_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    with pytest.raises(DescriptionError, match="build the workspace and source it"):
        robot_description()
    with pytest.raises(DescriptionError, match="cannot read"):
        robot_description(tmp_path / "no.urdf")


def test_mesh_files_of_the_repository_exist(urdf_file: Path) -> None:
    """A missing mesh shows only when a simulator or RViz opens it."""
    share = urdf_file.parents[1]
    text = resolve_packages(urdf_file.read_text(), {"gensim2": share})
    files = {
        line.split('filename="')[1].split('"')[0] for line in text.splitlines() if "<mesh" in line
    }
    assert files
    assert [file for file in sorted(files) if not Path(file).is_file()] == []
