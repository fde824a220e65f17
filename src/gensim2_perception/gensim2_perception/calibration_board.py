"""Calibration boards: what they look like, and where they are in a picture."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

_DICTIONARIES = {
    "charuco": (cv2.aruco.DICT_5X5_250, 250),
    "april_grid": (cv2.aruco.DICT_APRILTAG_36h11, 587),
}
_MIN_CORNERS = 8
_REFINE_WINDOW_PX = 5
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 0.001)
# Black cells and border of a tag 36h11 side by side.
_MODULES = 8


class BoardKind(str, Enum):
    """Pattern of a board."""

    CHARUCO = "charuco"
    """Chessboard with markers in its white squares; its inner corners are measured."""
    APRIL_GRID = "april_grid"
    """Grid of AprilTags 36h11; the corners of the tags are measured."""


class BoardSpec(BaseModel):
    """A printed board.

    The board frame has its origin in the top left corner of the pattern, x to the right and y
    downwards in the pattern, hence z into the board.

    Attributes:
        kind: Pattern.
        columns: Squares or tags side by side.
        rows: Squares or tags one below the other.
        square: Edge of a square, or the distance from tag to tag [m].
        marker: Edge of a marker or tag, its black border included [m].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: BoardKind = BoardKind.CHARUCO
    columns: int = Field(7, ge=3, le=30)
    rows: int = Field(5, ge=3, le=30)
    square: float = Field(0.04, gt=0.0, le=1.0, allow_inf_nan=False)
    marker: float = Field(0.03, gt=0.0, le=1.0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _fits(self) -> BoardSpec:
        if not 0.3 * self.square <= self.marker <= 0.9 * self.square:
            raise ValueError(
                f"marker of {self.marker * 1e3:g} mm in a square of {self.square * 1e3:g} mm: it "
                "must have 0.3 to 0.9 of its edge"
            )
        markers = self.columns * self.rows
        markers = markers // 2 if self.kind is BoardKind.CHARUCO else markers
        known = _DICTIONARIES[self.kind.value][1]
        if markers > known:
            raise ValueError(f"{markers} markers are needed, the family has {known}")
        return self

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the pattern [m]."""
        lacking = 0.0 if self.kind is BoardKind.CHARUCO else self.square - self.marker
        return self.columns * self.square - lacking, self.rows * self.square - lacking

    def describe(self) -> str:
        """In words, as it is printed below the pattern."""
        names = {BoardKind.CHARUCO: "ChArUco", BoardKind.APRIL_GRID: "AprilTag 36h11"}
        return (
            f"{names[self.kind]} {self.columns} x {self.rows}, square {self.square * 1e3:g} mm, "
            f"marker {self.marker * 1e3:g} mm"
        )


@dataclass(frozen=True)
class Detection:
    """The corners of a board found in one picture.

    Attributes:
        ids: (N,) numbers of the corners, which tell which is which.
        pixels: (N, 2) columns and rows [pixel]; the centre of the top left pixel is (0, 0).
        p_board: (N, 3) the same corners in the board frame [m].
    """

    ids: NDArray[np.int64]
    pixels: NDArray[np.float64]
    p_board: NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.ids)
        if self.pixels.shape != (n, 2) or self.p_board.shape != (n, 3):
            raise ValueError(
                f"detection: {n} ids, pixels {self.pixels.shape} and points {self.p_board.shape} "
                "do not belong together"
            )


class BoardDetector:
    """Finds one kind of board in pictures."""

    def __init__(self, spec: BoardSpec) -> None:
        self._board = _cv_board(spec)
        self._chess = spec.kind is BoardKind.CHARUCO
        self._gap = (spec.square - spec.marker) / (2.0 * spec.square)
        parameters = cv2.aruco.DetectorParameters()
        if not self._chess:
            parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_CONTOUR
        self._markers = cv2.aruco.ArucoDetector(self._board.getDictionary(), parameters)
        if isinstance(self._board, cv2.aruco.CharucoBoard):
            self._charuco = cv2.aruco.CharucoDetector(self._board)
            self._chess_corners = np.asarray(self._board.getChessboardCorners(), np.float64)

    def detect(self, rgb: NDArray[np.uint8]) -> Detection | None:
        """Finds the board.

        Args:
            rgb: (H, W, 3) uint8, red first.

        Returns:
            Its corners, or None where fewer than eight of them, or only one line, are seen.
        """
        grey = np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), np.uint8)
        found = self._chessboard(grey) if self._chess else self._grid(grey)
        if found is None or len(found.ids) < _MIN_CORNERS:
            return None
        # Corners on one line do not fix the pose of the board.
        centred = found.p_board[:, :2] - found.p_board[:, :2].mean(axis=0)
        extent = np.linalg.svd(centred, compute_uv=False)
        return found if extent[1] > 0.1 * extent[0] else None

    def _chessboard(self, grey: NDArray[np.uint8]) -> Detection | None:
        corners, ids, _, _ = self._charuco.detectBoard(grey)
        if ids is None or len(ids) == 0:
            return None
        pixels = np.asarray(corners, np.float32).reshape(-1, 1, 2)
        numbers = np.asarray(ids, np.int64).ravel()
        p_board = self._chess_corners[numbers]
        # The edges of the markers, which stand diagonally beside a corner, must stay outside.
        window = _window(pixels[:, 0], self._gap)
        cv2.cornerSubPix(grey, pixels, (window, window), (-1, -1), _STOP)
        return Detection(numbers, pixels[:, 0].astype(np.float64), p_board)

    def _grid(self, grey: NDArray[np.uint8]) -> Detection | None:
        corners, ids, _ = self._markers.detectMarkers(grey)
        if ids is None or len(ids) == 0:
            return None
        known = {int(tag): i for i, tag in enumerate(np.asarray(self._board.getIds()).ravel())}
        corners_of = self._board.getObjPoints()
        numbers, pixels, points, edges = [], [], [], []
        for tag, seen in zip(map(int, np.asarray(ids).ravel()), corners, strict=True):
            if tag not in known:
                continue
            numbers += [4 * tag + k for k in range(4)]
            pixels.append(np.asarray(seen, np.float64).reshape(4, 2))
            edge = np.linalg.norm(pixels[-1] - np.roll(pixels[-1], 1, axis=0), axis=1).min()
            edges.append(float(edge))
            points.append(np.asarray(corners_of[known[tag]], np.float64).reshape(4, 3))
        if not numbers or len(set(numbers)) != len(numbers):
            return None
        # The bits of the tag, which begin one module inside of a corner, must stay outside.
        window = int(np.clip(min(edges) / _MODULES, 2, _REFINE_WINDOW_PX))
        refined = np.concatenate(pixels).astype(np.float32).reshape(-1, 1, 2)
        cv2.cornerSubPix(grey, refined, (window, window), (-1, -1), _STOP)
        return Detection(
            np.array(numbers), refined[:, 0].astype(np.float64), np.concatenate(points)
        )


def pattern_picture(spec: BoardSpec, pixels_per_square: int) -> NDArray[np.uint8]:
    """The pattern without a margin, (H, W) uint8.

    Args:
        spec: The board.
        pixels_per_square: Resolution; edges are exact where marker and gap are whole pixels, too.
    """
    scale = pixels_per_square / spec.square
    width, height = (round(length * scale) for length in spec.size)
    return np.asarray(_cv_board(spec).generateImage((width, height), None, 0, 1), np.uint8)


def _cv_board(spec: BoardSpec) -> cv2.aruco.CharucoBoard | cv2.aruco.GridBoard:
    family = cv2.aruco.getPredefinedDictionary(_DICTIONARIES[spec.kind.value][0])
    size = (spec.columns, spec.rows)
    if spec.kind is BoardKind.CHARUCO:
        return cv2.aruco.CharucoBoard(size, spec.square, spec.marker, family)
    return cv2.aruco.GridBoard(size, spec.marker, spec.square - spec.marker, family)


def _window(pixels: NDArray[np.float32], gap: float) -> int:
    """Half of the refinement window [pixel].

    Args:
        pixels: (N, 2) corners.
        gap: Between square and marker, as a share of the square.
    """
    distances = np.linalg.norm(pixels[:, None] - pixels[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return int(np.clip(distances.min(initial=np.inf) * gap, 2, _REFINE_WINDOW_PX))
