"""Pictures of an episode: a contact sheet of the clouds and images, and a plot of the joints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from gensim2_episodes.reader import EpisodeReader
from gensim2_episodes.viewpoint import Viewpoint

TIMES = 8
"""Moments on a contact sheet."""

VIEWS = (
    Viewpoint("from the front", eye=(1.75, -1.15, 1.0), target=(0.5, 0.0, 0.2), field=0.7),
    Viewpoint("from the side", eye=(0.5, -2.0, 0.45), target=(0.5, 0.0, 0.2), field=0.7),
)

_COLUMNS = 4
_DPI = 110
_PANEL = 3.5  # inch
_HEAD = 0.75  # inch
_FOOT = 0.4  # inch
_BACKGROUND = "#aab4bf"
_GRID = "#c3cbd4"
_POINT = 0.0055  # m, radius of a drawn point of the cloud
_TRIAD = 0.07  # m
_AXIS_COLOURS = ("#d62728", "#2ca02c", "#1f77b4")
_PATH_COLOUR = "#ffb000"
_COMMANDED: dict[str, Any] = {"color": "#d1495b", "lw": 1.0, "ls": "--"}
_MEASURED: dict[str, Any] = {"color": "#1f4e79", "lw": 1.3}


def save_contact_sheet(reader: EpisodeReader, path: Path) -> None:
    """Draws clouds from two sides, and images where there are any, at eight moments.

    Shown in `base`: the cloud in its colours, the path of the TCP (strong = so far) with its axes
    now (x red, y green, z blue), the keypoints, and a grid of 0.1 m on the table.

    Raises:
        StoreError: An array cannot be read.
        OSError: The picture cannot be written.
    """
    moments = np.unique(np.linspace(0, len(reader) - 1, TIMES).round().astype(int))
    columns = min(_COLUMNS, len(moments))
    blocks = -(-len(moments) // columns)
    shapes = [reader.manifest.arrays[f"image/{camera}"].shape for camera in reader.cameras]
    heights = [1.0 for _ in VIEWS] + [shape[0] / shape[1] for shape in shapes]
    rows = len(heights)
    width, height = columns * _PANEL, blocks * sum(heights) * _PANEL + _HEAD + _FOOT
    figure = Figure(figsize=(width, height), dpi=_DPI, facecolor="white")
    grid = figure.subplots(
        blocks * rows,
        columns,
        squeeze=False,
        gridspec_kw={
            "height_ratios": heights * blocks,
            "left": 0.004,
            "right": 0.996,
            "bottom": _FOOT / height,
            "top": 1 - _HEAD / height,
            "wspace": 0.01,
            "hspace": 0.01,
        },
    )
    tcp, keypoints = reader.tcp_pose, reader.keypoints
    views = _views(reader, moments)
    for panel in grid.flat:
        panel.set_axis_off()
    for number, frame in enumerate(moments):
        block, column = divmod(number, columns)
        panels = grid[block * rows : (block + 1) * rows, column]
        for view, panel in zip(views, panels, strict=False):
            _draw_scene(panel, view, reader, int(frame), tcp, keypoints)
        for camera, panel in zip(reader.cameras, panels[len(VIEWS) :], strict=True):
            panel.imshow(reader.images(camera, int(frame)), aspect="auto")
            _caption(panel, camera)
        _caption(panels[0], _moment_text(reader, int(frame)), top=True)
    _head(figure, reader, height)
    _legend(figure, reader)
    _save(figure, path)


def _views(reader: EpisodeReader, moments: NDArray[np.int_]) -> list[Viewpoint]:
    """The views, moved so that everything that is drawn can be seen."""
    points: list[NDArray[Any]] = [reader.tcp_pose[:, :3]]
    if reader.keypoints is not None:
        points.append(reader.keypoints[moments].reshape(-1, 3))
    if reader.has_cloud:
        points += [reader.cloud(int(frame))[0] for frame in moments]
    return [view.fitted(np.concatenate(points)) for view in VIEWS]


def _draw_scene(
    panel: Axes,
    view: Viewpoint,
    reader: EpisodeReader,
    frame: int,
    tcp: NDArray[np.float64],
    keypoints: NDArray[np.float32] | None,
) -> None:
    panel.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal")
    panel.set_axis_on()
    panel.set(xticks=[], yticks=[], facecolor=_BACKGROUND)
    for side in panel.spines.values():
        side.set_visible(False)
    _draw_table(panel, view)
    if reader.has_cloud:
        xyz, rgb = reader.cloud(frame)
        order = np.argsort(-view.depth(xyz))
        where, scale = view.project(xyz[order])
        # Radius in points: half the panel is 1 in the drawing and _PANEL / 2 inches on paper.
        radius = _POINT * scale * _PANEL / 2 * 72
        panel.scatter(where[:, 0], where[:, 1], s=4 * radius**2, c=rgb[order] / 255, lw=0, zorder=2)
    _draw_path(panel, view, tcp[:, :3], frame)
    _draw_triad(panel, view, tcp[frame])
    if keypoints is not None:
        where, _ = view.project(keypoints[frame])
        colours = _keypoint_colours(len(where))
        panel.scatter(
            where[:, 0], where[:, 1], s=30, c=colours, edgecolors="black", lw=0.8, zorder=6
        )
    _caption(panel, view.name)


def _draw_table(panel: Axes, view: Viewpoint) -> None:
    xs, ys = np.arange(0.0, 1.25, 0.1), np.arange(-0.6, 0.65, 0.1)
    along_y = [[(x, ys[0], 0.0), (x, ys[-1], 0.0)] for x in xs]
    along_x = [[(xs[0], y, 0.0), (xs[-1], y, 0.0)] for y in ys]
    lines, _ = view.project(np.array(along_y + along_x))
    panel.add_collection(LineCollection(list(lines), colors=_GRID, lw=0.7, zorder=1))


def _draw_path(panel: Axes, view: Viewpoint, path: NDArray[np.float64], frame: int) -> None:
    where, _ = view.project(path)
    panel.plot(*where[frame:].T, color=_PATH_COLOUR, lw=1.0, alpha=0.6, zorder=3)
    outline = [Stroke(linewidth=3.2, foreground="#00000090"), Normal()]
    panel.plot(*where[: frame + 1].T, color=_PATH_COLOUR, lw=1.8, zorder=4, path_effects=outline)


def _draw_triad(panel: Axes, view: Viewpoint, pose: NDArray[np.float64]) -> None:
    rotation = Rotation.from_quat(pose[3:]).as_matrix()
    for axis, colour in enumerate(_AXIS_COLOURS):
        ends = np.stack([pose[:3], pose[:3] + _TRIAD * rotation[:, axis]])
        where, _ = view.project(ends)
        panel.plot(*where.T, color=colour, lw=2.4, solid_capstyle="round", zorder=5)


def _caption(panel: Axes, text: str, top: bool = False) -> None:
    panel.text(
        0.02,
        0.975 if top else 0.025,
        text,
        transform=panel.transAxes,
        va="top" if top else "bottom",
        fontsize=10 if top else 8,
        weight="bold" if top else "normal",
        color="#111111" if top else "#303840",
        bbox={"facecolor": "white", "alpha": 0.65, "lw": 0, "pad": 2.0},
        zorder=9,
    )


def _moment_text(reader: EpisodeReader, frame: int) -> str:
    text = f"{reader.read('time', frame):.1f} s"
    if reader.openness is None:
        return text
    values = np.atleast_1d(reader.read("truth/openness", frame))
    return f"{text}   openness {', '.join(f'{value:.2f}' for value in values)}"


def _head(figure: Figure, reader: EpisodeReader, height: float) -> None:
    manifest = reader.manifest
    assets = ", ".join(record.asset for record in manifest.scene.objects)
    points = manifest.arrays["cloud/xyz"].shape[0] if reader.has_cloud else 0
    cloud = f", {points} points" if points else ", no clouds recorded"
    outcome = str(manifest.outcome) + (f": {manifest.reason}" if manifest.reason else "")
    colour = "#1b7f3b" if manifest.success else "#b3261e"
    line = 1 - np.array([0.12, 0.46]) / height
    figure.text(0.008, line[0], f"{manifest.task}", fontsize=16, weight="bold", va="top")
    figure.text(0.992, line[0], outcome, fontsize=12, color=colour, va="top", ha="right")
    figure.text(
        0.008,
        line[1],
        f"“{manifest.instruction}”   {assets}   seed {manifest.seed}   "
        f"{manifest.frames} frames at {manifest.rates.observation:g} Hz{cloud}",
        fontsize=9,
        va="top",
        color="#404040",
    )


def _legend(figure: Figure, reader: EpisodeReader) -> None:
    handles = [Line2D([], [], color=_PATH_COLOUR, lw=2, label="TCP path")]
    record = reader.manifest.arrays.get("truth/keypoints")
    if record is not None:
        names = record.labels or tuple(f"keypoint {i}" for i in range(record.shape[0]))
        for name, colour in zip(names, _keypoint_colours(len(names)), strict=False):
            style = {"marker": "o", "ls": "", "mec": "black", "color": colour}
            handles.append(Line2D([], [], label=name, **style))
    figure.legend(
        handles=handles, loc="lower left", ncols=min(len(handles), 6), frameon=False, fontsize=8
    )


def _keypoint_colours(count: int) -> NDArray[np.float64]:
    return np.asarray(colormaps["Set1"](np.arange(count) % 9))


def save_joint_plot(reader: EpisodeReader, path: Path) -> None:
    """Draws measured and commanded positions of every joint, TCP, gripper and openness over time.

    Raises:
        StoreError: An array cannot be read.
        OSError: The picture cannot be written.
    """
    figure = Figure(figsize=(14, 10), dpi=_DPI, facecolor="white", layout="constrained")
    grid = figure.add_gridspec(7, 2)
    left = [figure.add_subplot(grid[row, 0]) for row in range(7)]
    right = [
        figure.add_subplot(grid[0:2, 1]),
        figure.add_subplot(grid[2:4, 1]),
        figure.add_subplot(grid[4, 1]),
        figure.add_subplot(grid[5:7, 1]),
    ]
    time, q, q_ref = reader.time, reader.joint_position, reader.action_joint_position
    for joint, axes in enumerate(left):
        axes.plot(time, q[:, joint], **_MEASURED, label="measured")
        axes.plot(time, q_ref[:, joint], **_COMMANDED, label="commanded")
        _dress(axes, f"joint {joint + 1} [rad]")
        if np.ptp(q[:, joint]) < 0.1:  # Do not blow up the noise of a joint at rest.
            axes.set_ylim(q[:, joint].mean() - 0.1, q[:, joint].mean() + 0.1)
    left[0].legend(loc="upper right", fontsize=8, ncols=2, frameon=False)
    _plot_tcp(right[0], reader)
    _plot_error(right[1], time, q[:, :7] - q_ref)
    right[2].plot(time, 1e3 * reader.gripper, **_MEASURED)
    right[2].plot(time, 1e3 * reader.action_gripper, **_COMMANDED)
    right[2].set_ylim(-3, 43)
    _dress(right[2], "finger [mm]")
    _plot_openness(right[3], reader)
    actuation = reader.manifest.timings.actuation_stamp_ns
    for axes in (*left, *right):
        axes.set_xlim(time[0], max(time[-1], time[0] + 1e-3))
        if actuation is not None:
            at = (actuation - int(reader.stamp_ns[0])) * 1e-9
            axes.axvline(at, color="#6a6a6a", lw=0.9, ls=":")
    for axes in (left[-1], right[-1]):
        axes.set_xlabel("time [s]" + ("  (dotted: actuation pose)" if actuation else ""))
    figure.align_ylabels()
    manifest = reader.manifest
    figure.suptitle(
        f"{manifest.task}   {manifest.outcome}   seed {manifest.seed}   {manifest.episode_id}",
        fontsize=12,
    )
    _save(figure, path)


def _plot_tcp(axes: Axes, reader: EpisodeReader) -> None:
    for index, (name, colour) in enumerate(zip("xyz", _AXIS_COLOURS, strict=True)):
        axes.plot(reader.time, reader.tcp_pose[:, index], color=colour, lw=1.3, label=name)
        axes.plot(reader.time, reader.action_tcp_pose[:, index], color=colour, lw=0.9, ls="--")
    axes.legend(loc="upper right", fontsize=8, ncols=3, frameon=False)
    _dress(axes, "TCP in base [m]")


def _plot_error(axes: Axes, time: NDArray[np.float64], error: NDArray[np.float64]) -> None:
    for joint, colour in enumerate(colormaps["viridis"](np.linspace(0, 0.95, 7))):
        axes.plot(time, 1e3 * error[:, joint], color=colour, lw=1.0, label=str(joint + 1))
    axes.legend(loc="upper right", fontsize=8, ncols=7, frameon=False, title="joint")
    _dress(axes, "measured - commanded [mrad]")
    axes.margins(y=0.35)


def _plot_openness(axes: Axes, reader: EpisodeReader) -> None:
    openness = reader.openness
    if openness is None:
        axes.text(0.5, 0.5, "no truth recorded", ha="center", transform=axes.transAxes)
    else:
        names = reader.manifest.arrays["truth/openness"].labels or ("object",)
        for index, name in enumerate(names):
            axes.plot(reader.time, openness[:, index], lw=1.5, label=name)
        for predicate in reader.manifest.predicates:
            threshold = predicate.get("threshold")
            if "openness" in str(predicate.get("name")) and isinstance(threshold, float):
                axes.axhline(threshold, color="#2ca02c", lw=0.9, ls="--")
        axes.legend(loc="best", fontsize=8, frameon=False)
    axes.set_ylim(-0.05, 1.05)
    _dress(axes, "openness")


def _dress(axes: Axes, label: str) -> None:
    axes.set_ylabel(label, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(color="#e4e4e4", lw=0.6)
    axes.margins(y=0.15)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _save(figure: Figure, path: Path) -> None:
    FigureCanvasAgg(figure).print_png(path)
