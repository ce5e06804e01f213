"""Command line options from the fields of a dataclass, so that each is written once."""

import argparse
from collections.abc import Callable, Collection, Sequence
from dataclasses import MISSING, Field, field, fields
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def option(
    default: Any = MISSING,
    *,
    help: str,
    flags: Sequence[str] = (),
    metavar: str | None = None,
    choices: Sequence[Any] | None = None,
    parse: Callable[[str], Any] | None = None,
    compare: bool = True,
) -> Any:
    """A field that is an option of the command line too.

    Args:
        default: none makes it an argument that must be given.
        help: one line for people; a number or word as default is added where it names none.
        flags: what it is called, such as ``("-o", "--out")``; a name without dashes is a place on
            the line. Empty: ``--name``, or a place where there is no default.
        metavar: stands for the value in the help.
        choices: what it may be; those of a ``Literal`` need not be named.
        parse: makes the value of a word; the type of the annotation where it is None.
        compare: whether the dataclass compares the field.
    """
    words = {"help": help, "flags": flags, "metavar": metavar, "choices": choices, "parse": parse}
    return field(default=default, metadata=words, compare=compare)


def add_fields(
    parser: argparse._ActionsContainer,
    cls: type,
    only: Collection[str] = (),
    *,
    unset: bool = False,
) -> None:
    """Give the parser the options of a dataclass.

    A ``bool`` becomes ``--name`` or, where it is True without being asked for, ``--no-name``;
    ``X | None`` an X; a tuple or a sequence one or more values.

    Args:
        cls: a dataclass with fields made by :func:`option`; its other fields are no options.
        only: names of fields; empty for all.
        unset: what is not given is None instead of the default, and the help names none.
    """
    types = get_type_hints(cls)
    for one in fields(cls):
        if "help" in one.metadata and (not only or one.name in only):
            _add(parser, one, types[one.name], unset)


def read_fields(cls: type[T], options: argparse.Namespace) -> T:
    """The dataclass with what was given on the command line; several values are a tuple. Raises
    UserError: what the dataclass itself refuses.
    """
    known = {one.name for one in fields(cls)}  # type: ignore[arg-type]
    given = {name: value for name, value in vars(options).items() if name in known}
    return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in given.items()})


def _add(parser: argparse._ActionsContainer, one: "Field[Any]", kind: Any, unset: bool) -> None:
    words = one.metadata
    needed = one.default is MISSING
    default = None if unset or needed else one.default
    dashed = one.name.replace("_", "-")
    flags = words["flags"] or ([one.name] if needed else [f"--{dashed}"])
    placed = not flags[0].startswith("-")
    named: dict[str, Any] = {} if placed else {"dest": one.name, "required": needed}
    kind, several = _plain(kind)
    if kind is bool:
        if one.default is True:
            flags = words["flags"] or [f"--no-{dashed}"]
        named["action"] = "store_false" if one.default else "store_true"
        parser.add_argument(*flags, default=default, help=words["help"], **named)
        return
    if several or (placed and not needed):
        named["nargs"] = ("+" if needed or not placed else "*") if several else "?"
    about, _, said = words["help"].partition("; default")
    if not unset:
        about = words["help"] if said else about + _said_of(default)
    parser.add_argument(
        *flags,
        default=default,
        help=about,
        metavar=words["metavar"],
        choices=words["choices"] or get_args(kind) or None,
        type=words["parse"] or (type(get_args(kind)[0]) if get_args(kind) else kind),
        **named,
    )


def _plain(kind: Any) -> tuple[Any, bool]:
    """A type without ``| None`` and without its tuple, and whether it was in one."""
    if get_origin(kind) in (Union, UnionType):
        [kind] = [one for one in get_args(kind) if one is not NoneType]
    origin = get_origin(kind)
    if origin is None or origin is Literal:
        return kind, False
    return get_args(kind)[0], True


def _said_of(default: Any) -> str:
    if default is None or default == "" or default == ():
        return ""
    several = isinstance(default, tuple)
    return f"; default {' '.join(map(str, default)) if several else default}"
