"""Pictures for the eye: a board to print, and what was detected and reprojected in the views."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from gensim2_control.atomic_file import write_atomically
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .calibration_board import BoardSpec, Detection, pattern_picture
from .calibration_camera import CameraModel
from .calibration_report import ViewReport

Picture = NDArray[np.uint8]

_INCH = 0.0254
_MARGIN = 0.012
_DPI = 300
_PIXELS_PER_SQUARE = 280
_TILE_WIDTH = 640
_BAR = 26
_COLUMNS = 3
# Red first, as all pictures here.
_FOUND, _PREDICTED = (255, 170, 0), (0, 220, 255)
_GOOD, _BAD = (20, 110, 50), (170, 30, 30)
_AXES = ((230, 40, 40), (40, 200, 40), (70, 110, 255))
_SUBPIXEL_BITS = 4


def save_board(spec: BoardSpec, path: Path) -> tuple[float, float]:
    """Writes a board in its true size, with a margin and a line that says what it is.

    Args:
        spec: The board.
        path: `.pdf`, or `.png` with its resolution in it.

    Returns:
        Width and height of the page [m].

    Raises:
        ValueError: another kind of file.
        OSError: it cannot be written.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("pdf", "png"):
        raise ValueError(f"{path}: a board is printed from .pdf or .png")
    width, height = spec.size
    page = (width + 2 * _MARGIN, height + 2 * _MARGIN)
    figure = Figure(figsize=(page[0] / _INCH, page[1] / _INCH), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes(
        (_MARGIN / page[0], _MARGIN / page[1], width / page[0], height / page[1])
    )
    axes.set_axis_off()
    picture = pattern_picture(spec, _PIXELS_PER_SQUARE)
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="none", aspect="auto")
    text = f"{spec.describe()}. Print at 100 %; the pattern is {width * 1e3:g} mm wide."
    figure.text(_MARGIN / page[0], 0.35 * _MARGIN / page[1], text, fontsize=7, va="center")
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=_DPI)
    write_atomically(path, buffer.getvalue())
    return page


def view_tile(
    rgb: Picture,
    title: str,
    detection: Detection | None,
    fit: ViewReport | None,
    camera: CameraModel,
    axis_length: float,
) -> Picture:
    """One view with its corners (circles), where the result expects them (crosses), and axes.

    Args:
        rgb: (H, W, 3) the picture.
        title: Written above.
        detection: Corners found.
        fit: Of the view, if there is a result.
        camera: Projects the axes of the board.
        axis_length: Of the axes [m].

    Returns:
        (h, w, 3), red first.
    """
    scale = _TILE_WIDTH / rgb.shape[1]
    size = (_TILE_WIDTH, round(rgb.shape[0] * scale))
    tile = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    if detection is not None:
        for pixel in detection.pixels:
            cv2.circle(tile, _at(pixel, scale), 5 << _SUBPIXEL_BITS, _FOUND, 1, cv2.LINE_AA, 4)
    if fit is not None:
        for pixel in fit.reprojected:
            _cross(tile, pixel, scale)
        if len(fit.reprojected):
            _axes(tile, fit.T_cam_board, camera, axis_length, scale)
    bar = np.full((_BAR, size[0], 3), _GOOD if fit is None or fit.used else _BAD, np.uint8)
    if detection is None:
        bar[:] = _BAD
    cv2.putText(bar, title, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255,) * 3, 1, cv2.LINE_AA)
    return np.concatenate([bar, tile])


def save_sheet(tiles: Sequence[Picture], path: Path) -> None:
    """Writes tiles of one size as one picture, three in a row.

    Raises:
        ValueError: no tiles.
        OSError: it cannot be written.
    """
    if not tiles:
        raise ValueError("no pictures to show")
    columns = min(_COLUMNS, len(tiles))
    rows = math.ceil(len(tiles) / columns)
    height, width = tiles[0].shape[:2]
    sheet = np.full((rows * height, columns * width, 3), 40, np.uint8)
    for i, tile in enumerate(tiles):
        top, left = i // columns * height, i % columns * width
        sheet[top : top + height, left : left + width] = tile
    bgr = cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)
    write_atomically(path, cv2.imencode(".png", bgr)[1].tobytes())


def _at(pixel: NDArray[np.float64], scale: float) -> tuple[int, int]:
    """A place in the tile, in sixteenths of a pixel."""
    # The first pixel's centre is 0 in both pictures, its corner is what scaling keeps.
    u, v = ((pixel + 0.5) * scale - 0.5) * (1 << _SUBPIXEL_BITS)
    return round(float(u)), round(float(v))


def _cross(tile: Picture, pixel: NDArray[np.float64], scale: float) -> None:
    u, v = _at(pixel, scale)
    arm = 4 << _SUBPIXEL_BITS
    for du, dv in ((arm, 0), (0, arm)):
        ends = (u - du, v - dv), (u + du, v + dv)
        cv2.line(tile, *ends, _PREDICTED, 1, cv2.LINE_AA, _SUBPIXEL_BITS)


def _axes(
    tile: Picture,
    T_cam_board: NDArray[np.float64],
    camera: CameraModel,
    length: float,
    scale: float,
) -> None:
    p_board = np.vstack([np.zeros(3), np.eye(3) * length])
    p_cam = p_board @ T_cam_board[:3, :3].T + T_cam_board[:3, 3]
    if p_cam[:, 2].min() <= 0.01:
        return
    origin, *ends = camera.project(p_cam)
    for end, colour in zip(ends, _AXES, strict=True):
        points = _at(origin, scale), _at(end, scale)
        cv2.line(tile, *points, colour, 2, cv2.LINE_AA, _SUBPIXEL_BITS)
