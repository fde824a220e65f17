"""Where a camera was in ``base`` when it took a picture."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

import numpy as np
from gensim2_control.joint_history import JointHistory, JointsPendingError, JointsUnavailableError
from numpy.typing import NDArray

from .static_transforms import StaticTransforms, Transform, TransformUnknownError

ROBOT_LINKS = (*(f"fr3_link{i}" for i in range(9)), "fr3_hand", "fr3_hand_tcp")


class Cause(Enum):
    """What a pose waits for."""

    CALIBRATION = "calibration"
    DESCRIPTION = "robot description"
    JOINTS = "joint state"


class PosePendingError(LookupError):
    """The pose is not known yet; what is missing may still arrive."""

    def __init__(self, cause: Cause, text: str) -> None:
        super().__init__(text)
        self.cause = cause


class PoseUnavailableError(LookupError):
    """The pose at that instant will never be known."""


class LinkKinematics(Protocol):
    """Forward kinematics of the arm, as `gensim2_control.kinematics.Fr3Kinematics` offers it."""

    def fk(self, q: NDArray[np.float64], link: str) -> Transform:
        """T_base_link of a link for joint positions (7,) [rad]."""


class CameraPoses:
    """Poses of fixed cameras and of cameras on the arm.

    A camera whose optical frame is joined to the base frame by static transforms is fixed. One
    that hangs under a link of the robot is carried by it: its pose follows from the joint
    positions at the stamp of the image.
    """

    def __init__(
        self,
        statics: StaticTransforms,
        joints: JointHistory,
        kinematics: LinkKinematics | None = None,
        *,
        base_frame: str = "base",
        links: Sequence[str] = ROBOT_LINKS,
    ) -> None:
        """Joins the sources of knowledge; they are shared, and filled by whoever hears the news.

        Args:
            statics: Static transforms, camera calibration among them.
            joints: History of the seven arm joints.
            kinematics: Of the arm; may be given later through the attribute of the same name.
            base_frame: Frame in which poses are wanted.
            links: Links the kinematics know.
        """
        self.statics = statics
        self.joints = joints
        self.kinematics = kinematics
        self._base_frame = base_frame
        self._links = frozenset(links)

    def at(self, optical_frame: str, stamp_ns: int) -> Transform:
        """T_base_optical (4, 4) at an instant [ns].

        Raises:
            PosePendingError: calibration, robot description or joint state have not arrived yet.
            PoseUnavailableError: the joint states of that instant are lost.
        """
        try:
            return self.statics.lookup(self._base_frame, optical_frame)
        except TransformUnknownError as fixed_error:
            try:
                link, T_link_optical = self.statics.mount(optical_frame, self._links)
            except TransformUnknownError:
                raise PosePendingError(Cause.CALIBRATION, str(fixed_error)) from None
        if self.kinematics is None:
            raise PosePendingError(
                Cause.DESCRIPTION,
                f"{optical_frame} rides on {link} and no robot_description came yet",
            )
        try:
            q = self.joints.at(stamp_ns)
        except JointsPendingError as error:
            raise PosePendingError(Cause.JOINTS, str(error)) from None
        except JointsUnavailableError as error:
            raise PoseUnavailableError(str(error)) from None
        return np.asarray(self.kinematics.fk(q, link), np.float64) @ T_link_optical
