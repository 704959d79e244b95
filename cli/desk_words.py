"""What the desk's commands say, Indonesian first, English beside it."""

import datetime

from cli.words import LANGUAGES

SAID: dict[str, tuple[str, str]] = {
    # init and posts
    "made": ("Meja polisi siap di {folder}", "The police desk is ready in {folder}"),
    "key": ("Kunci publik meja: {key}", "The desk's public key: {key}"),
    "next": ("Selanjutnya:", "Next:"),
    "next_post": ("di tiap pos", "at each post"),
    "next_add": ("daftarkan kunci pos", "register the post's key"),
    "next_run": ("jalankan meja", "run the desk"),
    "post_added": ("{post} terdaftar.", "{post} is registered."),
    "post_replaced": (
        "{post} terdaftar; kunci lamanya {old} dicabut dan tidak diterima lagi.",
        "{post} is registered; its old key {old} is revoked and not accepted any more.",
    ),
    "post_known": ("{post} sudah terdaftar dengan kunci ini.", "{post} is registered with this key already."),
    "no_posts": (
        "Belum ada pos. Lihat: kentongan desk post add --help",
        "No posts. See: kentongan desk post add --help",
    ),
    "online": ("tersambung sejak {at}", "online since {at}"),
    "offline": ("TERPUTUS sejak {at}", "OFFLINE since {at}"),
    "never": ("belum pernah terdengar", "never heard"),
    # alarms
    "none": ("Tidak ada panggilan terbuka.", "No open calls."),
    "nothing": ("Belum ada panggilan.", "No calls yet."),
    "place_unknown": ("tempat tidak diketahui", "place unknown"),
    "age_unknown": ("umur tidak diketahui", "age unknown"),
    "late": ("TERLAMBAT {age}", "LATE by {age}"),
    "drill": ("LATIHAN", "DRILL"),
    "unreadable": ("TAK TERBACA", "UNREADABLE"),
    "unsafe": ("belum tersimpan di pos", "not on the post's disk"),
    "again": ("DIPUKUL LAGI setelah ditutup", "STRUCK AGAIN after it was closed"),
    "by": ("oleh {by}", "by {by}"),
    "told": ("dikabari {at}", "told {at}"),
    "told_before": ("sudah dikabari, paling lambat {at}", "told, at the latest {at}"),
    "not_reached": ("TIDAK TERJANGKAU", "NOT REACHED"),
    "waiting": ("menunggu jawaban pos", "waiting for the post"),
    "received": ("pos sudah menerima", "the post has it"),
    "superseded": ("diganti kabar yang lebih baru", "replaced by newer word"),
    "done": ("sudah dilaksanakan", "done"),
    "refused": ("DITOLAK pos", "REFUSED by the post"),
    # verbs
    "said": ("#{case} {stage}. Dikirim ke {posts}.", "#{case} {stage}. Sent to {posts}."),
    "said_nowhere": (
        "#{case} {stage}. Tidak ada pos yang dapat dikabari.",
        "#{case} {stage}. There is no post that can be told.",
    ),
    "post_away": (
        "{post} sedang tidak tersambung; kabar disampaikan begitu tersambung.",
        "{post} is not online now; it will be told as soon as it is.",
    ),
    "not_higher": ("#{case} sudah {stage}{by}; tidak ada yang diubah.", "#{case} is {stage} already{by}; no change."),
    "unknown_alarm": ("tidak ada panggilan {said}.", "there is no call {said}."),
    "nearest": ("Yang mirip: {near}", "Nearest: {near}"),
    "see_list": ("Lihat: kentongan desk list --all", "See: kentongan desk list --all"),
    "key_in_force": (
        "{post} sudah punya kunci {old}. Bila itu pos yang hilang atau diganti: ulangi dengan --replace, kunci lamanya "
        "dicabut",
        "{post} has the key {old} already. If that post was lost or replaced: repeat with --replace, which revokes it",
    ),
    "key_revoked": (
        "{post}: kunci ini sudah dicabut; buat yang baru di pos itu (kentongan setup)",
        "{post}: this key was revoked; make a new one at that post (kentongan setup)",
    ),
    "unknown_post": (
        "pos {post} tidak terdaftar; lihat: kentongan desk post list",
        "post {post} is not registered; see: kentongan desk post list",
    ),
    "ordered": ("Perintah {number} dikirim ke {post}.", "Order {number} sent to {post}."),
    # show
    "reports": ("Laporan pos:", "Reports:"),
    "acts": ("Riwayat:", "History:"),
    "deliveries": ("Kabar ke pos:", "Words to posts:"),
    "ids": ("pukulan", "presses"),
    "source": ("sumber", "source"),
    "words": ("terdengar", "heard"),
    "trust": ("kepercayaan", "trust"),
    "remarks": ("catatan", "remarks"),
    "struck": ("dipukul", "struck"),
    "arrived": ("sampai di meja", "reached the desk"),
    "revision": ("revisi {revision}", "revision {revision}"),
}

KINDS: dict[str, tuple[str, str]] = {
    "PANIC": ("PANIK", "PANIC"),
    "THEFT": ("MALING", "THEFT"),
    "FIRE": ("KEBAKARAN", "FIRE"),
    "DISASTER": ("BENCANA", "DISASTER"),
    "MURDER": ("PEMBUNUHAN", "MURDER"),
    "LIVESTOCK": ("MALING TERNAK", "LIVESTOCK"),
    "ACCIDENT": ("KECELAKAAN", "ACCIDENT"),
    "BRAWL": ("TAWURAN", "BRAWL"),
    "MEDICAL": ("MEDIS", "MEDICAL"),
    "UNKNOWN": ("TIDAK JELAS", "UNKNOWN"),
}

STAGES: dict[str, tuple[str, str]] = {
    "STORED": ("belum dibaca", "not read yet"),
    "ACKNOWLEDGED": ("dibaca", "read"),
    "DISPATCHED": ("berangkat", "dispatched"),
    "ON_SCENE": ("di lokasi", "on scene"),
    "CLOSED": ("ditutup", "closed"),
}


class DeskVoice:
    """Says each sentence in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._column = LANGUAGES.index(language)

    def __call__(self, key: str, /, **facts: object) -> str:
        return SAID[key][self._column].format(**facts)

    def kind(self, name: str) -> str:
        return KINDS[name][self._column]

    def stage(self, name: str) -> str:
        return STAGES[name][self._column] if name in STAGES else name


def clock(at: float) -> str:
    """Local time of this machine; with the date when it is another day. '?' for a time no calendar holds."""
    try:
        moment = datetime.datetime.fromtimestamp(at).astimezone()
    except (ValueError, OverflowError, OSError):
        return "?"
    today = moment.date() == datetime.datetime.now().astimezone().date()
    return moment.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S")


def span(seconds: float) -> str:
    """`95 s`, `12 min`, `5 h`, `3 d`: enough to judge."""
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86400:.0f} d"
