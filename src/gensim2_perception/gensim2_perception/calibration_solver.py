"""Camera calibration against the robot: closed form, then all corners of all views at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from .calibration_board import Detection
from .calibration_camera import CameraModel
from .calibration_errors import CalibrationRefusedError
from .calibration_report import Arrangement, CalibrationReport, CalibrationView, ViewReport
from .hand_eye import HandEye, check_turns, pose_difference, solve_with_outliers
from .static_transforms import inverse

Array = NDArray[np.float64]

MIN_VIEWS = 8
MAX_TILT_DEG = 65.0
"""Seen at a flatter angle the corners are smeared [deg]."""
MAX_RMS_PX = 3.0
"""A larger disagreement of the typical view means a wrong board, camera or arrangement."""
_ALIKE_M, _ALIKE_RAD = 0.01, np.radians(2.0)
_OUTLIER_RATIO, _OUTLIER_FLOOR_PX = 4.0, 1.0
_MAX_REJECTED_SHARE = 1.0 / 3.0
_ROBUST_PX = 1.0


@dataclass(frozen=True)
class _Seen:
    """A view with a usable detection."""

    name: str
    T_base_hand: Array
    T_parent_carrier: Array
    T_cam_board: Array
    detection: Detection


def solve_calibration(
    views: Sequence[CalibrationView],
    camera: CameraModel,
    arrangement: Arrangement,
    rng: np.random.Generator,
) -> CalibrationReport:
    """Finds where the camera sits, and how certain that is.

    Views without board, at too flat an angle or contradicting the others are left out and named.

    Args:
        views: The board in the same place of its frame, the hand in different poses.
        camera: Intrinsics, taken as given.
        arrangement: Where camera and board are fixed.
        rng: Draws the views that are tried as a start.

    Raises:
        CalibrationRefusedError: the views do not determine the result, or contradict each other.
    """
    refusals: dict[str, str] = {}
    seen = _usable(views, camera, arrangement, refusals)
    _check_number(seen, refusals)
    check_turns(np.stack([view.T_base_hand for view in seen]))
    start = solve_with_outliers(
        np.stack([view.T_parent_carrier for view in seen]),
        np.stack([view.T_cam_board for view in seen]),
        rng,
    )
    used = list(seen)
    while True:
        fit = _Bundle(used, camera, start)
        solved = fit.solve()
        rms = {v.name: _rms(camera, solved, v) for v in used}
        typical = float(np.median(list(rms.values())))
        limit = max(_OUTLIER_FLOOR_PX, _OUTLIER_RATIO * typical)
        wrong = [view for view in used if rms[view.name] > limit]
        if not wrong:
            break
        for view in wrong:
            refusals[view.name] = (
                f"contradicts the others: {rms[view.name]:.1f} px, typical are {typical:.2f} px "
                "(did the arm or the board move, or the joints belong to another picture?)"
            )
        used = [view for view in used if view not in wrong]
        if len(seen) - len(used) > _MAX_REJECTED_SHARE * len(seen):
            raise CalibrationRefusedError(
                f"{len(seen) - len(used)} of {len(seen)} views contradict the others: was the "
                "board fixed, and is the arrangement the recorded one?"
            )
        _check_number(used, refusals)
        check_turns(np.stack([view.T_base_hand for view in used]))
        start = solved
    if typical > MAX_RMS_PX:
        raise CalibrationRefusedError(
            f"the views contradict each other: the typical one by {typical:.1f} px (at most "
            f"{MAX_RMS_PX:g}). Usual reasons: the board's printed size differs from the one given, "
            f"the arrangement is not {arrangement.value}, or the board was not fixed"
        )
    return _report(views, seen, camera, arrangement, solved, fit.sigmas(solved), refusals)


def _usable(
    views: Sequence[CalibrationView],
    camera: CameraModel,
    arrangement: Arrangement,
    refusals: dict[str, str],
) -> list[_Seen]:
    seen = []
    for view in views:
        if view.detection is None:
            refusals[view.name] = "the board was not found"
            continue
        T_cam_board = camera.board_pose(view.detection)
        tilt = tilt_deg(T_cam_board, view.detection)
        if tilt > MAX_TILT_DEG:
            refusals[view.name] = (
                f"the board is seen at too flat an angle: {tilt:.0f} deg from straight ahead "
                f"(at most {MAX_TILT_DEG:g})"
            )
            continue
        T_parent_carrier = arrangement.parent_to_carrier(view.T_base_hand)
        found = (view.name, view.T_base_hand, T_parent_carrier, T_cam_board, view.detection)
        seen.append(_Seen(*found))
    return seen


def tilt_deg(T_cam_board: Array, detection: Detection) -> float:
    """Angle between the board's normal and the line of sight to the corners' centre [deg]."""
    p_cam = T_cam_board[:3, :3] @ detection.p_board.mean(axis=0) + T_cam_board[:3, 3]
    cosine = abs(T_cam_board[:3, 2] @ p_cam) / np.linalg.norm(p_cam)
    return float(np.degrees(np.arccos(min(1.0, cosine))))


def _check_number(seen: Sequence[_Seen], refusals: dict[str, str]) -> None:
    """Counts views whose hand poses differ; two of one pose are one."""
    different: list[Array] = []
    for view in seen:
        near = False
        if different:
            distance, angle = pose_difference(np.stack(different), view.T_base_hand)
            near = bool(((distance < _ALIKE_M) & (angle < _ALIKE_RAD)).any())
        if not near:
            different.append(view.T_base_hand)
    if len(different) >= MIN_VIEWS:
        return
    alike = len(seen) - len(different)
    text = f"{len(different)} usable views, at least {MIN_VIEWS} are needed"
    if alike:
        text += f"; {alike} more have the hand where another one has it"
    reasons = "; ".join(f"{name}: {reason}" for name, reason in refusals.items())
    raise CalibrationRefusedError(f"{text}: record more. {reasons}".rstrip())


def _predicted(found: HandEye, T_parent_carrier: Array) -> Array:
    return inverse(found.T_parent_cam) @ T_parent_carrier @ found.T_carrier_board


def _reproject(camera: CameraModel, found: HandEye, view: _Seen) -> Array:
    T_cam_board = _predicted(found, view.T_parent_carrier)
    return camera.project(view.detection.p_board @ T_cam_board[:3, :3].T + T_cam_board[:3, 3])


def _rms(camera: CameraModel, found: HandEye, view: _Seen) -> float:
    offsets = _reproject(camera, found, view) - view.detection.pixels
    return float(np.sqrt((offsets**2).sum(axis=1).mean()))


class _Bundle:
    """Least squares over the corners of all views.

    The unknowns are two small motions (rotation vector [rad], translation [m]), applied on the
    right of the start: the camera's own and the board's own frame.
    """

    def __init__(self, views: Sequence[_Seen], camera: CameraModel, start: HandEye) -> None:
        self._camera = camera
        self._start = start
        counts = [len(view.detection.ids) for view in views]
        self._view_of = np.repeat(np.arange(len(views)), counts)
        self._p_board = np.concatenate([view.detection.p_board for view in views])
        self._pixels = np.concatenate([view.detection.pixels for view in views])
        self._T_parent_carrier = np.stack([view.T_parent_carrier for view in views])

    def solve(self) -> HandEye:
        """Robust solution: a wrong view or corner pulls with limited force."""
        found = least_squares(
            lambda x: self._residuals(self._start, x),
            np.zeros(12),
            loss="soft_l1",
            f_scale=_ROBUST_PX,
            x_scale="jac",
            max_nfev=200,
        )
        return _moved(self._start, found.x)

    def sigmas(self, found: HandEye) -> tuple[Array, Array]:
        """Standard deviations (3,) of T_parent_cam: position [m] and rotation [rad] in parent.

        What the robot contributes is the same for all corners of a view, so corners count as
        independent only if the views say so: the larger of the two estimates is taken, that of
        independent corners and that of independent views (sandwich estimate by views).
        """
        x = np.zeros(12)
        solution = least_squares(lambda x: self._residuals(found, x), x, max_nfev=1)
        J = np.asarray(solution.jac, np.float64)
        r = self._residuals(found, x)
        views = len(self._T_parent_carrier)
        try:
            bread = np.linalg.inv(J.T @ J)
        except np.linalg.LinAlgError:
            raise CalibrationRefusedError(
                "the views leave a direction of the camera's pose open: record more of them, the "
                "hand turned about two axes"
            ) from None
        independent = bread * (r @ r) / (len(r) - 12)
        per_view = np.zeros((views, 12))
        np.add.at(per_view, np.repeat(self._view_of, 2), J * r[:, None])
        # Twelve numbers are fitted to six per view, which makes the residuals too small.
        by_view = bread @ (per_view.T @ per_view) @ bread * views / (views - 2.0)
        R = found.T_parent_cam[:3, :3]
        sigma = [
            np.sqrt(np.maximum(*(np.diag(R @ c[at, at] @ R.T) for c in (independent, by_view))))
            for at in (slice(3, 6), slice(0, 3))
        ]
        return sigma[0], sigma[1]

    def _residuals(self, start: HandEye, x: Array) -> Array:
        T_cam_board = _predicted(_moved(start, x), self._T_parent_carrier)[self._view_of]
        p_cam = (T_cam_board[:, :3, :3] @ self._p_board[..., None])[..., 0] + T_cam_board[:, :3, 3]
        return (self._camera.project(p_cam) - self._pixels).ravel()


def _moved(start: HandEye, x: Array) -> HandEye:
    return HandEye(start.T_parent_cam @ _motion(x[:6]), start.T_carrier_board @ _motion(x[6:]))


def _motion(x: Array) -> Array:
    T = np.eye(4)
    T[:3, :3] = Rotation.from_rotvec(x[:3]).as_matrix()
    T[:3, 3] = x[3:]
    return T


def _report(
    views: Sequence[CalibrationView],
    seen: Sequence[_Seen],
    camera: CameraModel,
    arrangement: Arrangement,
    solved: HandEye,
    sigmas: tuple[Array, Array],
    refusals: dict[str, str],
) -> CalibrationReport:
    by_name = {view.name: view for view in seen}
    reports = tuple(
        _view_report(view, by_name.get(view.name), camera, solved, refusals.get(view.name, ""))
        for view in views
    )
    used = [view for view in reports if view.used]
    corners = np.array([view.corners for view in used], np.float64)
    squares = np.array([view.rms_px for view in used]) ** 2
    return CalibrationReport(
        arrangement=arrangement,
        T_parent_cam=solved.T_parent_cam,
        T_carrier_board=solved.T_carrier_board,
        sigma_position_mm=sigmas[0] * 1e3,
        sigma_rotation_deg=np.degrees(sigmas[1]),
        rms_px=float(np.sqrt((squares * corners).sum() / corners.sum())),
        position_rms_mm=float(np.sqrt(np.mean([view.position_mm**2 for view in used]))),
        rotation_rms_deg=float(np.sqrt(np.mean([view.rotation_deg**2 for view in used]))),
        views=reports,
    )


def _view_report(
    view: CalibrationView, seen: _Seen | None, camera: CameraModel, solved: HandEye, refusal: str
) -> ViewReport:
    if seen is None:
        corners = 0 if view.detection is None else len(view.detection.ids)
        nothing = (float("nan"), float("nan"), float("nan"), float("nan"))
        return ViewReport(view.name, refusal, corners, *nothing, np.empty((0, 2)), np.eye(4))
    T_cam_board = _predicted(solved, seen.T_parent_carrier)
    distance, angle = pose_difference(T_cam_board, seen.T_cam_board)
    return ViewReport(
        name=view.name,
        refusal=refusal,
        corners=len(seen.detection.ids),
        tilt_deg=tilt_deg(seen.T_cam_board, seen.detection),
        rms_px=_rms(camera, solved, seen),
        position_mm=float(distance) * 1e3,
        rotation_deg=float(np.degrees(angle)),
        reprojected=_reproject(camera, solved, seen),
        T_cam_board=T_cam_board,
    )
