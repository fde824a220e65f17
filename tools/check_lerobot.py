"""Loads an exported data set with LeRobot itself and compares it with what the files say.

Usage: python tools/check_lerobot.py FOLDER

To be run by a Python that has lerobot 0.4 installed; the project itself does not need it.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from lerobot.datasets.lerobot_dataset import LeRobotDataset

_LOOKS = 50  # frames


def check(folder: Path) -> int:
    """Compares frames all over the data set; returns the number of those that were looked at.

    Raises:
        AssertionError: LeRobot sees something else.
    """
    data = LeRobotDataset("local/check", root=folder)
    info = json.loads((folder / "meta" / "info.json").read_text())
    assert (len(data), data.num_episodes) == (info["total_frames"], info["total_episodes"])
    assert data.meta.stats.keys() == info["features"].keys()
    files = sorted(folder.glob("data/*/*.parquet"))
    columns = ["observation.state", "action", "gensim2.stamp_ns", "episode_index"]
    rows = [row for file in files for row in pq.read_table(file, columns=columns).to_pylist()]
    chosen = np.unique(np.linspace(0, len(data) - 1, _LOOKS).astype(int))
    for index in chosen:
        item, row = data[int(index)], rows[index]
        for name in columns:
            assert np.array_equal(
                item[name].numpy(), np.asarray(row[name], item[name].numpy().dtype)
            )
        assert item["task"] in data.meta.tasks.index
        for name, feature in info["features"].items():
            shape = tuple(feature["shape"])
            shape = (shape[2], *shape[:2]) if feature["dtype"] in ("video", "image") else shape
            assert tuple(item[name].shape) == (() if shape == (1,) else shape), name
    return len(chosen)


if __name__ == "__main__":
    print(f"{check(Path(sys.argv[1]))} frames are as in the files")
