"""Of an episode that a policy began, only what the expert did is learned from."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gensim2_policy.demonstrations import DataError, Source, load_demonstrations
from gensim2_policy.takeover import KEY, report, taken_over_ns, time_of_takeover
from policy_samples import small_settings, write_episode


def take_over(folder: Path, frame: int) -> np.ndarray:
    """Says in the manifest of the only episode that the expert came in at a frame; its stamps."""
    from gensim2_episodes.store import EpisodeStore

    store = EpisodeStore(folder)
    (info,) = store.episodes()
    stamps = store.open_episode(info.episode_id).stamp_ns
    said = json.loads(report(float(stamps[frame]) / 1e9, '[{"solver": "CloseBox"}]'))
    manifest = info.manifest.model_copy(update={"solver_report": said})
    (info.path / "manifest.json").write_text(manifest.model_dump_json())
    return stamps


def test_the_steps_of_the_policy_are_left_out(tmp_path: Path) -> None:
    write_episode(tmp_path / "data", frames=9)
    seen = small_settings().observation
    (whole,) = load_demonstrations([Source(tmp_path / "data")], seen, cache=tmp_path / "a")
    take_over(tmp_path / "data", 4)
    (rest,) = load_demonstrations([Source(tmp_path / "data")], seen, cache=tmp_path / "b")
    assert len(rest) == len(whole) - 4
    for field in dataclasses.fields(rest):
        if field.name in ("tcp_pose", "q", "q_ref", "finger_ref", "cloud"):
            assert np.array_equal(getattr(rest, field.name), getattr(whole, field.name)[4:])


def test_an_episode_in_which_the_expert_did_nothing_is_refused(tmp_path: Path) -> None:
    write_episode(tmp_path / "data", frames=9)
    take_over(tmp_path / "data", 8)
    seen = small_settings().observation
    with pytest.raises(DataError, match="no step of an expert"):
        list(load_demonstrations([Source(tmp_path / "data")], seen, cache=tmp_path / "a"))


@pytest.mark.parametrize("expert", ["", "[1, 2]", "no json"])
def test_the_report_keeps_what_the_expert_said(expert: str) -> None:
    said = json.loads(report(1.25, expert))
    assert taken_over_ns(said) == 1_250_000_000
    assert said["tries"] == ([1, 2] if expert == "[1, 2]" else expert or [])
    assert taken_over_ns({}) is None and taken_over_ns({KEY: "soon"}) is None


def test_the_policy_gets_another_share_every_time_and_the_same_of_one_seed() -> None:
    drawn = [time_of_takeover(3, k, 10.0, (0.2, 0.8)) for k in range(50)]
    assert drawn == [time_of_takeover(3, k, 10.0, (0.2, 0.8)) for k in range(50)]
    assert 2.0 <= min(drawn) < 3.5 and 6.5 < max(drawn) <= 8.0 and len(set(drawn)) == 50
