"""One network that learns: optimiser, averaged weights, one step, validation, going on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .batches import to_batch
from .chance import chance
from .checkpoint import Resumed
from .heads import Draws
from .network import PolicyNetwork
from .schedule import learning_rate
from .settings import Settings
from .windows import Samples, Windows

BETAS = (0.95, 0.999)
VALIDATION_WINDOWS = 512  # of each domain at most
VALIDATION_BATCH = 64


class Learner:
    """See the module.

    Args:
        settings: Of the policy.
        device: Where it learns.
    """

    def __init__(self, settings: Settings, device: torch.device) -> None:
        self.settings, self.device = settings, device
        torch.manual_seed(settings.train.seed)
        self.network = PolicyNetwork(settings).to(device)
        self.optimiser = torch.optim.AdamW(
            _groups(self.network, settings.train.decay),
            settings.train.rate,
            betas=BETAS,
            fused=True,
        )
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self.step = 0

    def learn(self, samples: Sequence[Samples]) -> float:
        """One step of the optimiser, on a batch of every domain; returns the loss.

        Where several processes learn together, each with its part of the batches, the step and the
        loss are those of one process that has the whole.

        Raises:
            FloatingPointError: The loss or its gradient is not finite.
        """
        train = self.settings.train
        rate = learning_rate(self.step, train)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        total = 0.0
        for number, (part, share) in enumerate(
            zip(samples, _shares(samples, self.device), strict=True)
        ):
            loss = share * self.loss(part, self._draws(part, number)) / len(samples)
            loss.backward()
            total += float(loss.detach())
        average_gradients(self.network)
        total = float(_together(torch.tensor(total, device=self.device))) / _processes()[1]
        norm = float(nn.utils.clip_grad_norm_(self.network.parameters(), train.clip))
        if not np.isfinite(total + norm):
            raise FloatingPointError(
                f"the loss is {total} and its gradient {norm} at step {self.step}; a lower "
                "train.rate may help"
            )
        self.optimiser.step()
        self.step += 1
        self._follow()
        return total

    def _draws(self, samples: Samples, number: int) -> Draws:
        """Draws for a batch of a step: those of its rows, whoever has them and whenever."""
        rank, processes = _processes()
        count = len(samples.actions)
        numbers = self.settings.train.seed, self.step, number

        def mine(draw: Callable[..., NDArray[np.float32]], *shape: int) -> Tensor:
            whole = draw((processes * count, *shape), dtype=np.float32)
            return torch.from_numpy(whole[rank::processes].copy()).to(self.device)

        noise = mine(chance("noise", *numbers).standard_normal, *samples.actions.shape[1:])
        return Draws(noise, mine(chance("level", *numbers).random))

    def loss(self, samples: Samples, draws: Draws | None = None) -> Tensor:
        """The loss of samples of one domain."""
        batch, actions, valid = to_batch(samples, self.device)
        kind = self.device.type
        with torch.autocast(kind, torch.bfloat16, enabled=self.settings.train.amp):
            return self.network.loss(batch, samples.domain, actions, valid, draws)

    def _follow(self) -> None:
        """Moves the averaged weights; at first they follow closely."""
        decay = min(self.settings.train.ema, (1.0 + self.step) / (10.0 + self.step))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                self.average[name].lerp_(value, 1.0 - decay)

    @contextmanager
    def averaged(self) -> Iterator[PolicyNetwork]:
        """The network with the averaged weights, for a while, to look at only."""
        own = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self.network.load_state_dict(self.average)
        self.network.eval()
        try:
            yield self.network
        finally:
            self.network.load_state_dict(own)
            self.network.train()

    def validate(self, windows: Windows) -> dict[str, float]:
        """Figures on a validation set: loss, and mean error of the chunks, normalised.

        The windows and the noise are the same every time.
        """
        rng = np.random.default_rng(0)
        losses, errors = [], []
        with self.averaged() as network, torch.no_grad():
            torch.manual_seed(0)
            domains = windows.domains()
            for domain in np.unique(domains):
                group = np.flatnonzero(domains == domain)
                group = rng.permutation(group)[:VALIDATION_WINDOWS]
                for first in range(0, len(group), VALIDATION_BATCH):
                    samples = windows.batch(group[first : first + VALIDATION_BATCH])
                    losses.append(float(self.loss(samples)))
                    batch, actions, valid = to_batch(samples, self.device)
                    guess = network.act(batch, samples.domain, torch.randn_like(actions))
                    error = (guess - actions).abs().mean(-1)
                    errors.append(float((error * valid).sum() / valid.sum().clamp_min(1)))
        return {"loss": float(np.mean(losses)), "error": float(np.mean(errors))}

    def any_process(self, asked: bool) -> bool:
        """Whether one of the processes has been asked: all of them stop at the same step."""
        return bool(_together(torch.tensor(float(asked), device=self.device)))

    def resumed(self) -> Resumed:
        """What it takes to go on from here."""
        tensors = {f"network/{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"average/{k}": v for k, v in self.average.items()}
        for number, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser/{number}/{k}": torch.as_tensor(v) for k, v in state.items()}
        return Resumed(tensors, {"step": self.step})

    def resume(self, resumed: Resumed) -> None:
        """Goes on from there.

        Raises:
            KeyError, RuntimeError: It is of another network.
        """
        parts: dict[str, dict[str, Tensor]] = {"network": {}, "average": {}, "optimiser": {}}
        for name, tensor in resumed.tensors.items():
            part, _, rest = name.partition("/")
            parts[part][rest] = tensor.to(self.device)
        self.network.load_state_dict(parts["network"])
        self.average = {k: parts["average"][k] for k in self.average}
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in parts["optimiser"].items():
            number, _, key = name.partition("/")
            state.setdefault(int(number), {})[key] = tensor.cpu() if key == "step" else tensor
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": state, "param_groups": groups})
        self.step = int(resumed.figures["step"])


def _processes() -> tuple[int, int]:
    """Number of this process, and how many there are."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return 0, 1
    return torch.distributed.get_rank(), torch.distributed.get_world_size()


def _together(numbers: Tensor) -> Tensor:
    """The sum over all processes."""
    if _processes()[1] > 1:
        torch.distributed.all_reduce(numbers)
    return numbers


def _shares(samples: Sequence[Samples], device: torch.device) -> list[float]:
    """What the part of this process counts in the mean over all processes, of each batch.

    A loss is a mean over valid steps, of which one part may have more than another.
    """
    mine = torch.tensor([float(part.valid.sum()) for part in samples], device=device)
    every = _together(mine.clone())
    return (_processes()[1] * mine / every.clamp_min(1.0)).tolist()


def average_gradients(network: nn.Module) -> None:
    """Makes the gradients those of all processes together, where there are several.

    All of them have samples of the same domains, so that what one leaves alone all do.
    """
    count = _processes()[1]
    for parameter in network.parameters() if count > 1 else ():
        if parameter.grad is not None:
            torch.distributed.all_reduce(parameter.grad)
            parameter.grad /= count


def _groups(network: nn.Module, decay: float) -> list[dict[str, object]]:
    """Weight decay for matrices only: not for norms, offsets and learned queries."""
    layers = (nn.Linear, nn.Conv2d)
    matrices = [m.weight for m in network.modules() if isinstance(m, layers)]
    known = {id(p) for p in matrices}
    others = [p for p in network.parameters() if id(p) not in known]
    return [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
