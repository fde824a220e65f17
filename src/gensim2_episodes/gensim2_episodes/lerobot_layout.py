"""The layout of a LeRobotDataset v3, and which of its columns hold what of an episode.

    meta/info.json, meta/stats.json             features; statistics of all frames
    meta/tasks.parquet                          instructions
    meta/episodes/chunk-000/file-000.parquet    a row per episode
    data/chunk-000/file-000.parquet             a row per frame
    videos/<feature>/chunk-000/file-000.mp4     colour images, unless they are PNG in the rows
    meta/gensim2/episodes.jsonl                 ours: the manifests, a line per episode

`observation.state` and `action` are what policies of LeRobot read: arm joints [rad] and finger
[m], measured and commanded, rounded to float32. `observation.points.*` and `observation.depth.*`
are clouds in `base` [m] and depth [mm]. Columns `camera.*` have the intrinsics and the pose of the
optical frame in `base`. Columns `gensim2.*` hold the arrays of the store without loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gensim2_control.hardware import ARM_JOINTS

from gensim2_episodes.errors import StoreError
from gensim2_episodes.frame import DEPTH_GROUP, GRIPPER_EFFORT, IMAGE_GROUP
from gensim2_episodes.manifest import JsonObject, Manifest
from gensim2_episodes.writer import STAMP, TIME

VERSION = "v3.0"
INFO_FILE = "meta/info.json"
STATS_FILE = "meta/stats.json"
TASKS_FILE = "meta/tasks.parquet"
MANIFESTS_FILE = "meta/gensim2/episodes.jsonl"
_FILE = "chunk-{chunk_index:03d}/file-{file_index:03d}"
EPISODES_PATH = f"meta/episodes/{_FILE}.parquet"
DATA_PATH = f"data/{_FILE}.parquet"
VIDEO_PATH = f"videos/{{video_key}}/{_FILE}.mp4"
CHUNK_FILES = 1000
DATA_FILE_MB = 100
VIDEO_FILE_MB = 200

STATE, ACTION = "observation.state", "action"
OWN = "gensim2."
CLOUD = {"cloud/xyz": "observation.points.xyz", "cloud/rgb": "observation.points.rgb"}
COUNTERS = ("timestamp", "frame_index", "episode_index", "index", "task_index")
STATE_NAMES = (*ARM_JOINTS, "fr3_finger_joint1")
_IMAGES = "observation.images."
_DEPTHS = "observation.depth."
_MAY_BE_MISSING = ("truth/", GRIPPER_EFFORT)
"""Written as zeros where an episode does not have it; its manifest tells."""


@dataclass(frozen=True)
class Feature:
    """A column, or a video.

    Attributes:
        key: Name in the data set.
        dtype: numpy name, "video" or "image".
        shape: Of one frame; (1,) for a number.
        path: Array of the store it has the values of; empty = computed.
        names: Names along its axes.
    """

    key: str
    dtype: str
    shape: tuple[int, ...]
    path: str = ""
    names: tuple[str, ...] | None = None

    @property
    def coloured(self) -> bool:
        """Whether it is a colour image."""
        return self.dtype in ("video", "image")

    def info(self, fps: int) -> JsonObject:
        """Its entry in info.json."""
        entry: JsonObject = {
            "dtype": self.dtype,
            "shape": list(self.shape),
            "names": None if self.names is None else list(self.names),
        }
        if self.dtype == "video":
            entry["info"] = {
                "video.height": self.shape[0],
                "video.width": self.shape[1],
                "video.codec": "mpeg4",
                "video.pix_fmt": "yuv420p",
                "video.is_depth_map": False,
                "video.fps": fps,
                "video.channels": 3,
                "has_audio": False,
            }
        return entry


@dataclass(frozen=True)
class Layout:
    """What a data set of LeRobot made of episodes looks like.

    Attributes:
        fps: Frames per second.
        features: All columns and videos but `COUNTERS`.
    """

    fps: int
    features: tuple[Feature, ...]

    @property
    def videos(self) -> tuple[Feature, ...]:
        """Those that are not in the rows."""
        return tuple(f for f in self.features if f.dtype == "video")

    @property
    def columns(self) -> tuple[Feature, ...]:
        """Those that are in the rows."""
        return tuple(f for f in self.features if f.dtype != "video")


def layout_of(manifests: Sequence[Manifest], colour: str) -> Layout:
    """Finds the layout that all of some episodes fit in.

    Args:
        manifests: Of the episodes.
        colour: "video", or "image" for PNG.

    Raises:
        StoreError: They do not fit in one.
    """
    rates = {m.rates.observation for m in manifests}
    if len(rates) > 1 or not all(rate.is_integer() for rate in rates):
        text = ", ".join(f"{rate:g}" for rate in sorted(rates))
        raise StoreError(
            f"the episodes have {text} Hz; LeRobot wants one whole rate. Leave some out with "
            "`dataset filter`"
        )
    shapes = _shapes(manifests)
    features = [
        Feature(STATE, "float32", (len(STATE_NAMES),), names=STATE_NAMES),
        Feature(ACTION, "float32", (len(STATE_NAMES),), names=STATE_NAMES),
    ]
    for path, (dtype, shape) in sorted(shapes.items()):
        group, _, camera = path.partition("/")
        if group == IMAGE_GROUP:
            if colour == "video" and (shape[0] % 2 or shape[1] % 2):
                raise StoreError(
                    f"{path} is {shape[1]}x{shape[0]}; a video needs even numbers. Use --colour png"
                )
            axes = ("height", "width", "channels")
            features.append(Feature(_IMAGES + camera, colour, shape, path, axes))
        elif group == DEPTH_GROUP:
            features.append(Feature(_DEPTHS + camera, dtype, shape, path, ("height", "width")))
        elif path in CLOUD:
            features.append(Feature(CLOUD[path], dtype, shape, path, ("point", "axis")))
        elif path != TIME:
            features.append(Feature(OWN + path.replace("/", "."), dtype, shape or (1,), path))
    for camera in _posed_cameras(manifests):
        features.append(Feature(f"camera.{camera}.intrinsics", "float32", (3, 3)))
        features.append(Feature(f"camera.{camera}.T_base_cam", "float32", (4, 4)))
    return Layout(int(rates.pop()), tuple(features))


def _shapes(manifests: Sequence[Manifest]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Type and shape of each array; where they differ and may, large enough for all."""
    found: dict[str, tuple[str, tuple[int, ...]]] = {}
    for path in {path for m in manifests for path in m.arrays}:
        optional = path.startswith(_MAY_BE_MISSING)
        records = {m.episode_id: m.arrays.get(path) for m in manifests}
        have = {name: r for name, r in records.items() if r is not None}
        shapes = {r.shape for r in have.values()}
        if not optional and len(have) < len(records):
            example = next(name for name, r in records.items() if r is None)
            raise StoreError(
                f"{example} and {len(records) - len(have) - 1} more have no {path}, others have; "
                f"choose with `dataset filter --array {path}`"
            )
        if (not optional and len(shapes) > 1) or len({len(shape) for shape in shapes}) > 1:
            raise StoreError(
                f"{path} has different sizes ({', '.join(map(str, sorted(shapes)))}); export these "
                "episodes apart, chosen with `dataset filter`"
            )
        dtype = next(iter(have.values())).dtype
        found[path] = (dtype, tuple(max(sizes) for sizes in zip(*shapes, strict=True)))
    return found


def _posed_cameras(manifests: Iterable[Manifest]) -> list[str]:
    """Cameras whose mounting every episode knows."""
    known = [
        {name for name, c in m.cameras.items() if c.parent and c.T_parent_cam is not None}
        for m in manifests
    ]
    return sorted(set.intersection(*known))


def next_file(chunk: int, file: int) -> tuple[int, int]:
    """Numbers of the file after one."""
    return (chunk + 1, 0) if file == CHUNK_FILES - 1 else (chunk, file + 1)


def stamp_key() -> str:
    """Column of the stamps [ns]; `timestamp` of LeRobot is the number of the frame over fps."""
    return OWN + STAMP
