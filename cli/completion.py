"""`kentongan completion`: a script that lets the shell finish commands and options with the Tab key."""

from enum import StrEnum
from typing import Annotated

import typer

from cli.options import Lang

PROGRAM = "kentongan"
ASKED = "_KENTONGAN_COMPLETE"  # the script runs the program with this variable at each press of Tab


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    shell: Annotated[Shell, typer.Argument(help="Shell yang dipakai. (The shell in use.)")] = Shell.BASH,
    lang: Lang = "",
) -> None:
    """Tulis skrip agar tombol Tab melengkapi perintah (print a script that makes Tab finish commands).

    Untuk bash: kentongan completion bash > ~/.local/share/bash-completion/completions/kentongan, lalu buka terminal
    baru. (For bash: write it there and open a new terminal.)
    """
    from typer.completion import get_completion_script

    typer.echo(get_completion_script(prog_name=PROGRAM, complete_var=ASKED, shell=shell.value))
