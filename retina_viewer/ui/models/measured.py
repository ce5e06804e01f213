"""What a card says was measured, as tables: a row a set of photographs, a column a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retina_viewer.model_store.card import Measurement


@dataclass(frozen=True)
class Figure:
    """How a figure is named and written.

    Attributes:
        short: for the head of a column.
        meaning: for its tool tip.
        written: a format of its value.
    """

    short: str
    meaning: str
    written: str = ".4g"


FIGURES = {
    "psnr": Figure("PSNR", "Closeness to the true photograph, dB; more is better", ".2f"),
    "gain": Figure("Gain", "PSNR over bicubic interpolation, dB", "+.2f"),
    "ssim": Figure("SSIM", "Structural similarity, at most 1", ".4f"),
    "rmse": Figure("RMSE", "Root mean square error, grey levels of 255; less is better", ".2f"),
    "lpips": Figure("LPIPS", "Visible difference; less is better", ".3f"),
    "lpips_change": Figure("LPIPS, %", "Change of LPIPS from bicubic; less is better", "+.0f"),
    "s3_ratio": Figure("S3", "Sharpness as a part of the true photograph's", ".2f"),
    "drift": Figure("Drift", "Colour drift, CIEDE2000; 1 is just seen", ".2f"),
    "dice": Figure("Dice", "Agreement with the drawn vessels, at most 1", ".3f"),
    "auc": Figure("AUC", "Area under the curve of the vessels' probability, at most 1", ".4f"),
    "accuracy": Figure("Accuracy", "Share of pixels told right", ".4f"),
    "sensitivity": Figure("Sensitivity", "Share of the drawn vessels that is found", ".3f"),
    "specificity": Figure("Specificity", "Share of the background that is left alone", ".4f"),
    "sensitivity_thin": Figure("Thin vessels", "Share of the thin drawn vessels found", ".3f"),
    "won_back": Figure("Won back", "Share of what shrinking lost that is found again", ".2f"),
    "blur_read": Figure("Blur read, px", "Blur as estimated, px", ".3f"),
    "blur_error": Figure("Blur error, px", "Error of the estimated blur, px", ".3f"),
    "noise_read": Figure("Noise read", "Noise as estimated, grey levels of 255", ".2f"),
}


@dataclass(frozen=True)
class Block:
    """One table.

    Attributes:
        figures: the columns.
        rows: the photographs, and the values of the columns, empty where there is none.
    """

    figures: tuple[Figure, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def blocks_of(measurements: Sequence[Measurement]) -> list[Block]:
    """Tables of measurements: figures that were measured of the same photographs are in one.

    Rows and columns come in the order of the card.
    """
    values: dict[str, dict[str, float]] = {}
    for one in measurements:
        values.setdefault(one.data, {})[one.metric] = one.value
    known = list(dict.fromkeys(one.metric for one in measurements))
    groups: list[tuple[set[str], set[str]]] = []  # metrics, and the data they were measured on
    for data, row in values.items():
        tied = [group for group in groups if group[0] & set(row)]
        metrics = set(row).union(*(group[0] for group in tied))
        places = {data}.union(*(group[1] for group in tied))
        groups = [*(group for group in groups if group not in tied), (metrics, places)]
    blocks = [
        (
            [metric for metric in known if metric in metrics],
            [data for data in values if data in places],
        )
        for metrics, places in groups
    ]
    blocks.sort(key=lambda block: list(values).index(block[1][0]))
    return [_block(metrics, places, values) for metrics, places in blocks]


def _block(
    metrics: Sequence[str], places: Sequence[str], values: dict[str, dict[str, float]]
) -> Block:
    figures = tuple(_figure(metric) for metric in metrics)
    rows = []
    for data in places:
        written = [
            format(values[data][metric], figure.written) if metric in values[data] else ""
            for metric, figure in zip(metrics, figures, strict=True)
        ]
        rows.append((data.replace(" x", " ×"), tuple(written)))
    return Block(figures, tuple(rows))


def _figure(metric: str) -> Figure:
    name = metric.replace("_", " ")
    return FIGURES.get(metric, Figure(name[:1].upper() + name[1:], name))
