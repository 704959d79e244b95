"""Help and complaints that Typer words itself, in the language of whoever types; Typer has no catalogue of its own."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from cli.tongues import in_one
from cli.words import LANGUAGES

VARIABLE = "KENTONGAN_LANG"
INDONESIAN, ENGLISH = LANGUAGES
# Options of a list are words and not sentences, so they are exchanged wherever they stand.
TERMS = {
    "Show this message and exit.": "Tampilkan bantuan ini.",
    "[OPTIONS]": "[PILIHAN]",
    "COMMAND [ARGS]...": "PERINTAH …",
    "Arguments": "Isian",
    "Options": "Pilihan",
    "Commands": "Perintah",
    "[required]": "[wajib]",
    "env var: ": "variabel: ",
    "default: ": "bawaan: ",
    "; required]": "; wajib]",
    "<str>": "<teks>",
    "<int>": "<angka>",
    "<float>": "<angka>",
    "<int range>": "<angka>",
    "<float range>": "<angka>",
    "<path>": "<berkas>",
    "<file>": "<berkas>",
}
COMPLAINTS = (
    (r"Missing argument (.*)\.", r"isian \1 belum ada"),
    (r"Missing option (.*)\.", r"pilihan \1 belum ada"),
    (r"Missing command\.", r"perintahnya belum disebut"),
    (r"No such command (.*?)\. Did you mean (.*)\?", r"tidak ada perintah \1; maksudnya \2?"),
    (r"No such command (.*)\.", r"tidak ada perintah \1"),
    (r"No such option: (\S+) \(Possible options: (.*)\)", r"tidak ada pilihan \1; yang mirip: \2"),
    (r"No such option: (\S+)(?: Did you mean (\S+)\?)?", r"tidak ada pilihan \1"),
    (r"Got unexpected extra argument(?:s|\(s\))? \((.*)\)", r"kelebihan isian: \1"),
    (r"Option (.*) requires an argument\.", r"pilihan \1 membutuhkan isian"),
    (r"Option (.*) requires (\d+) arguments\.", r"pilihan \1 membutuhkan \2 isian"),
    (r"Option (.*) does not take a value\.", r"pilihan \1 tidak membutuhkan isian"),
    (r"Argument (.*) takes (\d+) values\.", r"isian \1 membutuhkan \2 kata"),
)
VALUES = (
    (r"village code (.*) is not PP.KK.CC.DDDD, .*", r"kode desa \1 bukan PP.KK.CC.DDDD: kentongan village find NAMA"),
    (r"post (?:id|name) (.*) is not .*", r"nama pos \1 bukan huruf kecil, angka dan -, misalnya pos-1"),
    (r"Input should be a valid integer.*", "tulis bilangan bulat"),
    (r"Input should be a valid (?:number|decimal).*", "tulis angka"),
    (r"Input should be greater than or equal to (.*)", r"paling kecil \1"),
    (r"Input should be less than or equal to (.*)", r"paling besar \1"),
    (r"Value error, (.*) is not one of (.*)\.", r"\1 tidak dikenal; ada: \2"),
    (r"\S+ ('.*') does not exist\.", r"\1 tidak ada"),
    (r"\S+ ('.*') is a directory\.", r"\1 adalah folder"),
    (r"\S+ ('.*') is a file\.", r"\1 adalah berkas"),
    (r"\S+ ('.*') is not (?:readable|writable)\.", r"\1 tidak boleh dibuka"),
)


def take_language(words: Sequence[str], environment: Mapping[str, str]) -> tuple[list[str], str]:
    """The command line without `--lang X`, wherever it stood, and what it or the environment says; '' for neither."""
    rest, said = list(words), ""
    end = rest.index("--") if "--" in rest else len(rest)
    for at in range(end - 1, -1, -1):
        if rest[at].startswith("--lang="):
            said, rest[at : at + 1] = said or rest[at].removeprefix("--lang="), []
        elif rest[at] == "--lang" and at + 1 < end:
            said, rest[at : at + 2] = said or rest[at + 1], []
    return rest, said or environment.get(VARIABLE, "")


def speak(command: Any, language: str) -> Any:
    """The same command, its help in one language alone, and all below it."""
    command.context_class = typer.Context if language == ENGLISH else _InIndonesian
    command.help = in_one(command.help or "", language)
    for param in command.params:
        param.help = in_one(param.help or "", language)
    for inner in getattr(command, "commands", {}).values():
        speak(inner, language)
    return command


def complain(error: Any, language: str) -> str:
    """A wrong use as people read it: how it is used, where help is, and what was wrong."""
    message = complaint(error.format_message(), language)
    context = getattr(error, "ctx", None)
    if context is None:
        return f"kentongan: {message}"
    if type(error).__name__ == "NoArgsIsHelpError":  # nothing was said, so nothing is wrong: the whole help
        return str(error.format_message())
    help_ = {ENGLISH: "Help: "}.get(language, "Bantuan: ")
    return f"{context.get_usage()}\n{help_}{context.command_path} --help\n\nkentongan: {message}"


def complaint(message: str, language: str) -> str:
    """One sentence of Typer's; what we do not know stays English rather than unsaid."""
    value = re.fullmatch(r"Invalid value(?: for ([^:]+))?: (.*)", message, re.DOTALL)
    if value is None:
        return message if language == ENGLISH else _translated(message, COMPLAINTS)
    where, what = value.groups()
    if language == ENGLISH:
        return f"wrong value{f' for {where}' if where else ''}: {in_one(what, language)}"
    return f"isian{f' {where}' if where else ''} salah: {in_one(_translated(what, VALUES), language)}"


def _translated(message: str, table: Sequence[tuple[str, str]]) -> str:
    found = ((re.fullmatch(english, message, re.DOTALL), indonesian) for english, indonesian in table)
    return next((match.expand(indonesian) for match, indonesian in found if match is not None), message)


_Formatter: Any = typer.Context.formatter_class


class _Indonesian(_Formatter):
    """Typer's help page with its own words exchanged."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, _exchanged(args), "Pemakaian: ")

    def write_heading(self, heading: str) -> None:
        super().write_heading(_exchanged(heading))

    def write_dl(self, rows: Sequence[tuple[str, str]], *widths: Any, **more: Any) -> None:
        super().write_dl([(_exchanged(term), _exchanged(what)) for term, what in rows], *widths, **more)


class _InIndonesian(typer.Context):
    formatter_class = _Indonesian


def _exchanged(text: str) -> str:
    for english, indonesian in TERMS.items():
        text = text.replace(english, indonesian)
    return text
