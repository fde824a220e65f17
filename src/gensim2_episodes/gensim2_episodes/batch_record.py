"""Runs episodes without transport through the manager, so that they lie in a data set.

The manifests and arrays are those of a collection over the graph with `obs:=state` or,
where there are eyes, `obs:=pointcloud`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from gensim2_control.description import robot_description
from gensim2_control.kinematics import Fr3Kinematics

from gensim2_episodes.attempts import Attempt, CollectRequest, CollectResult
from gensim2_episodes.batch import BatchEpisode, BatchRunner
from gensim2_episodes.batch_eyes import BatchEyes
from gensim2_episodes.batch_graph import BatchGraph
from gensim2_episodes.disturbance import DisturbanceKind
from gensim2_episodes.manager import Collection, ManagerConfig, Progress
from gensim2_episodes.manifest import Rates
from gensim2_episodes.provenance import software_record

RATE = 10.0
"""Of the observations [Hz]."""


def collect_batch(
    runner: BatchRunner,
    request: CollectRequest,
    ended: Callable[[BatchEpisode], None] = lambda episode: None,
    disturb: DisturbanceKind | None = None,
    eyes: BatchEyes | None = None,
) -> CollectResult:
    """Does what the nodes do for the same request.

    Args:
        runner: Simulation and planner; of no more use after an error.
        request: What to collect; the controller is the kPAM expert, whatever it names.
        ended: Told every attempt.
        disturb: How every episode is spoiled once.
        eyes: Make clouds, which are recorded too.
    """
    kinematics = Fr3Kinematics.from_urdf(robot_description())
    graph = BatchGraph(runner, kinematics, RATE, disturb, eyes)
    started = time.process_time()

    def feedback(progress: Progress) -> None:
        nonlocal started
        if progress.last is not None:
            now = time.process_time()
            ended(_episode(progress.last, graph, now - started))
            started = now

    return Collection(
        request,
        graph,
        ManagerConfig(Rates(observation=RATE)),
        software=software_record(),
        feedback=feedback,
    ).run()


def _episode(attempt: Attempt, graph: BatchGraph, cpu_time: float) -> BatchEpisode:
    start, end = graph.openness if attempt.sim_time else (0.0, 0.0)
    return BatchEpisode(
        task=attempt.task,
        seed=attempt.seed,
        asset=attempt.asset,
        success=attempt.success,
        outcome=str(attempt.outcome),
        reason=attempt.reason,
        start_openness=start,
        end_openness=end,
        approach_disturbance=attempt.approach_disturbance,
        plan_time=attempt.plan_time,
        sim_time=attempt.sim_time,
        cpu_time=cpu_time,
        solver=graph.solver if attempt.sim_time else "",
        failure=str(attempt.failure or ""),
        retries=attempt.retries,
        disturbed=graph.disturbed if attempt.sim_time else "",
        undone=attempt.retries > 0,
    )
