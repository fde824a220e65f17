"""How sessions and results are shown: tables for the terminal and the picture of all views."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.markup import escape
from rich.table import Table
from scipy.spatial.transform import Rotation

from .calibration_picture import save_sheet, view_tile
from .calibration_report import CalibrationReport, CalibrationView
from .calibration_session import CalibrationSession
from .cloud_alignment import Alignment


def view_table(report: CalibrationReport) -> Table:
    """One row per view, and the whole."""
    table = Table(title=f"{report.arrangement.value}: {len(report.used)} views used")
    table.add_column("view")
    for column in ("corners", "tilt [deg]", "RMS [px]", "position [mm]", "rotation [deg]"):
        table.add_column(escape(column), justify="right")
    table.add_column("left out because")
    for view in report.views:
        figures = [
            f"{view.tilt_deg:.0f}",
            f"{view.rms_px:.3f}",
            f"{view.position_mm:.2f}",
            f"{view.rotation_deg:.3f}",
        ]
        shown = ["-" if np.isnan(view.rms_px) else figure for figure in figures]
        style = None if view.used else "yellow"
        table.add_row(view.name, str(view.corners), *shown, escape(view.refusal), style=style)
    table.add_section()
    corners = sum(view.corners for view in report.used)
    whole = (f"{report.rms_px:.3f}", f"{report.position_rms_mm:.2f}")
    table.add_row("used", str(corners), "", *whole, f"{report.rotation_rms_deg:.3f}", "")
    return table


def result_lines(report: CalibrationReport, camera: str) -> list[str]:
    """The pose of the camera with its standard deviations."""
    p = report.T_parent_cam[:3, 3] * 1e3
    xyzw = Rotation.from_matrix(report.T_parent_cam[:3, :3]).as_quat(canonical=True)
    board = report.T_carrier_board[:3, 3] * 1e3
    return [
        f"{camera}_color_optical_frame in {report.arrangement.parent}:",
        f"  position [mm]      {_numbers(p, 2)}   1 sigma {_numbers(report.sigma_position_mm, 2)}",
        f"  quaternion x y z w {_numbers(xyzw, 6)}",
        f"  rotation [deg]     1 sigma {_numbers(report.sigma_rotation_deg, 3)}"
        f" about x y z of {report.arrangement.parent}",
        f"board in {report.arrangement.carrier}: position [mm] {_numbers(board, 1)}",
    ]


def alignment_table(found: Alignment, fixed: str, moving: str) -> Table:
    """What a refinement found."""
    table = Table(title=f"{moving} against {fixed}")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in (
        ("distance of the clouds before, RMS", f"{found.before_mm:.2f} mm"),
        ("after", f"{found.after_mm:.2f} mm"),
        ("overlap", f"{found.overlap:.0%}"),
        ("correction at the middle of the cloud", f"{found.position_mm:.2f} mm"),
        ("correction, rotation", f"{found.rotation_deg:.3f} deg"),
    ):
        table.add_row(name, value)
    return table


def draw_views(
    session: CalibrationSession,
    views: Sequence[CalibrationView],
    report: CalibrationReport | None,
    path: Path,
) -> None:
    """Writes one picture with all views.

    Raises:
        ValueError: there are none.
        OSError: it cannot be written.
    """
    fits = {} if report is None else {fit.name: fit for fit in report.views}
    record = session.record
    tiles = []
    for stored, view in zip(record.views, views, strict=True):
        fit = fits.get(view.name)
        parts = [view.name, f"{0 if view.detection is None else len(view.detection.ids)} corners"]
        if fit is not None and not np.isnan(fit.rms_px):
            parts.append(f"{fit.rms_px:.2f} px")
        if fit is not None:
            parts.append("used" if fit.used else "left out")
        picture = session.picture(stored)
        length = 2.0 * record.board.square
        tiles.append(
            view_tile(picture, "  ".join(parts), view.detection, fit, record.intrinsics, length)
        )
    save_sheet(tiles, path)


def _numbers(values: np.ndarray, digits: int) -> str:
    return " ".join(f"{value:.{digits}f}" for value in values)
