"""Options that several verbs share."""

import argparse

from retina_viewer.cli.verbs import Verbs as Verbs


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        default="auto",
        metavar="DEVICE",
        help="auto (the GPU where there is one), cpu, cuda or cuda:N; default auto",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", action="store_true", help="write events as JSON, one object a line"
    )
