"""A calibration session on disk: pictures of the board, and where the joints were.

    session.yaml   camera, arrangement, board, intrinsics, and per view picture, stamp and joints
    robot.urdf     the robot description the joints belong to
    view_000.png   ...

Views are added one at a time; after a power cut the folder holds all but the last one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
import yaml
from gensim2_control.atomic_file import write_atomically
from gensim2_control.hardware import ARM_DOF, ARM_JOINTS
from gensim2_control.kinematics import Fr3Kinematics
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from .calibration_board import BoardDetector, BoardSpec
from .calibration_camera import CameraModel
from .calibration_errors import CalibrationRefusedError
from .calibration_report import Arrangement, CalibrationView

RECORD = "session.yaml"
URDF = "robot.urdf"
HAND = "fr3_hand"
_LARGEST_JOINT = 2.0 * np.pi

JointPosition = Annotated[
    float, Field(strict=True, allow_inf_nan=False, ge=-_LARGEST_JOINT, le=_LARGEST_JOINT)
]


class ViewRecord(BaseModel):
    """One picture.

    Attributes:
        image: File name of the picture, a PNG.
        stamp_ns: When it was taken [ns].
        q: Positions of the seven arm joints at that instant [rad].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: str = Field(pattern=r"^view_[0-9]{3,}\.png$")
    stamp_ns: int = Field(ge=0)
    q: tuple[JointPosition, ...] = Field(min_length=ARM_DOF, max_length=ARM_DOF)


class SessionRecord(BaseModel):
    """The file `session.yaml`.

    Attributes:
        version: Of this format.
        camera: Name, as in the calibration file.
        arrangement: Where camera and board are fixed.
        board: The board.
        intrinsics: The colour camera.
        joints: Names of the joints of `q`.
        views: The pictures.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    camera: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    arrangement: Arrangement
    board: BoardSpec
    intrinsics: CameraModel
    joints: tuple[str, ...] = ARM_JOINTS
    views: tuple[ViewRecord, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> SessionRecord:
        if self.joints != ARM_JOINTS:
            raise ValueError(f"joints must be {', '.join(ARM_JOINTS)}, in this order")
        names = [view.image for view in self.views]
        if len(set(names)) != len(names):
            raise ValueError("views: a picture is named twice")
        return self


class CalibrationSession:
    """A folder of views; made by `create` or read by `open`."""

    def __init__(self, folder: Path, record: SessionRecord, kinematics: Fr3Kinematics) -> None:
        self.folder = folder
        self.record = record
        self._kinematics = kinematics

    @classmethod
    def create(cls, folder: Path, record: SessionRecord, urdf: str) -> CalibrationSession:
        """Makes the folder, or goes on with the session of the same kind that is in it.

        Raises:
            CalibrationRefusedError: it holds another session, or cannot be written.
        """
        try:
            kinematics = Fr3Kinematics.from_urdf(urdf)
            if (folder / RECORD).exists():
                session = cls.open(folder)
                _check_same(folder, session.record, record)
                return session
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / URDF, urdf.encode())
            session = cls(folder, record, kinematics)
            session._write(record)
        except OSError as error:
            raise CalibrationRefusedError(
                f"cannot write the session {folder}: {error.strerror or error}"
            ) from error
        return session

    @classmethod
    def open(cls, folder: Path) -> CalibrationSession:
        """Reads a session.

        Raises:
            CalibrationRefusedError: a file is absent or wrong; the text names it and the entry.
        """
        path = folder / RECORD
        try:
            record = SessionRecord.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
            kinematics = Fr3Kinematics.from_urdf((folder / URDF).read_text(encoding="utf-8"))
        except OSError as error:
            raise CalibrationRefusedError(
                f"session {folder}: {error.filename}: {error.strerror or error}; a session is made "
                "by `calibrate record`"
            ) from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise CalibrationRefusedError(f"session {path}: not valid YAML: {error}") from error
        except ValidationError as error:
            raise CalibrationRefusedError(f"session {path}: {problems(error)}") from error
        except ValueError as error:
            raise CalibrationRefusedError(f"session {folder / URDF}: {error}") from error
        return cls(folder, record, kinematics)

    def add(self, rgb: NDArray[np.uint8], stamp_ns: int, q: NDArray[np.float64]) -> str:
        """Stores one view; the picture first, so that the record never names one that is absent.

        Args:
            rgb: (H, W, 3) uint8.
            stamp_ns: [ns].
            q: (7,) [rad].

        Returns:
            The name of the view.

        Raises:
            CalibrationRefusedError: it does not fit the session, or cannot be written.
        """
        size = (self.record.intrinsics.height, self.record.intrinsics.width)
        if rgb.shape != (*size, 3):
            raise CalibrationRefusedError(
                f"the picture is {rgb.shape[1]} x {rgb.shape[0]}, the session's camera_info says "
                f"{size[1]} x {size[0]}: start a new session for another resolution"
            )
        used = {view.image for view in self.record.views}
        number = len(used)
        while (name := f"view_{number:03d}.png") in used:
            number += 1
        view = ViewRecord(image=name, stamp_ns=stamp_ns, q=tuple(float(v) for v in q))
        record = self.record.model_copy(update={"views": (*self.record.views, view)})
        try:
            bgr = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2BGR)
            write_atomically(self.folder / name, cv2.imencode(".png", bgr)[1].tobytes())
            self._write(record)
        except OSError as error:
            raise CalibrationRefusedError(
                f"cannot write {self.folder / name}: {error.strerror or error}"
            ) from error
        self.record = record
        return name.removesuffix(".png")

    def picture(self, view: ViewRecord) -> NDArray[np.uint8]:
        """The picture of a view, (H, W, 3) uint8, red first.

        Raises:
            CalibrationRefusedError: it is absent, no picture, or of another size.
        """
        path = self.folder / view.image
        try:
            data = np.frombuffer(path.read_bytes(), np.uint8)
        except OSError as error:
            raise CalibrationRefusedError(f"{path}: {error.strerror or error}") from error
        bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
        size = (self.record.intrinsics.height, self.record.intrinsics.width, 3)
        if bgr is None or bgr.shape != size:
            raise CalibrationRefusedError(
                f"{path}: {'not a picture' if bgr is None else f'its size is {bgr.shape[:2]}'}; "
                f"rows and columns must be {size[:2]}. Remove the view from {RECORD} to go on"
            )
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)

    def T_base_hand(self, view: ViewRecord) -> NDArray[np.float64]:
        """(4, 4) pose of fr3_hand when the picture was taken."""
        return self._kinematics.fk(np.array(view.q), HAND)

    def detect(self) -> list[CalibrationView]:
        """Finds the board in every picture.

        Raises:
            CalibrationRefusedError: a picture cannot be read.
        """
        detector = BoardDetector(self.record.board)
        return [
            CalibrationView(
                view.image.removesuffix(".png"),
                self.T_base_hand(view),
                detector.detect(self.picture(view)),
            )
            for view in self.record.views
        ]

    def _write(self, record: SessionRecord) -> None:
        text = yaml.safe_dump(record.model_dump(mode="json"), sort_keys=False)
        write_atomically(self.folder / RECORD, text.encode())


def problems(error: ValidationError) -> str:
    """What pydantic found wrong, in one line."""
    return "; ".join(
        f"{'.'.join(str(part) for part in e['loc']) or 'file'}: {e['msg']}" for e in error.errors()
    )


def _check_same(folder: Path, old: SessionRecord, new: SessionRecord) -> None:
    different = [
        name
        for name in ("camera", "arrangement", "board", "intrinsics")
        if getattr(old, name) != getattr(new, name)
    ]
    if different:
        raise CalibrationRefusedError(
            f"{folder} holds a session with another {' and '.join(different)}: name a new folder"
        )
