"""What ``retina-viewer evaluate`` measures."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from retina_viewer.cli.console import Console
from retina_viewer.cli.options import add_device, add_json
from studies.cli_options import (
    add_against_bicubic,
    add_back_projection,
    add_conditions,
    add_data,
    add_measured,
    add_network,
    add_sets,
)
from studies.cli_tables import add_tables

if TYPE_CHECKING:
    from retina_viewer.cli.options import Verbs


def add_kinds(kinds: "Verbs") -> None:
    """Register everything that can be measured."""
    _add_superres(kinds)
    _add_fidelity(kinds)
    _add_recovery(kinds)
    _add_lesions(kinds)
    _add_saliency(kinds)
    _add_formation(kinds)
    _add_vessels(kinds)
    add_tables(kinds)


def _add_superres(kinds: "Verbs") -> None:
    parser = kinds.add_parser("sr", help="enlargements against the photographs they came from")
    parser.add_argument(
        "--methods", nargs="+", metavar="M",
        help="methods of enhance, also linear (the best linear filter) and bicubic-0.75",
    )  # fmt: skip
    parser.add_argument(
        "--protocols", nargs="+", choices=("native", "paper"), default=["native"],
        help="native size, or the 2017 paper's 1024 x 1024; default native",
    )  # fmt: skip
    parser.add_argument(
        "--training-data", type=Path, metavar="DIR", help="what the linear filter is fitted to"
    )
    parser.add_argument(
        "--reference", metavar="M",
        help="the method that the others are tested against; default the program's default "
        "method, else the last",
    )  # fmt: skip
    parser.add_argument(
        "--perceptual", action="store_true", help="LPIPS and S3 too; takes several times as long"
    )
    add_conditions(parser)
    add_network(parser)
    add_sets(parser)
    add_measured(parser)
    parser.set_defaults(run=_evaluate_superres)


def _add_fidelity(kinds: "Verbs") -> None:
    parser = kinds.add_parser(
        "fidelity", help="every fidelity of a saliency GAN, and which should be its default"
    )
    add_conditions(parser)
    add_back_projection(parser)
    add_measured(parser, model_needed=True)
    parser.set_defaults(run=_evaluate_fidelity)


def _add_recovery(kinds: "Verbs") -> None:
    parser = kinds.add_parser("recovery", help="vessels found again in enlargements")
    add_against_bicubic(parser)
    parser.add_argument("--vessel-model", metavar="NAME", help="default: the shipped one")
    add_sets(parser)
    add_measured(parser)
    parser.set_defaults(run=_evaluate_recovery)


def _add_lesions(kinds: "Verbs") -> None:
    parser = kinds.add_parser("lesions", help="contrast of microaneurysms kept in enlargements")
    add_against_bicubic(parser)
    add_measured(parser)
    parser.set_defaults(run=_evaluate_lesions)


def _add_saliency(kinds: "Verbs") -> None:
    parser = kinds.add_parser("saliency", help="whether the saliency layer points at lesions")
    parser.add_argument(
        "--fields", nargs="+", type=int, metavar="PX",
        help="widths of the field of view to compute it at; default 300 1024 2000",
    )  # fmt: skip
    add_data(parser, "an older report there is replaced")
    add_device(parser)
    add_json(parser)
    parser.set_defaults(run=_evaluate_saliency)


def _add_formation(kinds: "Verbs") -> None:
    parser = kinds.add_parser("formation", help="blur and noise read from small photographs")
    add_sets(parser)
    add_measured(parser)
    parser.set_defaults(run=_evaluate_formation)


def _add_vessels(kinds: "Verbs") -> None:
    parser = kinds.add_parser("vessels", help="vessels against the first observer's")
    add_sets(parser)
    add_measured(parser)
    parser.set_defaults(run=_evaluate_vessels)


def _evaluate_superres(options: argparse.Namespace, console: Console) -> int:
    from studies.superres import DEFAULT_METHODS, evaluate_superres_command

    table = evaluate_superres_command(
        options.data,
        options.out,
        scales=options.scales,
        methods=options.methods or DEFAULT_METHODS,
        kernels=options.kernels,
        protocols=options.protocols,
        sets=options.sets,
        limit=options.limit,
        training_data=options.training_data,
        model=options.model,
        fidelity=options.fidelity,
        back_projection=options.back_projection,
        reference=options.reference,
        device=options.device,
        perceptual=options.perceptual,
        progress=console.progress("evaluate"),
    )
    return _report(table, options.out, console)


def _evaluate_fidelity(options: argparse.Namespace, console: Console) -> int:
    from studies.fidelity import evaluate_fidelity_command

    table = evaluate_fidelity_command(
        options.data,
        options.out,
        model=options.model,
        scales=options.scales,
        kernels=options.kernels,
        limit=options.limit,
        back_projection=options.back_projection,
        device=options.device,
        progress=console.progress("evaluate"),
    )
    return _report(table, options.out, console)


def _evaluate_recovery(options: argparse.Namespace, console: Console) -> int:
    from studies.vessel_recovery import evaluate_recovery_command

    table = evaluate_recovery_command(
        options.data,
        options.out,
        scales=options.scales,
        methods=options.methods,
        kernels=options.kernels,
        sets=options.sets,
        limit=options.limit,
        model=options.model,
        fidelity=options.fidelity,
        back_projection=options.back_projection,
        vessel_model=options.vessel_model,
        device=options.device,
        progress=console.progress("evaluate"),
    )
    return _report(table, options.out, console)


def _evaluate_lesions(options: argparse.Namespace, console: Console) -> int:
    from studies.lesions import evaluate_lesions_command

    table = evaluate_lesions_command(
        options.data,
        options.out,
        scales=options.scales,
        methods=options.methods,
        kernels=options.kernels,
        limit=options.limit,
        model=options.model,
        fidelity=options.fidelity,
        back_projection=options.back_projection,
        device=options.device,
        progress=console.progress("evaluate"),
    )
    return _report(table, options.out, console)


def _evaluate_saliency(options: argparse.Namespace, console: Console) -> int:
    from studies.saliency_lesions import FIELDS, evaluate_saliency_command

    table = evaluate_saliency_command(
        options.data,
        options.out,
        fields=options.fields or FIELDS,
        limit=options.limit,
        device=options.device,
        progress=console.progress("evaluate"),
    )
    return _report(table, options.out, console)


def _evaluate_formation(options: argparse.Namespace, console: Console) -> int:
    from studies.formation import evaluate_formation_command

    table = evaluate_formation_command(
        options.data,
        options.out,
        sets=options.sets,
        limit=options.limit,
        device=options.device,
        progress=console.progress("evaluate"),
    )
    return _report(table, options.out, console)


def _evaluate_vessels(options: argparse.Namespace, console: Console) -> int:
    from studies.vessels import evaluate_vessels_command

    table = evaluate_vessels_command(
        options.data,
        options.out,
        sets=options.sets,
        limit=options.limit,
        model=options.model,
        device=options.device,
        progress=console.progress("evaluate"),
    )
    return _report(table, options.out, console)


def _report(table: str, out: Path, console: Console) -> int:
    console.say(table)
    console.say(f"Written to {out}")
    console.event("done", out=out)
    return 0
