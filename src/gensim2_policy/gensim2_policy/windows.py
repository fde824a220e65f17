"""Windows of demonstrations: what was seen up to a step, and what was done from there on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import features
from .augment import Moved, thinned
from .demonstrations import STILL, DataError, Demonstration
from .language import InstructionEncoder, Words
from .normaliser import LEAST, Normaliser, Scale
from .settings import Settings

REST = 3
"""Steps at the end of a demonstration in which nothing is to move for it to end at rest."""
Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Samples:
    """A batch of one domain, in numpy; shapes as in `network.Batch`.

    Attributes:
        domain: Whose.
        state: Normalised.
        tcp: m in base.
        points: m in base; None where clouds are not used.
        colours: Bytes.
        pictures: (B, V, H, W, 3), bytes.
        words: Embeddings.
        words_seen: Which are there.
        actions: (B, H, A), normalised.
        valid: (B, H), which steps the demonstration has.
    """

    domain: str
    state: NDArray[np.float32]
    tcp: NDArray[np.float32]
    points: NDArray[np.float32] | None
    colours: NDArray[np.uint8] | None
    pictures: NDArray[np.uint8] | None
    words: Words | None
    words_seen: NDArray[np.bool_] | None
    actions: NDArray[np.float32]
    valid: NDArray[np.bool_]


class Windows:
    """Every step of some demonstrations, as a window.

    Before the beginning the first frame is seen again. Past the end the last command goes on: where
    a demonstration ends at rest that is what is to be done, and a policy that has not learned it
    would not know when it is done; elsewhere it is marked as not valid.

    Args:
        demonstrations: Of any domains.
        settings: Of the policy.
        encoder: Of instructions.
        normaliser: That of the training; None = fitted to these demonstrations.

    Raises:
        DataError: There are none.
    """

    def __init__(
        self,
        demonstrations: Sequence[Demonstration],
        settings: Settings,
        encoder: InstructionEncoder,
        normaliser: Normaliser | None = None,
    ) -> None:
        if not demonstrations:
            raise DataError("there is no successful episode to train on")
        self.demonstrations = tuple(demonstrations)
        self.settings = settings
        self._encoder = encoder
        lengths = [len(d) for d in demonstrations]
        self._episode = np.repeat(np.arange(len(lengths)), lengths)
        self._step = np.concatenate([np.arange(n) for n in lengths])
        self._rests = [_ends_at_rest(d) for d in demonstrations]
        self._states = [features.states(d.tcp_pose, d.q, d.finger) for d in demonstrations]
        self.normaliser = normaliser or self._fit()

    def __len__(self) -> int:
        return len(self._step)

    def _fit(self) -> Normaliser:
        actions = np.concatenate([self._actions(*window)[0] for window in self._all()])
        action, state = Scale.fit(actions), Scale.fit(np.concatenate(self._states))
        # Columns of rotations are between -1 and 1 already, and their sizes mean something.
        for scale, first in (
            (state, 3),
            *(((action, 3),) if self.settings.action.space == "tcp" else ()),
        ):
            scale.offset[first : first + 6], scale.scale[first : first + 6] = 0.0, 1.0
        if self.settings.action.space == "tcp":
            # A turn of the scene mixes ways along x and y, and is not to lead out of the range.
            action.offset[:2] = 0.0
            action.scale[:2] = max(LEAST, np.linalg.norm(actions[..., :2], axis=-1).max())
        return Normaliser(state, action)

    def _all(self) -> Iterator[tuple[int, Index]]:
        for number, demonstration in enumerate(self.demonstrations):
            yield number, np.arange(len(demonstration))

    def _actions(self, episode: int, steps: Index) -> tuple[Array, NDArray[np.bool_]]:
        """Actions (B, H, A) from steps of an episode on, and which are there."""
        d = self.demonstrations[episode]
        ahead = steps[:, None] + np.arange(1, self.settings.action.horizon + 1)
        valid, ahead = (ahead < len(d)) | self._rests[episode], np.minimum(ahead, len(d) - 1)
        finger = d.finger_ref[ahead]
        if self.settings.action.space == "joints":
            return features.joint_actions(d.q[steps], d.q_ref[ahead], finger), valid
        now, ref = d.tcp_pose[steps], d.tcp_ref[ahead]
        return features.tcp_actions(now, ref, d.q[steps], d.q_ref[ahead], finger), valid

    def weights(self) -> Array:
        """How often each window is to be drawn (sum 1): every source as its weight says.

        Within a source all tasks count the same, however many episodes they have.
        """
        groups: dict[tuple[int, str], list[int]] = {}
        for number, d in enumerate(self.demonstrations):
            groups.setdefault((d.source, d.task), []).append(number)
        tasks = Counter(source for source, _ in groups)
        each = np.zeros(len(self.demonstrations))
        for (source, _), members in groups.items():
            frames = sum(len(self.demonstrations[m]) for m in members)
            each[members] = self.demonstrations[members[0]].weight / tasks[source] / frames
        total = each[self._episode]
        return total / total.sum()

    def domains(self) -> NDArray[np.str_]:
        """The domain of each window."""
        return np.array([d.domain for d in self.demonstrations])[self._episode]

    def batch(self, index: Index, rng: np.random.Generator | None = None) -> Samples:
        """The windows of some numbers, which are of one domain.

        Args:
            index: (B,).
            rng: Source of the augmentation; None = none.
        """
        settings = self.settings
        seen, space = settings.observation, settings.action.space
        episodes, steps = self._episode[index], self._step[index]
        back = np.maximum(steps[:, None] - np.arange(seen.steps)[::-1], 0)
        states = np.stack([self._states[e][b] for e, b in zip(episodes, back, strict=True)])
        parts = [self._actions(e, s[None]) for e, s in zip(episodes, steps, strict=True)]
        actions = np.concatenate([a for a, _ in parts])
        valid = np.concatenate([v for _, v in parts])
        points, colours = self._clouds(episodes, back[:, seen.steps - seen.cloud_steps :])
        if rng is not None:
            moved = Moved.draw(settings.augment, len(index), rng)
            states = moved.states(states)
            actions = moved.actions(actions, space)
            if points is not None:
                points = moved.points(points)
                if settings.augment.keep < 1.0:
                    keep = thinned(points, settings.augment.keep, rng)[:, None, :, None]
                    points = np.take_along_axis(points, keep, 2)
                    colours = None if colours is None else np.take_along_axis(colours, keep, 2)
                noise = rng.standard_normal(points.shape, dtype=np.float32)
                points = points + settings.augment.point_noise * noise
        tcp = states[:, seen.steps - max(seen.cloud_steps, 1) :, :3]
        states = self.normaliser.state.apply(states[:, seen.steps - seen.state_steps :])
        if rng is not None:
            states = states + settings.augment.state_noise * rng.standard_normal(states.shape)
        words = self._words(episodes)
        demonstration = self.demonstrations[episodes[0]]
        return Samples(
            domain=demonstration.domain,
            state=states.astype(np.float32),
            tcp=tcp.astype(np.float32),
            points=points,
            colours=colours,
            pictures=self._pictures(episodes, steps),
            words=words[0],
            words_seen=words[1],
            actions=self.normaliser.action.apply(actions).astype(np.float32),
            valid=valid,
        )

    def _clouds(
        self, episodes: Index, back: Index
    ) -> tuple[NDArray[np.float32] | None, NDArray[np.uint8] | None]:
        if not self.settings.observation.cloud_steps:
            return None, None
        points, colours = [], []
        for episode, steps in zip(episodes, back, strict=True):
            d = self.demonstrations[episode]
            assert d.cloud is not None and d.colour is not None
            points.append(d.cloud[steps])
            if self.settings.model.cloud.colour:
                colours.append(d.colour[steps])
        return np.stack(points), np.stack(colours) if colours else None

    def _pictures(self, episodes: Index, steps: Index) -> NDArray[np.uint8] | None:
        if not self.settings.observation.cameras:
            return None
        chosen = [self.demonstrations[e].pictures for e in episodes]
        return np.stack([p[s] for p, s in zip(chosen, steps, strict=True) if p is not None])

    def _words(self, episodes: Index) -> tuple[Words | None, NDArray[np.bool_] | None]:
        if self.settings.model.language == "none":
            return None, None
        return self._encoder.batch([self.demonstrations[e].instruction for e in episodes])


def _ends_at_rest(d: Demonstration) -> bool:
    """Whether nothing is to move any more at the end of a demonstration."""
    commands = np.column_stack([d.tcp_ref, d.finger_ref])[-REST - 1 :]
    return len(commands) > REST and bool(np.abs(commands - commands[-1]).max() < STILL)
