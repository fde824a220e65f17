"""Judges the state of the fusion in words and figures, for the diagnostics."""

from __future__ import annotations

from gensim2_control.report import Level, Report

from .pipeline import CameraRecord, FusionPipeline

# A stream that is this far behind the clock of the stamps has stopped [s]. That clock stands still
# with simulated time, so a simulation that idles is no fault.
SILENCE_S = 2.0


CLOUDS = "clouds"
"""Name of the component beside the cameras."""


def assess(pipeline: FusionPipeline) -> dict[str, Report]:
    """State of the clouds and of every camera, in this order, by name."""
    now_ns = pipeline.now_ns()
    cameras = {
        name: _camera(pipeline, name, record, now_ns) for name, record in pipeline.cameras.items()
    }
    return {CLOUDS: _clouds(pipeline, now_ns)} | cameras


def _seconds(value: float) -> str:
    return f"{value:.3f}"


def _age_s(stamp_ns: int, now_ns: int) -> float | None:
    """None while the clock is not known."""
    return (now_ns - stamp_ns) * 1e-9 if now_ns else None


def _clouds(pipeline: FusionPipeline, now_ns: int) -> Report:
    counts, matching, cloud = pipeline.counts, pipeline.matcher.counts, pipeline.last_cloud
    values = {
        "clouds": str(counts.clouds),
        "partial clouds": str(counts.partial),
        "dropped: stale": str(counts.stale),
        "dropped: stamp in the future": str(counts.future),
        "dropped: too few cameras": str(counts.too_few),
        "dropped: a newer one was ready": str(counts.skipped),
        "frames late": str(matching.late),
        "frames superseded": str(matching.superseded),
        "frames overflown": str(matching.overflow),
        "clock jumps": str(matching.jumps),
        "waits for": pipeline.waits_for,
    }
    if cloud is None:
        return Report(Level.WARN, _why_no_cloud(pipeline), values)
    ages = cloud.ages_s(now_ns) if now_ns else {}
    values |= {
        "spread [s]": _seconds(cloud.spread_s),
        "duration [s]": _seconds(pipeline.last_duration_s),
        "points": str(len(cloud.xyz)),
        "distinct points": str(cloud.counts.distinct),
        "points in workspace": str(sum(cloud.counts.in_workspace.values())),
        "missing": ", ".join(cloud.missing),
    }
    values |= {f"age {camera} [s]": _seconds(age) for camera, age in ages.items()}
    age = _age_s(cloud.stamp_ns, now_ns)
    missing = [name for name, record in pipeline.cameras.items() if record.missing]
    if age is not None and age > SILENCE_S:
        return Report(Level.ERROR, "no cloud any more: " + _why_stopped(pipeline), values)
    if missing:
        return Report(Level.WARN, "partial, without " + ", ".join(missing), values)
    if len(cloud.xyz) == 0:
        return Report(Level.WARN, "no camera sees a point in the workspace", values)
    return Report(Level.OK, "complete", values)


def _why_no_cloud(pipeline: FusionPipeline) -> str:
    if pipeline.waits_for:
        return f"no cloud yet: {pipeline.waits_for}"
    silent = [name for name, record in pipeline.cameras.items() if record.frames == 0]
    if silent:
        return f"no cloud yet: no frame of {', '.join(silent)}"
    return "no cloud yet: " + _why_stopped(pipeline)


def _why_stopped(pipeline: FusionPipeline) -> str:
    counts = pipeline.counts
    if pipeline.waits_for:
        return pipeline.waits_for
    missing = [f"{name}: {r.missing}" for name, r in pipeline.cameras.items() if r.missing]
    if len(pipeline.cameras) - len(missing) < pipeline.config.min_cameras:
        return "too few cameras (" + "; ".join(missing) + ")"
    if counts.future and not counts.clouds:
        return "all frames are stamped in the future; do cameras and this node share a clock?"
    if counts.stale and not counts.clouds:
        return "all frames are too old; do cameras and this node share a clock (use_sim_time)?"
    return "cameras are silent, or all their frames too old"


def _camera(pipeline: FusionPipeline, name: str, record: CameraRecord, now_ns: int) -> Report:
    assembler = pipeline.assemblers[name]
    values = {
        "frames": str(record.frames),
        "colour images": str(assembler.colours),
        "depth images": str(assembler.depths),
        "unpaired images": str(assembler.unpaired),
        "last error": record.last_error or assembler.last_error,
    }
    cloud = pipeline.last_cloud
    if cloud is not None and name in cloud.counts.in_workspace:
        values["depth readings"] = str(cloud.counts.readings[name])
        values["points in workspace"] = str(cloud.counts.in_workspace[name])
    age = None if record.last_stamp_ns is None else _age_s(record.last_stamp_ns, now_ns)
    if age is not None:
        values["age [s]"] = _seconds(age)
    if record.frames == 0:
        return Report(Level.WARN, _why_no_frame(pipeline, name), values)
    if age is not None and age > SILENCE_S:
        return Report(Level.ERROR, "silent", values)
    if name in pipeline.matcher.silent:
        return Report(Level.ERROR, "missing: no frame", values)
    if record.missing:
        return Report(Level.ERROR, f"missing: {record.missing}", values)
    return Report(Level.OK, "fresh", values)


def _why_no_frame(pipeline: FusionPipeline, name: str) -> str:
    assembler = pipeline.assemblers[name]
    absent = [
        what
        for what, there in (
            ("colour image", assembler.colours),
            ("aligned depth image", assembler.depths),
            ("camera_info", assembler.has_intrinsics),
        )
        if not there
    ]
    if absent:
        return "no frame yet: no " + ", no ".join(absent)
    if assembler.last_error:
        return f"no frame yet: {assembler.last_error}"
    return "no frame yet: colour and depth never have the same stamp"
