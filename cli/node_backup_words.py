"""What `kentongan node backup`, `restore` and `diff` say, Indonesian first, English beside it."""

from dataclasses import dataclass

from cli.words import LANGUAGES

SAID: dict[str, tuple[str, str]] = {
    "kept": (
        "{node} disimpan di {file}: {count} setelan, terkunci. Tanpa kuncinya ia tidak berguna; simpan terpisah.",
        "{node} is kept in {file}: {count} settings, sealed. Without its key the file is worthless; keep them apart.",
    ),
    "no_region": (
        "{node} belum punya kunci sendiri: wilayah radionya belum diisi. Siapkan dahulu: kentongan node apply",
        "{node} has no key of its own yet: its region is not set. Set it up first: kentongan node apply",
    ),
    "sure_restore": (
        "{box} menjadi {node} dari {at}: {count} setelan ditulis, juga kunci pribadinya. Kotak yang lama jangan pernah "
        "dinyalakan lagi: dua kotak dengan satu kunci tidak dapat dipercaya.",
        "{box} becomes the {node} of {at}: {count} settings are written, its private key too. Never switch the old box "
        "on again: two boxes with one key cannot be trusted.",
    ),
    "sure_restore_own": (
        "{box} mendapat setelan {node} dari {at}: {count} setelan ditulis; kuncinya tetap miliknya sendiri. "
        "Daftarkan sebagai perangkat baru.",
        "{box} gets the settings of {node} from {at}: {count} settings are written; it keeps its own key. "
        "Register it as a new device.",
    ),
    "restored": (
        "{box}: {count} setelan ditulis dan dibaca kembali, benar.",
        "{box}: {count} settings written and read back, right.",
    ),
    "restored_none": ("{box} sudah benar; tidak ada yang ditulis.", "{box} is right already; nothing was written."),
    "not_taken": (
        "{box} tidak menerima {count} setelan di atas. Bila jenis papannya lain, itu wajar; selain itu ulangi.",
        "{box} did not take the {count} settings above. On another kind of board that is to be expected; else run it "
        "again.",
    ),
    "unlawful": (
        "cadangan ini tidak boleh dipulihkan: {why}. Atur kotak dengan: kentongan node apply",
        "this backup may not be restored: {why}. Set the box up with: kentongan node apply",
    ),
    "same": ("keduanya sama", "both are the same"),
    "other_nodes": ("{old} dan {new} bukan kotak yang sama", "{old} and {new} are not the same box"),
    "ask_passphrase": ("Kata sandi cadangan", "Passphrase of the backup"),
    "ask_again": ("Sekali lagi", "Once more"),
    "key_needed": (
        "cadangan terkunci: sebut kuncinya dengan --key BERKAS (stik USB), atau ketik kata sandi di layar",
        "a backup is sealed: name its key with --key FILE (USB stick), or type a passphrase at a screen",
    ),
}


@dataclass(frozen=True, slots=True)
class BackupVoice:
    """Says each sentence in one language."""

    language: str

    def __call__(self, key: str, /, **facts: object) -> str:
        return SAID[key][LANGUAGES.index(self.language)].format(**facts)
