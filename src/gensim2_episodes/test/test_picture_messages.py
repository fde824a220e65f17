"""Pictures of cameras, as they come in messages."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sensor_msgs.msg", reason="needs the workspace: run the tests with ./ws")

from gensim2_episodes.episode_messages_node import depth_from_msg
from sensor_msgs.msg import Image

DEPTH = np.array([[0, 1, 65535], [258, 1000, 3]], np.uint16)


@pytest.mark.parametrize("padding", [0, 4])
@pytest.mark.parametrize(("order", "big"), [("<u2", 0), (">u2", 1)])
def test_depth_is_read_in_every_order_of_bytes(padding: int, order: str, big: int) -> None:
    rows = [row.astype(order).tobytes() + bytes(padding) for row in DEPTH]
    message = Image(height=2, width=3, step=6 + padding, encoding="16UC1", is_bigendian=big)
    message.data = b"".join(rows)
    depth = depth_from_msg(message)
    assert depth.dtype == np.uint16 and np.array_equal(depth, DEPTH)


def test_depth_of_another_kind_or_cut_off_is_refused() -> None:
    message = Image(height=2, width=3, step=12, encoding="32FC1", data=bytes(24))
    with pytest.raises(ValueError, match="need 16UC1"):
        depth_from_msg(message)
    cut = Image(height=2, width=3, step=6, encoding="16UC1", data=bytes(8))
    with pytest.raises(ValueError, match="smaller"):
        depth_from_msg(cut)
