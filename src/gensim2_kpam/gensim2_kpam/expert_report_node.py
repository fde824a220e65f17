"""What `kpam_expert` says of itself in the diagnostics, and of a task in its result."""

from __future__ import annotations

import json

from gensim2_control.report import Level, Report
from gensim2_control.ros.conversions import stamp_from_seconds

from gensim2_msgs.action import ExecuteTask

from .graph_news_node import JOINTS, SCENE, GraphNews
from .performance import Performance


def expert_report(stage: str, last: str, news: GraphNews, silence: float) -> Report:
    """The state of the expert.

    Args:
        stage: What it does; empty = nothing.
        last: What became of the last task.
        news: What it has heard.
        silence: Time without joint states that is odd, s of wall time.
    """
    ages = {topic: news.age(topic) for topic in (SCENE, JOINTS)}
    values: dict[str, object] = {"last": last}
    for topic, age in ages.items():
        values[f"age of {topic}"] = "never heard" if age is None else f"{age:.2f} s"
    doubts = [f"{topic} never heard" for topic, age in ages.items() if age is None]
    if ages[JOINTS] is not None and news.silence > silence:
        doubts.append(f"no more {JOINTS}")
    level = Level.WARN if doubts else Level.OK
    return Report(level, "; ".join([stage or "idle", *doubts]), values)


def task_result(performance: Performance) -> ExecuteTask.Result:
    """What became of a task, as an action result."""
    result = ExecuteTask.Result(
        plan_time=float(performance.plan_time),
        execution_time=performance.ended_at - performance.started_at,
        actuation_time=-1.0,
        report_json=json.dumps(performance.records),
        failure=str(performance.failure or ""),
        retries=performance.retries,
        error_code=int(performance.code),
        error_msg=performance.text,
    )
    if performance.actuated_at is not None:
        result.actuation_time = performance.actuated_at - performance.started_at
        result.actuation_stamp = stamp_from_seconds(performance.actuated_at)
    return result
