"""docs/tasks.md says what the catalogue holds and what was measured."""

from __future__ import annotations

import document_tasks
from gensim2_tasks.catalogue import task_names

MAX_BYTES = 1_500_000  # of all pictures


def test_the_document_is_fresh() -> None:
    """Whoever reads it finds the tasks as they are, and the figures of docs/data."""
    written = document_tasks.DOCUMENT.read_text()
    assert written == document_tasks.render(), "renew it with: ./ws python tools/document_tasks.py"


def test_every_task_has_its_picture_and_they_stay_small() -> None:
    """None of a task that is gone, and not a repository of pictures."""
    pictures = sorted(document_tasks.PICTURES.iterdir())
    assert [picture.stem for picture in pictures] == task_names(), "run it with --pictures"
    files = [*pictures, document_tasks.MONTAGE]
    assert sum(file.stat().st_size for file in files) < MAX_BYTES
