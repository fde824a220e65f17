"""Parameters of the node `calibrate`."""

from __future__ import annotations

from dataclasses import dataclass

from gensim2_control.ros.parameters import parameter
from pydantic import ValidationError

from .calibration_board import BoardKind, BoardSpec
from .calibration_report import Arrangement
from .calibration_session import problems


@dataclass(frozen=True)
class CalibrateParameters:
    """What is recorded, and where to."""

    camera: str = parameter("left_camera", "Name of the camera, also its namespace.")
    folder: str = parameter("calibration", "Folder of the session; made if missing.")
    arrangement: str = parameter(
        Arrangement.EYE_TO_HAND.value,
        "eye_to_hand: the board is in the hand; eye_in_hand: the camera is on the hand.",
        choices=tuple(a.value for a in Arrangement),
    )
    board_kind: str = parameter(
        BoardKind.CHARUCO.value, "Pattern of the board.", choices=tuple(k.value for k in BoardKind)
    )
    board_columns: int = parameter(7, "Squares or tags side by side.", low=3, high=30)
    board_rows: int = parameter(5, "Squares or tags one below the other.", low=3, high=30)
    board_square: float = parameter(
        0.04, "Edge of a square, or distance from tag to tag, as measured [m].", low=0.001, high=1.0
    )
    board_marker: float = parameter(0.03, "Edge of a marker or tag [m].", low=0.001, high=1.0)
    reliable: bool = parameter(
        True, "Subscribe to images reliably (simulation) or as sensor data (real cameras)."
    )

    def check(self) -> None:
        """Refuses boards that cannot be, with a ValueError."""
        self.board()

    def board(self) -> BoardSpec:
        """The board."""
        try:
            return BoardSpec(
                kind=BoardKind(self.board_kind),
                columns=self.board_columns,
                rows=self.board_rows,
                square=self.board_square,
                marker=self.board_marker,
            )
        except ValidationError as error:
            raise ValueError(f"parameters board_*: {problems(error)}") from error
