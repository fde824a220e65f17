"""What PointNeXt does with the neighbours of a point: an MLP of one layer, and their maximum.

The plain way (join offsets and features of every neighbour, linear layer, layer norm, GELU,
maximum) spends its time moving large tensors. This one gives the same numbers, up to rounding:

* The layer is linear, so it is computed once per point and once per centre, and subtracted.
* GELU falls and then rises, so its maximum over a set is at the largest or the smallest member:
  only these two of every channel go through scale, offset and GELU.
* What lies between is done in parts that fit the cache, and made again for the gradient.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

_AT_ONCE = 2**18  # numbers that stay in the cache of a core


def grouped_maximum(
    layers: nn.Sequential,
    points: Tensor,
    features: Tensor,
    centres: Tensor,
    near: Tensor,
    radius: float,
) -> Tensor:
    """Maximum over neighbours of ``layers`` of their offsets (over the radius) and features.

    Args:
        layers: Linear, LayerNorm and GELU, of C + 3 numbers.
        points: (B, N, 3).
        features: (B, N, C).
        centres: (B, M, 3).
        near: (B, M, K), neighbours of each centre among the points.
        radius: In the unit of the points.

    Returns:
        (B, M, W).
    """
    linear, norm, _ = layers
    assert isinstance(linear, nn.Linear) and isinstance(norm, nn.LayerNorm)
    # Positions over the radius are large beside offsets: half precision would lose these.
    with torch.autocast(points.device.type, enabled=False):
        joined = torch.cat([points / radius, features.to(points.dtype)], -1).flatten(0, 1)
        # Of mean 0 over the channels, as the norm makes them.
        weight, bias = linear.weight - linear.weight.mean(0), linear.bias - linear.bias.mean()
        u = functional.linear(joined, weight, bias)
        v = functional.linear(centres.flatten(0, 1) / radius, weight[:, :3])
        first = points.shape[1] * torch.arange(len(near), device=near.device)
        rows = (near + first[:, None, None]).flatten(0, 1)
        if torch.is_grad_enabled():
            largest, smallest = _Extremes.apply(u, v, rows, norm.eps)
        else:
            largest, smallest = _extremes(u, v, rows, norm.eps)
        ends = (functional.gelu(x * norm.weight + norm.bias) for x in (largest, smallest))
        return torch.maximum(*ends).unflatten(0, centres.shape[:2])


def _parts(u: Tensor, rows: Tensor) -> Iterator[slice]:
    """Centres that are done at once."""
    if u.device.type != "cpu" or torch.compiler.is_compiling() or torch.jit.is_tracing():
        yield slice(None)
        return
    each = max(1, _AT_ONCE // (rows.shape[1] * u.shape[1]))
    for first in range(0, len(rows), each):
        yield slice(first, first + each)


def _normalised(u: Tensor, v: Tensor, rows: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Differences (Q, K, W) over their root mean square, and one over that (Q, K, 1)."""
    x = u.index_select(0, rows.flatten()).unflatten(0, rows.shape).sub_(v[:, None])
    square = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1])
    scale = square.add_(eps).rsqrt_()
    return x.mul_(scale), scale


def _extremes(u: Tensor, v: Tensor, rows: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """See `_Extremes`, without gradients."""
    largest, smallest = [], []
    for part in _parts(u, rows):
        x, _ = _normalised(u, v[part], rows[part], eps)
        largest.append(x.amax(1))
        smallest.append(x.amin(1))
    return torch.cat(largest), torch.cat(smallest)


class _Extremes(torch.autograd.Function):
    """Largest and smallest member of a channel over neighbours, of what a layer norm makes.

    Takes points u (P, W) and centres v (Q, W) of all clouds, of mean 0 over the channels, so that
    their differences have it too, and ``rows`` (Q, K), neighbours of each centre; gives (Q, W)
    twice. The gradient leaves out what is the same for all channels: it vanishes in the means that
    were taken off.
    """

    @staticmethod
    def forward(ctx, u, v, rows, eps):  # type: ignore[no-untyped-def]
        largest, smallest = _extremes(u, v, rows, eps)
        ctx.save_for_backward(u, v, rows, largest, smallest)
        ctx.eps = eps
        return largest, smallest

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx, d_largest, d_smallest):  # type: ignore[no-untyped-def]
        u, v, rows, largest, smallest = ctx.saved_tensors
        # Each channel has a gradient at one end: at both only where they are the same.
        chosen = torch.where(d_smallest != 0.0, smallest, largest)
        given = d_largest + d_smallest
        du, dv = torch.zeros_like(u), torch.empty_like(v)
        for part in _parts(u, rows):
            x, scale = _normalised(u, v[part], rows[part], ctx.eps)
            at = torch.eq(x, chosen[part][:, None], out=torch.empty_like(x))  # 1 or 0
            # The nearest fills up where neighbours are few: equal ones share the gradient.
            d = at.mul_((given[part] / at.sum(1).clamp_min_(1.0))[:, None])
            inner = (d * x).sum(-1, keepdim=True).div_(x.shape[-1])
            d = d.sub_(x.mul_(inner)).mul_(scale)
            dv[part] = d.sum(1).neg_()
            du.index_add_(0, rows[part].flatten(), d.flatten(0, 1))
        return du, dv, None, None
