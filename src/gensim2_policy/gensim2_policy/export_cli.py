"""Program `export`: a policy as an ONNX graph."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from gensim2_episodes.words import HELP, Word, WordError, read_words, refuse, tell_words
from rich.console import Console

from .checkpoint import CheckpointError

WORDS = {
    "policy": Word(None, "Folder of a run or of a checkpoint."),
    "out": Word("", "Folder of the graph; empty = export beside the policy."),
    "domain": Word("", "Whose stems and head; empty = the first of the policy."),
}
USAGE = "ros2 run gensim2_policy export policy:=FOLDER [name:=value ...]"
FAILED, WRONG = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Exports; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    console = Console(highlight=False)
    if any(word in HELP for word in given):
        tell_words(console, USAGE, WORDS)
        return 0
    try:
        values, _ = read_words(given, WORDS)
    except WordError as error:
        return refuse(console, error, WRONG)
    from .exporting import ExportError, export_onnx

    # Of the exporter: what it does inside, and what it will do differently one day.
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=FutureWarning)
    for name in ("torch.onnx", "onnxscript", "onnx_ir"):
        logging.getLogger(name).setLevel(logging.ERROR)
    policy = Path(values["policy"]).expanduser()
    out = Path(values["out"]).expanduser() if values["out"] else policy / "export"
    try:
        file, deviation = export_onnx(policy, out, values["domain"])
    except CheckpointError as error:
        return refuse(console, error, WRONG)
    except (ExportError, OSError) as error:
        return refuse(console, error, FAILED)
    size = file.stat().st_size / 1e6
    console.print(f"{file}: {size:.1f} MB; its chunk is off by {deviation:.1g}", soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
