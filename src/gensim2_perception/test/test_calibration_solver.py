"""Camera calibration against rendered pictures of which the truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from board_scenes import APRIL_GRID, CAMERA, CHARUCO, BoardScene, pose
from gensim2_control.hardware import HOME_Q
from gensim2_perception.calibration_board import BoardDetector, BoardSpec, Detection
from gensim2_perception.calibration_errors import CalibrationRefusedError
from gensim2_perception.calibration_report import (
    Arrangement,
    CalibrationReport,
    CalibrationView,
)
from gensim2_perception.calibration_solver import solve_calibration
from gensim2_perception.hand_eye import pose_difference
from numpy.typing import NDArray

BOTH = pytest.mark.parametrize("arrangement", list(Arrangement), ids=lambda a: a.value)


def rendered(scene: BoardScene, count: int) -> list[CalibrationView]:
    """Views through the whole chain: picture, detection."""
    detector = BoardDetector(scene.spec)
    return [
        CalibrationView(
            f"view_{i:03d}",
            scene.T_base_hand(q),
            detector.detect(scene.render(scene.T_cam_board(q))),
        )
        for i, q in enumerate(scene.configurations(count))
    ]


def ideal_view(scene: BoardScene, name: str, q: NDArray, noise_px: float = 0.1) -> CalibrationView:
    """A view whose corners are projected, which is fast."""
    columns, rows = scene.spec.columns - 1, scene.spec.rows - 1
    u, v = np.meshgrid(np.arange(1, columns + 1), np.arange(1, rows + 1))
    p_board = np.stack([u.ravel(), v.ravel(), 0 * u.ravel()], axis=1) * scene.spec.square
    T = scene.T_cam_board(q)
    pixels = CAMERA.project(p_board @ T[:3, :3].T + T[:3, 3])
    pixels += scene.rng.normal(0.0, noise_px, pixels.shape)
    return CalibrationView(
        name, scene.T_base_hand(q), Detection(np.arange(len(p_board)), pixels, p_board)
    )


def ideal(scene: BoardScene, count: int) -> list[CalibrationView]:
    return [
        ideal_view(scene, f"view_{i:03d}", q) for i, q in enumerate(scene.configurations(count))
    ]


def solve(scene: BoardScene, views: list[CalibrationView]) -> CalibrationReport:
    return solve_calibration(views, CAMERA, scene.arrangement, np.random.default_rng(0))


@BOTH
@pytest.mark.parametrize("spec", [CHARUCO, APRIL_GRID], ids=lambda s: s.kind.value)
def test_the_camera_is_found_from_pictures(arrangement: Arrangement, spec: BoardSpec) -> None:
    """The promise: 1 mm and 0.1 deg from 15 pictures with blur and noise."""
    scene = BoardScene(arrangement, spec, seed=3)
    report = solve(scene, rendered(scene, 15))
    distance, angle = pose_difference(report.T_parent_cam, scene.T_parent_cam)
    print(
        f"{arrangement.value} {spec.kind.value}: {distance * 1e3:.3f} mm, "
        f"{np.degrees(angle):.4f} deg, {report.rms_px:.3f} px"
    )
    assert len(report.used) == 15
    assert distance <= 1e-3
    assert np.degrees(angle) <= 0.1
    # The board's own place is found as well; were it not, the camera's would be luck.
    distance, angle = pose_difference(report.T_carrier_board, scene.T_carrier_board)
    assert distance <= 1e-3 and np.degrees(angle) <= 0.1


@BOTH
def test_the_uncertainty_is_honest(arrangement: Arrangement) -> None:
    """Errors are as large as the report says, over many sessions."""
    ratios = []
    for seed in range(9):
        scene = BoardScene(arrangement, CHARUCO, seed)
        report = solve(scene, ideal(scene, 12))
        error_mm = (report.T_parent_cam[:3, 3] - scene.T_parent_cam[:3, 3]) * 1e3
        ratios.append(error_mm / report.sigma_position_mm)
    spread = float(np.sqrt(np.mean(np.square(ratios))))
    assert 0.4 < spread < 1.6, "1 would be perfect; 27 numbers tell it to about 0.2"


def test_inaccurate_joints_make_the_result_uncertain() -> None:
    """A view of many corners must not hide that its arm pose is off."""
    scene = BoardScene(Arrangement.EYE_TO_HAND, CHARUCO, seed=4)
    views = ideal(scene, 16)
    certain = solve(scene, views)
    shaken = [
        replace(
            view,
            T_base_hand=view.T_base_hand
            @ pose(tuple(scene.rng.normal(0, 1e-3, 3)), tuple(scene.rng.normal(0, 5e-4, 3))),
        )
        for view in views
    ]
    report = solve(scene, shaken)
    assert (report.sigma_position_mm > 3.0 * certain.sigma_position_mm).all()
    error_mm = (report.T_parent_cam[:3, 3] - scene.T_parent_cam[:3, 3]) * 1e3
    assert (np.abs(error_mm) < 4.0 * report.sigma_position_mm).all()
    assert report.position_rms_mm > certain.position_rms_mm


@BOTH
def test_a_view_with_wrong_joints_is_named_and_does_no_harm(arrangement: Arrangement) -> None:
    scene = BoardScene(arrangement, CHARUCO, seed=5)
    views = ideal(scene, 14)
    views[6] = replace(views[6], T_base_hand=views[2].T_base_hand)
    # One that is off by only a degree and some millimetres is harder to find.
    slip = pose((0.0, 0.02, 0.0), (0.004, 0.0, 0.0))
    views[9] = replace(views[9], T_base_hand=views[9].T_base_hand @ slip)
    report = solve(scene, views)
    left_out = {view.name: view.refusal for view in report.views if not view.used}
    assert set(left_out) == {"view_006", "view_009"}
    assert "contradicts the others" in left_out["view_006"]
    distance, angle = pose_difference(report.T_parent_cam, scene.T_parent_cam)
    assert distance <= 1e-3 and np.degrees(angle) <= 0.1


def test_turning_about_one_axis_is_refused_and_the_axis_named() -> None:
    """The camera's height along the axis would be anything."""
    scene = BoardScene(Arrangement.EYE_IN_HAND, CHARUCO, seed=0)
    q = np.array(HOME_Q)
    views = []
    for i, angle in enumerate(np.linspace(-0.5, 0.5, 12)):
        turned = q.copy()
        turned[6] += angle
        views.append(ideal_view(scene, f"view_{i:03d}", turned))
    with pytest.raises(CalibrationRefusedError, match=r"about its z axis only.*about x and y"):
        solve(scene, views)


def test_few_or_alike_views_are_refused_and_counted() -> None:
    scene = BoardScene(Arrangement.EYE_TO_HAND, CHARUCO, seed=0)
    views = ideal(scene, 7)
    with pytest.raises(CalibrationRefusedError, match="7 usable views, at least 8"):
        solve(scene, views)
    copies = [replace(views[0], name=f"copy_{i}") for i in range(5)]
    with pytest.raises(CalibrationRefusedError, match="5 more have the hand where another"):
        solve(scene, views + copies)
    blind = [CalibrationView("view_blind", views[0].T_base_hand, None)]
    with pytest.raises(CalibrationRefusedError, match="view_blind: the board was not found"):
        solve(scene, views + blind)


def test_a_board_seen_edge_on_is_left_out() -> None:
    scene = BoardScene(Arrangement.EYE_TO_HAND, CHARUCO, seed=1)
    views = ideal(scene, 9)
    # The same arm pose would show the board at 72 deg if it were mounted so.
    scene.T_carrier_board = scene.T_carrier_board @ pose((0.0, 1.26, 0.0), (0.0, 0.0, 0.0))
    flat = ideal_view(scene, "view_flat", np.array(HOME_Q))
    report = solve(scene, [*views, flat])
    refusal = {view.name: view.refusal for view in report.views}["view_flat"]
    assert "too flat an angle" in refusal
    assert len(report.used) == 9


def test_a_wrong_board_size_or_arrangement_is_refused() -> None:
    """A board printed at 97 % must not become a camera 2 cm off."""
    scene = BoardScene(Arrangement.EYE_TO_HAND, CHARUCO, seed=2)
    views = ideal(scene, 12)
    with pytest.raises(CalibrationRefusedError, match="contradict"):
        solve_calibration(views, CAMERA, Arrangement.EYE_IN_HAND, np.random.default_rng(0))
    larger = [
        replace(v, detection=replace(v.detection, p_board=v.detection.p_board * 1.25))
        for v in views
        if v.detection is not None
    ]
    with pytest.raises(CalibrationRefusedError, match="printed size"):
        solve(scene, larger)
