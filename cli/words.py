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
    # rhythm
    "rhythm_line": (
        "baris {number}: tulis waktu pukulan dalam detik, misalnya [0.0, 0.3, 0.6] ({why})",
        "line {number}: write the times of the strikes in seconds, for example [0.0, 0.3, 0.6] ({why})",
    ),
    # the bridge
    "no_bridge": (
        "jembatan tidak berjalan (tidak ada jawaban di {socket})",
        "no bridge runs (no answer at {socket})",
    ),
    "no_bridge_advice": (
        "Panggilan warga tidak terdengar. Jalankan: kentongan run --config {config}",
        "Nobody's call is heard. Type: kentongan run --config {config}",
    ),
    # status
    "state_ok": ("ok", "ok"),
    "state_note": ("catatan", "note"),
    "state_fault": ("GANGGUAN", "FAULT"),
    "part_post": ("pos", "post"),
    "part_bridge": ("jembatan", "bridge"),
    "part_radio": ("radio", "radio"),
    "part_input": ("kabel", "wired"),
    "part_desk": ("polisi", "police"),
    "part_journal": ("jurnal", "journal"),
    "part_siren": ("sirene", "siren"),
    "part_clock": ("jam", "clock"),
    "part_alarms": ("alarm", "alarms"),
    "status_post": ("{post}, berjalan {up}, versi {version}", "{post}, up {up}, version {version}"),
    "radio_ok": ("{name} {own}, firmware {firmware}", "{name} {own}, firmware {firmware}"),
    "radio_starting": ("{url} belum menjawab", "{url} has not answered yet"),
    "radio_advice": (
        "Panggilan warga tidak terdengar. Periksa daya dan kabel radio; jembatan mencoba terus.",
        "Nobody's call is heard. Check the radio's power and cable; the bridge keeps trying.",
    ),
    "firmware_old": ("{name}: firmware lebih tua dari 2.7.15", "{name}: firmware older than 2.7.15"),
    "firmware_advice": (
        "Orang lain dapat memakai kunci radio yang lemah. Perbarui firmware radio.",
        "Others can misuse its weak keys. Update the radio's firmware.",
    ),
    "radio_deaf": (
        "Panggilan di kanal itu tidak terdengar. Perbaiki [radio] channels, atau beri radio kanal berkunci sendiri.",
        "Calls on that channel are not heard. Correct [radio] channels, or give the radio a channel with its own key.",
    ),
    "input_ok": ("{name}, {times} kali terdengar", "{name}, heard {times} times"),
    "input_advice": ("Pukulan di sini tidak terdengar di pos.", "Strikes here are not heard at the post."),
    "radio_none": ("pos ini tanpa radio", "this post has no radio"),
    "radio_none_advice": ("Isi [radio] url di post.toml.", "Set [radio] url in post.toml."),
    "desk_ok": ("tersambung lewat {name}", "connected through {name}"),
    "desk_starting": ("{name}: meja polisi belum menjawab", "{name}: the police desk has not answered yet"),
    "desk_advice": (
        "Alarm disimpan dan akan dikirim; warga diberi tahu “polisi belum tersambung”. "
        "Periksa modem, broker dan [desk] keys.",
        "Alarms are kept and will be sent; strikers are told “police not connected”. "
        "Check the modem, the broker and [desk] keys.",
    ),
    "desk_none": ("pos ini tanpa jalan ke polisi", "this post has no way to the police"),
    "desk_none_advice": ("Isi [[uplink]] url di post.toml.", "Set [[uplink]] url in post.toml."),
    "journal_ok": ("{waiting} alarm menunggu dikirim", "{waiting} alarms waiting to be sent"),
    "journal_advice": (
        "Sirene tetap berbunyi dan alarm dikirim dari ingatan, tetapi “pos sudah menerima” tidak dikatakan.",
        "The siren still sounds and alarms go out from memory, but “the post has it” is not said.",
    ),
    "siren_ok": ("{command}", "{command}"),
    "siren_off": (
        "Sirene dihentikan. Alarm tetap berjalan; pukulan berikutnya berbunyi lagi.",
        "The siren is off. The alarm goes on; the next press rings again.",
    ),
    "siren_tried": ("{name}: berbunyi", "{name}: sounded"),
    "siren_fault": ("{name}: GANGGUAN: {why}", "{name}: FAULT: {why}"),
    "siren_unknown": ("tidak ada sirene {name!r}; yang ada: {known}", "no siren {name!r}; there are: {known}"),
    "siren_none": ("pos ini tanpa sirene", "this post has no siren"),
    "siren_none_advice": (
        "Isi [siren] command atau [[output]] di post.toml.",
        "Set [siren] command or an [[output]] in post.toml.",
    ),
    "siren_others": ("Sirene yang lain tetap berbunyi.", "The other sirens still sound."),
    "siren_advice": ("Penjaga tidak mendengar alarm.", "The guards do not hear an alarm."),
    "clock_ok": ("disetel oleh layanan waktu", "set by a time service"),
    "clock_unsure": ("belum disetel oleh layanan waktu", "not set by a time service"),
    "clock_advice": (
        "Jam di laporan bisa salah; urutannya tetap benar. Periksa chrony atau systemd-timesyncd.",
        "Times in reports may be wrong; their order is right. Check chrony or systemd-timesyncd.",
    ),
    "alarms_none": ("tidak ada yang terbuka", "none is open"),
    "alarms_open": ("{count} terbuka", "{count} open"),
    "span_s": ("{s} detik", "{s} s"),
    "span_min": ("{min} menit", "{min} min"),
    "span_h": ("{h} jam", "{h} h"),
    # journal
    "journal_empty": ("Tidak ada alarm.", "No alarms."),
    "journal_more": ("… lebih banyak: --limit {limit}", "… more of them: --limit {limit}"),
    "custody_waiting": ("menunggu", "waiting"),
    "custody_stored": ("tersimpan", "stored"),
    "custody_quarantined": ("karantina", "quarantined"),
    "place_unknown": ("tempat tidak diketahui", "place unknown"),
    # press
    "press_kind": ("jenis {kind} tidak dikenal; ada: {kinds}", "there is no kind {kind}; known: {kinds}"),
    "press_done": ("LATIHAN dipukul: {id}", "DRILL struck: {id}"),
    "press_journaled": ("  {s:.1f} s  pos sudah menyimpannya", "  {s:.1f} s  the post has it on disk"),
    "press_stored": ("  {s:.1f} s  meja polisi sudah menyimpannya", "  {s:.1f} s  the police desk has stored it"),
    "press_not_journaled": (
        "tidak tersimpan di jurnal dalam {s:g} detik; lihat: kentongan status",
        "not in the journal within {s:g} s; see: kentongan status",
    ),
    "press_not_stored": (
        "meja polisi belum menjawab dalam {s:g} detik; alarm disimpan dan akan dikirim; lihat: kentongan status",
        "no answer of the police desk within {s:g} s; the alarm is kept and will be sent; see: kentongan status",
    ),
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
    # village
    "village_more": (
        "… dan {count} lagi: tambahkan kecamatan atau kabupaten",
        "… and {count} more: add the district or the regency",
    ),
    "village_near": (
        "tidak ada desa bernama {said!r}. Yang mirip; periksa sebelum dipakai:",
        "there is no village {said!r}. The nearest; look before you use one:",
    ),
    "village_none": (
        "tidak ada desa bernama {said!r}, juga tidak ada yang mirip. Periksa ejaannya.",
        "there is no village {said!r}, and none is spelled nearly so. Check the spelling.",
    ),
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
        "press RT01-03 kebakaran · alert RT01-03 tolong · detect RT01-03 · cut [rumah] · heal [rumah] · reboot · "
        "mute · unmute · wait 5 · quit",
        "press RT01-03 fire · alert RT01-03 help · detect RT01-03 · cut [house] · heal [house] · reboot · "
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
