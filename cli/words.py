"""Sentences for people, Indonesian first, English beside it."""

from dataclasses import dataclass

import typer

LANGUAGES = ("id", "en")

SAID: dict[str, tuple[str, str]] = {
    "unreadable": ("{file} tidak dapat dibaca: {why}", "{file} cannot be read: {why}"),
    # config
    "config_which": (
        "sebutkan berkasnya: --config DIR/post.toml, atau KENTONGAN_CONFIG",
        "say which file: --config DIR/post.toml, or KENTONGAN_CONFIG",
    ),
    "config_caution": ("hati-hati: {what}", "caution: {what}"),
    "config_well": ("{file}: benar; {sources} perangkat terdaftar", "{file}: right; {sources} sources known"),
    # setup
    "setup_exists": (
        "{folder} sudah ada isinya; tidak ada yang diubah. Pilih folder lain.",
        "{folder} is not empty; nothing was changed. Choose another folder.",
    ),
    "setup_wrong": ("tidak ada yang dibuat: {why}", "nothing was made: {why}"),
    "setup_busy": (
        "penyiapan lain sedang bekerja di {folder}; tunggu sebentar.",
        "another setup is at work on {folder}; wait a moment.",
    ),
    "setup_disk": ("{folder} tidak dapat dibuat: {why}", "{folder} cannot be made: {why}"),
    "setup_done": ("Pos {post} siap di {folder}", "Post {post} is ready in {folder}"),
    "setup_key": ("Kunci publik pos: {key}", "The post's public key: {key}"),
    "setup_next": ("Selanjutnya:", "Next:"),
    "setup_at_desk": ("di meja polisi", "at the police desk"),
    "setup_desk_key": (
        "isi [desk] keys di {config} dengan kunci publik meja polisi; tanpa itu tidak ada tanda terima",
        "put the desk's public key into [desk] keys in {config}; without it no receipt counts",
    ),
    "setup_sources": ("daftarkan perangkat warga di {file}", "list the villagers' nodes in {file}"),
    "setup_run": ("jalankan pos", "run the post"),
    # simulate
    "simulate_radio": ("Radio pos: {url}   (tulis di [radio] url)", "The post's radio: {url}   (for [radio] url)"),
    "simulate_port": (
        "port {port} tidak dapat dipakai: {why}; pilih yang lain.",
        "port {port} cannot be used: {why}; choose another.",
    ),
    "simulate_who": (
        "{name} tidak ada di desa ini; ada: {known}",
        "there is no {name} in this village; known: {known}",
    ),
    "simulate_help": (
        "press RT03-12 kebakaran · alert RT03-12 tolong · detect RT03-12 · cut [rumah] · heal [rumah] · reboot · "
        "mute · unmute · wait 5 · quit",
        "press RT03-12 fire · alert RT03-12 help · detect RT03-12 · cut [house] · heal [house] · reboot · "
        "mute · unmute · wait 5 · quit",
    ),
    "simulate_heard": ("  {name} menerima: {text}", "  {name} receives: {text}"),
    "simulate_over": ("Desa berhenti.", "The village stops."),
}


@dataclass(frozen=True, slots=True)
class Voice:
    """Says each sentence in one language."""

    language: str

    def __call__(self, key: str, /, **facts: object) -> str:
        return SAID[key][LANGUAGES.index(self.language)].format(**facts)


def voice(lang: str, default: str = "id") -> Voice:
    """`lang` as given on the command line, '' for the default. A wrong one is a wrong use of the command."""
    language = lang or default
    if language not in LANGUAGES:
        raise typer.BadParameter(f"{language!r}: id | en", param_hint="--lang")
    return Voice(language)


def fail(message: str, code: int = 1) -> typer.Exit:
    """Say what is wrong on standard error, a line for each mistake; raise what this returns."""
    for line in message.splitlines():
        typer.echo(f"kentongan: {line}", err=True)
    return typer.Exit(code)
