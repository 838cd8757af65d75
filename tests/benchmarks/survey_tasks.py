"""Tasks that do next to nothing, for whichever of the two programs imports them.

Both programs take the same declarations, so the connections are the same by construction.
"""

from __future__ import annotations

from typing import Any

try:
    from lsst.pipe.base import (
        PipelineTask,
        PipelineTaskConfig,
        PipelineTaskConnections,
        Struct,
    )
    from lsst.pipe.base.connectionTypes import Input, Output
except ImportError:
    from pipetask import (
        Input,
        Output,
        PipelineTask,
        PipelineTaskConfig,
        PipelineTaskConnections,
        Struct,
    )

_EXPOSURE = ("instrument", "exposure")
_DETECTOR = ("instrument", "detector")
_IMAGE = ("instrument", "exposure", "detector")
_VISIT = ("instrument", "visit")
_VISIT_IMAGE = ("instrument", "visit", "detector")
_PATCH = ("skymap", "tract", "patch")


def _of(kind: Any, name: str, dimensions: tuple[str, ...], **more: Any) -> Any:
    """Return a connection of a kind that holds plain dicts."""
    return kind(
        name=name, doc=name, storageClass="StructuredDataDict", dimensions=dimensions, **more
    )


class IsrConnections(PipelineTaskConnections, dimensions=_IMAGE):
    raw = _of(Input, "raw", _IMAGE)
    post_isr = _of(Output, "post_isr", _IMAGE)


class IsrConfig(PipelineTaskConfig, pipelineConnections=IsrConnections):
    pass


class IsrTask(PipelineTask):
    ConfigClass = IsrConfig
    _DefaultName = "isr"

    def run(self, raw: dict) -> Struct:
        return Struct(post_isr={"n": len(raw)})


class CalibrateConnections(PipelineTaskConnections, dimensions=_VISIT_IMAGE):
    post_isr = _of(Input, "post_isr", _IMAGE, multiple=True)
    calibrated = _of(Output, "calibrated", _VISIT_IMAGE)
    sources = _of(Output, "sources", _VISIT_IMAGE)


class CalibrateConfig(PipelineTaskConfig, pipelineConnections=CalibrateConnections):
    pass


class CalibrateTask(PipelineTask):
    ConfigClass = CalibrateConfig
    _DefaultName = "calibrate"

    def run(self, post_isr: list) -> Struct:
        return Struct(calibrated={"n": len(post_isr)}, sources={"n": len(post_isr)})


class VisitSummaryConnections(PipelineTaskConnections, dimensions=_VISIT):
    calibrated = _of(Input, "calibrated", _VISIT_IMAGE, multiple=True, deferLoad=True)
    visit_summary = _of(Output, "visit_summary", _VISIT)


class VisitSummaryConfig(PipelineTaskConfig, pipelineConnections=VisitSummaryConnections):
    pass


class VisitSummaryTask(PipelineTask):
    ConfigClass = VisitSummaryConfig
    _DefaultName = "visit_summary"

    def run(self, calibrated: list) -> Struct:
        return Struct(visit_summary={"n": len(calibrated)})


class WarpConnections(PipelineTaskConnections, dimensions=(*_PATCH, *_VISIT)):
    calibrated = _of(Input, "calibrated", _VISIT_IMAGE, multiple=True, deferLoad=True)
    visit_summary = _of(Input, "visit_summary", _VISIT)
    warp = _of(Output, "warp", (*_PATCH, *_VISIT))


class WarpConfig(PipelineTaskConfig, pipelineConnections=WarpConnections):
    pass


class WarpTask(PipelineTask):
    ConfigClass = WarpConfig
    _DefaultName = "warp"

    def run(self, calibrated: list, visit_summary: dict) -> Struct:
        return Struct(warp={"n": len(calibrated) + len(visit_summary)})


class CoaddConnections(PipelineTaskConnections, dimensions=(*_PATCH, "band")):
    warp = _of(Input, "warp", (*_PATCH, *_VISIT), multiple=True, deferLoad=True)
    coadd = _of(Output, "coadd", (*_PATCH, "band"))


class CoaddConfig(PipelineTaskConfig, pipelineConnections=CoaddConnections):
    pass


class CoaddTask(PipelineTask):
    ConfigClass = CoaddConfig
    _DefaultName = "coadd"

    def run(self, warp: list) -> Struct:
        return Struct(coadd={"n": len(warp)})


class ScatterConnections(PipelineTaskConnections, dimensions=_EXPOSURE):
    start = _of(Input, "start", _EXPOSURE)
    middle = _of(Output, "middle", _EXPOSURE)


class ScatterConfig(PipelineTaskConfig, pipelineConnections=ScatterConnections):
    pass


class ScatterTask(PipelineTask):
    ConfigClass = ScatterConfig
    _DefaultName = "scatter"


class GatherConnections(PipelineTaskConnections, dimensions=_DETECTOR):
    middle = _of(Input, "middle", _EXPOSURE, multiple=True, deferLoad=True)
    end = _of(Output, "end", _DETECTOR)


class GatherConfig(PipelineTaskConfig, pipelineConnections=GatherConnections):
    pass


class GatherTask(PipelineTask):
    ConfigClass = GatherConfig
    _DefaultName = "gather"


class StackConnections(PipelineTaskConnections, dimensions=_DETECTOR):
    post_isr = _of(Input, "post_isr", _IMAGE, multiple=True, deferLoad=True)
    stack = _of(Output, "stack", _DETECTOR)


class StackConfig(PipelineTaskConfig, pipelineConnections=StackConnections):
    pass


class StackTask(PipelineTask):
    ConfigClass = StackConfig
    _DefaultName = "stack"

    def run(self, post_isr: list) -> Struct:
        return Struct(stack={"n": len(post_isr)})


class LinkConnections(
    PipelineTaskConnections,
    dimensions=_IMAGE,
    defaultTemplates={"before": "link0", "after": "link1"},
):
    """Five inputs and five outputs; a row of such tasks makes a pipeline of any length."""

    in_0 = _of(Input, "{before}_0", _IMAGE)
    in_1 = _of(Input, "{before}_1", _IMAGE)
    in_2 = _of(Input, "{before}_2", _IMAGE)
    in_3 = _of(Input, "{before}_3", _IMAGE)
    in_4 = _of(Input, "{before}_4", _IMAGE)
    out_0 = _of(Output, "{after}_0", _IMAGE)
    out_1 = _of(Output, "{after}_1", _IMAGE)
    out_2 = _of(Output, "{after}_2", _IMAGE)
    out_3 = _of(Output, "{after}_3", _IMAGE)
    out_4 = _of(Output, "{after}_4", _IMAGE)


class LinkConfig(PipelineTaskConfig, pipelineConnections=LinkConnections):
    pass


class LinkTask(PipelineTask):
    ConfigClass = LinkConfig
    _DefaultName = "link"
