"""The root of `kentongan`. Heavy imports wait inside the commands, so that `--help` is there at once."""

from typing import Annotated

import typer

from bridge.domain.errors import BridgeError
from cli.settings import config_app, keys_app
from cli.setup_post import setup
from cli.simulate import simulate
from cli.version import program_version
from cli.words import fail

app = typer.Typer(
    name="kentongan",
    help="Panggilan darurat warga: dari kentongan ke meja polisi dan kembali. (A village's alarm, there and back.)",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kentongan {program_version()}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Versi program. (The version.)")
    ] = False,
) -> None:
    """Panggilan darurat warga: dari kentongan ke meja polisi dan kembali. (A village's alarm, there and back.)"""


app.command("setup")(setup)
app.command("simulate")(simulate)
app.add_typer(config_app, name="config")
app.add_typer(keys_app, name="keys")


def main() -> None:
    """The entry point: an expected fault is one line and exit code 1."""
    try:
        app(prog_name="kentongan")
    except BridgeError as error:
        raise SystemExit(fail(str(error)).exit_code) from error
