"""``python -m studies NAME``: one study, its options from its fields."""

import argparse
import ast
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from retina_viewer.cli.console import Console
from retina_viewer.cli.main import USAGE, perform
from retina_viewer.cli.verbs import add_json
from retina_viewer.core.options import add_fields, read_fields
from studies import NAMES
from studies.study import Study


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one study.

    Args:
        arguments: without the program's name; None takes the process's own.

    Returns:
        As :func:`retina_viewer.cli.main.main`.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    found = [name for name in NAMES if words[: len(name.split())] == name.split()]
    if not found:
        return _told(words)
    kind = study_of(found[0])
    parser = argparse.ArgumentParser(
        prog=f"python -m studies {found[0]}",
        description=sys.modules[kind.__module__].__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_fields(parser, kind)
    add_json(parser)
    parser.set_defaults(run=lambda options, console: run(read_fields(kind, options), console))
    return perform(parser, words[len(found[0].split()) :])


def study_of(name: str) -> type[Study]:
    """The study of that name in :data:`~studies.NAMES`."""
    module, _, kind = NAMES[name].partition(":")
    found: type[Study] = getattr(importlib.import_module(f"studies.{module}"), kind)
    return found


def run(study: Study, console: Console) -> int:
    """Measure, and say what was found and where it is written."""
    said = study.run(console)
    if not said:  # it has told everything itself
        return 0
    console.say(said)
    if out := getattr(study, "out", None):
        console.say(f"Written to {out}")
        console.event("done", out=out)
    return 0


def _told(words: Sequence[str]) -> int:
    """The list of all studies, for help or in place of what there is not."""
    asked = not words or words[-1] in ("-h", "--help")
    names = [name for name in NAMES if name.split()[0] == (words or [""])[0]] or list(NAMES)
    lines = ["usage: python -m studies NAME ...; NAME --help tells a study's options", ""]
    lines += [f"  {name:<22} {sentence_of(name)}" for name in names]
    if not asked and words != ["evaluate"]:
        lines.append(f"\nThere is no study {' '.join(words[:2])!r}.")
    print("\n".join(lines), file=sys.stdout if asked else sys.stderr)
    return 0 if asked else USAGE


def sentence_of(name: str) -> str:
    """What a study is in one sentence: its module's first line, which is not imported for it."""
    spec = importlib.util.find_spec(f"studies.{NAMES[name].partition(':')[0]}")
    assert spec is not None
    assert spec.origin is not None
    text = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8")))
    return (text or "").splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
