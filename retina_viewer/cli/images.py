"""The verbs that turn photographs into files: enhance, saliency, vessels."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retina_viewer.cli.batch import (
    Results,
    how,
    output_folder,
    refuse_own_enlargement,
    run_batch,
    write_results,
)
from retina_viewer.cli.console import Console
from retina_viewer.cli.options import add_device, add_enhancement, add_inputs, add_json
from retina_viewer.core.errors import UserError
from retina_viewer.core.names import is_taken
from retina_viewer.core.progress import Progress
from retina_viewer.imaging.formats import SUFFIXES
from retina_viewer.superres.enhance_settings import EnhanceSettings

if TYPE_CHECKING:
    from retina_viewer.cli.options import Verbs
    from retina_viewer.imaging.fundus_image import FundusImage


def add_verbs(verbs: "Verbs") -> None:
    """Register the verbs of this module."""
    parser = verbs.add_parser("enhance", help="enlarge photographs x2, x4, x8 or x16")
    add_inputs(parser)
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="OUT",
        help="a folder, or for one photograph a .png, .jpg or .tif file; nothing is overwritten",
    )  # fmt: skip
    add_enhancement(parser)
    parser.add_argument(
        "--mark", action="store_true",
        help='write a small "AI x4" into a corner outside the field of view',
    )  # fmt: skip
    parser.add_argument(
        "--tile", type=int, default=512, metavar="N",
        help="side of a tile in source pixels; smaller needs less memory; default 512",
    )  # fmt: skip
    add_device(parser)
    add_json(parser)
    parser.set_defaults(run=_enhance)

    for name, verb, text in (
        ("saliency", _saliency, "where the eye is drawn to, as a 16-bit map and an overlay"),
        ("vessels", _vessels, "blood vessels, as a mask and a probability map"),
    ):
        parser = verbs.add_parser(name, help=text)
        add_inputs(parser)
        parser.add_argument(
            "-o", "--out", type=Path, required=True, metavar="DIR",
            help="a folder; nothing in it is overwritten",
        )  # fmt: skip
        if name == "vessels":
            parser.add_argument("--model", metavar="NAME", help="a vessel model's name")
        else:
            parser.add_argument(
                "--native", action="store_true",
                help="compute at the photograph's own size, not at a field 1024 pixels wide",
            )  # fmt: skip
        add_device(parser)
        add_json(parser)
        parser.set_defaults(run=verb)


def _enhance(options: argparse.Namespace, console: Console) -> int:
    return enhance(
        options.inputs,
        options.out,
        console,
        scale=options.scale,
        method=options.method,
        model=options.model,
        fidelity=options.fidelity,
        back_projection=options.back_projection,
        blur=options.blur,
        device=options.device,
        tile=options.tile,
        mark=options.mark,
        page=options.page - 1,
        again=options.again,
    )


def _saliency(options: argparse.Namespace, console: Console) -> int:
    return saliency(
        options.inputs,
        options.out,
        console,
        native=options.native,
        device=options.device,
        page=options.page - 1,
        again=options.again,
    )


def _vessels(options: argparse.Namespace, console: Console) -> int:
    return vessels(
        options.inputs,
        options.out,
        console,
        model=options.model,
        device=options.device,
        page=options.page - 1,
        again=options.again,
    )


def enhance(
    inputs: Sequence[Path],
    out: Path,
    console: Console,
    *,
    scale: int,
    method: str | None = None,
    model: str | None = None,
    fidelity: float | None = None,
    back_projection: bool = True,
    blur: float | None = None,
    device: str = "auto",
    tile: int = 512,
    mark: bool = False,
    page: int = 0,
    again: bool = False,
) -> int:
    """Enlarge photographs into a folder, or one into a file. Returns the exit code.

    What is finished already, and what this program has enlarged, only ``again``. See
    :func:`retina_viewer.superres.methods.make_enhancer`; without a method, that of the model.
    """
    from retina_viewer.superres.export import default_name, export_enhanced, provenance_of
    from retina_viewer.superres.methods import make_enhancer

    # Also what cannot be written: the person meant a file, and is told which suffixes work.
    as_file = out.suffix.lower() in SUFFIXES and not out.is_dir()
    if as_file and (len(inputs) > 1 or inputs[0].is_dir()):
        raise UserError(f"{out} is one file, but there are several photographs.", "Name a folder.")
    if as_file and is_taken(out):
        raise UserError(f"{out} exists already.", "Choose another name.")
    settings = EnhanceSettings(
        method or "",
        model=model,
        device=device,
        fidelity=fidelity,
        back_projection=back_projection,
        blur=blur,
    )
    enhancer = make_enhancer(settings.at(scale))
    folder = output_folder(out.parent if as_file else out)

    def work(image: "FundusImage", progress: Progress) -> Results:
        if not again:
            refuse_own_enlargement(image)
        name = out.name if as_file else default_name(image, enhancer)

        def write(paths: Sequence[Path]) -> None:
            export_enhanced(image, enhancer, paths[0], tile=tile, mark=mark, progress=progress)

        def settings() -> dict[str, Any]:
            fitted = enhancer.fitted_to(image.unit_rgb())
            return how(provenance_of(image, fitted, mark=mark))

        return write_results(image, folder, [name], write, settings, again=again)

    return run_batch(inputs, work, console, page=page, again=again)


def saliency(
    inputs: Sequence[Path],
    out: Path,
    console: Console,
    *,
    native: bool = False,
    device: str = "auto",
    page: int = 0,
    again: bool = False,
) -> int:
    """Write the saliency map and its overlay of every photograph, what is finished already only
    ``again``. Returns the exit code.

    ``native``: computed at the photograph's own size, see
    :func:`retina_viewer.saliency.layer.saliency_layer`.
    """
    from retina_viewer.imaging.writers import refuse_for_png
    from retina_viewer.networks.devices import resolve_device
    from retina_viewer.saliency.export import export_saliency, method_of
    from retina_viewer.saliency.layer import FIELD, saliency_layer

    folder = output_folder(out)
    chosen = str(resolve_device(device))

    def work(image: "FundusImage", progress: Progress) -> Results:
        refuse_for_png(image.width, image.height)
        names = [f"{image.stem}_saliency.png", f"{image.stem}_saliency_overlay.png"]
        field = None if native else FIELD

        def write(paths: Sequence[Path]) -> None:
            values = saliency_layer(image, field=field, device=chosen, progress=progress)
            export_saliency(image, values, paths[0], paths[1], field=field, device=chosen)

        def settings() -> dict[str, Any]:
            return {"kind": "saliency", "method": method_of(image, field)}

        return write_results(image, folder, names, write, settings, again=again)

    return run_batch(inputs, work, console, page=page, again=again)


def vessels(
    inputs: Sequence[Path],
    out: Path,
    console: Console,
    *,
    model: str | None = None,
    device: str = "auto",
    page: int = 0,
    again: bool = False,
) -> int:
    """Write the vessel mask and probability of every photograph, what is finished already only
    ``again``. Returns the exit code."""
    from retina_viewer.imaging.writers import refuse_for_png
    from retina_viewer.vessels.export import export_vessels
    from retina_viewer.vessels.segment import load_segmenter

    segmenter = load_segmenter(model, device)
    folder = output_folder(out)

    def work(image: "FundusImage", progress: Progress) -> Results:
        refuse_for_png(image.width, image.height)
        names = [f"{image.stem}_vessels.png", f"{image.stem}_vessel_probability.png"]

        def write(paths: Sequence[Path]) -> None:
            found = segmenter.segment(image, progress)
            export_vessels(image, found, paths[0], paths[1])
            console.say(f"{image.name}: {found.share:.1%} of the field of view are vessels")

        def settings() -> dict[str, Any]:
            return {"kind": "vessels", "model_sha256": segmenter.card.weights_sha256}

        return write_results(image, folder, names, write, settings, again=again)

    return run_batch(inputs, work, console, page=page, again=again)
