"""Task documents and asset folders of any kind: refused by name, or of use."""

from __future__ import annotations

import pytest
from asset_fuzz_inputs import Folders
from task_fuzz_inputs import Documents


def test_any_document_is_a_task_or_is_refused(tmp_path):
    documents = Documents(tmp_path)
    accepted = sum(documents.run(seed) for seed in range(1200))
    assert 120 < accepted < 900, "inputs of one kind only show nothing"


@pytest.mark.parametrize("block", range(2))
def test_any_folder_is_an_asset_or_is_refused(tmp_path, block):
    folders = Folders(tmp_path)
    accepted = sum(folders.run(seed) for seed in range(300 * block, 300 * (block + 1)))
    assert 30 < accepted < 240, "inputs of one kind only show nothing"
