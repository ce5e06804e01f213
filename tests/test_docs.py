"""The front page: short, readable, and true of the tree beside it."""

import argparse
import re
import shlex
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from retina_viewer.cli.main import _parser
from retina_viewer.ui.keys import KEYS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "retina_viewer"
GENERATED = {"benchmarks.md"}
"""Written by ``studies``: tables, whose captions are not held to the rules of prose."""
FRONT = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])
FRONT = [path for path in FRONT if path.name not in GENERATED]
PAGES = sorted(
    [
        *FRONT,
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        ROOT / "packaging" / "THIRD_PARTY.md",
        *ROOT.glob("docs/decisions/*.md"),
    ]
)
LINKED = [*PAGES, ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "figures" / "README.md"]

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`[^`\n]+`")
NUMBER = re.compile(r"(?<![\w.,-])[-+±]?\.?\d[\d.,]*(?![\w-])")
NAMES_WITH_NUMBERS = re.compile(
    r"\b(?:2017|2025) paper|\bequations? \d+|\b[Ss]teps? \d(?:(?:, \d)* and \d)?\b|\(\w+ et al\. \d{4}\)"
    r"|\(\w+ \d{4}[^)]*\)|\d+ x \d+|\bPython 3\.\d+|\brelu\d_\d|\d+ ?× ?\d+"
)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are neither code nor table, with their numbers from 1."""
    fenced = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith(("    ", "|")):
            yield number, line


def sentences(path: Path) -> list[str]:
    """Of the running text: headings, tables, code, pictures and what ends with a colon are none."""
    blocks: list[str] = []
    joined = False
    for _, line in prose_lines(path):
        text = line.strip()
        if not text or text.startswith(("#", "![")):
            joined = False
            continue
        if joined and not re.match(r"(?:[-*]|\d+\.) ", text):
            blocks[-1] += " " + text
        else:
            blocks.append(re.sub(r"^(?:[-*]|\d+\.) ", "", text))
        joined = True
    found = []
    for block in blocks:
        plain = LINK.sub("link", block)
        plain = CODE.sub("code", plain).replace("**", "")
        found += re.split(r"(?<=[.!?:])\s+(?=[A-Z0-9(])", plain)
    return [sentence for sentence in found if len(sentence.split()) > 2]


def test_the_readme_is_one_page() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 80


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_lines_of_prose_are_short(path: Path) -> None:
    long = [
        number
        for number, line in prose_lines(path)
        if len(line) >= 120 and "](" not in line and "://" not in line
    ]
    assert not long


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_sentence_is_taken_in_at_once(path: Path) -> None:
    lengths = [len(sentence.split()) for sentence in sentences(path)]
    assert not lengths or statistics.median(lengths) < 20


@pytest.mark.parametrize("path", FRONT, ids=name)
def test_a_sentence_holds_at_most_two_numbers(path: Path) -> None:
    crowded = [
        sentence
        for sentence in sentences(path)
        if len(NUMBER.findall(NAMES_WITH_NUMBERS.sub("", sentence))) > 2
    ]
    assert not crowded


def anchors(path: Path) -> set[str]:
    """What a heading can be linked by, as GitHub makes it."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", LINKED, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert not broken


def commands(path: Path, program: str) -> set[str]:
    """What follows a program's name in code, up to where the code ends."""
    text = path.read_text(encoding="utf-8")
    code = "\n".join(line for line in text.splitlines() if line.startswith("    "))
    code += "\n" + "\n".join(span.strip("`") for span in CODE.findall(text))
    return set(re.findall(rf"(?<![\w/-]){program} ([a-z][^\n#|]*)", code))


def known_options(parser: argparse.ArgumentParser, words: list[str]) -> set[str]:
    """Go down the verbs that the words name; the options of the last one.

    Raises:
        LookupError: there is no such verb.
    """
    options = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) and words:
            if words[0] not in action.choices:
                raise LookupError(words[0])
            return options | known_options(action.choices[words[0]], words[1:])
    return options


def unknown(parser: argparse.ArgumentParser, command: str) -> list[str]:
    words = [word.strip("[],.;") for word in command.replace("'", "").split()]
    try:
        options = known_options(parser, [word for word in words if not word.startswith("-")])
    except LookupError as error:
        return [str(error)]
    asked = (word.split("=")[0] for word in words if word.startswith("--"))
    return [option for option in asked if option not in options]


@pytest.mark.parametrize("path", LINKED, ids=name)
def test_commands_that_are_named_exist(path: Path) -> None:
    parser = _parser()
    wrong = {}
    for command in commands(path, "retina-viewer"):
        if found := unknown(parser, command):
            wrong[command] = found
    assert not wrong


@pytest.mark.parametrize("path", LINKED, ids=name)
def test_studies_that_are_named_exist(path: Path) -> None:
    from studies.__main__ import STUDIES

    named = {shlex.split(command)[0] for command in commands(path, "python -m studies")}
    assert not named - set(STUDIES)


TOP = "|".join(
    ["core", "imaging", "networks", "model_store", "saliency", "superres", "vessels", "quality",
     "training", "finetuning", "ui", "cli"]
)  # fmt: skip
DOTTED = re.compile(rf"`(?:retina_viewer\.)?((?:{TOP}|studies)(?:\.[a-zA-Z_]\w*)+)[`(]")
FILE = re.compile(r"`((?:[\w.-]+/)+[\w.-]*)`")


def exists(dotted: str) -> bool:
    """Whether a module, or a name at the top of one, is called so."""
    *parents, last = dotted.split(".")
    base = ROOT if parents and parents[0] == "studies" else PACKAGE
    here = base.joinpath(*parents)
    if (here / last).is_dir() or (here / f"{last}.py").is_file():
        return True
    source = here / "__init__.py" if here.is_dir() else here.with_suffix(".py")
    return source.is_file() and bool(
        re.search(rf"^(?:def|class) {last}\b|^{last}\b|^    {last}[:,]| {last}\b", source.read_text())
    )


@pytest.mark.parametrize("path", LINKED, ids=name)
def test_modules_that_are_named_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not [dotted for dotted in DOTTED.findall(text) if not exists(dotted)]


@pytest.mark.parametrize("path", [path for path in LINKED if path.name != "CHANGELOG.md"], ids=name)
def test_files_that_are_named_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    bases = (ROOT, PACKAGE, PACKAGE / "ui", ROOT / "docs", path.parent)
    made = ("player/", "demo-output/", ".venv/", "OUT/", "RUN/", "DIR/", "runs/", "cuda:")
    assert not [
        file
        for file in FILE.findall(text)
        if not file.startswith(made) and not any((base / file).exists() for base in bases)
    ]


def test_the_manual_has_every_key_and_every_verb() -> None:
    manual = (ROOT / "docs" / "manual.md").read_text(encoding="utf-8")
    shown = [key.shown for _, group in KEYS for key in group]
    assert not [key for key in shown if key not in manual]
    parser = _parser()
    verbs = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    missing = []
    for pseudo in verbs._choices_actions:
        verb = verbs.choices[pseudo.dest]
        inner = [a for a in verb._actions if isinstance(a, argparse._SubParsersAction)]
        groups = [(f"{pseudo.dest} {word}", verb) for a in inner for word in a.choices]
        for command, _ in groups or [(pseudo.dest, verb)]:
            if f"`{command}" not in manual and f"viewer {command}" not in manual:
                missing.append(command)
        missing += [
            option
            for option in verb._option_string_actions
            if option.startswith("--") and option != "--help" and f"`{option}" not in manual
        ]
    assert not missing


def test_a_term_is_explained_once() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    parts = [re.findall(r"^\*\*(.+?)\*\*", part, re.MULTILINE) for part in text.split("\n## ")]
    terms = [term for part in parts for term in part]
    assert terms and len(terms) == len(set(terms))
    assert all(part == sorted(part, key=str.lower) for part in parts)
