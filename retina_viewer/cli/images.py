"""The verbs that turn photographs into files: enhance, saliency, vessels, uncertainty.

What is finished already, and what this program has enlarged itself, is made only ``again``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retina_viewer.cli.batch import (
    Batch,
    Results,
    how,
    output_folder,
    refuse_own_enlargement,
    run_batch,
    write_results,
)
from retina_viewer.cli.console import Console
from retina_viewer.cli.verbs import Verbs, add_verb
from retina_viewer.core.errors import UserError
from retina_viewer.core.names import is_taken
from retina_viewer.core.options import add_fields, option, read_fields
from retina_viewer.core.progress import Progress
from retina_viewer.imaging.formats import SUFFIXES
from retina_viewer.superres.enhance_settings import EnhanceSettings

if TYPE_CHECKING:
    from retina_viewer.imaging.fundus_image import FundusImage


@dataclass(frozen=True)
class EnhanceBatch(Batch):
    """... ``out`` may be a file where there is one photograph."""

    out: Path = option(
        flags=("-o", "--out"),
        metavar="OUT",
        help="a folder, or for one photograph a .png, .jpg or .tif file; nothing is overwritten",
    )
    mark: bool = option(False, help='write a small "AI x4" into a corner outside the field of view')


@dataclass(frozen=True)
class SaliencyBatch(Batch):
    """... ``native``: computed at the photograph's own size."""

    native: bool = option(
        False, help="compute at the photograph's own size, not at a field 1024 pixels wide"
    )


def add_verbs(verbs: Verbs) -> None:
    """Register the verbs of this module."""
    parser = add_verb(
        verbs,
        "enhance",
        "enlarge photographs x2, x4, x8 or x16",
        lambda o, c: enhance(read_fields(EnhanceBatch, o), read_fields(EnhanceSettings, o), c),
        more="Each result says how it was made, in its metadata and in a .json file beside it.",
    )
    add_fields(parser, EnhanceBatch)
    add_fields(parser, EnhanceSettings)
    parser = add_verb(
        verbs,
        "saliency",
        "where the eye is drawn to, as a 16-bit map and an overlay",
        lambda o, c: saliency(read_fields(SaliencyBatch, o), c, device=o.device),
    )
    add_fields(parser, SaliencyBatch)
    add_fields(parser, EnhanceSettings, ["device"])
    parser = add_verb(
        verbs,
        "vessels",
        "blood vessels, as a mask and a probability map",
        lambda o, c: vessels(read_fields(Batch, o), c, model=o.model, device=o.device),
    )
    add_fields(parser, Batch)
    add_fields(parser, EnhanceSettings, ["model", "device"])
    parser = add_verb(
        verbs,
        "uncertainty",
        "how far an enlargement may be off, as a map and an overlay",
        lambda o, c: uncertainty(read_fields(Batch, o), read_fields(EnhanceSettings, o), c),
        more="The map is 16-bit grey: the error to be expected of the network's result, in grey "
        "levels times 256. It ranks errors and cannot rule them out: verify on the original.",
    )
    add_fields(parser, Batch)
    pixels = ["method", "scale", "model", "fidelity", "back_projection", "blur", "device"]
    add_fields(parser, EnhanceSettings, pixels)


def enhance(batch: EnhanceBatch, settings: EnhanceSettings, console: Console) -> int:
    """Enlarge photographs into a folder, or one into a file. Returns the exit code."""
    from retina_viewer.superres.export import export_enhanced, file_names, provenance_of
    from retina_viewer.superres.methods import make_enhancer

    out, inputs = batch.out, batch.inputs
    # Also what cannot be written: the person meant a file, and is told which suffixes work.
    as_file = out.suffix.lower() in SUFFIXES and not out.is_dir()
    if as_file and (len(inputs) > 1 or inputs[0].is_dir()):
        raise UserError(f"{out} is one file, but there are several photographs.", "Name a folder.")
    if as_file and is_taken(out):
        raise UserError(f"{out} exists already.", "Choose another name.")
    enhancer = make_enhancer(settings)
    folder = output_folder(out.parent if as_file else out)

    def work(image: "FundusImage", progress: Progress) -> Results:
        if not batch.again:
            refuse_own_enlargement(image)
        names = [out.name] if as_file else file_names("result", image, enhancer)

        def write(paths: Sequence[Path]) -> None:
            export_enhanced(
                image, enhancer, paths[0], tile=settings.tile, mark=batch.mark, progress=progress
            )

        def made_how() -> dict[str, Any]:
            fitted = enhancer.fitted_to(image.unit_rgb())
            return how(provenance_of(image, fitted, mark=batch.mark))

        return write_results(image, folder, names, write, made_how, again=batch.again)

    return run_batch(batch, work, console)


def saliency(batch: SaliencyBatch, console: Console, *, device: str = "auto") -> int:
    """Write the saliency map and its overlay of every photograph. Returns the exit code."""
    from retina_viewer.imaging.writers import refuse_for_png
    from retina_viewer.networks.devices import resolve_device
    from retina_viewer.saliency.layer import FIELD, export_saliency, method_of, saliency_layer
    from retina_viewer.superres.export import file_names

    folder = output_folder(batch.out)
    chosen = str(resolve_device(device))
    field = None if batch.native else FIELD

    def work(image: "FundusImage", progress: Progress) -> Results:
        refuse_for_png(image.width, image.height)

        def write(paths: Sequence[Path]) -> None:
            values = saliency_layer(image, field=field, device=chosen, progress=progress)
            export_saliency(image, values, paths[0], paths[1], field=field, device=chosen)

        def made_how() -> dict[str, Any]:
            return {"kind": "saliency", "method": method_of(image, field)}

        names = file_names("saliency", image)
        return write_results(image, folder, names, write, made_how, again=batch.again)

    return run_batch(batch, work, console)


def vessels(
    batch: Batch, console: Console, *, model: str | None = None, device: str = "auto"
) -> int:
    """Write the vessel mask and probability of every photograph. Returns the exit code."""
    from retina_viewer.imaging.writers import refuse_for_png
    from retina_viewer.superres.export import file_names
    from retina_viewer.vessels.segment import export_vessels, load_segmenter

    segmenter = load_segmenter(model, device)
    folder = output_folder(batch.out)

    def work(image: "FundusImage", progress: Progress) -> Results:
        refuse_for_png(image.width, image.height)

        def write(paths: Sequence[Path]) -> None:
            found = segmenter.segment(image, progress)
            export_vessels(image, found, paths[0], paths[1])
            console.say(f"{image.name}: {found.share:.1%} of the field of view are vessels")

        def made_how() -> dict[str, Any]:
            return {"kind": "vessels", "model_sha256": segmenter.card.weights_sha256}

        names = file_names("vessels", image)
        return write_results(image, folder, names, write, made_how, again=batch.again)

    return run_batch(batch, work, console)


def uncertainty(batch: Batch, settings: EnhanceSettings, console: Console) -> int:
    """Write the uncertainty map of every photograph's enlargement. Returns the exit code."""
    from retina_viewer.superres.export import file_names, provenance_of
    from retina_viewer.superres.methods import make_enhancer
    from retina_viewer.superres.uncertainty import (
        calibration_of,
        export_uncertainty,
        needs_twin,
        uncertainty_map,
    )

    enhancer = make_enhancer(settings)
    twin = make_enhancer(replace(settings, fidelity=1.0)) if needs_twin(enhancer) else None
    calibration = calibration_of(enhancer)
    calibration.at(settings.scale)  # before any photograph is opened
    folder = output_folder(batch.out)

    def work(image: "FundusImage", progress: Progress) -> Results:
        if not batch.again:
            refuse_own_enlargement(image)
        rgb = image.unit_rgb()
        fitted = enhancer.fitted_to(rgb)

        def write(paths: Sequence[Path]) -> None:
            other = None if twin is None else twin.fitted_to(rgb)
            found = uncertainty_map(
                image, fitted, other=other, calibration=calibration, progress=progress
            )
            export_uncertainty(image, fitted, found, paths[0], paths[1])

        def made_how() -> dict[str, Any]:
            return {**how(provenance_of(image, fitted)), "kind": "consistency"}

        names = file_names("uncertainty", image, fitted)
        return write_results(image, folder, names, write, made_how, again=batch.again)

    return run_batch(batch, work, console)
