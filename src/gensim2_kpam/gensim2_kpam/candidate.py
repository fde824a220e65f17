"""One way to perform a manipulation, as the planner enumerates them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .plan import SceneObject
from .solver_config import SolverConfig

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """What one way is made of, beside the configuration that meets the constraints.

    Attributes:
        solver: What to do.
        scene: The object.
        T_base_part: Pose of the moving part.
        R_hand_tool: Identity, or half a turn of the symmetric hand.
        shift: Of the hand from the actuation pose, tool frame, m.
        scale: Factor of the sideways pre-motions.
    """

    solver: SolverConfig
    scene: SceneObject
    T_base_part: Array
    R_hand_tool: Array
    shift: tuple[float, float, float]
    scale: float
