"""Where a result comes from: written into every exported file and beside it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Literal, Self
from xml.sax.saxutils import escape

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, computed_field, field_validator

from retina_viewer import __version__
from retina_viewer.core.geometry import Rect
from retina_viewer.core.names import readable

PROGRAM = "Retina Viewer"
AI_STATEMENT = "AI-enhanced, for research use. Verify on the original."

Kind = Literal["super-resolution", "consistency", "vessels", "saliency", "other"]
_LABELS = {"saliency": "SALIENCY MAP", "vessels": "VESSEL MAP", "consistency": "UNCERTAINTY MAP"}

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/">
   <Iptc4xmpExt:DigitalSourceType>{source_type}</Iptc4xmpExt:DigitalSourceType>
   <xmp:CreatorTool>{tool}</xmp:CreatorTool>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


class Region(BaseModel, frozen=True):
    """A rectangle in pixels of the source."""

    x: int = Field(ge=0)
    y: int = Field(ge=0)
    width: int = Field(gt=0)
    height: int = Field(gt=0)

    @classmethod
    def of(cls, rect: Rect) -> Region:
        return cls(x=rect.x, y=rect.y, width=rect.width, height=rect.height)


class Provenance(BaseModel):
    """What was done to which photograph, by which program and model.

    Attributes:
        created: with its time zone; UTC unless given.
        method: as on the command line.
        model, model_sha256: its name and that of its weights; None for methods without weights.
        scale: how many times larger than the source each side is.
        device: what computed it, as its maker calls it.
        precision: ``float32``, ``float16``, ``bfloat16``.
        fidelity: 0 (most detail) to 1 (closest to the truth), for methods that offer it.
        blur: of the source as it was taken to be, standard deviation in its own pixels.
        noise: likewise, grey levels of 0..255, root mean square.
        back_projection: 0 to 1, how much of what contradicts the source was taken back.
        source_name: the photograph's file name. It may name a patient: see :meth:`deidentified`.
        source_sha256: of the photograph's bytes.
        source_width, source_height: in pixels, upright.
        source_page: which of several pictures of the file, from 0; None where it has one.
        source_damage: what was wrong with the photograph's file although it opened.
        source_made_by: how this program had made the source, where it had.
        region: the part of the source that the result covers; None for all of it.
        compared: of a picture that shows several results, how each of them came about.
        figures: what was measured of the result, by name.
        learned: whether what it shows was learned from photographs, and is marked as AI; None in
            files of earlier versions, where a model stands for it.
        generative: whether a generative network has drawn in the pixels.
        marked: whether a corner of the picture carries the AI mark.
        reference: what the figures compare with. Like the source's, its name may name a patient.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    program: str = PROGRAM
    version: str = __version__
    created: AwareDatetime = Field(default_factory=_now)
    kind: Kind
    method: str
    model: str | None = None
    model_sha256: str | None = None
    scale: int = Field(default=1, ge=1)
    device: str
    precision: str = "float32"
    fidelity: float | None = Field(default=None, ge=0.0, le=1.0)
    blur: float | None = Field(default=None, ge=0.0)
    noise: float | None = Field(default=None, ge=0.0)
    back_projection: float | None = Field(default=None, ge=0.0, le=1.0)
    source_name: str
    source_sha256: str
    source_width: int = Field(gt=0)
    source_height: int = Field(gt=0)
    source_page: int | None = Field(default=None, ge=0)
    source_damage: str | None = None
    source_made_by: Provenance | None = None
    region: Region | None = None
    compared: tuple[Provenance, ...] | None = None
    figures: dict[str, float] | None = None
    reference: str | None = None
    learned: bool | None = None
    generative: bool = False
    marked: bool = False

    @field_validator("source_name", "reference")
    @classmethod
    def _in_any_encoding(cls, name: str | None) -> str | None:
        return None if name is None else readable(name)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def statement(self) -> str:
        """What a reader of the result must know, in a few sentences."""
        sentences = ["Computed from the original by a fixed formula, for research use."]
        if self.is_ai:
            sentences = ["Made by a neural network, for research use. Verify on the original."]
        if self.kind == "super-resolution":
            plain = "Interpolated from the original: it holds no detail that the original lacks."
            sentences = [AI_STATEMENT if self.is_ai else plain]
        if self.source_made_by is not None and self.source_made_by.is_ai:
            sentences.append("Its source was made by AI already.")
        if self.source_damage is not None:
            sentences.append(f"Its source is damaged: {self.source_damage}.")
        return " ".join(sentences)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def digital_source_type(self) -> str:
        """The IPTC NewsCode of the pixels: altered by an algorithm, or by a generative network."""
        drawn, enhanced = "compositeWithTrainedAlgorithmicMedia", "algorithmicallyEnhanced"
        return _SOURCE_TYPES + (drawn if self.generative else enhanced)

    @property
    def is_ai(self) -> bool:
        """Whether what it shows was learned from photographs."""
        return self.model is not None if self.learned is None else self.learned

    @property
    def is_enlargement(self) -> bool:
        """Whether the result is its source, made larger."""
        return self.kind == "super-resolution" and self.scale > 1

    @property
    def label(self) -> str:
        """What the result is called where another picture would be called the original."""
        if self.kind == "super-resolution":
            what = "AI-ENLARGED" if self.is_ai else "INTERPOLATED"
            return f"{what if self.compared is None else 'COMPARISON'} ×{self.scale}"
        return _LABELS.get(self.kind, f"MADE BY {PROGRAM.upper()}")

    @property
    def summary(self) -> str:
        """How the result came about, for the person who opens it again."""
        made_by = self.method if self.model is None else f"{self.method} ({self.model})"
        parts = [f"{self.program} {self.version}, {self.created:%Y-%m-%d}", made_by]
        if self.scale > 1:
            parts.append(f"×{self.scale}")
        if self.fidelity is not None:
            parts.append(f"fidelity {self.fidelity * 100:.0f} %")
        if self.source_name:
            parts.append(f"from {self.source_name}")
        return ", ".join(parts)

    def to_json(self) -> str:
        """All that is set, indented; 7-bit ASCII, so that any file format can hold it."""
        return json.dumps(self.model_dump(mode="json", exclude_none=True), indent=2)

    def xmp(self) -> str:
        """An XMP packet that says to any program what the pixels are. It names no photograph."""
        tool = escape(f"{self.program} {self.version}")
        return _XMP.format(source_type=self.digital_source_type, tool=tool)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """What :meth:`to_json` gave. Raises ValueError: it is no provenance."""
        try:
            # Not pydantic's own reader: it refuses names that are not UTF-8, as they were written.
            return cls.model_validate(json.loads(text))
        except RecursionError as error:
            raise ValueError("nested too deeply") from error

    def deidentified(self) -> Provenance:
        """The same without the photograph's name."""
        inner = self.compared and tuple(one.deidentified() for one in self.compared)
        made_by = self.source_made_by and self.source_made_by.deidentified()
        without = {"source_name": "", "reference": None}
        return self.model_copy(update=without | {"compared": inner, "source_made_by": made_by})
