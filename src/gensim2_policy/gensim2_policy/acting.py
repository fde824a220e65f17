"""A trained policy in use: observations in, targets of the next steps out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from . import features
from .batches import to_batch
from .checkpoint import PolicyRecord, load_network
from .demonstrations import sampled
from .language import Words, encoder_of
from .network import Batch, PolicyNetwork, example
from .seen import Seen
from .windows import Samples

Array = NDArray[np.float64]
Instruction = tuple[Words, NDArray[np.bool_]]
"""Embeddings of the tokens of an instruction, and which of them are there."""


class PolicyError(ValueError):
    """The policy cannot be used this way; says why, and what to do."""


@dataclass(frozen=True)
class Targets:
    """What the policy asks for.

    Attributes:
        t: (H,) when, s, by the clock of the observation.
        finger: (H,) finger positions, m.
        q: (H, 7) joints, rad; where there are poses, about those that reach them.
        T_base_tcp: (H, 4, 4) poses of the TCP; None where the policy says joints.
    """

    t: Array
    finger: Array
    q: Array
    T_base_tcp: Array | None = None


def samples_of(seen: Seen, record: PolicyRecord, domain: str, words: Instruction | None) -> Samples:
    """An observation as the network was trained on them, without any augmentation.

    Raises:
        PolicyError: A modality is missing.
    """
    settings = record.settings
    wanted = settings.observation
    if len(seen.tcp_pose) < wanted.steps:
        raise PolicyError(f"{len(seen.tcp_pose)} steps were seen, the policy needs {wanted.steps}")
    states = features.states(seen.tcp_pose, seen.q, seen.finger)[None]
    tcp = states[:, states.shape[1] - max(wanted.cloud_steps, 1) :, :3]
    points = colours = pictures = None
    if wanted.cloud_steps:
        if seen.points is None:
            raise PolicyError("the policy needs clouds on the topic points; set obs:=pointcloud")
        rgb = seen.colours if seen.colours is not None else np.zeros(seen.points.shape, np.uint8)
        xyz, rgb = sampled(seen.points, rgb, wanted.points)
        points, colours = xyz[None], rgb[None] if settings.model.cloud.colour else None
    if wanted.cameras:
        if seen.pictures is None:
            raise PolicyError(f"the policy needs pictures of {', '.join(wanted.cameras)}")
        pictures = seen.pictures[None]
    horizon, width = settings.action.horizon, settings.action.width
    state = record.normaliser.state.apply(states[:, -wanted.state_steps :])
    return Samples(
        domain=domain,
        state=state.astype(np.float32),
        tcp=tcp.astype(np.float32),
        points=points,
        colours=colours,
        pictures=pictures,
        words=None if words is None else words[0],
        words_seen=None if words is None else words[1],
        actions=np.zeros((1, horizon, width), np.float32),
        valid=np.zeros((1, horizon), bool),
    )


class Policy:
    """See the module.

    Args:
        path: Folder of a run or of a checkpoint.
        device: ``cpu`` or ``cuda``.
        domain: Whose stems and head are used; empty = the first.
        compiled: Whether the network is compiled.
        language_weights: Folder of its encoder of instructions, where that has one; empty = where
            it was in the training.

    Raises:
        CheckpointError: There is no policy, or it is damaged.
        PolicyError: The device or the domain is missing, or the encoder is another one.
        LanguageError: The encoder is not there.
    """

    def __init__(
        self,
        path: Path,
        device: str = "cpu",
        domain: str = "",
        compiled: bool = False,
        language_weights: str = "",
    ) -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise PolicyError("device cuda: there is no GPU that PyTorch can use; take cpu")
        network, self.record = load_network(path)
        domains = self.record.settings.model.domains
        if domain and domain not in domains:
            raise PolicyError(f"domain {domain!r}: the policy knows {', '.join(domains)}")
        self.domain = domain or domains[0]
        self.device = torch.device(device)
        self.network: PolicyNetwork = network.to(self.device)
        self._act = torch.compile(self.network.act) if compiled else self.network.act
        self._encoder = encoder_of(self.record.settings.model, language_weights)
        if self.record.language and self.record.language != self._encoder.name:
            raise PolicyError(
                "the weights of the encoder of instructions are other ones than those that the "
                "policy was trained with; name their folder, language_weights:=FOLDER"
            )
        self._words: Instruction | None = None
        self._noise = torch.zeros(0)
        self.begin("", 0)
        self._warm_up()

    def begin(self, instruction: str, seed: int) -> None:
        """A task begins.

        The noise that chunks are drawn from is the same throughout it: the policy stays with the
        one of several ways that it has begun.

        Args:
            instruction: In words.
            seed: Of the noise.

        Raises:
            LanguageError: The instruction cannot be encoded.
        """
        action = self.record.settings.action
        generator = torch.Generator().manual_seed(seed)
        self._noise = torch.randn(1, action.horizon, action.width, generator=generator)
        if self.record.settings.model.language != "none" and instruction:
            self._words = self._encoder.batch([instruction])

    def _warm_up(self) -> None:
        """Lets PyTorch do what it does the first time, which may take longer than a chunk lasts."""
        settings = self.record.settings
        given = {k: None if v is None else v.to(self.device) for k, v in example(settings).items()}
        noise = given.pop("noise")
        assert noise is not None and given["state"] is not None
        with torch.inference_mode():
            self._act(Batch(**given), self.domain, noise)  # type: ignore[arg-type]

    def act(self, seen: Seen) -> Targets:
        """Targets of the steps after an observation.

        Raises:
            PolicyError: A modality is missing, or the network says numbers that are not finite.
        """
        settings = self.record.settings
        samples = samples_of(seen, self.record, self.domain, self._words)
        with torch.inference_mode():
            batch, _, _ = to_batch(samples, self.device)
            chunk = self._act(batch, self.domain, self._noise.to(self.device))
        actions = self.record.normaliser.action.undo(chunk[0].cpu().double().numpy())
        if not np.isfinite(actions).all():
            raise PolicyError("the policy says numbers that are not finite")
        steps = np.arange(1, settings.action.horizon + 1, dtype=np.float64)
        t = seen.t + settings.observation.period * steps
        q, finger = features.joint_targets(seen.q[-1], actions)
        if settings.action.space == "joints":
            return Targets(t, finger, q)
        return Targets(t, finger, q, features.tcp_targets(seen.tcp_pose[-1], actions))
