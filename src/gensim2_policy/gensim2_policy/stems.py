"""Stems: what turns one modality into tokens, which all have the width of the trunk."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from .grouping import grouped_maximum
from .layers import Reduction, mlp
from .point_ops import ball_neighbours
from .settings import CloudSettings, ModelSettings


class PointNet(nn.Module):
    """A light PointNet (Qi et al. 2017): every point by itself, features (B, N, C) out."""

    def __init__(self, channels: int, settings: CloudSettings) -> None:
        super().__init__()
        self.layers = mlp(channels, *settings.widths)
        self.width = settings.widths[-1]

    def forward(self, points: Tensor, features: Tensor) -> Tensor:
        """Maps points (B, N, 3) with features (B, N, C) to features (B, N, width)."""
        return self.layers(features)


class SetAbstraction(nn.Module):
    """A level of PointNeXt (Qian et al. 2022): sample, group, map, take the maximum; residual.

    The points lie in the order of a farthest-point sample, so that the first ones are the sample.
    """

    def __init__(
        self, channels: int, width: int, stride: int, radius: float, neighbours: int, blocks: int
    ) -> None:
        super().__init__()
        self.stride, self.radius, self.neighbours = stride, radius, neighbours
        self.group = mlp(channels + 3, width)
        self.skip = nn.Linear(channels, width)
        self.blocks = nn.ModuleList(InvertedBlock(width, radius, neighbours) for _ in range(blocks))

    def forward(self, points: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B, N, 3) and (B, N, C) to (B, N / stride, 3) and (B, N / stride, width)."""
        centres = points[:, : max(1, points.shape[1] // self.stride)]
        near = ball_neighbours(centres, points, self.radius, self.neighbours)
        grouped = grouped_maximum(self.group, points, features, centres, near, self.radius)
        out = grouped + self.skip(features[:, : centres.shape[1]])
        for block in self.blocks:
            out = block(centres, out)
        return centres, out


class InvertedBlock(nn.Module):
    """The inverted residual MLP of PointNeXt: neighbours first, then a wide MLP on each point."""

    def __init__(self, width: int, radius: float, neighbours: int, ratio: int = 4) -> None:
        super().__init__()
        self.radius, self.neighbours = 2.0 * radius, neighbours
        self.group = mlp(width + 3, width)
        self.wide = nn.Sequential(
            nn.Linear(width, ratio * width), nn.GELU(), nn.Linear(ratio * width, width)
        )

    def forward(self, points: Tensor, features: Tensor) -> Tensor:
        """(B, N, 3) and (B, N, width) to (B, N, width)."""
        near = ball_neighbours(points, points, self.radius, self.neighbours)
        local = grouped_maximum(self.group, points, features, points, near, self.radius)
        return features + self.wide(local)


class PointNext(nn.Module):
    """A PointNeXt encoder: an MLP on each point, then levels of set abstraction."""

    def __init__(self, channels: int, settings: CloudSettings) -> None:
        super().__init__()
        first, *rest = settings.widths
        self.first = mlp(channels, first)
        levels, radius, width = [], settings.radius, first
        for wider in rest:
            levels.append(
                SetAbstraction(
                    width, wider, settings.stride, radius, settings.neighbours, settings.blocks
                )
            )
            width, radius = wider, radius * settings.growth
        self.levels = nn.ModuleList(levels)
        self.width = width

    def forward(self, points: Tensor, features: Tensor) -> Tensor:
        """Maps points (B, N, 3) with features (B, N, C) to features (B, M, width)."""
        features = self.first(features)
        for level in self.levels:
            points, features = level(points, features)
        return features


class CloudStem(nn.Module):
    """Tokens of point clouds.

    Every point is described by where it is in ``base`` and as seen from the TCP (both over 0.5 m),
    and by its colour where that is asked for. Every token hears of the whole cloud: of its maximum
    over all points, and by attention.
    """

    SCALE = 0.5  # m
    AT_ONCE = 8192  # points

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        cloud = settings.cloud
        channels = 6 + 3 * cloud.colour
        encoder = PointNext if cloud.encoder == "pointnext" else PointNet
        self.colour = cloud.colour
        self.encoder = encoder(channels, cloud)
        self.whole = nn.Linear(self.encoder.width, settings.width)
        self.reduction = Reduction(cloud.tokens, settings.width, settings.heads, self.encoder.width)

    def forward(self, points: Tensor, colours: Tensor | None, tcp: Tensor) -> Tensor:
        """Tokens (B, S * tokens, D) of clouds.

        Args:
            points: (B, S, N, 3), m in base.
            colours: (B, S, N, 3), 0 to 1; None = not used.
            tcp: (B, S, 3), m in base.
        """
        batch = len(points)
        seen_from_tcp = points - tcp[:, :, None]
        parts = [points / self.SCALE, seen_from_tcp / self.SCALE]
        if self.colour:
            if colours is None:
                raise ValueError("the policy needs the colours of the points")
            parts.append(2.0 * colours - 1.0)
        features = torch.cat(parts, -1).flatten(0, 1)
        clouds = points.flatten(0, 1)
        # In parts that are small enough to stay in the cache of a CPU from layer to layer.
        whole = clouds.device.type != "cpu" or torch.compiler.is_compiling()
        each = len(clouds) if whole else max(1, self.AT_ONCE // clouds.shape[1])
        split = zip(clouds.split(each), features.split(each), strict=True)
        tokens = torch.cat([self._tokens(*part) for part in split])
        return tokens.reshape(batch, -1, tokens.shape[-1])

    def _tokens(self, points: Tensor, features: Tensor) -> Tensor:
        """Tokens (B, tokens, D) of clouds (B, N, 3) with features (B, N, C)."""
        local = self.encoder(points, features)
        return self.reduction(local) + self.whole(local.amax(1))[:, None]


class StateStem(nn.Module):
    """One token of the proprioceptive state per step."""

    def __init__(self, state: int, settings: ModelSettings) -> None:
        super().__init__()
        self.layers = mlp(state, settings.width, settings.width, last=False)

    def forward(self, state: Tensor) -> Tensor:
        """(B, S, state), normalised, to (B, S, D)."""
        return self.layers(state)


class LanguageStem(nn.Module):
    """Tokens of an instruction, from the embeddings of a frozen encoder."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.reduction = Reduction(
            settings.language_tokens, settings.width, settings.heads, settings.language_width
        )

    def forward(self, words: Tensor, seen: Tensor) -> Tensor:
        """(B, L, E) with mask (B, L) to (B, tokens, D)."""
        return self.reduction(words, seen)


class ImageStem(nn.Module):
    """Tokens of colour pictures: a small residual network whose cells are reduced."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        widths = settings.image.widths
        layers: list[nn.Module] = [
            nn.Conv2d(3, widths[0], 7, 2, 3),
            nn.GroupNorm(8, widths[0]),
            nn.GELU(),
        ]
        layers += [ResidualCell(n, m) for n, m in pairwise(widths)]
        self.layers = nn.Sequential(*layers)
        self.reduction = Reduction(
            settings.image.tokens, settings.width, settings.heads, widths[-1]
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, V, 3, H, W), 0 to 1, of V views to (B, V * tokens, D)."""
        cells = self.layers(2.0 * pictures.flatten(0, 1) - 1.0).flatten(2).mT
        tokens = self.reduction(cells)
        return tokens.reshape(len(pictures), -1, tokens.shape[-1])


class ResidualCell(nn.Module):
    """Two convolutions beside a shortcut (He et al. 2015), with group norm; halves the picture."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 3, 2, 1),
            nn.GroupNorm(8, width),
            nn.GELU(),
            nn.Conv2d(width, width, 3, 1, 1),
            nn.GroupNorm(8, width),
        )
        self.short = nn.Conv2d(channels, width, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, width, H / 2, W / 2)."""
        return torch.nn.functional.gelu(self.layers(x) + self.short(x))
