"""Pictures from the user, and pictures for models."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from gensim2_control.description import resolve_packages, robot_description
from gensim2_control.marks import RED, Arrow, Lines, Mark, Points, Text
from gensim2_generation.asker import Backends
from gensim2_generation.candidate import Candidate
from gensim2_generation.image_input import EDGE, ImageError, picture_size, read_image
from gensim2_generation.llm_source import LlmSource
from gensim2_generation.overlay import Lens, drawn
from gensim2_generation.pictures import Renderer
from gensim2_generation.pipeline import PipelineOptions
from gensim2_generation.seeing import PictureError, Shown
from gensim2_generation.source import Known, Wanted
from gensim2_generation.verdict import Trial, Verdict
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.specs import TaskSpec
from hypothesis import given, settings
from hypothesis import strategies as st
from llm_answers import LONG, PRIMITIVE, Answers, ScriptedModel
from numpy.typing import NDArray

COLOURS = np.zeros((60, 80, 3), np.uint8)
COLOURS[:, :40] = (10, 20, 200)


def decoded(data: bytes) -> NDArray[Any]:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return np.asarray(found)


def made(answers: Answers, mode: str) -> Candidate:
    found = LlmSource(Wanted(mode), Backends(ScriptedModel(answers))).propose(Known())
    assert isinstance(found, Candidate)
    return found


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
def test_pictures_are_read_by_what_they_hold(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"x{suffix}"
    cv2.imwrite(str(file), COLOURS)
    renamed = file.rename(tmp_path / "picture")
    found = decoded(read_image(renamed))
    assert found.shape == (60, 80, 3)
    assert np.abs(found[30, 10].astype(int) - (10, 20, 200)).max() < 30


def test_large_pictures_are_made_small(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "x.png"), np.zeros((4000, 1000, 3), np.uint8))
    assert decoded(read_image(tmp_path / "x.png")).shape == (EDGE, EDGE // 4, 3)


def test_what_a_picture_says_beside_its_pixels_is_not_sent(tmp_path: Path) -> None:
    good, data = cv2.imencode(".png", COLOURS)
    assert good
    note = b"tEXtComment\x00secret place"
    chunk = struct.pack(">I", len(note) - 4) + note + struct.pack(">I", zlib.crc32(note))
    raw = bytes(data)
    (tmp_path / "x.png").write_bytes(raw[:33] + chunk + raw[33:])
    assert b"secret" not in read_image(tmp_path / "x.png")


def test_the_frame_in_the_middle_of_a_video_is_read(tmp_path: Path) -> None:
    file = str(tmp_path / "x.avi")
    video = cv2.VideoWriter(file, cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (80, 60))
    if not video.isOpened():
        pytest.skip("OpenCV writes no videos here")
    for number in range(9):
        video.write(np.full((60, 80, 3), 25 * number, np.uint8))
    video.release()
    assert abs(float(decoded(read_image(Path(file))).mean()) - 100.0) < 15.0


def bomb(width: int, height: int) -> bytes:
    """A small PNG file that says it has so many pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + chunk


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "neither a picture"),
        (b"import os", "neither a picture"),
        (b"#EXTM3U\nhttp://127.0.0.1/x.ts\n", "neither a picture"),
        (b"\x89PNG\r\n\x1a\n", "neither a picture"),
        (bomb(60_000, 60_000), "pixels, more than"),
        (bomb(0, 5), "pixels, more than"),
        (bomb(50, 50), "cannot be decoded"),
        (b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x10\x00\x10" + b"x" * 9, "cannot be decoded"),
        (b"\xff\xd8\xff" + b"\xff" * 50, "neither a picture"),
        (b"RIFF\x00\x00\x00\x00AVI garbage", "no frame"),
        (b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 50, "no frame"),
    ],
)
def test_what_is_no_picture_is_an_error(data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(data)
    with pytest.raises(ImageError, match=said):
        read_image(tmp_path / "x.png")


def test_what_is_no_file_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, said in (
        ("none", "cannot be read"),
        ("", "no ordinary file"),
        ("pipe", "no ordinary"),
    ):
        with pytest.raises(ImageError, match=said):
            read_image(tmp_path / name)
    with pytest.raises(ImageError):
        read_image(Path("a\x00b"))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([b"\x89PNG\r\n\x1a\n", b"BM", b"\xff\xd8\xff", b""]))
def test_any_bytes_have_a_size_or_none(data: bytes, mark: bytes) -> None:
    found = picture_size(mark + data)
    assert found is None or min(found) >= 0


LENS = Lens(np.array([[100.0, 0.0, 40.0], [0.0, 100.0, 30.0], [0.0, 0.0, 1.0]]), np.eye(4))


def test_marks_are_drawn_where_the_camera_sees_them() -> None:
    at = np.array([[0.1, -0.1, 1.0]])
    assert np.allclose(LENS.pixels(at), [[50.0, 20.0]])
    picture = drawn(np.zeros((60, 80, 3), np.uint8), [Points("p", at, RED)], LENS)
    assert picture[20, 50].tolist() == [230, 51, 38]
    assert not picture[45:, :30].any()


def test_what_is_behind_the_camera_is_not_drawn() -> None:
    behind, ahead = np.array([0.0, 0.0, -1.0]), np.array([0.0, 0.0, 1.0])
    far = np.array([1e9, 0.0, 1.0])
    over: list[Mark] = [
        Points("p", behind[None], RED),
        Lines("l", np.array([behind, ahead]), (RED,)),
        Arrow("a", ahead, far, RED),
        Text("t", behind, "words"),
    ]
    assert not drawn(np.zeros((60, 80, 3), np.uint8), over, LENS).any()


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    try:
        return Renderer(resolve_packages(robot_description()), AssetLibrary(None))
    except PictureError as error:
        pytest.skip(str(error))


def test_models_that_see_are_shown_scene_hand_and_motion(renderer: Renderer) -> None:
    model = ScriptedModel(PRIMITIVE)
    options = PipelineOptions(regenerations=0, reflections=1)
    source = LlmSource(Wanted(), Backends(model), options=options, pictures=renderer)
    candidate = source.propose(Known())
    assert isinstance(candidate, Candidate)
    shown = {q.stage: len(q.images) for q in model.questions}
    # Scene and drawer, and the hand; the critic sees the planned motion instead of the hand.
    assert shown == {
        "propose": 0,
        "place": 0,
        "constraints": 3,
        "pre_motions": 3,
        "post_motions": 3,
        "predicates": 0,
        "critique": 3,
    }
    for question in model.questions:
        for number, png in enumerate(question.images, start=1):
            assert f"\n{number}. " in question.user
            assert decoded(png).std() > 5.0
    trial = Trial("expert", 1, "drawer/1", False, False, "no_ik", "out of reach", "open")
    source.repair(candidate, Verdict(False, "execute", "out of reach", (trial,)))
    asked = next(q for q in model.questions if q.stage == "repair")
    assert len(asked.images) == 3


def test_the_same_scene_gives_the_same_picture(renderer: Renderer) -> None:
    task = made(LONG, "topdown").task
    first, second = (renderer.scene(task)[0].png for _ in range(2))
    assert first == second


def test_a_motion_is_shown_in_the_state_that_earlier_steps_leave(renderer: Renderer) -> None:
    candidate = made(LONG, "topdown")
    (opening,), (closing,) = (renderer.motion(candidate, step) for step in ("open", "close"))
    assert "step close, by PushDrawerClose" in closing.caption
    assert "step open" in opening.caption
    assert opening.png != closing.png


def test_a_scene_that_cannot_be_set_up_is_asked_about_in_words(renderer: Renderer) -> None:
    class Blind:
        def scene(self, task: TaskSpec) -> Sequence[Shown]:
            raise PictureError("nothing to be seen")

        def gripper(self) -> Sequence[Shown]:
            return ()

        def motion(self, candidate: Candidate, subtask: str) -> Sequence[Shown]:
            raise PictureError("nothing to be seen")

    model = ScriptedModel(PRIMITIVE)
    source = LlmSource(Wanted(), Backends(model), pictures=Blind())
    assert isinstance(source.propose(Known()), Candidate)
    assert not any(q.images for q in model.questions)
