"""The consistency map: as a verb on photographs, and measured against the truth."""

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
from retina_viewer.core.progress import Progress
from retina_viewer.superres.enhance_settings import EnhanceSettings

if TYPE_CHECKING:
    from retina_viewer.cli.options import Verbs
    from retina_viewer.imaging.fundus_image import FundusImage
    from retina_viewer.superres.enhancer import Enhancer


def add_verbs(verbs: "Verbs") -> None:
    """Register the verb ``consistency``."""
    parser = verbs.add_parser(
        "consistency", help="where detail of an enlargement is the network's guess"
    )
    add_inputs(parser)
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="DIR",
        help="a folder; nothing in it is overwritten",
    )  # fmt: skip
    add_enhancement(parser)
    add_device(parser)
    add_json(parser)
    parser.set_defaults(run=_consistency)


def add_evaluation(kinds: "Verbs") -> None:
    """Register ``evaluate consistency``."""
    parser = kinds.add_parser(
        "consistency", help="the consistency map against the truth; --fit calibrates it"
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="the folder of the data sets")
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("evaluation"), metavar="DIR",
        help="where the tables go; an older report there is replaced; default evaluation",
    )  # fmt: skip
    parser.add_argument(
        "--fit", action="store_true",
        help="calibrate first, on validation photographs; kept beside the model's weights",
    )  # fmt: skip
    parser.add_argument(
        "--scales", nargs="+", type=int, choices=(2, 4, 8, 16), default=[2, 4, 8, 16], metavar="S"
    )
    parser.add_argument(
        "--sets", nargs="+", default=[], metavar="SET", help="DRIVE, CHASE_DB1, ...; default all"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="at most N photographs of a set")
    parser.add_argument(
        "--tiles", type=int, metavar="N",
        help="measure N tiles of a photograph, spread over it; default: all of it",
    )  # fmt: skip
    parser.add_argument("--model", metavar="NAME", help="default: the shipped one")
    parser.add_argument(
        "--fidelity", type=float, metavar="F", help="to check at; default: the model's own"
    )
    add_device(parser)
    add_json(parser)
    parser.set_defaults(run=_evaluate)


def _consistency(options: argparse.Namespace, console: Console) -> int:
    return consistency(
        options.inputs,
        options.out,
        console,
        scale=options.scale,
        method=options.method,
        model=options.model,
        device=options.device,
        fidelity=options.fidelity,
        back_projection=options.back_projection,
        blur=options.blur,
        page=options.page - 1,
        again=options.again,
    )


def consistency(
    inputs: Sequence[Path],
    out: Path,
    console: Console,
    *,
    scale: int,
    method: str | None = None,
    model: str | None = None,
    device: str = "auto",
    fidelity: float | None = None,
    back_projection: bool = True,
    blur: float | None = None,
    page: int = 0,
    again: bool = False,
) -> int:
    """Write the consistency map of every photograph's enlargement. Returns the exit code.

    What is finished already, and what this program has enlarged, only ``again``. See
    :func:`retina_viewer.superres.methods.make_enhancer`; without a method, that of the model.
    """
    from retina_viewer.superres.consistency import calibration_of, needs_twin, region_map
    from retina_viewer.superres.consistency_export import default_names, export_consistency
    from retina_viewer.superres.export import provenance_of
    from retina_viewer.superres.methods import make_enhancer

    def make(share: float | None) -> "Enhancer":
        settings = EnhanceSettings(
            method or "",
            model=model,
            device=device,
            fidelity=share,
            back_projection=back_projection,
            blur=blur,
        )
        return make_enhancer(settings.at(scale))

    enhancer = make(fidelity)
    twin = make(1.0) if needs_twin(enhancer) else None
    calibration = calibration_of(enhancer)
    calibration.at(scale)  # before any photograph is opened
    folder = output_folder(out)

    def work(image: "FundusImage", progress: Progress) -> Results:
        if not again:
            refuse_own_enlargement(image)
        rgb = image.unit_rgb()
        fitted = enhancer.fitted_to(rgb)

        def write(paths: Sequence[Path]) -> None:
            found = region_map(
                image,
                fitted,
                image.bounds,
                other=None if twin is None else twin.fitted_to(rgb),
                calibration=calibration,
                progress=progress,
            )
            export_consistency(image, fitted, found, paths[0], paths[1])

        def settings() -> dict[str, Any]:
            return {**how(provenance_of(image, fitted)), "kind": "consistency"}

        names = default_names(image, fitted)
        return write_results(image, folder, names, write, settings, again=again)

    return run_batch(inputs, work, console, page=page, again=again)


def _evaluate(options: argparse.Namespace, console: Console) -> int:
    from studies.consistency import evaluate_consistency_command

    table = evaluate_consistency_command(
        options.data,
        options.out,
        fit=options.fit,
        scales=options.scales,
        sets=options.sets,
        limit=options.limit,
        tiles=options.tiles,
        model=options.model,
        fidelity=options.fidelity,
        device=options.device,
        progress=console.progress("evaluate"),
    )
    console.say(table)
    console.say(f"Written to {options.out}")
    console.event("done", out=options.out)
    return 0
