"""Requests for scenes of any kind: refused with a code, or there is a scene that can be used."""

from __future__ import annotations

from pathlib import Path

from reset_fuzz_inputs import Resets


def test_any_request_gets_a_scene_or_a_typed_refusal(tmp_path: Path) -> None:
    resets = Resets(tmp_path)
    accepted = sum(resets.run(seed) for seed in range(100))
    assert 5 < accepted < 90, "inputs of one kind only show nothing"
