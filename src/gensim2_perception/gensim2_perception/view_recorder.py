"""Decides whether a view is fit for a calibration session, and stores it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from gensim2_control.hardware import ARM_JOINTS
from gensim2_control.joint_history import JointHistory
from gensim2_control.report import Level, Report
from numpy.typing import NDArray

from .calibration_board import BoardDetector, BoardSpec
from .calibration_camera import CameraModel
from .calibration_errors import CalibrationRefusedError
from .calibration_report import Arrangement
from .calibration_session import CalibrationSession, SessionRecord
from .calibration_solver import MAX_TILT_DEG, MIN_VIEWS, tilt_deg
from .hand_eye import check_turns

_PICTURES = 5
_MAX_AGE_S = 1.0
_STILL_S = 0.3
_STILL_RAD = 0.002


class ViewRecorder:
    """Keeps the newest pictures and joints of a camera; its methods may be called by any thread."""

    def __init__(
        self, folder: Path, camera: str, arrangement: Arrangement, board: BoardSpec
    ) -> None:
        """Nothing is written before the first view.

        Args:
            folder: Of the session; one of the same kind is continued.
            camera: Name, as in the calibration file.
            arrangement: Where camera and board are fixed.
            board: The board.
        """
        self._folder, self._camera = folder, camera
        self._arrangement, self._board = arrangement, board
        self._detector = BoardDetector(board)
        self._joints = JointHistory(ARM_JOINTS)
        self._pictures: deque[tuple[int, NDArray[np.uint8]]] = deque(maxlen=_PICTURES)
        self._model: CameraModel | None = None
        self._urdf = ""
        self._session: CalibrationSession | None = None
        self._recorded_ns: int | None = None
        self._lock = threading.Lock()

    def camera_model(self, model: CameraModel) -> None:
        """Takes the intrinsics."""
        with self._lock:
            self._model = model

    def description(self, urdf: str) -> None:
        """Takes the robot description."""
        with self._lock:
            self._urdf = urdf

    def joint_state(self, stamp_ns: int, names: Sequence[str], q: Sequence[float]) -> None:
        """Takes a joint state [ns, rad].

        Raises:
            ValueError: an arm joint is absent or not finite.
        """
        with self._lock:
            self._joints.add(stamp_ns, names, q)

    def picture(self, stamp_ns: int, rgb: NDArray[np.uint8]) -> None:
        """Takes a picture (H, W, 3) and its stamp [ns]."""
        with self._lock:
            self._pictures.append((stamp_ns, rgb))

    def report(self) -> Report:
        """What is missing, and how many views there are."""
        with self._lock:
            missing = self._missing()
            views = len(self._session.record.views) if self._session else 0
        if missing:
            return Report(Level.WARN, f"nothing received yet on: {', '.join(missing)}")
        return Report(Level.OK, "ready to record", {"views": views})

    def capture(self) -> str:
        """Stores the newest picture with the joints at its stamp; tells what it shows.

        Raises:
            CalibrationRefusedError: something is missing, the arm moves, or the board is not seen
                well; nothing was stored.
        """
        with self._lock:
            missing = self._missing()
            if missing:
                raise CalibrationRefusedError(
                    f"nothing received yet on: {', '.join(missing)}. Are the camera and the body "
                    "running, in this namespace?"
                )
            stamp_ns, rgb, q = self._newest()
            if stamp_ns == self._recorded_ns:
                raise CalibrationRefusedError(
                    "the newest picture is recorded already: wait for the next one"
                )
            detection = self._detector.detect(rgb)
            if detection is None:
                raise CalibrationRefusedError(
                    "the board is not in the picture, or it is not the one named: "
                    f"{self._board.describe()}"
                )
            assert self._model is not None
            tilt = tilt_deg(self._model.board_pose(detection), detection)
            if tilt > MAX_TILT_DEG:
                raise CalibrationRefusedError(
                    f"the board is seen at too flat an angle: {tilt:.0f} deg from straight ahead "
                    f"(at most {MAX_TILT_DEG:g})"
                )
            session = self._open()
            name = session.add(rgb, stamp_ns, q)
            self._recorded_ns = stamp_ns
        return (
            f"{name}: {len(detection.ids)} corners, {tilt:.0f} deg from straight ahead. "
            f"{self._progress(session)}"
        )

    def _missing(self) -> list[str]:
        names = {
            f"{self._camera}/color/camera_info": self._model is not None,
            f"{self._camera}/color/image_raw": bool(self._pictures),
            "joint_states": self._joints.newest_ns is not None,
            "robot_description": bool(self._urdf),
        }
        return [name for name, received in names.items() if not received]

    def _newest(self) -> tuple[int, NDArray[np.uint8], NDArray[np.float64]]:
        """The newest picture for which the joints are known, at rest."""
        age_s = ((self._joints.newest_ns or 0) - self._pictures[-1][0]) * 1e-9
        if age_s > _MAX_AGE_S:
            raise CalibrationRefusedError(
                f"the newest picture is {age_s:.1f} s older than the joint states: does the camera "
                "still send, on the clock of the robot?"
            )
        reason = ""
        for stamp_ns, rgb in reversed(self._pictures):
            try:
                q = self._joints.at(stamp_ns)
                before = self._joints.at(stamp_ns - round(_STILL_S * 1e9))
            except LookupError as error:
                reason = reason or str(error)
                continue
            if np.abs(q - before).max() > _STILL_RAD:
                raise CalibrationRefusedError("the arm moves: let it come to rest and try again")
            return stamp_ns, rgb, q
        raise CalibrationRefusedError(f"no joint states that belong to a picture: {reason}")

    def _open(self) -> CalibrationSession:
        if self._session is None:
            assert self._model is not None
            record = SessionRecord(
                camera=self._camera,
                arrangement=self._arrangement,
                board=self._board,
                intrinsics=self._model,
            )
            self._session = CalibrationSession.create(self._folder, record, self._urdf)
        return self._session

    def _progress(self, session: CalibrationSession) -> str:
        count = len(session.record.views)
        text = f"{count} views"
        if count < MIN_VIEWS:
            return f"{text}, at least {MIN_VIEWS} are needed and 15 to 20 are better"
        try:
            check_turns(np.stack([session.T_base_hand(view) for view in session.record.views]))
        except CalibrationRefusedError as error:
            return f"{text}; {error}"
        return f"{text}, enough to solve; 15 to 20 are better" if count < 15 else text
