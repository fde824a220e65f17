"""Noise of the depth pictures of a RealSense D435: what its stereo matching gets wrong.

A point at depth z is seen by two cameras, a baseline b apart, with a disparity of f b / z pixels.
An error of s pixels of it is one of s z^2 / (f b) of depth: Intel's formula of the RMS error of a
plane (Grunnet-Jepsen, Sweetser and Woodfill, "Best-Known-Methods for Tuning Intel RealSense D400
Depth Cameras for Best Performance"), where s is below 0.1 on a well textured target; the disparity
comes in steps of 1/32 pixel ("Subpixel Linearity Improvement", of the same). Ahn et al., "Analysis
and Noise Modeling of the Intel RealSense D435 for Mobile Robots" (2019), have measured such noise.

Matching works on blocks: neighbours share their errors, edges shift by pixels, and next to near
things a strip is seen by one camera only and has no depth. Surfaces at a grazing angle match badly.
Below its least distance there is nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Depth = NDArray[np.uint16]
MILLIMETRES = 1000.0


@dataclass(frozen=True)
class DepthNoise:
    """Of a stereo camera; pixels are those of its matching, not of the picture that is made.

    Attributes:
        baseline: m.
        focal: Of the pictures that are matched, pixels: 848 of them over 87 degrees.
        subpixel: RMS error of the disparity, pixels.
        step: Of the disparity, pixels: it is a fraction with five bits.
        block: How far neighbours share an error, pixels.
        edge: How far an edge may be from where it is, pixels.
        jump: Change of disparity that is an edge, pixels.
        grazing: Angle between ray and surface, rad, below which points begin to drop out.
        dropout: Share of points that drop out anywhere.
        nearest: m.
        farthest: m.
    """

    baseline: float = 0.050
    focal: float = 447.0
    subpixel: float = 0.08
    step: float = 1.0 / 32.0
    block: float = 3.0
    edge: float = 2.0
    jump: float = 2.0
    grazing: float = 0.26
    dropout: float = 0.001
    nearest: float = 0.17
    farthest: float = 10.0

    def applied(self, depth: Depth, focal: float, scale: float, rng: np.random.Generator) -> Depth:
        """A picture as the camera would have given it.

        Args:
            depth: (H, W) mm along the optical axis, 0 = nothing seen.
            focal: Of the picture, pixels.
            scale: Of every error; 1 = as described, 0 = the picture as it is. The steps of the
                disparity and what one camera does not see are the same at any other scale.
            rng: Source of every drawn number.

        Returns:
            (H, W) mm, 0 where there is no depth.
        """
        if scale <= 0.0 or not depth.size:
            return depth.copy()
        share = self.focal / focal  # pixels that are matched for one of the picture
        reach = self.focal * self.baseline
        block = max(self.block / share, 0.3)
        true = depth / MILLIMETRES
        lost = self._grazed(true, focal, scale, rng)
        moved = _moved(depth, 2.0 * block, 0.5 * self.edge / share * scale, rng) / MILLIMETRES
        z = np.where(self._near_edge(true, reach, self.edge / share), moved, true)
        seen = (z > self.nearest) & (z < self.farthest)
        disparity = np.where(seen, reach / np.where(seen, z, 1.0), 0.0)
        lost |= ~seen | self._shadowed(disparity, share)
        lost |= rng.random(z.shape) < self.dropout * scale
        noise = _smooth(rng, z.shape, block)
        noisy = np.round((disparity + self.subpixel * scale * noise) / self.step) * self.step
        lost |= noisy <= 0.0
        result = np.where(lost, 0.0, reach / np.where(lost, 1.0, noisy) * MILLIMETRES)
        return np.rint(np.clip(result, 0, np.iinfo(np.uint16).max)).astype(np.uint16)

    def _near_edge(self, z: Array, reach: float, distance: float) -> NDArray[np.bool_]:
        """Points within a distance (pixels) of where the disparity jumps."""
        disparity = reach / np.where(z > 0.0, z, self.farthest)
        kernel = np.ones([2 * int(np.ceil(distance)) + 1] * 2, dtype=np.uint8)
        change = cv2.dilate(disparity, kernel) - cv2.erode(disparity, kernel)
        return np.asarray(change > self.jump)

    def _shadowed(self, disparity: Array, share: float) -> NDArray[np.bool_]:
        """Where a nearer thing hides a point from the other camera, which is to the right.

        Matching keeps points in their order: what is behind a pole and would be on the other side
        of it there is lost too.
        """
        column = np.arange(disparity.shape[1]) * share
        there = np.where(disparity > 0.0, column - disparity, np.inf)
        # A point is hidden where one farther right in this picture is as far left in the other.
        least = np.minimum.accumulate(there[:, ::-1], axis=1)[:, ::-1]
        hidden = np.zeros(disparity.shape, dtype=bool)
        hidden[:, :-1] = there[:, :-1] > least[:, 1:] + self.jump
        return hidden

    def _grazed(
        self, z: Array, focal: float, scale: float, rng: np.random.Generator
    ) -> NDArray[np.bool_]:
        """Points of surfaces at a grazing angle: the flatter, the more of them drop out."""
        height, width = z.shape
        dv = np.gradient(z, axis=0) if height > 1 else np.zeros_like(z)
        du = np.gradient(z, axis=1) if width > 1 else np.zeros_like(z)
        v, u = np.mgrid[:height, :width]
        x, y = (u - 0.5 * (width - 1)) / focal, (v - 0.5 * (height - 1)) / focal
        # The normal of the surface z(u, v), up to its length.
        normal = np.stack([-focal * du, -focal * dv, z + x * focal * du + y * focal * dv])
        ray = np.stack([x, y, np.ones_like(x)])
        lengths = np.linalg.norm(normal, axis=0) * np.linalg.norm(ray, axis=0)
        sine = np.abs(np.sum(normal * ray, axis=0)) / np.maximum(lengths, 1e-12)
        chance = np.clip(1.0 - sine / np.sin(self.grazing), 0.0, 1.0) * min(scale, 1.0)
        return np.asarray(rng.random(z.shape) < chance)


def _smooth(rng: np.random.Generator, shape: tuple[int, int], block: float) -> Array:
    """Normal noise of variance 1 whose neighbours within a block are alike."""
    noise = cv2.GaussianBlur(rng.standard_normal(shape), (0, 0), block)
    return np.asarray(noise / max(float(noise.std()), 1e-12))


def _moved(depth: Depth, block: float, by: float, rng: np.random.Generator) -> Array:
    """The picture with every pixel fetched from a little way off, the same for a neighbourhood.

    The way has an RMS of ``by`` pixels along both axes.
    """
    height, width = depth.shape
    v, u = np.mgrid[:height, :width].astype(np.float64)
    u += by * _smooth(rng, depth.shape, block)
    v += by * _smooth(rng, depth.shape, block)
    rows = np.clip(np.rint(v), 0, height - 1).astype(int)
    columns = np.clip(np.rint(u), 0, width - 1).astype(int)
    return depth[rows, columns].astype(np.float64)
