"""What is computed once or in another order gives what the plain way gives."""

from __future__ import annotations

import pytest
import torch
from gensim2_policy.heads import DiffusionHead, FlowHead
from gensim2_policy.layers import Attention, Reduction
from gensim2_policy.settings import make_settings
from gensim2_policy.stems import CloudStem

BATCH, LENGTH, CONTEXT, WIDTH, TOKENS, HEADS = 3, 20, 24, 32, 4, 2


def plain(reduction: Reduction, context: torch.Tensor, seen: torch.Tensor | None) -> torch.Tensor:
    """Learned queries that attend to keys and values of the whole context."""
    queries = reduction.queries.expand(len(context), -1, -1)
    return queries + reduction.attention(queries, reduction.norm(context), seen)


@pytest.mark.parametrize("masked", [False, True])
def test_a_reduction_attends(masked: bool) -> None:
    """Values and gradients, with words that are not there and an instruction without any."""
    torch.manual_seed(0)
    reduction = Reduction(TOKENS, WIDTH, HEADS, CONTEXT).double()
    context = torch.randn(BATCH, LENGTH, CONTEXT, dtype=torch.float64)
    seen = torch.arange(LENGTH) < torch.tensor([[LENGTH], [7], [0]]) if masked else None
    weight = torch.randn(BATCH, TOKENS, WIDTH, dtype=torch.float64)
    results = []
    for fast in (True, False):
        reduction.zero_grad()
        own = context.clone().requires_grad_()
        out = reduction(own, seen) if fast else plain(reduction, own, seen)
        (out * weight).sum().backward()
        results.append([out.detach(), own.grad, *[p.grad.clone() for p in reduction.parameters()]])  # type: ignore[union-attr]
    for value, expected in zip(*results, strict=True):
        torch.testing.assert_close(value, expected, rtol=1e-10, atol=1e-10)


def test_what_is_not_there_is_not_heard() -> None:
    """Changing it changes nothing."""
    reduction = Reduction(TOKENS, WIDTH, HEADS, CONTEXT)
    context = torch.randn(BATCH, LENGTH, CONTEXT)
    seen = torch.arange(LENGTH) < torch.tensor([[LENGTH], [7], [1]])
    other = torch.where(seen[..., None], context, 9.0)
    assert torch.equal(reduction(context, seen), reduction(other, seen))
    assert not torch.equal(reduction(context), reduction(other))


@pytest.mark.parametrize("kind", ["flow", "diffusion"])
def test_a_chunk_is_what_the_field_says_step_by_step(kind: str) -> None:
    """Attention to the tokens is made once for all steps of inference."""
    settings = make_settings("ppt-tiny", [f"model.head.kind={kind}"]).model
    torch.manual_seed(0)
    head = {"flow": FlowHead, "diffusion": DiffusionHead}[kind](settings, 16, 10).double()
    tokens = torch.randn(BATCH, 5, settings.width, dtype=torch.float64)
    noisy = torch.randn(BATCH, 16, 10, dtype=torch.float64)
    times = [0.0, 0.25, 0.9]
    for field, time in zip(head.field.at(times, tokens), times, strict=True):
        same = torch.full((BATCH,), time, dtype=torch.float64)
        torch.testing.assert_close(field(noisy), head.field(noisy, same, tokens))


def test_a_context_may_be_projected_before() -> None:
    """Keys and values that are kept are those of the context."""
    attention = Attention(WIDTH, HEADS, CONTEXT)
    x, context = torch.randn(BATCH, 6, WIDTH), torch.randn(BATCH, LENGTH, CONTEXT)
    assert torch.equal(attention.attend(x, attention.project(context)), attention(x, context))


@pytest.mark.parametrize("encoder", ["pointnet", "pointnext"])
def test_clouds_do_not_depend_on_each_other(encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are done at once."""
    settings = make_settings("ppt-tiny", [f"model.cloud.encoder={encoder}"]).model
    torch.manual_seed(0)
    stem = CloudStem(settings).double()
    points = 0.3 * torch.rand(BATCH, 2, 64, 3, dtype=torch.float64)
    tcp = points.mean(2)
    together = stem(points, None, tcp)
    for points_at_once in (1, 128, 200):
        monkeypatch.setattr(CloudStem, "AT_ONCE", points_at_once)
        torch.testing.assert_close(stem(points, None, tcp), together)
    alone = torch.cat([stem(points[i : i + 1], None, tcp[i : i + 1]) for i in range(BATCH)])
    torch.testing.assert_close(alone, together)
