"""A policy as an ONNX graph, for computers without PyTorch.

The graph maps one observation to a chunk, both normalised. Beside it lies the record of the policy,
whose scales turn them into metres and radians.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .checkpoint import POLICY, find_checkpoint, load_network
from .network import Batch, PolicyNetwork, example

GRAPH = "policy.onnx"
TOLERANCE = 1e-3  # of normalised actions, between PyTorch and ONNX Runtime


class ExportError(RuntimeError):
    """The policy cannot be exported; says why."""


class _Chunk(nn.Module):
    """The network as a function of tensors."""

    def __init__(self, network: PolicyNetwork, domain: str) -> None:
        super().__init__()
        self.network, self.domain = network, domain

    def forward(
        self,
        noise: Tensor,
        state: Tensor,
        tcp: Tensor,
        points: Tensor | None,
        colours: Tensor | None,
        pictures: Tensor | None,
        words: Tensor | None,
        words_seen: Tensor | None,
    ) -> Tensor:
        batch = Batch(state, tcp, points, colours, pictures, words, words_seen)
        return self.network.act(batch, self.domain, noise)


def export_onnx(policy: Path, out: Path, domain: str = "") -> tuple[Path, float]:
    """Exports a policy, runs the graph, and compares.

    Args:
        policy: Folder of a run or checkpoint.
        out: Folder; made if missing.
        domain: Whose stems and head; empty = the first.

    Returns:
        The graph, and the largest deviation of its chunk from that of PyTorch.

    Raises:
        CheckpointError: There is no policy.
        ExportError: The domain is unknown, or the graph says something else.
    """
    network, record = load_network(policy)
    settings = record.settings
    domains = settings.model.domains
    if domain and domain not in domains:
        raise ExportError(f"domain {domain!r}: the policy knows {', '.join(domains)}")
    chunk = _Chunk(network, domain or domains[0]).eval()
    inputs = example(settings)
    out.mkdir(parents=True, exist_ok=True)
    file = out / GRAPH
    partial = file.with_suffix(".partial.onnx")
    try:
        with torch.no_grad():
            torch.onnx.export(
                chunk,
                tuple(inputs.values()),
                str(partial),
                input_names=[name for name, value in inputs.items() if value is not None],
                output_names=["chunk"],
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        deviation = _deviation(chunk, partial, example(settings, seed=1))
    except ImportError as error:
        raise ExportError(f"{error.name} is not installed: see requirements/policy.txt") from None
    if deviation > TOLERANCE:
        partial.unlink(missing_ok=True)
        raise ExportError(f"the graph's chunk is off by {deviation:.2g}")
    partial.replace(file)
    shutil.copyfile(find_checkpoint(policy) / POLICY, out / POLICY)
    return file, deviation


def _deviation(chunk: nn.Module, file: Path, inputs: dict[str, Tensor | None]) -> float:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(file), options, ["CPUExecutionProvider"])
    given = {name: value.numpy() for name, value in inputs.items() if value is not None}
    with torch.no_grad():
        wanted = chunk(*inputs.values()).numpy()
    (found,) = session.run(None, given)
    return float(np.abs(found - wanted).max())
