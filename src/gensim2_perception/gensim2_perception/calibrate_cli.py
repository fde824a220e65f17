"""Command line `calibrate`: where a camera sits, from pictures of a board and the robot's joints.

board prints a board, record takes views, solve computes and stores; cloud and refine align two
cameras to each other.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from gensim2_control.camera_calibration import CalibrationError, CameraCalibration
from numpy.typing import NDArray
from pydantic import ValidationError
from rich.console import Console

from .calibration_board import BoardKind, BoardSpec
from .calibration_errors import CalibrationRefusedError
from .calibration_report import Arrangement

_PLAIN_WIDTH = 140
_INTERRUPTED = 130

app = typer.Typer(
    help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False
)
Session = Annotated[Path, typer.Argument(help="Folder of the session.")]
Kind = Annotated[BoardKind, typer.Option(help="Pattern.")]
Columns = Annotated[int, typer.Option(help="Squares or tags side by side.")]
Rows = Annotated[int, typer.Option(help="Squares or tags one below the other.")]
Square = Annotated[
    float, typer.Option(help="Edge of a square, or distance from tag to tag, as measured [m].")
]
Marker = Annotated[float, typer.Option(help="Edge of a marker or tag [m].")]
Calibration = Annotated[
    Path | None,
    typer.Option(help="Calibration file to put the result into; the previous one stays as .bak."),
]


def make_console() -> Console:
    """A console that does not fold its tables where nobody sees a terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(width=_PLAIN_WIDTH, highlight=False)


@app.command()
def board(
    out: Annotated[Path, typer.Argument(help="File to print: .pdf or .png.")],
    kind: Kind = BoardKind.CHARUCO,
    columns: Columns = 7,
    rows: Rows = 5,
    square: Square = 0.04,
    marker: Marker = 0.03,
) -> None:
    """Draw a board in its true size. Print it at 100 % and glue it to something flat."""
    from .calibration_picture import save_board

    spec = BoardSpec(kind=kind, columns=columns, rows=rows, square=square, marker=marker)
    width, height = save_board(spec, out)
    make_console().print(
        f"{out}: {spec.describe()}; the page is {width * 1e3:.0f} x {height * 1e3:.0f} mm. Measure "
        "a printed square and name what you measured with --square",
        soft_wrap=True,
    )


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def record(
    context: typer.Context,
    folder: Session,
    camera: Annotated[str, typer.Option(help="Name and namespace of the camera.")],
    arrangement: Annotated[
        Arrangement,
        typer.Option(help="Board in the hand (eye_to_hand) or camera on the hand (eye_in_hand)."),
    ] = Arrangement.EYE_TO_HAND,
    kind: Kind = BoardKind.CHARUCO,
    columns: Columns = 7,
    rows: Rows = 5,
    square: Square = 0.04,
    marker: Marker = 0.03,
) -> None:
    """Record views: Enter, or a call of the service /calibrate/capture, takes one.

    What follows `--ros-args` goes to the node.
    """
    values = {
        "camera": camera,
        "folder": str(folder),
        "arrangement": arrangement.value,
        "board_kind": kind.value,
        "board_columns": columns,
        "board_rows": rows,
        "board_square": square,
        "board_marker": marker,
    }
    _run_node(context, "calibrate_node", "CalibrateNode", values, unique=True)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def cloud(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="File to write, .npy.")],
    camera: Annotated[str, typer.Option(help="Name and namespace of the camera.")],
    calibration: Annotated[Path, typer.Option(help="Calibration file it is in.")],
    timeout: Annotated[float, typer.Option(min=0.1, help="Longest wait [s].")] = 30.0,
) -> None:
    """Store one cloud of a fixed camera, in base, for refine.

    What follows `--ros-args` goes to the node.
    """
    values = {
        "out": str(out),
        "camera": camera,
        "calibration": str(calibration),
        "timeout": timeout,
    }
    # Two cameras may be looked at side by side.
    _run_node(context, "cloud_capture_node", "CloudCaptureNode", values, unique=False)


def _run_node(
    context: typer.Context, module: str, node: str, values: Mapping[str, object], *, unique: bool
) -> None:
    from gensim2_control.program import run_program

    if context.args and context.args[0] != "--ros-args":
        raise CalibrationRefusedError(
            f"unknown argument {context.args[0]!r}: --help lists those of this command, and what "
            "is meant for the node follows --ros-args"
        )

    # Quoted as YAML, in which a folder named 7 would be a number.
    words = [w for name, value in values.items() for w in ("-p", f"{name}:={json.dumps(value)}")]
    given = [word for word in context.args if word != "--ros-args"]
    code = run_program(
        f"gensim2_perception.{module}",
        node,
        _INTERRUPTED,
        args=["calibrate", "--ros-args", *words, *given],
        threads=2,
        unique=unique,
    )
    raise typer.Exit(code)


@app.command()
def show(
    folder: Session,
    out: Annotated[Path, typer.Option(help="The picture.")] = Path("calibration_views.png"),
) -> None:
    """Draw the views of a session with the corners that are found in them."""
    from .calibrate_views import draw_views
    from .calibration_session import CalibrationSession

    console = make_console()
    session = CalibrationSession.open(folder)
    views = session.detect()
    for view in views:
        found = "no board" if view.detection is None else f"{len(view.detection.ids)} corners"
        console.print(f"{view.name}: {found}")
    draw_views(session, views, None, out)
    console.print(str(out), soft_wrap=True)


@app.command()
def solve(
    folder: Session,
    calibration: Calibration = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Picture of the detections; default: result.png in the session."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the views tried as a start.")] = 0,
) -> None:
    """Compute where the camera sits, and store it in a calibration file."""
    from .calibrate_views import draw_views, result_lines, view_table
    from .calibration_session import CalibrationSession
    from .calibration_solver import solve_calibration

    console = make_console()
    session = CalibrationSession.open(folder)
    views = session.detect()
    record = session.record
    report = solve_calibration(
        views, record.intrinsics, record.arrangement, np.random.default_rng(seed)
    )
    console.print(view_table(report))
    for line in result_lines(report, record.camera):
        console.print(line, soft_wrap=True, markup=False)
    picture = out or folder / "result.png"
    draw_views(session, views, report, picture)
    console.print(f"picture: {picture}", soft_wrap=True)
    pose = CameraCalibration.from_matrix(record.arrangement.parent, report.T_parent_cam)
    _store(console, calibration, record.camera, pose)


@app.command()
def refine(
    fixed_cloud: Annotated[Path, typer.Argument(help="Cloud of the camera that is trusted.")],
    moving_cloud: Annotated[Path, typer.Argument(help="Cloud of the camera to correct.")],
    fixed: Annotated[str, typer.Option(help="Name of the first camera.")],
    moving: Annotated[str, typer.Option(help="Name of the second camera.")],
    calibration: Annotated[
        Path, typer.Option(help="Calibration file with both; the previous one stays as .bak.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell, write nothing.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the thinning of the clouds.")] = 0,
) -> None:
    """Align the second fixed camera to the first one by clouds of the same scene.

    The clouds are in base, computed with the calibration file as it is: .npy (N, 3) or .ply, in m.
    """
    from .calibrate_views import alignment_table
    from .cloud_alignment import CameraCloud, align_clouds
    from .cloud_file import load_cloud, pose_in_base

    console = make_console()
    poses = {name: pose_in_base(calibration, name) for name in (fixed, moving)}
    first, second = (
        CameraCloud(load_cloud(path), poses[name][:3, 3])
        for path, name in ((fixed_cloud, fixed), (moving_cloud, moving))
    )
    found = align_clouds(first, second, np.random.default_rng(seed))
    console.print(alignment_table(found, fixed, moving))
    corrected: NDArray[np.float64] = found.T_base_corrected @ poses[moving]
    pose = CameraCalibration.from_matrix("base", corrected)
    _store(console, None if dry_run else calibration, moving, pose)


def _store(
    console: Console, path: Path | None, camera: str, calibration: CameraCalibration
) -> None:
    from .calibration_file import backup_of, put_camera

    if path is None:
        console.print("nothing stored: --calibration FILE puts it into a file", soft_wrap=True)
        return
    existed = put_camera(path, camera, calibration)
    before = f"; the previous one is {backup_of(path)}" if existed else ""
    console.print(f"{camera} stored in {path}{before}", soft_wrap=True)


def main() -> int:
    """Runs the command line; wrong input ends it with one line and exit code 1."""
    try:
        return int(app(standalone_mode=False) or 0)
    except typer.Exit as end:
        return end.exit_code
    except typer.Abort:
        return _INTERRUPTED
    except (CalibrationRefusedError, CalibrationError) as error:
        text = str(error)
    except ValidationError as error:
        text = "; ".join(problem["msg"] for problem in error.errors())
    except OSError as error:
        text = f"{error.filename}: {error.strerror or error}"
    except ValueError as error:
        text = str(error)
    print(f"error: {text}", file=sys.stderr)
    return 1
