"""Operations on sets of points: sampling, neighbours, gathering.

Shapes: clouds are (B, N, 3), features (B, N, C), indices (B, M) or (B, M, K). Where PyTorch3D is
installed (requirements group ``gpu``) and the tensors are on a GPU its kernels are used; elsewhere
equal ones in plain PyTorch, which a test compares.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
import torch
from torch import Tensor

try:
    from pytorch3d import ops as _pytorch3d
except ImportError:
    _pytorch3d = None


def _kernels(points: Tensor) -> ModuleType | None:
    """PyTorch3D, where it is of use: its kernels for the CPU are slower than ours."""
    return _pytorch3d if points.is_cuda else None


def gather(values: Tensor, index: Tensor) -> Tensor:
    """Picks rows.

    Args:
        values: (B, N, C).
        index: (B, M) or (B, M, K), rows of each cloud.

    Returns:
        (B, M, C) or (B, M, K, C).
    """
    flat = index.reshape(len(index), -1, 1).expand(-1, -1, values.shape[-1])
    return values.gather(1, flat).reshape(*index.shape, values.shape[-1])


def farthest_points(points: Tensor, count: int) -> Tensor:
    """Indices (B, count) of a farthest-point sample that begins with the first point.

    Args:
        points: (B, N, 3).
        count: At most N.

    Raises:
        ValueError: More points are wanted than there are.
    """
    if not 0 < count <= points.shape[1]:
        raise ValueError(f"{count} of {points.shape[1]} points")
    kernels = _kernels(points)
    if kernels is not None:
        return kernels.sample_farthest_points(points, K=count)[1]
    index = torch.zeros(len(points), count, dtype=torch.long, device=points.device)
    nearest = torch.full(points.shape[:2], torch.inf, dtype=points.dtype, device=points.device)
    for i in range(1, count):
        last = gather(points, index[:, i - 1 : i])
        nearest = torch.minimum(nearest, (points - last).square().sum(-1))
        index[:, i] = nearest.argmax(1)
    return index


def ball_neighbours(centres: Tensor, points: Tensor, radius: float, count: int) -> Tensor:
    """Indices (B, M, count) of points within a radius of each centre.

    The nearest ``count`` are taken; where there are fewer, the nearest one fills up, as if it were
    there several times, which changes no maximum.

    Args:
        centres: (B, M, 3).
        points: (B, N, 3).
        radius: In the unit of the points.
        count: Neighbours of each centre.
    """
    count = min(count, points.shape[1])
    kernels = _kernels(points)
    if kernels is not None:
        found = kernels.knn_points(centres, points, K=count, return_sorted=True)
        distance, index = found.dists, found.idx
    else:
        # In half precision the differences of squares would be off by more than a radius.
        with torch.autocast(points.device.type, enabled=False):
            squares = centres.square().sum(-1)[:, :, None] + points.square().sum(-1)[:, None]
            table = squares - 2.0 * centres @ points.mT
        distance, index = _smallest(table, count)
    nearest = index.gather(-1, distance.argmin(-1, keepdim=True))
    return torch.where(distance <= radius * radius, index, nearest)


def _smallest(table: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The smallest numbers of each row of (B, M, N), and where they are; in any order."""
    plain = torch.compiler.is_compiling() or torch.jit.is_tracing()
    if plain or table.device.type != "cpu" or count == table.shape[-1]:
        found = table.topk(count, dim=-1, largest=False, sorted=False)
        return found.values, found.indices
    # NumPy picks them in a third of the time.
    parted = np.argpartition(table.detach().numpy(), count - 1, axis=-1)[..., :count]
    index = torch.from_numpy(np.ascontiguousarray(parted))
    return table.gather(-1, index), index
