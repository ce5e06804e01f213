"""The comparison as one labelled picture, with where each part of it comes from. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from retina_viewer.superres.enhance_settings import Scale
from retina_viewer.superres.export import provenance_of
from retina_viewer.superres.tiles import quantised
from retina_viewer.ui.canvas.photo import Photo
from retina_viewer.ui.comparison.enlarging import Contender
from retina_viewer.ui.comparison.figures import NAMES, Figures
from retina_viewer.ui.comparison.reference import Reference
from retina_viewer.ui.comparison.reference_choice import NONE
from retina_viewer.ui.services import Services
from retina_viewer.ui.view.enhancer_cache import EnhancerShelf, enhance_part

MOST_PIXELS = 64_000_000
"""Of a single result: more are not looked at beside others."""


@dataclass(frozen=True)
class Part:
    """One result of the comparison, and the figures of what is in view, where they are known."""

    contender: Contender
    figures: Figures | None = None


@dataclass(frozen=True)
class Request:
    """What is on the screen.

    Attributes:
        source: the open photograph, also where its shrunk copy is enlarged.
        photo: what is enlarged.
        region: of ``photo``, in its pixels.
        scale: of the results as they are shown; at most that of the contenders.
    """

    source: FundusImage
    photo: Photo
    region: Rect
    scale: Scale
    parts: Sequence[Part]
    reference: Reference | None = None


def file_name(source: FundusImage, scale: int) -> str:
    """``<stem>_comparison_x4.png``."""
    return f"{source.stem}_comparison_x{scale}.png"


def write_comparison(
    request: Request, path: Path, shelf: EnhancerShelf, services: Services, progress: Progress
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
        progress(number / len(request.parts), f"Enlarging: {part.contender.title}")
        making = part.contender.making.at(request.scale)
        enhancer = shelf.fitted(request.photo, making)
        result = enhance_part(enhancer, request.photo.image, request.region)
        pixels = quantised(result, np.dtype(np.uint8))
        pictures.append(services.to_screen(pixels, request.photo.image))
        made = provenance_of(request.photo.image, enhancer)
        sources.append(_with_figures(made, request, part))
    progress(0.95, f"Writing {path.name}")
    provenance = provenance_of_all(request, sources)
    page = sheet(
        pictures,
        [_title(part.contender, request.scale) for part in request.parts],
        columns=len(pictures) if len(pictures) <= 3 else 2,
        captions=captions(request),
        notes=notes(request, provenance),
    )
    with staged(path.parent, [path.name], replace=True) as staging:
        write_image(staging.inside[0], page, provenance=provenance)
        write_sidecar(staging.inside[0], provenance)
    return path


def _title(contender: Contender, scale: int) -> Title:
    name = contender.name(scale)
    return Title(name if contender.learned else f"INTERPOLATED {name}", contender.learned)


def captions(request: Request) -> list[str]:
    """Under each picture its figures; none without a reference."""
    if request.reference is None:
        return []
    found = []
    for part in request.parts:
        texts = ("not measured",) if part.figures is None else part.figures.texts
        words = [f"{name} {text}" for name, text in zip(NAMES, texts, strict=False)]
        found.append(",  ".join(words) if part.figures is not None else "not measured")
    return found


def notes(request: Request, provenance: Provenance) -> list[str]:
    """What a reader of the picture must know. No file names: they may name a patient."""
    image, region = request.photo.image, request.region
    made = f"{PROGRAM} {provenance.version}, {provenance.created:%Y-%m-%d %H:%M} UTC"
    place = (
        f"x {region.x} to {region.right}, y {region.y} to {region.bottom} of "
        f"{image.width} × {image.height} px"
    )
    lines = [f"{made}. Each picture: {place}, enlarged ×{request.scale}."]
    reference = request.reference
    if reference is None:
        lines.append(NONE)
    elif reference.is_trial:
        lines.append(
            f"The photograph was shrunk ×{reference.scale} first; the figures compare the part in "
            "view with what it was."
        )
    else:
        lines.append(
            f"Figures of the part in view at ×{reference.scale} against a larger photograph."
        )
    if any(part.contender.learned for part in request.parts):
        lines.append(AI_STATEMENT)
    return lines


def _with_figures(made: Provenance, request: Request, part: Part) -> Provenance:
    changes: dict[str, object] = {"region": Region.of(request.region)}
    if part.figures is not None:
        changes["figures"] = {
            "psnr": part.figures.psnr,
            "ssim": part.figures.ssim,
            "lpips": part.figures.lpips,
        }
    return made.model_copy(update=changes)


def provenance_of_all(request: Request, parts: Sequence[Provenance]) -> Provenance:
    """Of the sheet: the photograph, and each result with its model and settings."""
    source, reference = request.source, request.reference
    trial = reference is not None and reference.is_trial
    models = [part.model for part in parts if part.model is not None]
    return Provenance(
        kind="super-resolution",
        method=f"comparison of {', '.join(part.method for part in parts)}",
        model=", ".join(models) or None,
        scale=request.scale,
        device=parts[0].device,
        **source.as_source(),
        region=None if trial else Region.of(request.region),
        compared=tuple(parts),
        learned=any(part.is_ai for part in parts),
        generative=any(part.generative for part in parts),
        reference=None if reference is None else reference.name or "the photograph itself, shrunk",
    )
