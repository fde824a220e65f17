"""Building blocks of the networks: MLPs, attention with a mask, positions in time."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


def mlp(*widths: int, last: bool = True) -> nn.Sequential:
    """Linear layers with layer norm and GELU between them.

    Args:
        widths: Of the input and of every layer.
        last: Whether norm and activation follow the last layer too.
    """
    layers: list[nn.Module] = []
    for number, (n, m) in enumerate(pairwise(widths), 2):
        layers.append(nn.Linear(n, m))
        if last or number < len(widths):
            layers += [nn.LayerNorm(m), nn.GELU()]
    return nn.Sequential(*layers)


def sinusoids(positions: Tensor, width: int, longest: float = 1000.0) -> Tensor:
    """Encodes positions (...,) as (..., width) sines and cosines (Vaswani et al. 2017).

    Args:
        positions: Any numbers, for example steps.
        width: Even.
        longest: Wavelength of the slowest one, over 2 pi.
    """
    half = width // 2
    rate = torch.exp(-math.log(longest) * torch.arange(half, device=positions.device) / half)
    angles = positions[..., None] * rate
    return torch.cat([angles.sin(), angles.cos()], -1)


Projected = tuple[Tensor, Tensor]
"""Keys and values (B, heads, K, width of a head)."""


class Attention(nn.Module):
    """Multi-head attention of queries (B, Q, D) over a context (B, K, C)."""

    def __init__(self, width: int, heads: int, context: int | None = None) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is no multiple of {heads} heads")
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(context or width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, context: Tensor, seen: Tensor | None = None) -> Tensor:
        """Attends; ``seen`` (B, K) says which parts of the context are there."""
        return self.attend(x, self.project(context), seen)

    def project(self, context: Tensor) -> Projected:
        """Keys and values of a context, which may be attended to several times."""
        keys, values = self.key_value(context).chunk(2, -1)
        return self._split(keys), self._split(values)

    def attend(self, x: Tensor, context: Projected, seen: Tensor | None = None) -> Tensor:
        """Attends to a context of which `project` made keys and values."""
        mask = None if seen is None else seen[:, None, None, :]
        y = functional.scaled_dot_product_attention(
            self._split(self.query(x)), *context, attn_mask=mask
        )
        return self.out(y.transpose(1, 2).flatten(2))

    def _split(self, y: Tensor) -> Tensor:
        return y.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Block(nn.Module):
    """A pre-norm transformer block; with ``context`` it looks at that too, after itself."""

    def __init__(self, width: int, heads: int, context: bool = False, ratio: int = 4) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3 if context else 2))
        self.attention = Attention(width, heads)
        self.cross = Attention(width, heads) if context else None
        self.feed = nn.Sequential(
            nn.Linear(width, ratio * width), nn.GELU(), nn.Linear(ratio * width, width)
        )

    def forward(
        self, x: Tensor, context: Tensor | Projected | None = None, seen: Tensor | None = None
    ) -> Tensor:
        """Maps (B, T, D); ``seen`` belongs to the context, or to x where there is none."""
        y = self.norms[0](x)
        x = x + self.attention(y, y, seen if context is None else None)
        if self.cross is not None and context is not None:
            known = self.project(context) if isinstance(context, Tensor) else context
            x = x + self.cross.attend(self.norms[2](x), known, seen)
        return x + self.feed(self.norms[1](x))

    def project(self, context: Tensor) -> Projected:
        """Keys and values of a context, for `forward`."""
        if self.cross is None:
            raise ValueError("this block looks at no context")
        return self.cross.project(context)


class Reduction(nn.Module):
    """Reduces any number of tokens to a few: learned queries that attend to them (HPT)."""

    def __init__(self, tokens: int, width: int, heads: int, context: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(0.02 * torch.randn(tokens, width))
        self.norm = nn.LayerNorm(context)
        self.attention = Attention(width, heads, context)

    def forward(self, context: Tensor, seen: Tensor | None = None) -> Tensor:
        """(B, K, C) to (B, tokens, D)."""
        return self.queries + self._attend(self.norm(context), seen)

    def _attend(self, x: Tensor, seen: Tensor | None) -> Tensor:
        """What the attention gives, without keys and values of the whole context.

        The queries are few and the context is long, so keys are multiplied to the queries, and
        values to what is attended to. The offset of the keys is the same for the whole context, so
        that attention does not depend on it.
        """
        heads, tokens = self.attention.heads, len(self.queries)
        keys, values = self.attention.key_value.weight.chunk(2)
        query = self.attention.query(self.queries).unflatten(-1, (heads, -1))
        query = query.transpose(0, 1) * query.shape[-1] ** -0.5
        reach = (query @ keys.unflatten(0, (heads, -1))).flatten(0, 1)  # (heads * tokens, C)
        scores = reach @ x.mT
        if seen is not None:
            scores = scores.masked_fill(~seen[:, None], -torch.inf)
        share = scores.softmax(-1)
        if seen is not None:  # where nothing is there, nothing is heard
            share = share.masked_fill(~seen[:, None], 0.0)
        heard = (share.to(x.dtype) @ x).unflatten(1, (heads, tokens))
        offset = self.attention.key_value.bias.chunk(2)[1].reshape(heads, 1, -1)
        if seen is not None:
            offset = offset * seen.any(-1)[:, None, None, None]
        y = heard @ values.unflatten(0, (heads, -1)).mT + offset
        return self.attention.out(y.transpose(1, 2).flatten(2))
