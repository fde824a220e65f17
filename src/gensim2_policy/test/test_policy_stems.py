"""Stems: absolute places are seen, the order of points does not matter, colour where asked for."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from gensim2_policy.point_ops import farthest_points, gather
from gensim2_policy.settings import CloudSettings, ModelSettings
from gensim2_policy.stems import CloudStem, ImageStem, LanguageStem, SetAbstraction, StateStem

WIDTH = 16


def stem(encoder: str = "pointnet", **cloud: Any) -> CloudStem:
    widths = (8, 16) if encoder == "pointnet" else (8, 12, 16)
    settings: dict[str, Any] = {
        "encoder": encoder,
        "widths": widths,
        "tokens": 3,
        "radius": 0.3,
        "neighbours": 6,
    }
    made = CloudStem(ModelSettings(width=WIDTH, heads=2, cloud=CloudSettings(**(settings | cloud))))
    return made.eval()


def scene(batch: int = 2, steps: int = 2, points: int = 32) -> tuple[torch.Tensor, torch.Tensor]:
    cloud = torch.rand(batch * steps, points, 3)
    ordered = gather(cloud, farthest_points(cloud, points))
    return ordered.reshape(batch, steps, points, 3), torch.rand(batch, steps, 3)


ENCODERS = pytest.mark.parametrize("encoder", ["pointnet", "pointnext"])


@ENCODERS
@torch.no_grad()
def test_where_a_cloud_is_makes_a_difference(encoder: str) -> None:
    """The public policy centred and turned every cloud: where things were was lost."""
    points, tcp = scene()
    made = stem(encoder)
    tokens = made(points, None, tcp)
    assert tokens.shape == (2, 2 * 3, WIDTH)
    shift = torch.tensor([0.1, 0.0, 0.0])
    quarter = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    for other in (points + shift, points @ quarter.T, 2.0 * points):
        assert (made(other, None, tcp) - tokens).abs().max() > 1e-2
    # Also where the arm has been moved along with the scene, and where the arm alone was.
    assert (made(points + shift, None, tcp + shift) - tokens).abs().max() > 1e-2
    assert (made(points, None, tcp + shift) - tokens).abs().max() > 1e-2


@ENCODERS
@torch.no_grad()
def test_a_cloud_does_not_depend_on_the_others_of_its_batch(encoder: str) -> None:
    points, tcp = scene()
    made = stem(encoder)
    tokens = made(points, None, tcp)
    alone = made(points[1:, 1:], None, tcp[1:, 1:])
    assert torch.allclose(tokens[1:, 3:], alone, atol=1e-5)


@torch.no_grad()
def test_pointnet_does_not_see_the_order_of_points() -> None:
    points, tcp = scene()
    made = stem()
    order = torch.randperm(points.shape[2])
    assert torch.allclose(made(points[:, :, order], None, tcp), made(points, None, tcp), atol=1e-5)


@torch.no_grad()
def test_pointnext_does_not_see_the_order_of_what_is_no_centre() -> None:
    points, tcp = scene()
    made = stem("pointnext", stride=4, neighbours=32)
    order = torch.cat([torch.arange(8), 8 + torch.randperm(24)])
    assert torch.allclose(made(points[:, :, order], None, tcp), made(points, None, tcp), atol=1e-5)


@ENCODERS
@torch.no_grad()
def test_points_that_are_there_twice_change_little(encoder: str) -> None:
    points, tcp = scene()
    twice = torch.cat([points, points], 2)
    made = stem(encoder, stride=1, neighbours=8 if encoder == "pointnet" else 64)
    assert torch.allclose(made(twice, None, tcp), made(points, None, tcp), atol=1e-4)


@ENCODERS
@torch.no_grad()
def test_colour_is_seen_where_it_is_asked_for(encoder: str) -> None:
    points, tcp = scene()
    colours = torch.rand_like(points)
    with_colour, without = stem(encoder, colour=True), stem(encoder)
    tokens = with_colour(points, colours, tcp)
    assert (with_colour(points, 1.0 - colours, tcp) - tokens).abs().max() > 1e-2
    assert torch.equal(without(points, colours, tcp), without(points, None, tcp))
    with pytest.raises(ValueError, match="needs the colours"):
        with_colour(points, None, tcp)


@ENCODERS
@torch.no_grad()
def test_tokens_of_a_cloud_differ(encoder: str) -> None:
    points, tcp = scene()
    tokens = stem(encoder)(points, None, tcp)[:, :3]
    assert (torch.cdist(tokens, tokens) + torch.eye(3)).min() > 1e-3


@torch.no_grad()
def test_level_of_pointnext_keeps_the_first_points() -> None:
    level = SetAbstraction(4, 6, stride=4, radius=0.3, neighbours=5, blocks=2)
    points, features = torch.rand(2, 32, 3), torch.rand(2, 32, 4)
    centres, out = level(points, features)
    assert torch.equal(centres, points[:, :8]) and out.shape == (2, 8, 6)
    # Neighbourhoods are seen from their centres: the level alone does not know where it is.
    assert torch.allclose(level(points + 0.25, features)[1], out, atol=1e-4)
    far = points.clone()
    far[:, 31] += 5.0
    near = (torch.cdist(centres, points[:, 31:]) < 2.0).squeeze(-1)
    assert near.all() and not torch.allclose(level(far, features)[1], out, atol=1e-3)


@torch.no_grad()
def test_few_points_and_many_levels() -> None:
    made = stem("pointnext", widths=(8, 8, 8, 16), stride=4, blocks=1)
    points, tcp = scene(points=16)
    assert torch.isfinite(made(points, None, tcp)).all()


@torch.no_grad()
def test_a_state_is_one_token_per_step() -> None:
    made = StateStem(10, ModelSettings(width=WIDTH, heads=2))
    state = torch.randn(2, 3, 10)
    tokens = made(state)
    assert tokens.shape == (2, 3, WIDTH)
    assert torch.allclose(made(state[:, 1:2]), tokens[:, 1:2], atol=1e-6)


@torch.no_grad()
def test_words_past_the_end_are_not_read() -> None:
    made = LanguageStem(ModelSettings(width=WIDTH, heads=2, language_width=12, language_tokens=3))
    words = torch.randn(2, 6, 12)
    seen = torch.arange(6)[None] < torch.tensor([[6], [2]])
    tokens = made(words, seen)
    assert tokens.shape == (2, 3, WIDTH)
    assert torch.allclose(made(words[1:, :2], seen[1:, :2]), tokens[1:], atol=1e-5)
    swapped = made(words.flip(0), seen.flip(0))
    assert (swapped - tokens).abs().max() > 1e-3


@torch.no_grad()
def test_pictures_of_every_view() -> None:
    made = ImageStem(ModelSettings(width=WIDTH, heads=2))
    pictures = torch.rand(2, 3, 3, 16, 24)
    tokens = made(pictures)
    assert tokens.shape == (2, 3 * 4, WIDTH)
    assert torch.allclose(made(pictures[:, 1:2]), tokens[:, 4:8], atol=1e-5)
