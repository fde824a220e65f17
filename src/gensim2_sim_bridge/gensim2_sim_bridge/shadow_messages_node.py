"""What the shadow hears: scenes and plans."""

from __future__ import annotations

import numpy as np
from gensim2_control.hardware import JOINTS
from gensim2_control.ros.conversions import pose_to_matrix, seconds
from gensim2_tasks.assets import AssetError, AssetLibrary, AssetRef
from gensim2_tasks.placement import PlacedObject
from trajectory_msgs.msg import JointTrajectory

from gensim2_msgs.msg import SceneState

from .preview import Motion


def placed_objects(message: SceneState, library: AssetLibrary) -> tuple[PlacedObject, ...]:
    """The objects of a scene state, as far as it says where they are and how far open.

    Raises:
        AssetError: An asset is unknown or unusable, or a number is not finite.
    """
    placed = []
    for state in message.objects:
        try:
            T = pose_to_matrix(state.pose)
        except ValueError as error:
            raise AssetError(f"object {state.name!r}: {error}") from None
        if not (np.isfinite(T).all() and np.isfinite(state.joint_position)):
            raise AssetError(f"object {state.name!r}: pose or joint position is not finite")
        asset = library.load(AssetRef.parse(state.asset))
        placed.append(PlacedObject(state.name, asset, T, state.joint_position))
    return tuple(placed)


def planned_motion(message: JointTrajectory) -> Motion | None:
    """The planned motion of a message; None where it is empty.

    Raises:
        ValueError: Joints are missing, or sizes, times or numbers are wrong.
    """
    if not message.points:
        return None
    missing = [name for name in JOINTS if name not in message.joint_names]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing)}")
    order = [message.joint_names.index(name) for name in JOINTS]
    if any(len(point.positions) != len(message.joint_names) for point in message.points):
        raise ValueError("a point has too few or too many positions")
    return Motion(
        np.array([seconds(point.time_from_start) for point in message.points]),
        np.array([point.positions for point in message.points])[:, order],
    )
