"""The documents: short, readable, and true of the tree beside them."""

import argparse
import re
import statistics
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from retina_viewer.cli.main import _parser
from retina_viewer.core.options import add_fields
from retina_viewer.ui.keys import KEYS
from studies import NAMES
from studies.__main__ import study_of

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "retina_viewer"
TABLES = [ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "figures" / "README.md"]
"""Mostly tables that code writes: their names and links are checked, not their sentences."""
FRONT = [path for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")] if path not in TABLES]
PROSE = [
    *FRONT,
    *ROOT.glob("docs/decisions/*.md"),
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "packaging" / "THIRD_PARTY.md",
]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`[^`\n]+`")
ITEM = re.compile(r"^(?:[-*]|\d+\.) ")
NUMBER = re.compile(r"(?<![\w.,-])[-+±]?\.?\d[\d.,]*(?![\w-])")
NO_NUMBERS = re.compile(
    r"\b(?:2017|2025) paper|\bequations? \d+|\b[Ss]teps? \d(?:(?:, \d)* and \d)?\b"
    r"|\(\w[^()]* \d{4}\)|\d+ x \d+|\bPython 3\.\d+"
)
"""What a reader takes in as one name."""


def wrong(pages: Iterable[Path], check: Callable[[Path], list[str]]) -> dict[str, list[str]]:
    found = {str(path.relative_to(ROOT)): check(path) for path in pages}
    return {page: faults for page, faults in found.items() if faults}


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose_lines(path: Path) -> Iterator[str]:
    """The lines that are neither code nor table."""
    return (line for line in text_of(path).splitlines() if not line.startswith(("    ", "|")))


def sentences(path: Path) -> list[str]:
    """Of the running text: headings, tables, code and pictures have none."""
    blocks: list[str] = []
    joined = False
    for line in prose_lines(path):
        text = line.strip()
        if not text or text.startswith(("#", "![")):
            joined = False
            continue
        if joined and not ITEM.match(text):
            blocks[-1] += " " + text
        else:
            blocks.append(ITEM.sub("", text))
        joined = True
    found: list[str] = []
    for block in blocks:
        plain = CODE.sub("code", LINK.sub("link", block)).replace("**", "")
        found += re.split(r"(?<=[.!?:])\s+(?=[A-Z0-9(])", plain)
    return [sentence for sentence in found if len(sentence.split()) > 2]


def test_the_readme_is_one_page() -> None:
    assert len(text_of(ROOT / "README.md").splitlines()) <= 80


def test_lines_of_prose_are_short() -> None:
    def long_lines(path: Path) -> list[str]:
        return [line for line in prose_lines(path) if len(line) >= 120 and "](" not in line]

    assert not wrong(PROSE, long_lines)


def test_a_sentence_is_taken_in_at_once() -> None:
    medians = {
        path.name: statistics.median(len(sentence.split()) for sentence in sentences(path))
        for path in PROSE
    }
    assert not {page: median for page, median in medians.items() if median >= 20}


def test_a_sentence_on_the_front_pages_holds_at_most_two_numbers() -> None:
    def crowded(path: Path) -> list[str]:
        found = sentences(path)
        return [one for one in found if len(NUMBER.findall(NO_NUMBERS.sub("", one))) > 2]

    assert not wrong(FRONT, crowded)


def anchors(path: Path) -> set[str]:
    """What a heading can be linked by, as GitHub makes it."""
    heads = re.findall(r"^#+ (.+)$", text_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_links_lead_somewhere() -> None:
    def broken(path: Path) -> list[str]:
        found = []
        for target in LINK.findall(text_of(path)):
            file, _, anchor = target.partition("#")
            there = (path.parent / file).resolve() if file else path
            whole = there.exists() and (not anchor or anchor in anchors(there))
            if "://" not in target and not whole:
                found.append(target)
        return found

    assert not wrong([*PROSE, *TABLES], broken)


def commands(path: Path, program: str) -> set[str]:
    """What follows a program's name in code, up to where the code ends."""
    text = text_of(path)
    code = [line for line in text.splitlines() if line.startswith("    ")]
    code += [span.strip("`") for span in CODE.findall(text)]
    return set(re.findall(rf"(?<![\w/-]){program} ([a-z][^\n#|]*)", "\n".join(code)))


def verbs_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The verbs or actions below a parser, without those that ``--help`` does not list."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            listed = {shown.dest for shown in action._get_subactions()}
            return {name: verb for name, verb in action.choices.items() if name in listed}
    return {}


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    return {option for option in parser._option_string_actions if option.startswith("--")}


def not_understood(command: str) -> list[str]:
    """The words of a command that the program does not know."""
    words = [word.strip("[],.;") for word in command.split()]
    parser = _parser()[0]
    for word in words:
        verbs = verbs_of(parser)
        if not verbs or word.startswith("-"):
            break
        if word not in verbs:
            return [word]
        parser = verbs[word]
    asked = [word.split("=")[0] for word in words if word.startswith("--")]
    return [option for option in asked if option not in options_of(parser)]


def test_commands_that_are_named_exist() -> None:
    def unknown(path: Path) -> list[str]:
        return [one for one in commands(path, "retina-viewer") if not_understood(one)]

    assert not wrong([*PROSE, *TABLES], unknown)


def test_targets_of_make_that_are_named_exist() -> None:
    targets = set(re.findall(r"^(\w+):", text_of(ROOT / "Makefile"), re.MULTILINE))

    def unknown(path: Path) -> list[str]:
        return [one for one in commands(path, "make") if one.split()[0] not in targets]

    assert not wrong([*PROSE, *TABLES], unknown)


def not_a_study(command: str) -> list[str]:
    """The words that ``python -m studies`` does not know; capitals stand for any name."""
    words = [word.strip("[],.;") for word in command.split()]
    names = [name for name in NAMES if words[: len(name.split())] == name.split()]
    if not names:
        group = {name.split()[0] for name in NAMES if " " in name}
        generic = words[0] in group and (not words[1:] or words[1].isupper() or not words[1])
        return [] if generic else words[:2]
    parser = argparse.ArgumentParser()
    add_fields(parser, study_of(names[0]))
    asked = [word.split("=")[0] for word in words if word.startswith("--")]
    return [option for option in asked if option not in options_of(parser) | {"--json"}]


def test_studies_that_are_named_exist() -> None:
    def unknown(path: Path) -> list[str]:
        return [one for one in commands(path, "python -m studies") if not_a_study(one)]

    assert not wrong([*PROSE, *TABLES], unknown)


PACKAGES = "|".join(path.name for path in PACKAGE.iterdir() if path.is_dir())
DOTTED = re.compile(rf"`(?:retina_viewer\.)?((?:{PACKAGES}|studies)(?:\.[a-zA-Z_]\w*)+)[`(]")
FILE = re.compile(r"`((?:[\w.-]+/)+[\w.-]*)`")
MADE = ("demo-output/", ".venv/", "player/")
"""Paths that a run makes, and what only looks like one."""


def exists(dotted: str) -> bool:
    """Whether a module, or a name in one, is called so."""
    *parents, last = dotted.split(".")
    here = (ROOT if parents[0] == "studies" else PACKAGE).joinpath(*parents)
    if (here / last).is_dir() or (here / f"{last}.py").is_file():
        return True
    source = here / "__init__.py" if here.is_dir() else here.with_suffix(".py")
    return source.is_file() and bool(re.search(rf"\b{last}\b", text_of(source)))


def test_modules_and_files_that_are_named_exist() -> None:
    def missing(path: Path) -> list[str]:
        text, bases = text_of(path), (ROOT, PACKAGE, PACKAGE / "ui", ROOT / "docs", path.parent)
        files = [file for file in FILE.findall(text) if not file.startswith(MADE)]
        return [
            *(dotted for dotted in DOTTED.findall(text) if not exists(dotted)),
            *(file for file in files if not any((base / file).exists() for base in bases)),
        ]

    assert not wrong([*PROSE, *TABLES], missing)


def test_the_manual_has_every_key_every_verb_and_every_option() -> None:
    manual = text_of(ROOT / "docs" / "manual.md")
    missing = [key.shown for _, group in KEYS for key in group if f"| {key.shown} |" not in manual]
    for name, verb in verbs_of(_parser()[0]).items():
        for action, parser in (verbs_of(verb) or {"": verb}).items():
            command = f"{name} {action}".strip()
            options = options_of(parser) - {"--help"}
            missing += [] if f"{command}`" in manual or f"{command} " in manual else [command]
            missing += [f"{command} {one}" for one in options if f"`{one}`" not in manual]
    assert not missing


def test_a_term_is_explained_once() -> None:
    parts = text_of(ROOT / "docs" / "glossary.md").split("\n## ")
    terms = [re.findall(r"^\*\*(.+?)\*\*", part, re.MULTILINE) for part in parts]
    together = [term for part in terms for term in part]
    assert together and len(together) == len(set(together))
    assert all(part == sorted(part, key=str.lower) for part in terms)
