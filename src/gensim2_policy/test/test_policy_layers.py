"""Building blocks: masks hide, learned queries differ, positions are told apart."""

from __future__ import annotations

import pytest
import torch
from gensim2_policy.layers import Attention, Block, Reduction, mlp, sinusoids
from torch import nn


def test_mlp_has_its_widths_and_ends_as_asked() -> None:
    closed, open_ = mlp(3, 5, 7), mlp(3, 5, 7, last=False)
    assert [m.out_features for m in closed if isinstance(m, nn.Linear)] == [5, 7]
    assert isinstance(closed[-1], nn.GELU) and isinstance(open_[-1], nn.Linear)
    assert sum(isinstance(m, nn.LayerNorm) for m in closed) == 2
    assert sum(isinstance(m, nn.LayerNorm) for m in open_) == 1
    assert open_(torch.zeros(2, 4, 3)).shape == (2, 4, 7)


def test_sinusoids_tell_positions_apart() -> None:
    codes = sinusoids(torch.arange(200), 32, 100.0)
    assert codes.shape == (200, 32)
    assert torch.allclose(codes[0], torch.cat([torch.zeros(16), torch.ones(16)]))
    assert torch.allclose(codes.square().sum(-1), torch.full((200,), 16.0))
    apart = torch.cdist(codes, codes) + 9.0 * torch.eye(200)
    assert apart.min() > 0.5


@torch.no_grad()
def test_attention_is_the_weighted_mean_of_the_values() -> None:
    attention = Attention(8, 2, context=6)
    x, context = torch.randn(2, 3, 8), torch.randn(2, 5, 6)
    keys, values = attention.key_value(context).chunk(2, -1)
    parts = []
    for head in range(2):
        part = slice(4 * head, 4 * head + 4)
        score = attention.query(x)[..., part] @ keys[..., part].mT / 4**0.5
        parts.append(score.softmax(-1) @ values[..., part])
    assert torch.allclose(attention(x, context), attention.out(torch.cat(parts, -1)), atol=1e-6)


def test_width_that_heads_cannot_share() -> None:
    with pytest.raises(ValueError, match="width 10 is no multiple of 4 heads"):
        Attention(10, 4)


@pytest.mark.parametrize("make", ["attention", "block", "cross", "reduction"])
@torch.no_grad()
def test_what_the_mask_hides_changes_nothing(make: str) -> None:
    context = torch.randn(2, 6, 8)
    seen = torch.tensor([[True] * 6, [True, True, True, False, False, False]])
    other = torch.where(seen[..., None], context, 100.0 * torch.randn(2, 6, 8))
    x = torch.randn(2, 3, 8)
    if make == "attention":
        layer = Attention(8, 2)
        run = lambda c, s: layer(x, c, s)  # noqa: E731
    elif make == "block":
        block = Block(8, 2)
        run = lambda c, s: block(c, seen=s) * seen[..., None]  # noqa: E731
    elif make == "cross":
        cross = Block(8, 2, context=True)
        run = lambda c, s: cross(x, c, s)  # noqa: E731
    else:
        reduction = Reduction(3, 8, 2, 8)
        run = lambda c, s: reduction(c, s)  # noqa: E731
    assert torch.allclose(run(context, seen), run(other, seen), atol=1e-5)
    assert not torch.allclose(run(context, None), run(other, None), atol=1e-3)


@torch.no_grad()
def test_block_with_a_context_looks_at_itself_and_at_it() -> None:
    block = Block(8, 2, context=True)
    x, context = torch.randn(1, 3, 8), torch.randn(1, 4, 8)
    plain = block(x, context)
    assert not torch.allclose(block(x, context + 1.0 * torch.randn(1, 4, 8)), plain)
    other = x.clone()
    other[:, 2] += torch.randn(8)
    assert not torch.allclose(block(other, context)[:, 0], plain[:, 0])


@torch.no_grad()
def test_tokens_of_a_reduction_differ() -> None:
    """The public policy's queries began at zero and had one key: its tokens were all the same."""
    tokens = Reduction(4, 8, 2, 6)(torch.randn(2, 10, 6))
    apart = torch.cdist(tokens, tokens) + 9.0 * torch.eye(4)
    assert tokens.shape == (2, 4, 8) and apart.min() > 1e-3
