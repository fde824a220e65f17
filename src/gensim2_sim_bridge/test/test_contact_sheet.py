"""Pictures of the catalogue: every scene is another one, and objects are seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from gensim2_sim_bridge.contact_sheet import TILE, Studio
from gensim2_tasks.placement import PlacedObject


def test_scenes_lie_side_by_side(
    draw: Callable[..., tuple[PlacedObject, ...]], tmp_path: Path
) -> None:
    pairs = [(draw("OpenBox", seed), f"seed {seed}") for seed in range(3)]
    Studio().save(pairs, tmp_path / "sheet.png", 2)
    sheet = cv2.imread(str(tmp_path / "sheet.png")).astype(int)
    assert sheet.shape == (2 * TILE.height, 2 * TILE.width, 3)
    tiles = [t for row in np.vsplit(sheet, 2) for t in np.hsplit(row, 2)]
    assert (tiles[3] == 255).all(), "nothing"
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert (np.abs(tiles[one] - tiles[other]).max(axis=2) > 30).mean() > 0.01
