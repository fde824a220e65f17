"""Sessions on disk, the command line on them, and the calibration file they end in."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from board_scenes import APRIL_GRID, CAMERA, CHARUCO, BoardScene
from cloud_scenes import LEFT, RIGHT, cloud
from gensim2_control.camera_calibration import CameraCalibration, CameraCalibrations, optical_frame
from gensim2_control.hardware import HOME_Q
from gensim2_control.joint_history import JointHistory
from gensim2_perception.calibration_board import BoardDetector, BoardSpec
from gensim2_perception.calibration_camera import CameraModel
from gensim2_perception.calibration_errors import CalibrationRefusedError
from gensim2_perception.calibration_file import backup_of, put_camera
from gensim2_perception.calibration_report import Arrangement
from gensim2_perception.calibration_session import RECORD, CalibrationSession, SessionRecord
from gensim2_perception.camera_poses import CameraPoses
from gensim2_perception.hand_eye import pose_difference
from gensim2_perception.static_transforms import StaticTransforms

from gensim2_perception import calibrate_cli

VIEWS = 12
SHIPPED = Path(__file__).parents[3] / "launch" / "config" / "cameras.yaml"
Calibrate = Callable[..., tuple[int, str, str]]


def make_session(folder: Path, scene: BoardScene, camera: str, views: int) -> CalibrationSession:
    record = SessionRecord(
        camera=camera, arrangement=scene.arrangement, board=scene.spec, intrinsics=CAMERA
    )
    session = CalibrationSession.create(folder, record, scene.urdf)
    for i, q in enumerate(scene.configurations(views)):
        session.add(scene.render(scene.T_cam_board(q)), i * 10**9, q)
    return session


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[BoardScene, Path]:
    """A session of a wrist camera, as it is recorded; tests that change it take a copy."""
    scene = BoardScene(Arrangement.EYE_IN_HAND, CHARUCO, seed=7)
    folder = tmp_path_factory.mktemp("session") / "wrist"
    make_session(folder, scene, "wrist_camera", VIEWS)
    return scene, folder


@pytest.fixture
def calibrate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Calibrate:
    """Runs the command line; gives exit code, output and errors."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["calibrate", *map(str, words)])
        code = calibrate_cli.main()
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_a_session_becomes_a_pose_the_other_nodes_use(
    recorded: tuple[BoardScene, Path], tmp_path: Path, calibrate: Calibrate
) -> None:
    """From pictures on disk to where `pointcloud_fusion` places the camera, without a mistake.

    The file holds the pose of the optical frame, not of <cam>_link.
    """
    scene, folder = recorded
    path = tmp_path / "cameras.yaml"
    path.write_bytes(SHIPPED.read_bytes())
    picture = tmp_path / "sheet.png"
    code, out, err = calibrate("solve", folder, "--calibration", path, "--out", picture)
    assert code == 0, err
    assert f"{VIEWS} views used" in out and "1 sigma" in out and "RMS [px]" in out
    assert backup_of(path).read_bytes() == SHIPPED.read_bytes()
    before, after = CameraCalibrations.load(SHIPPED), CameraCalibrations.load(path)
    other, kept = (file.cameras["left_camera"].matrix for file in (before, after))
    np.testing.assert_allclose(kept, other, atol=1e-12)
    mounted = after.cameras["wrist_camera"]
    assert mounted.parent == "fr3_hand"

    q = np.array(HOME_Q)
    joints = JointHistory([f"fr3_joint{i}" for i in range(1, 8)])
    joints.add(5, [f"fr3_joint{i}" for i in range(1, 8)], q.tolist())
    statics = StaticTransforms()
    # Two hops, as every publisher of the file sends them, with any link frame in between.
    T_optical_link = np.eye(4)
    T_optical_link[:3, :3] = [[0, -1, 0], [0, 0, -1], [1, 0, 0]]
    statics.set("fr3_hand", "wrist_camera_link", mounted.matrix @ T_optical_link)
    statics.set("wrist_camera_link", optical_frame("wrist_camera"), np.linalg.inv(T_optical_link))
    poses = CameraPoses(statics, joints, scene.kinematics)
    T_base_cam = poses.at(optical_frame("wrist_camera"), 5)
    distance, angle = pose_difference(T_base_cam, scene.T_base_hand(q) @ scene.T_parent_cam)
    assert distance <= 1e-3 and np.degrees(angle) <= 0.1
    # Seen from there, the board is in front of the camera and where the picture shows it.
    T_base_board = scene.T_carrier_board
    T_cam_board = np.linalg.inv(T_base_cam) @ T_base_board
    found = BoardDetector(CHARUCO).detect(scene.render(scene.T_cam_board(q)))
    assert found is not None
    expected = CAMERA.project(found.p_board @ T_cam_board[:3, :3].T + T_cam_board[:3, 3])
    assert np.abs(expected - found.pixels).max() < 1.0


def test_the_picture_shows_every_view_and_where_the_corners_are(
    recorded: tuple[BoardScene, Path], tmp_path: Path, calibrate: Calibrate
) -> None:
    _, folder = recorded
    for command in ("show", "solve"):
        picture = tmp_path / f"{command}.png"
        code, out, err = calibrate(command, folder, "--out", picture)
        assert code == 0, err
        assert str(picture) in out
        sheet = cv2.imread(str(picture))
        assert sheet.shape == (VIEWS // 3 * (480 + 26), 3 * 640, 3)
        orange = (sheet[..., 2] > 200) & (sheet[..., 0] < 80) & (sheet[..., 1] > 120)
        for row in range(VIEWS // 3):
            for column in range(3):
                tile = np.s_[row * 506 : (row + 1) * 506, column * 640 : (column + 1) * 640]
                assert orange[tile].sum() > 24 * 10, "a circle around each of the 24 corners"
    assert "nothing stored" in out, "without --calibration"


def test_a_result_that_is_refused_leaves_the_file_alone(
    recorded: tuple[BoardScene, Path], tmp_path: Path, calibrate: Calibrate
) -> None:
    scene, _ = recorded
    make_session(tmp_path / "few", scene, "wrist_camera", 5)
    path = tmp_path / "cameras.yaml"
    path.write_bytes(SHIPPED.read_bytes())
    code, _, err = calibrate("solve", tmp_path / "few", "--calibration", path)
    assert code == 1
    assert err.startswith("error: 5 usable views, at least 8")
    assert path.read_bytes() == SHIPPED.read_bytes()
    assert not backup_of(path).exists()


def test_a_broken_calibration_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_text("cameras: {left_camera: {parent: base}}")
    pose = CameraCalibration.from_matrix("base", np.eye(4))
    with pytest.raises(ValueError, match=r"left_camera\.xyz"):
        put_camera(path, "left_camera", pose)
    assert path.read_text() == "cameras: {left_camera: {parent: base}}"
    fresh = tmp_path / "fresh.yaml"
    assert not put_camera(fresh, "left_camera", pose)
    assert put_camera(fresh, "right_camera", pose)
    assert set(CameraCalibrations.load(fresh).cameras) == {"left_camera", "right_camera"}
    assert set(CameraCalibrations.load(backup_of(fresh)).cameras) == {"left_camera"}


@pytest.mark.parametrize(
    ("pattern", "replacement", "text"),
    [
        ("arrangement: eye_in_hand", "arrangement: eye_on_foot", "arrangement"),
        ("square: 0.04", "square: .nan", "board.square"),
        ("square: 0.04", "square: 0.02", "board: .*marker"),
        ("fx: 602.0", "fx: -602.0", "intrinsics.fx"),
        ("stamp_ns: 0", "stamp_ns: yesterday", "views.0.stamp_ns"),
        ("image: view_001.png", "image: ../../secret.png", "views.1.image"),
        ("image: view_001.png", "image: view_000.png", "named twice"),
        ("- fr3_joint1\n", "- fr3_joint9\n", "joints must be"),
        ("version: 1", "version: 2", "version"),
        ("version: 1", "version: !!python/object:os.system 1", "not valid YAML"),
        ("version: 1", "{", "not valid YAML"),
    ],
)
def test_mistakes_in_a_session_are_found_by_name(
    recorded: tuple[BoardScene, Path], tmp_path: Path, pattern: str, replacement: str, text: str
) -> None:
    _, folder = recorded
    written = (folder / RECORD).read_text()
    assert pattern in written
    (tmp_path / RECORD).write_text(written.replace(pattern, replacement, 1))
    (tmp_path / "robot.urdf").write_bytes((folder / "robot.urdf").read_bytes())
    with pytest.raises(CalibrationRefusedError, match=text):
        CalibrationSession.open(tmp_path)


def test_a_joint_record_that_is_no_number_or_too_long_is_refused(
    recorded: tuple[BoardScene, Path], tmp_path: Path
) -> None:
    _, folder = recorded
    record = yaml.safe_load((folder / RECORD).read_text())
    (tmp_path / "robot.urdf").write_bytes((folder / "robot.urdf").read_bytes())
    for q in ([0.0] * 6, [0.0] * 8, ["0.0"] * 7, [float("inf")] * 7, [100.0] * 7):
        record["views"][3]["q"] = q
        (tmp_path / RECORD).write_text(yaml.safe_dump(record))
        with pytest.raises(CalibrationRefusedError, match=r"views\.3\.q"):
            CalibrationSession.open(tmp_path)


def test_a_session_goes_on_where_it_ended_and_takes_no_other_board(
    recorded: tuple[BoardScene, Path], tmp_path: Path
) -> None:
    scene, _ = recorded
    session = make_session(tmp_path, scene, "wrist_camera", 2)
    again = CalibrationSession.create(tmp_path, session.record, scene.urdf)
    assert again.add(scene.render(scene.T_cam_board(np.array(HOME_Q))), 5, np.array(HOME_Q))
    assert [v.image for v in CalibrationSession.open(tmp_path).record.views] == [
        f"view_{i:03d}.png" for i in range(3)
    ]
    other = session.record.model_copy(update={"board": APRIL_GRID})
    with pytest.raises(CalibrationRefusedError, match="another board: name a new folder"):
        CalibrationSession.create(tmp_path, other, scene.urdf)
    with pytest.raises(CalibrationRefusedError, match="320 x 240"):
        again.add(np.zeros((240, 320, 3), np.uint8), 6, np.array(HOME_Q))
    (tmp_path / "view_001.png").write_bytes(b"no picture")
    with pytest.raises(CalibrationRefusedError, match=r"view_001\.png: not a picture"):
        CalibrationSession.open(tmp_path).detect()
    (tmp_path / "view_001.png").unlink()
    with pytest.raises(CalibrationRefusedError, match=r"view_001\.png: No such file"):
        CalibrationSession.open(tmp_path).detect()


@pytest.mark.parametrize("spec", [CHARUCO, APRIL_GRID], ids=lambda s: s.kind.value)
def test_a_printed_board_has_its_true_size(
    tmp_path: Path, calibrate: Calibrate, spec: BoardSpec
) -> None:
    """A board of the wrong size moves every camera."""
    words = ["--kind", spec.kind.value, "--columns", spec.columns, "--rows", spec.rows]
    words += ["--square", spec.square, "--marker", spec.marker]
    png, pdf = tmp_path / "board.png", tmp_path / "board.pdf"
    for path in (png, pdf):
        code, _, err = calibrate("board", path, *words)
        assert code == 0, err
    found = BoardDetector(spec).detect(cv2.imread(str(png)))
    assert found is not None
    pixels_per_m = 300 / 0.0254
    spread = np.ptp(found.pixels, axis=0) / np.ptp(found.p_board[:, :2], axis=0)
    np.testing.assert_allclose(spread, pixels_per_m, rtol=1e-3)
    width, height = spec.size
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf.read_bytes())
    assert box is not None
    expected = (np.array([width, height]) + 0.024) / 0.0254 * 72
    np.testing.assert_allclose([float(v) for v in box.groups()], expected, atol=0.01)


def test_lens_distortion_is_taken_into_account() -> None:
    """What a camera model projects it can also read back."""
    model = CameraModel.from_camera_info(
        640, 480, [600, 0, 320, 0, 600, 240, 0, 0, 1], [0.1, -0.05, 0.001, 0.002, 0.0], "plumb_bob"
    )
    scene = BoardScene(Arrangement.EYE_TO_HAND, CHARUCO, seed=0)
    found = BoardDetector(CHARUCO).detect(scene.render(scene.T_cam_board(np.array(HOME_Q))))
    assert found is not None
    T_cam_board = scene.T_cam_board(np.array(HOME_Q))
    p_cam = found.p_board @ T_cam_board[:3, :3].T + T_cam_board[:3, 3]
    seen = type(found)(found.ids, model.project(p_cam), found.p_board)
    distance, angle = pose_difference(model.board_pose(seen), T_cam_board)
    assert distance < 1e-6 and angle < 1e-6
    with pytest.raises(ValueError, match="distortion model 'fisheye'"):
        CameraModel.from_camera_info(
            640, 480, [600, 0, 320, 0, 600, 240, 0, 0, 1], [0.1, 0.0, 0.0, 0.0], "fisheye"
        )


def test_refine_corrects_the_second_camera_in_the_file(
    tmp_path: Path, calibrate: Calibrate
) -> None:
    rng = np.random.default_rng(1)
    wrong = RIGHT.copy()
    wrong[:3, 3] += (0.006, -0.005, 0.004)
    path = tmp_path / "cameras.yaml"
    put_camera(path, "left_camera", CameraCalibration.from_matrix("base", LEFT))
    put_camera(path, "right_camera", CameraCalibration.from_matrix("base", wrong))
    put_camera(path, "wrist_camera", CameraCalibration.from_matrix("fr3_hand", np.eye(4)))
    np.save(tmp_path / "left.npy", cloud(LEFT, rng))
    np.save(tmp_path / "right.npy", cloud(RIGHT, rng) - RIGHT[:3, 3] + wrong[:3, 3])
    clouds = (tmp_path / "left.npy", tmp_path / "right.npy")
    names = ("--fixed", "left_camera", "--calibration", path)
    code, out, err = calibrate("refine", *clouds, "--moving", "right_camera", *names)
    assert code == 0, err
    assert "overlap" in out and "before" in out
    mended = CameraCalibrations.load(path).cameras["right_camera"].matrix
    distance, angle = pose_difference(mended, RIGHT)
    assert distance <= 1e-3 and np.degrees(angle) <= 0.1
    for moving, text in (("wrist_camera", "fixed to fr3_hand"), ("rihgt", "no camera 'rihgt'")):
        code, _, err = calibrate("refine", *clouds, "--moving", moving, *names)
        assert code == 1 and text in err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("solve", "nosuch"), "nosuch"),
        (("show", "nosuch"), "made by `calibrate record`"),
        (("board", "board.txt"), "printed from .pdf or .png"),
        (("board", "b.pdf", "--square", "0.02"), "marker of 30 mm in a square of 20 mm"),
        (("board", "nosuch/b.pdf"), "No such file"),
    ],
)
def test_wrong_input_ends_with_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    calibrate: Calibrate,
    words: tuple[str, ...],
    text: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = calibrate(*words)
    assert code == 1
    assert err.startswith("error: ") and err.count("\n") == 1
    assert text in err
