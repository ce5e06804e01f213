"""Options that several verbs share."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """The photographs, and whether results that are there are made anew."""
    parser.add_argument(
        "inputs", nargs="+", type=Path, metavar="IN", help="photographs, or folders of them"
    )
    parser.add_argument(
        "--again", action="store_true",
        help="also what is finished already, and what this program has made itself",
    )  # fmt: skip
    parser.add_argument(
        "--page", type=_page, default=1, metavar="N",
        help="which of several pictures in a file (pages, frames), from 1; default 1",
    )  # fmt: skip


def _page(text: str) -> int:
    """Of people, who count from 1."""
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of a picture: 1, 2 and so on")
    return number


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        default="auto",
        metavar="DEVICE",
        help="auto (the GPU where there is one), cpu, cuda or cuda:N; default auto",
    )


def add_enhancement(parser: argparse.ArgumentParser) -> None:
    """How photographs are enlarged: scale, method, model, fidelity, back-projection, blur."""
    parser.add_argument("--scale", type=int, choices=(2, 4, 8, 16), default=4, help="default 4")
    parser.add_argument(
        "--method", metavar="M",
        help="saliency-gan, srgan, srgan-vgg19, pixel, srcnn, sr-forest, ssr, linear, bicubic or "
        "lanczos, where its model is installed; default: the one of --model, or else of the "
        "default model (retina-viewer models default)",
    )  # fmt: skip
    parser.add_argument("--model", metavar="NAME", help="a model from 'retina-viewer models list'")
    parser.add_argument(
        "--fidelity", type=float, metavar="F",
        help="of a saliency GAN, from 0 (most detail) to 1 (closest to the truth); "
        "default: the model's own",
    )  # fmt: skip
    parser.add_argument(
        "--no-back-projection", dest="back_projection", action="store_false",
        help="do not hold a network's result to the photograph",
    )  # fmt: skip
    parser.add_argument(
        "--blur", type=_blur, metavar="auto|PX",
        help="blur of the photograph in its own pixels (standard deviation); default auto: "
        "estimated",
    )  # fmt: skip


def _blur(text: str) -> float | None:
    """``auto`` (None) or a number; argparse reports what is neither."""
    return None if text == "auto" else float(text)


_blur.__name__ = "auto or number"  # as argparse names the type in its message


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", action="store_true", help="write events as JSON, one object a line"
    )
