"""The report of a run, in its folder."""

from __future__ import annotations

from pathlib import Path

from gensim2_control.atomic_file import write_atomically

from .answers import plain
from .metric_sheets import accepted_sheet, figure_sheet, rejected_sheet, stage_sheet
from .metrics import figures
from .run_folder import read_decisions, read_request

REPORT, PICTURE = "report.md", "report.png"
LATEST = 200  # rejected proposals that a report shows; all of them are in the record


def write_report(run: Path) -> None:
    """Writes the tables and the picture of a run; without a decision there is none.

    Raises:
        RunError: The folder holds no run, or a broken one.
        OSError: It cannot be written.
    """
    # matplotlib takes a second to import, which not everybody has to wait for.
    from .metric_plot import save_metric_plot

    request = read_request(run)
    decisions = [decision for decision, _ in read_decisions(run)]
    if not decisions:
        return
    every = figures(decisions)
    rejected = [d for d in decisions if not d.accepted][-LATEST:]
    commit = plain(str(request.software.get("git_commit", "")))
    parts = [
        f"# Generation of {request.num_tasks} tasks by {plain(request.backend)}\n",
        f"Mode {plain(request.wanted.mode)}, seed {request.wanted.seed}"
        f"{f', software {commit}' if commit else ''}.\n",
        f"![Figures]({PICTURE})\n",
        *(
            sheet.markdown()
            for sheet in (
                figure_sheet(every),
                stage_sheet(every),
                accepted_sheet(decisions),
                rejected_sheet(rejected),
            )
            if sheet.rows
        ),
    ]
    save_metric_plot(every, run / PICTURE)
    write_atomically(run / REPORT, "\n".join(parts).encode())
