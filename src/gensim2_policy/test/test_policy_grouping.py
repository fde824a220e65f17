"""The maximum over neighbours: the fast way gives what the plain way gives."""

from __future__ import annotations

import pytest
import torch
from gensim2_policy.grouping import grouped_maximum
from gensim2_policy.layers import mlp
from gensim2_policy.point_ops import ball_neighbours, gather
from torch import Tensor, nn

CLOUDS, POINTS, CENTRES, CHANNELS, WIDTH = 3, 120, 50, 8, 16
RADIUS = 0.05


def plain(
    layers: nn.Sequential, points: Tensor, features: Tensor, centres: Tensor, near: Tensor
) -> Tensor:
    """As PointNeXt describes it."""
    offsets = (gather(points, near) - centres[:, :, None]) / RADIUS
    return layers(torch.cat([offsets, gather(features, near)], -1)).amax(2)


def made(dtype: torch.dtype) -> tuple[nn.Sequential, Tensor, Tensor]:
    """Layers whose norms scale and shift both ways, points, and features."""
    torch.manual_seed(0)
    layers = mlp(CHANNELS + 3, WIDTH).to(dtype)
    norm = layers[1]
    assert isinstance(norm, nn.LayerNorm)
    with torch.no_grad():
        norm.weight.normal_()
        norm.bias.normal_()
    points = 0.3 * torch.rand(CLOUDS, POINTS, 3, dtype=dtype)
    return layers, points, torch.randn(CLOUDS, POINTS, CHANNELS, dtype=dtype)


@pytest.mark.parametrize("neighbours", [1, 4, 24, POINTS])
def test_values_and_gradients_are_those_of_the_plain_way(neighbours: int) -> None:
    """Also where few points are near, so that the nearest fills up."""
    layers, points, features = made(torch.float64)
    centres = points[:, :CENTRES]
    near = ball_neighbours(centres, points, RADIUS, neighbours)
    weight = torch.randn(CLOUDS, CENTRES, WIDTH, dtype=torch.float64)
    results = []
    for fast in (True, False):
        own = features.clone().requires_grad_()
        layers.zero_grad()
        out = (
            grouped_maximum(layers, points, own, centres, near, RADIUS)
            if fast
            else plain(layers, points, own, centres, near)
        )
        (out * weight).sum().backward()
        results.append([out.detach(), own.grad, *[p.grad.clone() for p in layers.parameters()]])  # type: ignore[union-attr]
    for value, expected in zip(*results, strict=True):
        torch.testing.assert_close(value, expected, rtol=1e-9, atol=1e-9)


def test_use_and_training_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without gradients, and with one cloud or all of them at once."""
    layers, points, features = made(torch.float32)
    centres = points[:, :CENTRES]
    near = ball_neighbours(centres, points, RADIUS, 8)

    def run() -> Tensor:
        return grouped_maximum(layers, points, features, centres, near, RADIUS)

    learning = run().detach()
    with torch.inference_mode():
        assert torch.equal(run(), learning)
    monkeypatch.setattr("gensim2_policy.grouping._AT_ONCE", 1)
    assert torch.equal(run(), learning)


def test_half_precision_does_not_reach_positions() -> None:
    """A cloud in metres has neighbours at centimetres: in bfloat16 they would be lost."""
    layers, points, features = made(torch.float32)
    centres = points[:, :CENTRES]
    near = ball_neighbours(centres, points, RADIUS, 8)
    whole = grouped_maximum(layers, points, features, centres, near, RADIUS)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(ball_neighbours(centres, points, RADIUS, 8), near)
        assert torch.equal(grouped_maximum(layers, points, features, centres, near, RADIUS), whole)


def test_neighbours_are_the_nearest() -> None:
    """The way for the CPU finds the same points as sorting does."""
    _, points, _ = made(torch.float64)
    centres = points[:, :CENTRES]
    distance = torch.cdist(centres, points)
    expected = distance.sort(-1).indices[..., :6]
    inside = distance.gather(-1, expected) <= RADIUS
    found = ball_neighbours(centres, points, RADIUS, 6)
    for row, best, near in zip(
        found.flatten(0, 1), expected.flatten(0, 1), inside.flatten(0, 1), strict=True
    ):
        assert {*row.tolist()} == {*best[near].tolist()}
