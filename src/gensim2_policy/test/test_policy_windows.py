"""Windows and batches: what is seen, what is done, what is padding, and how often it is drawn."""

from __future__ import annotations

import dataclasses
from itertools import islice

import numpy as np
import pytest
import torch
from gensim2_policy.batches import to_batch, training_order, training_samples
from gensim2_policy.chance import Purpose, chance
from gensim2_policy.demonstrations import DataError, Demonstration
from gensim2_policy.settings import Settings
from gensim2_policy.windows import Samples, Windows
from hypothesis import given
from hypothesis import strategies as st
from policy_samples import STILL, FakeEncoder, demonstration, joints, same, small_settings, words_of

from gensim2_policy import features

LONG = ("observation.state_steps=3", "observation.cloud_steps=2")


def windows(settings: Settings, *demonstrations: Demonstration) -> Windows:
    return Windows(demonstrations or (demonstration(0), demonstration(1)), settings, FakeEncoder())


def arrays(samples: Samples) -> list[np.ndarray]:
    values = (getattr(samples, f.name) for f in dataclasses.fields(samples))
    return [v for v in values if isinstance(v, np.ndarray)]


def test_every_step_is_a_window() -> None:
    made = windows(small_settings(), demonstration(0, 9), demonstration(1, 5))
    assert len(made) == 14
    with pytest.raises(DataError, match="no successful episode"):
        Windows((), small_settings(), FakeEncoder())


def test_history_is_the_steps_before_and_the_first_frame_again() -> None:
    """At the beginning, in use, there is no more than the first frame: so it is in training."""
    settings = small_settings(*LONG)
    one, two = demonstration(0, 9), demonstration(1, 9)
    made = windows(settings, one, two)
    samples = made.batch(np.array([9, 10, 13]))
    states = made.normaliser.state.undo(samples.state.astype(float))
    expected = features.states(two.tcp_pose, two.q, two.finger)
    for row, steps in zip(states, ([0, 0, 0], [0, 0, 1], [2, 3, 4]), strict=True):
        assert np.allclose(row, expected[steps], atol=1e-6)
    assert samples.points is not None and two.cloud is not None
    for k, steps in enumerate(([0, 0], [0, 1], [3, 4])):
        assert np.array_equal(samples.points[k], two.cloud[steps])
        assert np.allclose(samples.tcp[k], two.tcp_pose[steps, :3])


@pytest.mark.parametrize("settings", [small_settings(), joints()], ids=["tcp", "joints"])
def test_actions_are_the_commands_that_follow(settings: Settings) -> None:
    d = demonstration(0, 9)
    made = windows(settings, d)
    samples = made.batch(np.array([2]))
    actions = made.normaliser.action.undo(samples.actions.astype(float))
    if settings.action.space == "tcp":
        T = features.tcp_targets(d.tcp_pose[[2]], actions)
        assert np.allclose(T[0, :, :3, 3], d.tcp_ref[3:7, :3], atol=1e-6)
        assert np.allclose(T[0, :, :3, :3], features.rotation_of(d.tcp_ref[3:7]), atol=1e-6)
    q, finger = features.joint_targets(d.q[[2]], actions)
    assert np.allclose(q[0], d.q_ref[3:7], atol=1e-6)
    assert np.allclose(finger[0], d.finger_ref[3:7], atol=1e-6)
    assert samples.valid.all()


def test_padding_is_the_last_command_and_is_marked() -> None:
    d = demonstration(0, 9)
    made = windows(small_settings(), d)
    samples = made.batch(np.array([4, 6, 8]))
    assert samples.valid.tolist() == [[True] * 4, [True, True, False, False], [False] * 4]
    actions = made.normaliser.action.undo(samples.actions.astype(float))
    T = features.tcp_targets(d.tcp_pose[[4, 6, 8]], actions)
    assert np.allclose(T[1, 1:, :3, 3], d.tcp_ref[8, :3], atol=1e-6)
    assert np.allclose(T[2, :, :3, 3], d.tcp_ref[8, :3], atol=1e-6)


def test_staying_at_rest_is_learned_where_a_demonstration_ends_at_rest() -> None:
    """Or a policy goes on moving when it is done, and undoes what it has done."""
    d = demonstration(frames=9)
    last = {
        name: np.concatenate([getattr(d, name)[:5], np.repeat(getattr(d, name)[4:5], 4, 0)])
        for name in ("tcp_ref", "q_ref", "finger_ref")
    }
    rests = dataclasses.replace(d, **last)
    samples = windows(joints(*STILL), rests).batch(np.arange(9))
    assert samples.valid.all()
    goes_on = dataclasses.replace(rests, finger_ref=d.finger_ref)
    assert not windows(joints(*STILL), goes_on).batch(np.array([8])).valid.any()


def test_scales_fit_the_training_and_are_those_of_the_validation() -> None:
    settings = small_settings()
    training = windows(settings, demonstration(0), demonstration(1))
    every = training.batch(np.arange(len(training)))
    assert np.abs(every.state).max() <= 1.0 + 1e-6 and np.abs(every.actions).max() <= 1.0 + 1e-6
    for values in (every.actions[..., [2, 9]], every.state[..., [0, 1, 2, 9]]):
        flat = values.reshape(-1, values.shape[-1])
        assert np.allclose(flat.max(0), 1.0, atol=1e-5)
        assert np.allclose(flat.min(0), -1.0, atol=1e-5)
    # Rotations keep their numbers.
    raw = features.states(*(getattr(demonstration(0), n) for n in ("tcp_pose", "q", "finger")))
    assert np.allclose(every.state[:9, -1, 3:9], raw[:, 3:9], atol=1e-6)
    held = Windows([demonstration(2)], settings, FakeEncoder(), training.normaliser)
    assert held.normaliser is training.normaliser
    assert not np.allclose(
        windows(settings, demonstration(2)).normaliser.state.offset,
        training.normaliser.state.offset,
    )


def test_ways_of_a_turned_scene_stay_within_the_scale() -> None:
    """Whatever the turn: a head that is bound to the range can still say them."""
    made = windows(small_settings("augment.yaw=3", "augment.state_noise=0"))
    index = np.tile(np.arange(len(made)), 30)
    largest = [np.abs(made.batch(index).actions).max(axis=(0, 1))]
    for seed in range(3):
        samples = made.batch(index, np.random.default_rng(seed))
        largest.append(np.abs(samples.actions).max(axis=(0, 1)))
    assert np.max(largest) <= 1.0 + 1e-6
    assert np.max(largest, axis=0)[:2].min() > 0.9


def test_nothing_is_drawn_without_a_source_of_chance() -> None:
    """The public policy added its noise when it was tested too."""
    made = windows(small_settings("augment.state_noise=1", "augment.yaw=3", "augment.keep=0.1"))
    d = made.demonstrations[0]
    np.random.seed(0)
    one = made.batch(np.array([3, 4]))
    np.random.seed(1)
    assert same(arrays(one), arrays(made.batch(np.array([3, 4]))))
    assert d.cloud is not None and one.points is not None
    assert np.array_equal(one.points[:, -1], d.cloud[[3, 4]])


def test_augmented_windows_are_those_of_a_moved_scene() -> None:
    """Clouds, states and actions are turned by the same angle; the public policy turned clouds."""
    turn = ("augment.keep=1", "augment.point_noise=0", "augment.state_noise=0", "augment.yaw=1")
    made = windows(small_settings(*turn, "augment.shift=0.2"))
    index = np.array([2, 5, 11])
    plain, moved = made.batch(index), made.batch(index, np.random.default_rng(0))
    assert plain.points is not None and moved.points is not None
    scales = made.normaliser

    def seen_from_tcp(samples: Samples) -> list[np.ndarray]:
        """Clouds and goals in the axes of the TCP, where no move of the scene is seen."""
        state = scales.state.undo(samples.state.astype(float))[:, -1]
        action = scales.action.undo(samples.actions.astype(float))
        R = features.matrix_of(state[:, 3:9])
        assert samples.points is not None
        away = samples.points[:, -1] - samples.tcp[:, -1, None]
        return [
            np.einsum("bji,bnj->bni", R, away),
            np.einsum("bji,bhj->bhi", R, action[..., :3]),
            action[..., 3:],
        ]

    for one, other in zip(seen_from_tcp(plain), seen_from_tcp(moved), strict=True):
        assert np.allclose(one, other, atol=1e-5)
    state = scales.state.undo(moved.state.astype(float))[:, -1]
    assert np.allclose(state[:, :3], moved.tcp[:, -1], atol=1e-6)
    # The height stays, everything else moves, and every sample in another way.
    assert np.allclose(moved.tcp[..., 2], plain.tcp[..., 2])
    shift = np.linalg.norm(moved.tcp - plain.tcp, axis=-1).ravel()
    assert shift.min() > 0.01 and len(np.unique(shift.round(6))) == 3
    assert moved.valid.tolist() == plain.valid.tolist()


def test_each_noise_is_as_strong_as_it_says() -> None:
    still = list(STILL)
    noisy = small_settings(*still[:3], "augment.point_noise=0.01", "augment.state_noise=0.1")
    made = windows(noisy)
    index = np.arange(18)
    plain, other = made.batch(index), made.batch(index, np.random.default_rng(0))
    assert plain.points is not None and other.points is not None
    assert (other.points - plain.points).std() == pytest.approx(0.01, rel=0.1)
    assert (other.state - plain.state).std() == pytest.approx(0.1, rel=0.15)
    assert np.array_equal(other.actions, plain.actions) and np.array_equal(other.tcp, plain.tcp)


def test_points_that_are_left_out_take_their_colours_along() -> None:
    made = windows(
        small_settings(*STILL[:2], *STILL[3:], "augment.keep=0.3", "model.cloud.colour=true")
    )
    plain, thin = made.batch(np.array([1])), made.batch(np.array([1]), np.random.default_rng(0))
    assert plain.points is not None and plain.colours is not None
    assert thin.points is not None and thin.colours is not None
    colour = {
        tuple(p): tuple(c) for p, c in zip(plain.points[0, 0], plain.colours[0, 0], strict=True)
    }
    found = [tuple(p) for p in thin.points[0, 0]]
    assert [colour[p] for p in found] == [tuple(c) for c in thin.colours[0, 0]]
    assert 4 <= len({*found}) < 16


def test_instruction_of_each_episode_is_its_own() -> None:
    one, two = demonstration(0), demonstration(1, instruction="open the small box")
    samples = windows(small_settings(), one, two).batch(np.array([10, 1]))
    assert samples.words is not None and samples.words_seen is not None
    assert np.array_equal(samples.words[0], words_of("open the small box"))
    assert np.array_equal(samples.words[1, :3], words_of("close the box"))
    assert samples.words_seen.tolist() == [[True] * 4, [True, True, True, False]]
    none = windows(small_settings("model.language=none"), one, two).batch(np.array([0]))
    assert none.words is None and none.words_seen is None


def test_modalities_that_are_not_used_are_not_there() -> None:
    samples = windows(small_settings("observation.cloud_steps=0")).batch(np.array([0, 1]))
    assert samples.points is None and samples.colours is None and samples.pictures is None
    assert samples.tcp.shape == (2, 1, 3)
    shown = np.arange(9 * 2 * 4 * 5 * 3, dtype=np.uint8).reshape(9, 2, 4, 5, 3)
    see = small_settings("observation.cameras=[a,b]", "augment.yaw=0", "augment.shift=0")
    seen = windows(see, demonstration(0, pictures=shown)).batch(np.array([7]))
    assert seen.pictures is not None and np.array_equal(seen.pictures, shown[[7]])


def test_tensors_are_the_samples() -> None:
    shown = np.random.default_rng(0).integers(0, 256, (9, 1, 4, 5, 3), dtype=np.uint8)
    settings = small_settings(
        "observation.cameras=[a]", "augment.yaw=0", "augment.shift=0", "model.cloud.colour=true"
    )
    samples = windows(settings, demonstration(0, pictures=shown)).batch(np.array([3, 4]))
    batch, actions, valid = to_batch(samples, torch.device("cpu"))
    assert batch.pictures is not None and batch.colours is not None
    assert batch.pictures.shape == (2, 1, 3, 4, 5)
    assert float(batch.pictures[1, 0, 2, 3, 4]) == pytest.approx(shown[4, 0, 3, 4, 2] / 255.0)
    assert samples.colours is not None
    assert np.allclose(batch.colours.numpy(), samples.colours / 255.0)
    assert same(
        [batch.state, batch.tcp, batch.points, batch.words, batch.words_seen, actions, valid],
        [
            samples.state,
            samples.tcp,
            samples.points,
            samples.words,
            samples.words_seen,
            samples.actions,
            samples.valid,
        ],
    )


# How often


def drawn(made: Windows, batch: int, steps: int, **options: int) -> list[tuple[int, np.ndarray]]:
    domains = len(np.unique(made.domains()))
    return list(islice(training_order(made, batch, 7, **options), steps * domains))


def test_sources_count_by_weight_and_their_tasks_alike() -> None:
    many = [demonstration(i, 9, name=f"a/{i}") for i in range(6)]
    few = [
        demonstration(6, 9, name="a/6", task="OpenBox"),
        demonstration(7, 3, name="b/7", source=1, weight=3.0),
    ]
    made = windows(small_settings(), *many, *few)
    weights = made.weights()
    assert weights.sum() == pytest.approx(1.0)
    episode = np.repeat(np.arange(8), [9] * 7 + [3])
    share = np.array([weights[episode == k].sum() for k in range(8)])
    assert share[:6].sum() == pytest.approx(0.125) and np.allclose(share[:6], share[0])
    assert share[6:] == pytest.approx([0.125, 0.75])


def test_data_sets_of_the_same_name_count_each() -> None:
    sets = [demonstration(k, 4, name=f"data/{k}", source=k) for k in range(2)]
    made = windows(small_settings(), *sets, demonstration(2, 4, name="other/2", source=2))
    assert np.allclose(made.weights().reshape(3, 4).sum(1), 1.0 / 3.0)


def test_windows_are_drawn_as_their_weights_say() -> None:
    made = windows(
        small_settings(),
        demonstration(0, 4, weight=3.0, name="a/0"),
        demonstration(1, 4, name="b/1", source=1),
    )
    chosen = np.concatenate([index for _, index in drawn(made, 50, 100)])
    share = np.bincount(chosen, minlength=8) / len(chosen)
    assert np.abs(share - made.weights()).max() < 0.02


def test_a_few_real_episodes_are_not_lost_among_simulated_ones() -> None:
    many = [demonstration(i, 9, name=f"a/{i}") for i in range(5)]
    made = windows(
        small_settings(), *many, demonstration(9, 4, domain="real", name="b/9", source=1)
    )
    parts = drawn(made, 8, 3)
    assert [step for step, _ in parts] == [0, 0, 1, 1, 2, 2]
    for _, index in parts:
        assert len(index) == 4 and len(np.unique(made.domains()[index])) == 1
    assert {str(made.domains()[index[0]]) for _, index in parts[:2]} == {"sim", "real"}
    assert made.batch(parts[0][1]).domain == made.domains()[parts[0][1][0]]


def test_the_turn_of_a_scene_tells_nothing_of_the_step() -> None:
    frames, pose = 16, np.array([0.5, 0.0, 0.3, 1.0, 0.0, 0.0, 0.0])
    still = {"tcp_pose": np.tile(pose, (frames, 1)), "tcp_ref": np.tile(pose, (frames, 1))}
    step = np.linspace(0.0, 0.04, 2 * frames)
    made = windows(
        small_settings("augment.shift=0", "augment.state_noise=0"),
        *(
            demonstration(k, frames, finger=step[k * frames : (k + 1) * frames], **still)
            for k in range(2)
        ),
    )
    with training_samples(made, 16, 0) as batches:
        drawn_samples = [next(batches)[0] for _ in range(60)]
    x, y, _ = np.concatenate([one.tcp[:, -1] for one in drawn_samples]).T
    turn, finger = np.arctan2(y, x), np.concatenate([s.state[:, -1, 9] for s in drawn_samples])
    assert np.ptp(turn) > 0.3 and len(np.unique(finger)) == 2 * frames
    # Of 960 independent pairs 99.9 % are below 0.11.
    assert abs(np.corrcoef(turn, finger)[0, 1]) < 0.11


@given(
    seeds=st.lists(st.integers(0, 3), min_size=1, max_size=3),
    more=st.lists(st.just(0), max_size=2),
    purposes=st.permutations(["windows", "augmentation", "noise", "level", "takeover"]),
)
def test_sources_of_chance_share_no_draws(
    seeds: list[int], more: list[int], purposes: list[Purpose]
) -> None:
    one, other = chance(purposes[0], *seeds), chance(purposes[1], *seeds, *more)
    assert not set(one.random(8)) & set(other.random(8))
    assert np.array_equal(
        chance(purposes[0], *seeds).random(8), chance(purposes[0], *seeds).random(8)
    )


def test_what_is_drawn_depends_on_the_step_alone() -> None:
    made = windows(small_settings())
    whole = drawn(made, 8, 6)
    later = drawn(made, 8, 3, first=3)
    assert [s for s, _ in later] == [3, 4, 5] and same(
        *([i for _, i in p] for p in (whole[3:], later))
    )
    assert len({tuple(index) for _, index in whole}) == 6


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_share_every_step(processes: int) -> None:
    made = windows(small_settings())
    whole = drawn(made, 8, 4)
    parts = [drawn(made, 8, 4, rank=rank, processes=processes) for rank in range(processes)]
    for k, (_, index) in enumerate(whole):
        again = np.empty_like(index)
        for rank in range(processes):
            again[rank::processes] = parts[rank][k][1]
        assert np.array_equal(again, index)
