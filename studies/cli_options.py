"""Options that several kinds of ``retina-viewer evaluate`` share."""

import argparse
from pathlib import Path

from retina_viewer.cli.options import add_device, add_json

_SCALES = (2, 4, 8, 16)


def add_against_bicubic(parser: argparse.ArgumentParser) -> None:
    """Methods that bicubic is compared with, and what decides their results."""
    parser.add_argument(
        "--methods", nargs="+", default=["pixel"], metavar="M",
        help="methods of enhance, compared with bicubic; default pixel",
    )  # fmt: skip
    add_conditions(parser)
    add_network(parser)


def add_conditions(parser: argparse.ArgumentParser) -> None:
    """``--scales`` and ``--kernels``."""
    parser.add_argument(
        "--scales", nargs="+", type=int, choices=_SCALES, default=list(_SCALES), metavar="S"
    )
    parser.add_argument(
        "--kernels", nargs="+", choices=("gaussian", "bicubic"), default=["gaussian"],
        help="how the small photographs are made; default gaussian",
    )  # fmt: skip


def add_network(parser: argparse.ArgumentParser) -> None:
    """What decides a network's result: ``--fidelity`` and ``--no-back-projection``."""
    parser.add_argument(
        "--fidelity", type=float, metavar="F", help="of a saliency GAN; default: the model's own"
    )
    add_back_projection(parser)


def add_back_projection(parser: argparse.ArgumentParser) -> None:
    """``--no-back-projection`` alone."""
    parser.add_argument(
        "--no-back-projection", dest="back_projection", action="store_false",
        help="do not hold the networks' results to the photograph",
    )  # fmt: skip


def add_sets(parser: argparse.ArgumentParser) -> None:
    """``--sets``."""
    parser.add_argument(
        "--sets", nargs="+", default=[], metavar="SET", help="DRIVE, CHASE_DB1, ...; default all"
    )


def add_measured(parser: argparse.ArgumentParser, *, model_needed: bool = False) -> None:
    """Data and results, ``--limit``, ``--model``, device and JSON."""
    add_data(parser, "a broken run goes on there")
    shipped = "a saliency GAN" if model_needed else "default: the shipped one"
    parser.add_argument("--model", metavar="NAME", required=model_needed, help=shipped)
    add_device(parser)
    add_json(parser)


def add_data(parser: argparse.ArgumentParser, older: str) -> None:
    """Data, results and ``--limit``; ``older``: what becomes of a report that is there."""
    parser.add_argument("data", type=Path, metavar="DATA", help="the folder of the data sets")
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("evaluation"), metavar="DIR",
        help=f"where the tables go; {older}; default evaluation",
    )  # fmt: skip
    parser.add_argument("--limit", type=int, metavar="N", help="at most N photographs of a set")
