"""Heads: the padding mask counts, samples solve what the head has learned, bounds hold."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from gensim2_policy.heads import (
    BOUND,
    CLEAN,
    HEADS,
    DiffusionHead,
    FlowHead,
    Head,
    masked_mean,
)
from gensim2_policy.settings import HeadSettings, ModelSettings
from hypothesis import given, settings
from hypothesis import strategies as st

H, A, D = 5, 3, 16
KINDS = pytest.mark.parametrize("kind", HEADS)


def head(kind: str, **changes: int) -> Head:
    steps: dict[str, Any] = {"kind": kind, "layers": 2, "steps": 4} | changes
    made = ModelSettings(width=D, heads=2, head=HeadSettings(**steps))
    return HEADS[kind](made, H, A)


def tokens(batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 6, D)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=H, max_size=H), min_size=1, max_size=4))
def test_masked_mean_is_the_mean_of_the_valid(rows: list[list[bool]]) -> None:
    valid = torch.tensor(rows)
    error = torch.rand(len(rows), H, A)
    mean = masked_mean(error, valid)
    expected = error[valid].mean() if valid.any() else torch.tensor(0.0)
    assert torch.allclose(mean, expected)


@KINDS
def test_loss_does_not_see_padding(kind: str) -> None:
    """The public policy made a mask and never used it."""
    made, context, actions = head(kind), tokens(), torch.randn(2, H, A)
    valid = torch.arange(H)[None] < torch.tensor([[H], [2]])

    def error(actions: torch.Tensor, valid: torch.Tensor = valid) -> torch.Tensor:
        """Of a network that says nothing, which makes the loss a mean over targets alone."""
        for name, parameter in made.named_parameters():
            if ".out." in name or name.startswith("layers.3"):
                torch.nn.init.zeros_(parameter)
        torch.manual_seed(3)
        return made.loss(context, actions, valid)

    padded = torch.where(valid[..., None], actions, actions + 7.0)
    plain = error(actions)
    assert torch.equal(error(padded), plain)
    assert not torch.allclose(error(actions, torch.ones_like(valid)), plain)
    if kind != "diffusion":  # whose target is the noise
        counted = torch.where(valid[..., None], actions + 7.0, actions)
        assert not torch.allclose(error(counted), plain)


@KINDS
def test_no_gradient_comes_from_padding(kind: str) -> None:
    made, context = head(kind), tokens()
    actions = torch.randn(2, H, A, requires_grad=True)
    valid = torch.arange(H)[None] < torch.tensor([[H], [2]])
    made.loss(context, actions, valid).backward()
    # What is asked of a valid step may be given by its neighbours; of one sample no other hears.
    assert actions.grad is not None and actions.grad[0].abs().min() > 0.0
    if kind in ("mlp", "decoder"):
        assert actions.grad[1, 2:].abs().max() == 0.0
    made.zero_grad()
    made.loss(context, actions.detach(), torch.zeros(2, H, dtype=torch.bool)).backward()
    assert all(p.grad is None or p.grad.abs().max() == 0.0 for p in made.parameters())


@KINDS
@torch.no_grad()
def test_samples_follow_from_tokens_and_noise(kind: str) -> None:
    made, context, noise = head(kind).eval(), tokens(), torch.randn(2, H, A)
    chunk = made.sample(context, noise)
    assert chunk.shape == (2, H, A)
    assert torch.equal(made.sample(context, noise), chunk)
    assert not torch.allclose(made.sample(context + torch.randn_like(context), noise), chunk)
    drawn = not torch.equal(made.sample(context, noise + 0.5), chunk)
    assert drawn == (kind in ("flow", "diffusion"))
    assert torch.allclose(made.sample(context[1:], noise[1:]), chunk[1:], atol=1e-5)


class Known(torch.nn.Module):
    """The field that a flow to one chunk, or the noise of one chunk, has."""

    def __init__(self, goal: torch.Tensor, keep: torch.Tensor | None = None) -> None:
        super().__init__()
        self.goal, self.keep = goal, keep
        self.times: list[float] = []

    def forward(self, noisy: torch.Tensor, time: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        self.times.append(float(time[0]))
        if self.keep is None:
            return (self.goal - noisy) / (1.0 - time[:, None, None])
        keep = self.keep[(time * len(self.keep)).round().long()][:, None, None]
        return (noisy - keep.sqrt() * self.goal) / (1.0 - keep).sqrt()

    def at(self, times: list[float], tokens: torch.Tensor) -> list[partial[torch.Tensor]]:
        """The same, at times that are known beforehand."""
        each = [torch.full((len(tokens),), time) for time in times]
        return [partial(self.forward, time=time, _=tokens) for time in each]


@pytest.mark.parametrize("steps", [1, 2, 8])
def test_flow_arrives_where_the_field_goes(steps: int) -> None:
    made = head("flow", steps=steps)
    assert isinstance(made, FlowHead)
    goal = torch.rand(2, H, A)
    known = Known(goal)
    made.add_module("field", known)
    assert torch.allclose(made.sample(tokens(), torch.randn(2, H, A)), goal, atol=1e-5)
    assert known.times == pytest.approx([i / steps for i in range(steps)])


@pytest.mark.parametrize("steps", [1, 2, 10, 100])
def test_diffusion_arrives_at_the_chunk_whose_noise_is_known(steps: int) -> None:
    made = head("diffusion", steps=steps)
    assert isinstance(made, DiffusionHead)
    goal = torch.rand(2, H, A)
    known = Known(goal, made.keep)
    made.add_module("field", known)
    assert torch.allclose(made.sample(tokens(), torch.randn(2, H, A)), goal, atol=1e-3)
    assert known.times[0] == pytest.approx(0.99) and known.times == sorted(known.times)[::-1]
    if steps > 1:
        assert known.times[-1] == 0.0


def test_schedule_of_diffusion_goes_from_clean_to_noise() -> None:
    keep = DiffusionHead(ModelSettings(head=HeadSettings(kind="diffusion")), H, A).keep
    assert len(keep) == 100 and keep[0] > 0.999 and keep[-1] < 1e-4
    assert (keep[1:] < keep[:-1]).all()


@pytest.mark.parametrize("kind", ["flow", "diffusion"])
@torch.no_grad()
def test_samples_stay_within_their_bound(kind: str) -> None:
    made = head(kind)
    for parameter in made.parameters():
        parameter.mul_(30.0)
    chunk = made.sample(tokens(), 10.0 * torch.randn(2, H, A))
    assert torch.isfinite(chunk).all() and chunk.abs().max() <= (
        CLEAN if kind == "diffusion" else BOUND
    )
    assert chunk.abs().max() >= 1.0


@KINDS
@torch.no_grad()
def test_steps_of_a_chunk_are_told_apart(kind: str) -> None:
    chunk = head(kind).sample(tokens(1), torch.zeros(1, H, A))
    assert (torch.cdist(chunk, chunk) + torch.eye(H)).min() > 1e-4
