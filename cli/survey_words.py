"""What `kentongan survey` and `kentongan handover` say, Indonesian first, English beside it."""

from dataclasses import dataclass

from cli.words import LANGUAGES
from cli.words import SAID as COMMON

SAID: dict[str, tuple[str, str]] = {
    "nothing": (
        "tidak ada node untuk ditanya: isi sources.toml, atau sebutkan --village village.yaml",
        "there is no node to ask: fill in sources.toml, or name --village village.yaml",
    ),
    "radio_away": (
        "radio pos tidak dapat dipakai: {why}. Jalankan: kentongan doctor radio",
        "the post's radio cannot be used: {why}. Run: kentongan doctor radio",
    ),
    "held": (
        "jembatan memegang radio tetapi tidak menjawab. Jalankan: kentongan doctor bridge",
        "the bridge holds the radio and does not answer. Run: kentongan doctor bridge",
    ),
    "begin": (
        "{count} node, {tries} kali masing-masing, paling cepat tiap {gap:g} detik; berhenti dengan Ctrl-C, lanjut "
        "dengan perintah yang sama",
        "{count} nodes, {tries} times each, {gap:g} s apart at least; stop with Ctrl-C, go on with the same command",
    ),
    "resumed": ("melanjutkan {file}: {count} pertanyaan sudah", "going on with {file}: {count} questions done"),
    "bad_file": (
        "{file} bukan berkas survei; pilih nama lain dengan --file",
        "{file} is no survey; choose another name with --file",
    ),
    "answered": (
        "{name:<12} {took:5.1f} detik  {snr:>9}  {hops} lompatan",
        "{name:<12} {took:5.1f} s  {snr:>9}  {hops} hops",
    ),
    "no_key": ("radio pos belum mengenal kuncinya", "the post's radio does not know its key yet"),
    "unanswered": ("{name:<12} tidak menjawab ({why})", "{name:<12} no answer ({why})"),
    "waits": (
        "jatah udara sejam ini habis (1 %); lanjut dalam {min} menit",
        "the airtime of this hour is used up (1 %); going on in {min} min",
    ),
    "report": ("Laporan: {file}", "Report: {file}"),
    "below": (
        "Di bawah batas: {names}. Tinggikan antena atau tambah relay, lalu ulangi dengan --again",
        "Below the margin: {names}. Raise the antenna or add a relay, then repeat with --again",
    ),
    "all_good": ("Semua {count} node baik.", "All {count} nodes are good."),
    "unfinished": ("belum selesai; lanjutkan dengan perintah yang sama", "not finished; go on with the same command"),
    "title": ("Survei radio {post}", "Radio survey of {post}"),
    "intro": (
        "Hijau: baik. Jingga: terjangkau tanpa cadangan. Merah: tidak menjawab. SNR adalah lompatan terakhir ke pos.",
        "Green: good. Orange: reached with nothing to spare. Red: no answer. SNR is that of the last hop to the post.",
    ),
    "name": ("Nama", "Name"),
    "verdict": ("Keadaan", "State"),
    "share": ("Dijawab", "Answered"),
    "snr": ("SNR", "SNR"),
    "hops": ("Lompatan", "Hops"),
    "took": ("Waktu", "Time"),
    "post": ("pos", "post"),
    "good": ("baik", "good"),
    "weak": ("lemah", "weak"),
    "silent": ("tidak menjawab", "no answer"),
    "unasked": ("belum ditanya", "not asked yet"),
    # handover
    "no_houses": (
        "sources.toml kosong: belum ada yang dapat diserahkan",
        "sources.toml is empty: nothing to hand over",
    ),
    "bad_since": ("--since {text!r}: tulis tanggal, misalnya 2026-11-26", "--since {text!r}: write a date: 2026-11-26"),
    "house_seen": ("lampunya menyala {day}", "its lamp was seen {day}"),
    "house_untold": ("dipukul {day}, jawabannya belum terlihat", "struck {day}, its answer was not seen"),
    "house_unstruck": ("belum dipukul", "not struck yet"),
    "left": (
        "{left} dari {count} belum selesai. Pukul (latihan) di sana dan tunggu lampunya, lalu ulangi.",
        "{left} of {count} are not done. Strike there (a drill) and wait for its lamp, then run this again.",
    ),
    "complete": ("Semua {count} sudah dicoba dan lampunya terlihat.", "All {count} were tried and their lamps seen."),
    "handover_title": ("Serah terima kentongan, {post}, {day}", "Handover of the kentongan, {post}, {day}"),
    "house": ("Tempat", "Place"),
    "source": ("Perangkat", "Device"),
    "signed": (
        "Diserahkan oleh: ____________________    Diterima oleh: ____________________",
        "Handed over by: ____________________    Received by: ____________________",
    ),
    "no_report": ("laporan {file} tidak dapat ditulis: {why}", "the report {file} cannot be written: {why}"),
}


@dataclass(frozen=True, slots=True)
class SurveyVoice:
    """Says each sentence in one language; knows those of the other commands too."""

    language: str

    def __call__(self, key: str, /, **facts: object) -> str:
        return (SAID.get(key) or COMMON[key])[LANGUAGES.index(self.language)].format(**facts)
