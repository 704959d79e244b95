"""Options that many commands share, each with its help in Indonesian and English."""

from pathlib import Path
from typing import Annotated

import typer

Lang = Annotated[
    str,
    typer.Option("--lang", envvar="KENTONGAN_LANG", metavar="id|en", help="Bahasa: id atau en. (Language: id or en.)"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Keluaran JSON untuk skrip. (JSON output for scripts.)")]
ConfigFile = Annotated[
    Path,
    typer.Option("--config", envvar="KENTONGAN_CONFIG", metavar="FILE", help="Berkas post.toml pos. (The post.toml.)"),
]
Socket = Annotated[
    Path | None,
    typer.Option(
        "--socket",
        metavar="FILE",
        help="Soket kendali; bawaan: menurut post.toml. (Control socket; default: as post.toml says.)",
    ),
]
POST_TOML = Path("post.toml")
