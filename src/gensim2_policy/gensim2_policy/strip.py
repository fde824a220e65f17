"""A contact sheet of an episode: a few of its pictures in a row."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
COLUMNS = 4


class Strip:
    """Keeps pictures spread evenly over an episode whose length is not known before.

    Args:
        most: How many are shown; even.
    """

    def __init__(self, most: int) -> None:
        self._most, self._every, self._count = most, 1, 0
        self._kept: list[Picture] = []

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, picture: Picture) -> None:
        """Takes a picture (H, W, 3), RGB."""
        if self._count % self._every == 0:
            if len(self._kept) == 2 * self._most:
                self._kept = self._kept[::2]
                self._every *= 2
            if self._count % self._every == 0:
                self._kept.append(picture)
        self._count += 1

    def save(self, file: Path) -> bool:
        """Writes the sheet; returns whether there is anything on it."""
        if not self._kept:
            return False
        chosen = np.linspace(0, len(self._kept) - 1, min(self._most, len(self._kept))).round()
        shown = [self._kept[int(k)] for k in chosen]
        while len(shown) % COLUMNS:
            shown.append(np.zeros_like(shown[0]))
        lines = [np.hstack(shown[k : k + COLUMNS]) for k in range(0, len(shown), COLUMNS)]
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), cv2.cvtColor(np.vstack(lines), cv2.COLOR_RGB2BGR))
        return True
