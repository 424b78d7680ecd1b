"""Plain frozen records that pass between the stages."""

from cvseg.records.evidence import EVIDENCE_TERMS, Evidence
from cvseg.records.frame import Frame
from cvseg.records.region import RegionTable
from cvseg.records.result import FrameResult
from cvseg.records.track import Track

__all__ = ["EVIDENCE_TERMS", "Evidence", "Frame", "FrameResult", "RegionTable", "Track"]
