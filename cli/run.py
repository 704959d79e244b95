"""`kentongan run`: the post's bridge, in the foreground until it is told to stop."""

import gc
import sys
from typing import Annotated

import typer

from bridge.domain.errors import BridgeError, ConfigError
from cli.options import POST_TOML, ConfigFile, Lang
from cli.settings import read_config
from cli.words import fail, voice


def run(
    config: ConfigFile = POST_TOML,
    verbose: Annotated[bool, typer.Option("--verbose", help="Catat setiap langkah. (Log every small step.)")] = False,
    lang: Lang = "",
) -> None:
    """Jalankan jembatan pos (run the post's bridge).

    Berhenti dengan Ctrl-C. (Stop it with Ctrl-C.)
    """
    say = voice(lang)
    settings = read_config(config, say)
    _travel_light()
    from cli.logs import set_up_logs
    from cli.wiring import build

    set_up_logs(verbose)
    try:
        bridge = build(settings)
        _settle()
        bridge.run()
    except ConfigError as error:
        raise fail(error.said(say.language)) from error
    except BridgeError as error:
        raise fail(str(error)) from error


def _settle() -> None:
    """What was made so far stays for years: looking through it at every collection cost half of each decision."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)


def _travel_light() -> None:
    """Where no person reads along, structlog need not load rich to colour tracebacks: 3.5 MB on a small machine."""
    if not sys.stdout.isatty():
        sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
