"""The one QApplication and all its looks: colour tokens, the style sheet and the palette.

Greys are neutral: a tint beside the picture would bias the eye's reading of the retina. There is
one accent, amber for what a network made, red for failure alone. Text keeps a contrast of 4.5 : 1.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

HIT_TARGET = 28
"""The least height and width of anything that is clicked, in logical pixels."""


@dataclass(frozen=True)
class Tokens:
    """The colours of a theme, as #rrggbb."""

    window: str
    panel: str
    raised: str
    pressed: str
    border: str
    canvas: str
    text: str
    dim: str
    accent: str
    on_accent: str
    amber: str
    on_amber: str
    red: str
    red_ground: str


DARK = Tokens(
    window="#1c1c1c", panel="#232323", raised="#303030", pressed="#3b3b3b", border="#3a3a3a",
    canvas="#101010", text="#e8e8e8", dim="#adadad", accent="#7db8ff", on_accent="#0c0c0c",
    amber="#ffb84d", on_amber="#1a1100", red="#ff8a80", red_ground="#3a2222",
)  # fmt: skip
LIGHT = Tokens(
    window="#ededed", panel="#f7f7f7", raised="#ffffff", pressed="#dcdcdc", border="#c4c4c4",
    canvas="#2a2a2a", text="#1b1b1b", dim="#585858", accent="#1259a8", on_accent="#ffffff",
    amber="#ffb84d", on_amber="#1a1100", red="#a81616", red_ground="#fbe3e1",
)  # fmt: skip

STYLE = """
* { font-size: 13px; }
QMainWindow, QDialog, QWidget#window { background: $window; color: $text; }
QWidget { color: $text; }
QLabel { background: transparent; }
QLabel[role="dim"] { color: $dim; }
QLabel[role="heading"] { font-size: 18px; }
QLabel[role="value"] { color: $text; }
QLabel[role="problem"] { color: $red; font-weight: bold; }
QLabel[role="strong"] { font-weight: bold; }
QToolTip { background: $raised; color: $text; border: 1px solid $border; padding: 4px; }
QWidget#toolbar, QWidget#statusbar, QWidget#figures, QWidget#inspector, QWidget#inspectorBody,
QListView#filmstrip
  { background: $panel; }
QWidget#toolbar { border-bottom: 1px solid $border; }
QWidget#statusbar { border-top: 1px solid $border; }
QScrollArea#inspectorScroll { background: $panel; border: none; border-left: 1px solid $border; }
QListView#filmstrip { border: none; border-right: 1px solid $border; outline: none; }
QFrame[role="line"] { background: $border; max-width: 1px; min-width: 1px; border: none; }
QToolButton, QPushButton { background: transparent; border: 1px solid transparent;
  border-radius: 4px; padding: 3px 8px; min-height: 20px; }
QPushButton { background: $raised; border-color: $border; padding: 3px 12px; }
QToolButton:hover, QPushButton:hover { background: $pressed; }
QToolButton:pressed, QPushButton:pressed { background: $border; }
QPushButton:checked { background: $accent; color: $on_accent; border-color: $accent; }
QToolButton:disabled, QPushButton:disabled { color: $dim; }
QToolButton:focus, QPushButton:focus, QComboBox:focus, QLineEdit:focus,
QPlainTextEdit:focus { border: 1px solid $accent; }
QToolButton[popupMode="2"] { padding-right: 18px; }
QToolButton::menu-indicator { subcontrol-position: right center; right: 5px; }
QPushButton:default { background: $accent; color: $on_accent; border-color: $accent; }
QPushButton:default:disabled { background: $raised; color: $dim; border-color: $border; }
QWidget[role="segments"] { background: $window; border: 1px solid $border; border-radius: 5px; }
QWidget[role="segments"] QToolButton { border-radius: 3px; padding: 2px 9px; color: $dim; }
QWidget[role="segments"] QToolButton:checked { background: $pressed; color: $text; }
QWidget[role="segments"] QToolButton:disabled { color: $border; }
QToolButton[role="section"] { font-weight: bold; text-align: left; padding: 4px 6px;
  border-radius: 0; }
QComboBox { background: $raised; border: 1px solid $border; border-radius: 4px;
  padding: 3px 8px; min-height: 20px; }
MethodChooser { combobox-popup: 0; }
MethodChooser QScrollBar::handle:vertical { background: $dim; }
QComboBox::drop-down { border: none; width: 26px; }
QComboBox::down-arrow { image: none; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $border; outline: none;
  selection-background-color: $pressed; selection-color: $text; }
QLineEdit, QPlainTextEdit, QTextBrowser { background: $window; border: 1px solid $border;
  border-radius: 4px; padding: 3px 6px; selection-background-color: $accent;
  selection-color: $on_accent; }
QTableView, QListWidget { background: $window; border: 1px solid $border; border-radius: 4px;
  gridline-color: $border; outline: none; selection-background-color: $pressed;
  selection-color: $text; }
QTableView::item { padding: 2px 6px; }
QHeaderView, QTableView QTableCornerButton::section { background: $panel; }
QHeaderView::section { background: $panel; color: $dim; border: none;
  border-bottom: 1px solid $border; padding: 5px 6px; }
QSpinBox, QDoubleSpinBox { background: $window; border: 1px solid $border; border-radius: 4px;
  padding: 3px 6px; min-height: 20px; selection-background-color: $accent;
  selection-color: $on_accent; }
QSpinBox:focus, QDoubleSpinBox:focus { border: 1px solid $accent; }
QSpinBox::up-button, QSpinBox::down-button { background: transparent; border: none; width: 22px; }
QSpinBox::up-button:hover, QSpinBox::down-button:hover { background: $pressed; }
QSlider { min-height: 28px; }
QSlider::groove:horizontal { height: 4px; background: $border; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::sub-page:horizontal:disabled { background: $border; }
QSlider::handle:horizontal { background: $text; width: 14px; height: 14px; margin: -5px 0;
  border-radius: 7px; border: 1px solid $panel; }
QSlider::handle:horizontal:focus { background: $accent; }
QSlider::handle:horizontal:disabled { background: $dim; }
QProgressBar { background: $border; border: none; border-radius: 2px; max-height: 4px;
  min-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }
QMenu { background: $raised; border: 1px solid $border; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 12px; border-radius: 3px; }
QMenu::item:selected { background: $pressed; }
QMenu::item:disabled { color: $dim; }
QMenu::separator { height: 1px; background: $border; margin: 4px 8px; }
QFrame#banner { background: $red_ground; border: none; border-bottom: 1px solid $border; }
QFrame#banner QLabel[role="message"] { color: $red; font-weight: bold; }
QFrame#banner[calm="true"] { background: $raised; }
QFrame#banner[calm="true"] QLabel[role="message"] { color: $text; }
QFrame[role="drop"] { border: 1px dashed $dim; border-radius: 6px; background: $panel; }
QFrame[role="card"] { border: 1px solid $border; border-radius: 6px; background: $panel; }
QFrame[role="notice"] { background: $raised; border: none; border-bottom: 1px solid $border; }
QWizard QFrame[frameShape="4"] { background: $border; border: none; max-height: 1px; }
QListWidget#modelList { background: $panel; border: none; border-right: 1px solid $border;
  border-bottom: 1px solid $border; border-radius: 0; outline: none; }
QScrollArea#page, QWidget#pageBody { background: $window; border: none; }
QLabel[role="group"] { font-weight: bold; }
QWidget#stepList { background: $panel; border-right: 1px solid $border; }
QLabel[role="step"] { color: $dim; border-left: 3px solid transparent; }
QLabel[role="step"][state="now"] { color: $text; font-weight: bold;
  border-left: 3px solid $accent; }
QLabel[role="step"][state="done"] { color: $text; }
QLabel[role="stepSummary"] { color: $dim; border-left: 3px solid transparent; }
QLabel[role="stepSummary"][state="now"] { border-left: 3px solid $accent; }
QFrame#dropHint { background: rgba(16, 16, 16, 215); border: 2px dashed $accent; }
QFrame#dropHint QLabel { color: #ffffff; font-size: 18px; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar::handle:vertical { background: $border; border-radius: 4px; min-height: 28px;
  margin: 1px; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page
  { background: none; border: none; height: 0; width: 0; }
"""


def tokens_for(name: str) -> Tokens:
    """The tokens of ``dark``, ``light`` or ``system`` (dark unless the system asks for light)."""
    if name == "light":
        return LIGHT
    hints = QApplication.styleHints()
    if name == "system" and hints.colorScheme() is Qt.ColorScheme.Light:
        return LIGHT
    return DARK


def style_sheet(tokens: Tokens) -> str:
    sheet = STYLE
    # Longest names first: $on_amber before $amber would not matter, $red_ground before $red does.
    for name in sorted((item.name for item in fields(tokens)), key=len, reverse=True):
        sheet = sheet.replace(f"${name}", getattr(tokens, name))
    return sheet


def apply_theme(application: QApplication, name: str) -> Tokens:
    """Give the whole program its looks."""
    tokens = tokens_for(name)
    application.setStyle("Fusion")
    palette = QPalette()
    role = QPalette.ColorRole
    for which, colour in {
        role.Window: tokens.window, role.WindowText: tokens.text, role.Base: tokens.window,
        role.AlternateBase: tokens.panel, role.Text: tokens.text, role.Button: tokens.raised,
        role.ButtonText: tokens.text, role.ToolTipBase: tokens.raised,
        role.ToolTipText: tokens.text, role.PlaceholderText: tokens.dim,
        role.Highlight: tokens.accent, role.HighlightedText: tokens.on_accent,
        role.Link: tokens.accent,
    }.items():  # fmt: skip
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(tokens.dim))
    application.setPalette(palette)
    application.setProperty("tokens", tokens)  # before what has everything painted anew
    application.setStyleSheet(style_sheet(tokens))
    return tokens


def tokens_in_use() -> Tokens:
    """The colours of the theme that the program has now, for what paints itself."""
    application = QApplication.instance()
    tokens = None if application is None else application.property("tokens")
    return tokens if isinstance(tokens, Tokens) else DARK


def tabular(font: QFont) -> QFont:
    """The font with figures of equal width, so that numbers do not dance while they change."""
    figures = QFont(font)
    if hasattr(QFont, "Tag"):  # Qt 6.7
        figures.setFeature(QFont.Tag("tnum"), 1)
    return figures
