"""Folders that appear completely or not at all: filled beside their place, then renamed to it."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from gensim2_episodes.errors import StoreError, write_error
from gensim2_episodes.files import sync_folder, sync_tree

STAGED_PREFIX = ".partial-"


class TargetError(StoreError):
    """Something lies where the result should go."""


@contextlib.contextmanager
def staged(*targets: Path) -> Iterator[tuple[Path, ...]]:
    """Gives an empty hidden folder beside each target, which become the targets at the end.

    On any error, Ctrl-C included, nothing of them is left. A process that is killed leaves hidden
    folders beside the targets, which nobody reads.

    Args:
        targets: Must not exist, or be empty folders.

    Yields:
        The hidden folders, in the order of the targets.

    Raises:
        TargetError: A target exists, or two are the same.
        DatasetWriteError: A folder cannot be written, or the disk is full.
    """
    finals = [target.expanduser().resolve() for target in targets]
    token = secrets.token_hex(4)
    hidden = [final.with_name(f"{STAGED_PREFIX}{final.name}-{token}") for final in finals]
    made: list[Path] = []
    _check_targets(finals)
    try:
        for final, folder in zip(finals, hidden, strict=True):
            with _as_write_error(final):
                made += _make_parents(final.parent)
                made.append(folder)
                folder.mkdir()
        with _as_write_error(finals[0]):
            yield tuple(hidden)
        for final, folder in zip(finals, hidden, strict=True):
            with _as_write_error(final):
                sync_tree(folder)
        for final, folder in zip(finals, hidden, strict=True):
            with _as_write_error(final):
                folder.rename(final)
                made[made.index(folder)] = final
                sync_folder(final.parent)
    except BaseException:
        for path in reversed(made):
            _undo(path, [*hidden, *finals])
        raise


def _check_targets(finals: list[Path]) -> None:
    if len({*finals}) < len(finals):
        raise TargetError(f"{finals[0]} is named twice; name two folders")
    for final in finals:
        with _as_write_error(final):
            if final.exists() and not final.is_dir():
                raise TargetError(f"{final} exists and is no folder; name a new one")
            if final.is_dir() and (content := sorted(final.iterdir())):
                raise TargetError(
                    f"{final} exists and is not empty (it holds {content[0].name!r}); name a new "
                    "folder, or remove that one first"
                )


def _make_parents(folder: Path) -> list[Path]:
    missing = [path for path in (folder, *folder.parents) if not path.exists()][::-1]
    for path in missing:
        path.mkdir(exist_ok=True)
    return missing


def _undo(path: Path, filled: list[Path]) -> None:
    if path in filled:
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.rmdir()


@contextlib.contextmanager
def _as_write_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise write_error(folder, error) from error
