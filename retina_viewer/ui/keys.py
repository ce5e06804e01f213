"""The keys: one table for the shortcuts and for the list that F1 shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """One line of the list.

    Attributes:
        keys: key sequences in Qt's notation; empty where the window reads the key itself (held
            keys, and arrows, which belong to a slider or a list while that has the focus).
        shown: what the list calls them.
        text: what they do.
        command: the name of the command.
        is_numbered: whether the command is told which of the keys it was, from 1.
    """

    keys: tuple[str, ...]
    shown: str
    text: str
    command: str = ""
    is_numbered: bool = False


KEYS: tuple[tuple[str, tuple[Key, ...]], ...] = (
    (
        "Moving",
        (
            Key((), "Wheel", "Zoom at the cursor, ×1.2 a notch"),
            Key((), "Drag, arrows", "Pan"),
            Key(("F",), "F, double-click", "Fit the field of view", "fit"),
            Key(("1",), "1", "One screen pixel per image pixel", "one_to_one"),
            Key(("+", "="), "+", "Zoom in", "zoom_in"),
            Key(("-",), "-", "Zoom out", "zoom_out"),
            Key(("PgDown",), "Page Down", "Next photograph", "next_photo"),
            Key(("PgUp",), "Page Up", "Previous photograph", "previous_photo"),
            Key((), "Click", "Hold the loupe there; click again to free it"),
        ),
    ),
    (
        "Seeing",
        (
            Key(("C",), "C", "Panes side by side, or a slider", "next_arrangement"),
            Key((), "hold Space", "Hide the layers"),
            Key((), "hold O", "See the original, or the reference"),
            Key(("S",), "S", "Saliency", "toggle_saliency"),
            Key(("V",), "V", "Vessels", "toggle_vessels"),
            Key(("U",), "U", "Uncertainty", "toggle_uncertainty"),
            Key((), "Ctrl + wheel", "Opacity of the layers"),
            Key(("R",), "R", "Colour", "tone_colour"),
            Key(("G",), "G", "Red-free", "tone_red_free"),
            Key(("H",), "H", "Local contrast (CLAHE)", "tone_clahe"),
        ),
    ),
    (
        "Result",
        (
            Key(("D",), "D", "More detail, 5 %", "more_detail"),
            Key(("Shift+D",), "Shift + D", "More fidelity, 5 %", "more_fidelity"),
            Key(("B",), "B", "Keep true to the photograph", "toggle_back_projection"),
        ),
    ),
    (
        "Comparing",
        (
            Key(("Shift+C",), "Shift + C", "Compare methods, or close the comparison", "compare"),
            Key(
                ("Alt+1", "Alt+2", "Alt+3", "Alt+4"),
                "Alt + 1 to 4",
                "One result alone",
                "show_alone",
                is_numbered=True,
            ),
            Key(("0",), "0, Esc", "All again", "show_all"),
            Key(("N",), "N", "The next in its place", "show_next"),
            Key(("Shift+N",), "Shift + N", "The one before", "show_before"),
            Key(("K",), "K", "Blink", "blink"),
            Key(("X",), "X", "Swap places", "swap"),
            Key(("Shift+R",), "Shift + R", "Measure against a larger photograph", "reference"),
            Key(("Ctrl+Shift+E",), "Ctrl + Shift + E", "Save as one picture", "save_comparison"),
        ),
    ),
    (
        "Doing",
        (
            Key(("Ctrl+O",), "Ctrl + O", "Open photographs", "open_files"),
            Key(("Ctrl+Shift+O",), "Ctrl + Shift + O", "Open a folder", "open_folder"),
            Key(("Ctrl+E",), "Ctrl + E", "Export", "export"),
            Key(("Ctrl+M",), "Ctrl + M", "Models", "models"),
            Key(("Ctrl+T",), "Ctrl + T", "Train a model", "train"),
            Key(("M",), "M", "Measure", "toggle_measure"),
            Key(("I",), "I", "Information", "toggle_information"),
            Key(("Esc",), "Esc", "Cancel the work", "cancel"),
            Key(("F1",), "F1", "This list", "show_keys"),
            Key(("F8",), "F8", "Show or hide the strip of photographs", "toggle_filmstrip"),
            Key(("F9",), "F9", "Show or hide the panels", "toggle_inspector"),
        ),
    ),
)
