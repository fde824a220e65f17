"""What `kpam_expert` says of itself in the diagnostics."""

from __future__ import annotations

from gensim2_control.report import Level, Report

from .graph_news_node import JOINTS, SCENE, GraphNews


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
