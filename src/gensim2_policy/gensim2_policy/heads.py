"""Heads: what makes a chunk of actions of the tokens of the trunk.

Every head offers ``loss(tokens, actions, valid, draws)`` and ``sample(tokens, noise)``; actions are
normalised, (B, H, A). ``valid`` (B, H) says which steps the demonstration has; the others, past its
end, count for nothing.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from .layers import Block, Projected, mlp, sinusoids
from .settings import ModelSettings

BOUND = 5.0  # of what flow arrives at; demonstrations stay well within
CLEAN = 1.1  # of what diffusion takes for clean; demonstrations are within 1


def masked_mean(error: Tensor, valid: Tensor) -> Tensor:
    """Mean of an error (B, H, A) over the valid steps (B, H)."""
    weight = valid[..., None].to(error.dtype)
    return (error * weight).sum() / (weight.sum() * error.shape[-1]).clamp_min(1.0)


@dataclass(frozen=True)
class Draws:
    """What is drawn to learn from a batch; heads that say the one chunk need none.

    Attributes:
        noise: (B, H, A), normal.
        level: (B,), from 0 to below 1: how far a chunk is between noise and actions.
    """

    noise: Tensor
    level: Tensor

    @staticmethod
    def like(actions: Tensor) -> Draws:
        """Draws for actions (B, H, A), from PyTorch's own source of chance."""
        level = torch.rand(len(actions), dtype=actions.dtype, device=actions.device)
        return Draws(torch.randn_like(actions), level)


class Head(nn.Module, ABC):
    """See the module."""

    def __init__(self, horizon: int, actions: int) -> None:
        super().__init__()
        self.horizon, self.actions = horizon, actions

    @abstractmethod
    def loss(
        self, tokens: Tensor, actions: Tensor, valid: Tensor, draws: Draws | None = None
    ) -> Tensor:
        """The loss of a batch, a scalar; what it takes is drawn where it is not given."""

    @abstractmethod
    def sample(self, tokens: Tensor, noise: Tensor) -> Tensor:
        """A chunk (B, H, A); ``noise`` (B, H, A) is where it is drawn from."""


class MlpHead(Head):
    """Says the whole chunk at once, from the mean of the tokens."""

    def __init__(self, settings: ModelSettings, horizon: int, actions: int) -> None:
        super().__init__(horizon, actions)
        width = settings.width
        self.layers = mlp(width, 2 * width, horizon * actions, last=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T, D) to (B, H, A)."""
        return self.layers(tokens.mean(1)).reshape(-1, self.horizon, self.actions)

    def loss(
        self, tokens: Tensor, actions: Tensor, valid: Tensor, draws: Draws | None = None
    ) -> Tensor:
        """See ``Head``."""
        return masked_mean(
            functional.smooth_l1_loss(self(tokens), actions, reduction="none"), valid
        )

    def sample(self, tokens: Tensor, noise: Tensor) -> Tensor:
        """See ``Head``."""
        return self(tokens)


class ChunkDecoder(nn.Module):
    """Blocks over the steps of a chunk that look at the tokens; the steps know their time."""

    def __init__(self, settings: ModelSettings, horizon: int, actions: int) -> None:
        super().__init__()
        width, layers = settings.width, settings.head.layers
        self.steps = nn.Parameter(sinusoids(torch.arange(horizon), width, 100.0))
        self.blocks = nn.ModuleList(
            Block(width, settings.heads, context=True) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, actions)

    def project(self, tokens: Tensor) -> list[Projected]:
        """What each block attends to of the tokens."""
        return [block.project(tokens) for block in self._blocks()]

    def _blocks(self) -> list[Block]:
        return [block for block in self.blocks if isinstance(block, Block)]

    def forward(self, x: Tensor | float, tokens: Tensor | list[Projected]) -> Tensor:
        """Adds ``x`` (B, H, D) to the steps, and maps them to (B, H, A)."""
        context = self.project(tokens) if isinstance(tokens, Tensor) else tokens
        y = (self.steps + x).expand(len(context[0][0]), -1, -1)
        for block, known in zip(self._blocks(), context, strict=True):
            y = block(y, known)
        return self.out(self.norm(y))


class DecoderHead(Head):
    """Says the chunk step by step, each of which attends to the tokens (as ACT does)."""

    def __init__(self, settings: ModelSettings, horizon: int, actions: int) -> None:
        super().__init__(horizon, actions)
        self.decoder = ChunkDecoder(settings, horizon, actions)

    def loss(
        self, tokens: Tensor, actions: Tensor, valid: Tensor, draws: Draws | None = None
    ) -> Tensor:
        """See ``Head``."""
        error = functional.smooth_l1_loss(self.decoder(0.0, tokens), actions, reduction="none")
        return masked_mean(error, valid)

    def sample(self, tokens: Tensor, noise: Tensor) -> Tensor:
        """See ``Head``."""
        return self.decoder(0.0, tokens)


class Denoiser(nn.Module):
    """What diffusion and flow learn: a field over noisy chunks, given the tokens and the time."""

    def __init__(self, settings: ModelSettings, horizon: int, actions: int) -> None:
        super().__init__()
        self.width = settings.width
        self.action = nn.Linear(actions, settings.width)
        self.time = mlp(settings.width, settings.width, settings.width, last=False)
        self.decoder = ChunkDecoder(settings, horizon, actions)

    def forward(self, noisy: Tensor, time: Tensor, tokens: Tensor) -> Tensor:
        """(B, H, A) at times (B,) within 0 to 1 to (B, H, A)."""
        time_token = self.time_tokens(time)
        context = torch.cat([tokens, time_token], 1)
        return self.decoder(self.action(noisy) + time_token, context)

    def time_tokens(self, time: Tensor) -> Tensor:
        """Times (B,) as tokens (B, 1, D)."""
        return self.time(sinusoids(1000.0 * time, self.width, 10_000.0))[:, None]

    def at(self, times: Sequence[float], tokens: Tensor) -> list[Callable[[Tensor], Tensor]]:
        """The field at times that are the same for the whole batch, of noisy chunks (B, H, A).

        What the blocks attend to is the same at all times, but for the time: it is made once.
        """
        time_tokens = self.time_tokens(
            torch.tensor(times, dtype=self.decoder.steps.dtype, device=tokens.device)
        )
        context = self.decoder.project(tokens)
        context_times = self.decoder.project(time_tokens)

        def field(number: int, noisy: Tensor) -> Tensor:
            known = [
                (_joined(keys, more[number]), _joined(values, others[number]))
                for (keys, values), (more, others) in zip(context, context_times, strict=True)
            ]
            return self.decoder(self.action(noisy) + time_tokens[number], known)

        return [partial(field, number) for number in range(len(times))]


def _joined(known: Tensor, more: Tensor) -> Tensor:
    """Keys or values (B, heads, K, d) with those (heads, 1, d) of one more token."""
    return torch.cat([known, more.expand(len(known), -1, -1, -1)], 2)


class FlowHead(Head):
    """Flow matching (Lipman et al. 2023): straight ways from noise (time 0) to actions (time 1)."""

    def __init__(self, settings: ModelSettings, horizon: int, actions: int) -> None:
        super().__init__(horizon, actions)
        self.steps = settings.head.steps
        self.field = Denoiser(settings, horizon, actions)

    def loss(
        self, tokens: Tensor, actions: Tensor, valid: Tensor, draws: Draws | None = None
    ) -> Tensor:
        """See ``Head``."""
        drawn = draws or Draws.like(actions)
        noise, time = drawn.noise, drawn.level
        share = time[:, None, None]
        moved = self.field((1.0 - share) * noise + share * actions, time, tokens)
        return masked_mean((moved - (actions - noise)).square(), valid)

    def sample(self, tokens: Tensor, noise: Tensor) -> Tensor:
        """See ``Head``."""
        x, dt = noise, 1.0 / self.steps
        for field in self.field.at([step * dt for step in range(self.steps)], tokens):
            x = x + dt * field(x)
        return x.clamp(-BOUND, BOUND)


class DiffusionHead(Head):
    """Diffusion with a squared-cosine schedule (Nichol and Dhariwal 2021), noise predicted.

    It is trained over all steps (DDPM) and sampled in few, without new noise (DDIM, Song et al.
    2021): the same noise gives the same chunk. The first steps magnify every error of the network,
    and what they take for clean is where the others go on from: hence a narrow bound of it.
    """

    keep: Tensor

    def __init__(self, settings: ModelSettings, horizon: int, actions: int) -> None:
        super().__init__(horizon, actions)
        head = settings.head
        self.steps, self.train_steps = head.steps, head.train_steps
        self.field = Denoiser(settings, horizon, actions)
        at = torch.arange(head.train_steps + 1, dtype=torch.float64) / head.train_steps
        level = torch.cos((at + 0.008) / 1.008 * math.pi / 2.0).square()
        betas = (1.0 - level[1:] / level[:-1]).clamp_max(0.999)
        self.register_buffer("keep", torch.cumprod(1.0 - betas, 0).float(), persistent=False)

    def loss(
        self, tokens: Tensor, actions: Tensor, valid: Tensor, draws: Draws | None = None
    ) -> Tensor:
        """See ``Head``."""
        drawn = draws or Draws.like(actions)
        noise, step = drawn.noise, (drawn.level * self.train_steps).long()
        keep = self.keep[step][:, None, None]
        noisy = keep.sqrt() * actions + (1.0 - keep).sqrt() * noise
        guess = self.field(noisy, step / self.train_steps, tokens)
        return masked_mean((guess - noise).square(), valid)

    def sample(self, tokens: Tensor, noise: Tensor) -> Tensor:
        """See ``Head``."""
        x = noise
        steps = torch.linspace(self.train_steps - 1, 0, self.steps).round().long().tolist()
        fields = self.field.at([step / self.train_steps for step in steps], tokens)
        for number, (step, field) in enumerate(zip(steps, fields, strict=True)):
            keep = self.keep[step]
            guess = field(x)
            clean = ((x - (1.0 - keep).sqrt() * guess) / keep.sqrt()).clamp(-CLEAN, CLEAN)
            if number + 1 == len(steps):
                return clean
            # The noise that agrees with what was bounded.
            guess = (x - keep.sqrt() * clean) / (1.0 - keep).sqrt()
            after = self.keep[steps[number + 1]]
            x = after.sqrt() * clean + (1.0 - after).sqrt() * guess
        return x


HEADS: dict[str, type[MlpHead] | type[DecoderHead] | type[FlowHead] | type[DiffusionHead]] = {
    "mlp": MlpHead,
    "decoder": DecoderHead,
    "flow": FlowHead,
    "diffusion": DiffusionHead,
}
