"""docs/graph.md says what the running graph is."""

from __future__ import annotations

import os

import pytest

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

import document_graph


def test_the_document_is_fresh() -> None:
    """Whoever reads it finds the topics, services, actions and parameters there are."""
    text = document_graph.render(*document_graph.read_graph(1 + (os.getpid() + 15) % 95))
    written = document_graph.DOCUMENT.read_text()
    assert written == text, "renew it with: ./ws python tools/document_graph.py"
