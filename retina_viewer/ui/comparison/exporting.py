"""The comparison as one labelled picture, with where each part of it comes from. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import staged
from retina_viewer.core.geometry import Rect
from retina_viewer.core.progress import Progress
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.marks import Title, sheet
from retina_viewer.imaging.provenance import AI_STATEMENT, PROGRAM, Provenance, Region
from retina_viewer.imaging.writers import write_image, write_sidecar
from retina_viewer.superres.enhance_settings import EnhanceSettings, Scale
from retina_viewer.superres.export import provenance_of
from retina_viewer.superres.tiles import quantised
from retina_viewer.ui.canvas.photo import Photo
from retina_viewer.ui.comparison.measuring import NAMES, Figures
from retina_viewer.ui.comparison.reference import NONE, GroundTruth
from retina_viewer.ui.services import Services
from retina_viewer.ui.view.enhancer_cache import EnhancerCache, enhance_part

MOST_PIXELS = 64_000_000
"""Of a single result: more are not looked at beside others."""


@dataclass(frozen=True)
class Part:
    """One result of the comparison, and the figures of what is in view, where they are known."""

    title: str
    settings: EnhanceSettings
    learned: bool
    figures: Figures | None = None

    def name(self, scale: int) -> str:
        """As on a chip, of a result at this scale: ``AI ×2 (of ×4) · Saliency GAN, ...``."""
        chosen, fidelity = self.settings.scale, self.settings.fidelity
        kind = "AI" if self.learned else "INTERPOLATED"
        of = "" if scale == chosen else f" (of ×{chosen})"
        settings = "" if fidelity is None else f", fidelity {fidelity * 100:.0f} %"
        return f"{kind} ×{scale}{of} · {self.title}{settings}"


@dataclass(frozen=True)
class ComparisonRequest:
    """What is on the screen.

    Attributes:
        source: the open photograph, also where its shrunk copy is enlarged.
        photo: what is enlarged.
        region: of ``photo``, in its pixels.
        scale: of the results as they are shown; at most the chosen one.
    """

    source: FundusImage
    photo: Photo
    region: Rect
    scale: Scale
    parts: Sequence[Part]
    truth: GroundTruth | None = None

    @property
    def file_name(self) -> str:
        return f"{self.source.stem}_comparison_x{self.scale}.png"


def write_comparison(
    request: ComparisonRequest,
    path: Path,
    enhancers: EnhancerCache,
    services: Services,
    progress: Progress,
) -> Path:
    """Compute every result, put them on one sheet, write it with its provenance.

    Args:
        path: ends in ``.png``; replaced if it exists: the person was asked.

    Raises:
        UserError: the part in view is too large, a method fails, or the file cannot be written.
    """
    if request.region.area * request.scale**2 > MOST_PIXELS:
        raise UserError("The part in view is too large for one picture.", "Zoom in first.")
    pictures, sources = [], []
    for number, part in enumerate(request.parts):
        progress(number / len(request.parts), f"Enlarging: {part.title}")
        enhancer = enhancers.fitted(request.photo, part.settings.at(request.scale))
        result = enhance_part(enhancer, request.photo.image, request.region)
        pixels = quantised(result, np.dtype(np.uint8))
        pictures.append(services.to_screen(pixels, request.photo.image))
        made = provenance_of(request.photo.image, enhancer)
        sources.append(_with_figures(made, request, part))
    progress(0.95, f"Writing {path.name}")
    provenance = provenance_of_all(request, sources)
    page = sheet(
        pictures,
        [Title(part.name(request.scale), part.learned) for part in request.parts],
        columns=len(pictures) if len(pictures) <= 3 else 2,
        captions=captions(request),
        notes=notes(request, provenance),
    )
    with staged(path.parent, [path.name], replace=True) as staging:
        write_image(staging.inside[0], page, provenance=provenance)
        write_sidecar(staging.inside[0], provenance)
    return path


def captions(request: ComparisonRequest) -> list[str]:
    """Under each picture its figures; none without a reference."""
    if request.truth is None:
        return []
    return [
        ",  ".join(f"{name} {text}" for name, text in zip(NAMES, part.figures.texts, strict=True))
        if part.figures is not None
        else "not measured"
        for part in request.parts
    ]


def notes(request: ComparisonRequest, provenance: Provenance) -> list[str]:
    """What a reader of the picture must know. No file names: they may name a patient."""
    image, region = request.photo.image, request.region
    made = f"{PROGRAM} {provenance.version}, {provenance.created:%Y-%m-%d %H:%M} UTC"
    place = (
        f"x {region.x} to {region.right}, y {region.y} to {region.bottom} of "
        f"{image.width} × {image.height} px"
    )
    lines = [f"{made}. Each picture: {place}, enlarged ×{request.scale}."]
    truth = request.truth
    if truth is None:
        lines.append(NONE)
    elif truth.is_trial:
        lines.append(
            f"The photograph was shrunk ×{truth.scale} first; the figures compare the part in "
            "view with what it was."
        )
    else:
        lines.append(f"Figures of the part in view at ×{truth.scale} against a larger photograph.")
    if any(part.learned for part in request.parts):
        lines.append(AI_STATEMENT)
    return lines


def _with_figures(made: Provenance, request: ComparisonRequest, part: Part) -> Provenance:
    changes: dict[str, object] = {"region": Region.of(request.region)}
    if part.figures is not None:
        changes["figures"] = asdict(part.figures)
    return made.model_copy(update=changes)


def provenance_of_all(request: ComparisonRequest, parts: Sequence[Provenance]) -> Provenance:
    """Of the sheet: the photograph, and each result with its model and settings."""
    source, truth = request.source, request.truth
    models = [part.model for part in parts if part.model is not None]
    return Provenance(
        kind="super-resolution",
        method=f"comparison of {', '.join(part.method for part in parts)}",
        model=", ".join(models) or None,
        scale=request.scale,
        device=parts[0].device,
        **source.as_source(),
        region=None if truth is not None and truth.is_trial else Region.of(request.region),
        compared=tuple(parts),
        learned=any(part.is_ai for part in parts),
        generative=any(part.generative for part in parts),
        reference=None if truth is None else truth.name or "the photograph itself, shrunk",
    )
