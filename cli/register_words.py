"""What `kentongan register`, `post` and `labels` say, Indonesian first, English beside it."""

from dataclasses import dataclass

from cli.words import LANGUAGES

SAID: dict[str, tuple[str, str]] = {
    # files
    "no_write": ("{file} tidak dapat ditulis: {why}", "{file} cannot be written: {why}"),
    "unreadable": ("{file} tidak dapat dibaca: {why}", "{file} cannot be read: {why}"),
    "busy": ("perintah lain sedang bekerja di {folder}; tunggu sebentar", "another command works in {folder}; wait"),
    "not_owner": (
        "{file} milik pengguna {owner}; jalankan sebagai pengguna itu: sudo -u {owner} …",
        "{file} belongs to user {owner}; run this as that user: sudo -u {owner} …",
    ),
    "by_hand": (
        "daftar ini ditulis dengan cara yang tidak berani saya ubah ({why}); ubahlah dengan tangan",
        "the register is written in a way that I do not dare to change ({why}); change it by hand",
    ),
    # keys and sealed files
    "key_misread": (
        "kunci ini salah tulis: 8 kelompok berisi 4 huruf A–Z dan 2–7; periksa tiap kelompok",
        "this key is miswritten: 8 groups of 4, A–Z and 2–7; check each group",
    ),
    "key_wrong": ("ini bukan kunci untuk {file}", "this is not the key of {file}"),
    "key_other_kind": (
        "berkas ini ditutup dengan cara lain ({by}): key = --key BERKAS, passphrase = kata sandi, paper = kunci kertas",
        "this file was closed in another way ({by}): key = --key FILE, passphrase = a passphrase, paper = a paper key",
    ),
    "no_key_file": (
        "tidak ada kunci di {file}. Pasang stik USB-nya; bila belum pernah ada: kentongan register people key FILE",
        "there is no key at {file}. Plug in its USB stick; if there never was one: kentongan register people key FILE",
    ),
    "key_exists": ("{file} sudah ada; tidak ada yang diubah", "{file} is there already; nothing was changed"),
    "same_disk": (
        "{file} terletak di disk yang sama dengan {vault}: siapa mencuri yang satu mendapat keduanya. "
        "Pakai stik USB, atau --same-disk bila itu memang dimaksud.",
        "{file} lies on the same disk as {vault}: a thief gets both. Use a USB stick, or --same-disk if meant.",
    ),
    "not_sealed": ("{file} bukan berkas terkunci buatan program ini", "{file} is no sealed file of this program"),
    "damaged": ("{file} rusak atau terpotong; tidak ada yang diubah", "{file} is damaged or cut short; no change"),
    "key_needed": (
        "nama penghuni terkunci: sebut kuncinya dengan --key BERKAS (stik USB), atau ketik kata sandi di layar",
        "the people's names are sealed: name the key with --key FILE (USB stick), or type the passphrase at a screen",
    ),
    "short_passphrase": ("kata sandi paling sedikit 12 huruf", "a passphrase has at least 12 letters"),
    "ask_passphrase": ("Kata sandi penghuni", "Passphrase of the people's vault"),
    "ask_again": ("Sekali lagi", "Once more"),
    # register
    "unknown_source": (
        "{who} tidak ada di daftar. Yang mirip: {near}. Semuanya: kentongan register list",
        "{who} is not in the register. Nearest: {near}. All of them: kentongan register list",
    ),
    "no_register": (
        "tidak ada {file}; masuklah ke folder pos, atau sebut berkasnya dengan --sources",
        "there is no {file}; go to the post's folder, or name the file with --sources",
    ),
    "several_sources": ("{who} berarti beberapa: {names}; sebut salah satu", "{who} means several: {names}; name one"),
    "known_key": ("kunci {who} sudah dipakai {house}", "the key of {who} is that of {house} already"),
    "known_name": ("{who} sudah terdaftar untuk {house}", "{who} is registered for {house} already"),
    "revoked_key": (
        "kunci {who} pernah dicabut ({house}: {why}); buat kunci baru pada perangkatnya",
        "the key of {who} was revoked ({house}: {why}); make a new key on the device",
    ),
    "same_key": ("{who} sudah memakai itu; tidak ada yang diubah", "{who} has that already; nothing was changed"),
    "one_thing": ("sebut tepat satu: --node, --head atau --input", "say exactly one: --node, --head or --input"),
    "nothing_new": ("sebut apa yang dimaksud; lihat --help", "say what is meant; see --help"),
    "register_empty": ("Daftar kosong.", "The register is empty."),
    "register_line": ("{house:<10} {name:<12} {place}{keyed}", "{house:<10} {name:<12} {place}{keyed}"),
    "keyed": ("kunci ada", "key known"),
    "unkeyed": ("TANPA KUNCI", "NO KEY"),
    "revoked_line": ("dicabut: {house} {name} {day} {why}", "revoked: {house} {name} {day} {why}"),
    "added": ("{name} terdaftar untuk {house}.", "{name} is registered for {house}."),
    "revoked": (
        "{name} ({house}) dicabut; kuncinya tidak diterima lagi.",
        "{name} ({house}) is revoked; its key is not accepted any more.",
    ),
    "replaced": ("{house}: sekarang {name}; yang lama dicabut.", "{house}: now {name}; the old one is revoked."),
    "renamed": ("{name}: sekarang {house}.", "{name}: now {house}."),
    "noted": ("{node} dicatat.", "{node} is noted."),
    "restart": (
        "Berlaku sesudah jembatan dijalankan ulang: systemctl restart kentongan",
        "In force once the bridge is restarted: systemctl restart kentongan",
    ),
    "sure": ("Lanjutkan?", "Go on?"),
    "not_sure": ("tidak ada yang diubah; tambahkan --yes", "nothing was changed; add --yes"),
    "sure_revoke": ("{name} ({house}) akan dicabut.", "{name} ({house}) will be revoked."),
    "sure_replace": ("{name} ({house}) akan diganti dan dicabut.", "{name} ({house}) will be replaced and revoked."),
    "sure_erase": (
        "Semua tentang {house} akan dihapus dan tidak dapat dikembalikan.",
        "Everything about {house} will be erased and cannot be brought back.",
    ),
    "sure_people": ("Nama dan telepon di {house} akan dihapus.", "Names and telephones at {house} will be erased."),
    # flags
    "flags_none": ("Tidak ada yang mencurigakan.", "Nothing is suspicious."),
    "flag_common_key": (
        "{house} ({node}) memakai kunci yang sama dengan {other} (CVE-2025-52464): siapa pun dari keduanya dapat "
        "berlagak yang lain. Perbarui firmware, buat kunci baru, lalu: kentongan register replace {house}",
        "{house} ({node}) has the same key as {other} (CVE-2025-52464): each can pose as the other. Update the "
        "firmware, make a new key, then: kentongan register replace {house}",
    ),
    "flag_changed_key": (
        "{house} ({node}) sekarang memakai kunci lain daripada yang terdaftar. Tanyakan ke rumahnya; bila benar: "
        "kentongan register replace {house}",
        "{house} ({node}) now has another key than the one registered. Ask at the house; if it is right: "
        "kentongan register replace {house}",
    ),
    "flag_revoked_key": (
        "{node} memakai kunci {house} yang sudah dicabut; buat kunci baru pada perangkatnya",
        "{node} has the key of {house} that was revoked; make a new key on the device",
    ),
    "flag_old_firmware": (
        "{house} ({node}) firmware {other}, perlu 2.7.15 ke atas (CVE-2025-52464): perbarui firmware-nya",
        "{house} ({node}) firmware {other}, at least 2.7.15 is needed (CVE-2025-52464): update it",
    ),
    # people
    "bad_person": ("tulis: Nama; telepon (paling panjang 80 huruf)", "write: Name; telephone (at most 80 letters)"),
    "bad_phone": ("telepon hanya angka, misalnya 0812 3456 7890", "a telephone is digits only, for example 0812 3456"),
    "people_ask": (
        "Penghuni {house}, satu baris seorang: Nama; telepon. Baris kosong: selesai.",
        "The people of {house}, a line each: Name; telephone. An empty line ends.",
    ),
    "people_none": ("{house}: tidak ada nama tercatat.", "{house}: nobody is noted."),
    "people_set": ("{house}: {count} orang tercatat, terkunci.", "{house}: {count} people noted, sealed."),
    "people_erased": ("{house}: nama dan telepon dihapus.", "{house}: names and telephones are erased."),
    "people_key": (
        "Kunci ada di {file}. Simpan juga di kertas, jauh dari pos; tanpa kunci, nama tidak dapat dibaca lagi.",
        "The key is in {file}. Keep it on paper too, away from the post; without it no name can be read again.",
    ),
    "erased": (
        "{house}: dihapus dari daftar. Alarm di jurnal disimpan 90 hari menurut aturan, lalu terhapus.",
        "{house}: erased from the register. Alarms in the journal are kept for 90 days by rule, then they go.",
    ),
    "erased_backups": (
        "Cadangan lama masih memuatnya sampai cadangan berikutnya: kentongan post backup",
        "Older backups still hold it until the next one is made: kentongan post backup",
    ),
    # backup
    "backup_key": (
        "Kunci cadangan pos ini. Ditampilkan SEKALI: tulis atau cetak, simpan jauh dari pos. Tanpa kunci ini cadangan "
        "tidak dapat dibuka oleh siapa pun.",
        "This post's backup key. Shown ONCE: write it down or print it, keep it away from the post. Without it nobody "
        "can open a backup.",
    ),
    "backup_key_svg": ("Untuk dicetak: {file} (hapus sesudahnya)", "To print: {file} (delete it afterwards)"),
    "backup_has_key": (
        "pos ini sudah punya kunci cadangan ({file}). Bila kertasnya hilang: --replace; cadangan lama tetap memerlukan "
        "kunci lama",
        "this post has a backup key already ({file}). If the paper is lost: --replace; older backups need the old key",
    ),
    "backup_no_key": (
        "belum ada kunci cadangan. Buat dahulu: kentongan post backup-key --config {config}",
        "there is no backup key yet. Make one first: kentongan post backup-key --config {config}",
    ),
    "backup_same_disk": (
        "{folder} terletak di disk pos sendiri; cadangan itu mati bersamanya. Pasang stik USB, atau --same-disk bila "
        "itu memang dimaksud.",
        "{folder} lies on the post's own disk; such a backup dies with it. Plug in a USB stick, or --same-disk.",
    ),
    "no_folder": ("{folder} tidak ada; pasang stik USB-nya dahulu", "no {folder}; plug in the USB stick first"),
    "backup_sheet": ("Kunci cadangan pos kentongan", "A kentongan post's backup key"),
    "backup_done": ("{file}: {count} berkas, {kb} kB, terkunci", "{file}: {count} files, {kb} kB, sealed"),
    "backup_dropped": ("dihapus: {file}", "removed: {file}"),
    "backup_journal": (
        "jurnal tidak ikut: {why}. Yang lain tercadang; tidak ada cadangan lama yang dihapus.",
        "the journal is not in it: {why}. All else is; no older backup was removed.",
    ),
    "ask_paper": ("Kunci kertas", "The paper key"),
    "restore_done": (
        "Pos {post} kembali di {folder}, seperti pada {at}",
        "Post {post} is back in {folder}, as of {at}",
    ),
    "restore_again": (
        "Jurnal mulai dengan nama baru; {count} alarm terbuka dilaporkan lagi ke polisi, tidak digandakan.",
        "The journal begins under a new name; {count} open alarms are reported to the police again, not doubled.",
    ),
    "restore_once": (
        "Pos yang lama tidak boleh berjalan lagi: matikan, cabut kartunya.",
        "The old post must not run any more: switch it off, take its card out.",
    ),
    "restore_siren": ("dengarkan sirenenya", "hear that the siren sounds"),
    "restore_owner": ("serahkan kepada pengguna jembatan", "give it to the bridge's user"),
    "restore_other": ("{file} bukan cadangan pos", "{file} is no backup of a post"),
    "restore_exists": (
        "{file} di luar folder pos sudah ada; tidak ada yang diubah. Pindahkan dahulu, atau pakai mesin baru.",
        "{file} outside the post's folder is there already; nothing was changed. Move it away, or use a new machine.",
    ),
    "restore_wrong": (
        "cadangan ini tidak menjadi pos yang utuh: {why}. Tidak ada yang diubah.",
        "this backup does not make a whole post: {why}. Nothing was changed.",
    ),
    # labels
    "labels_done": ("{count} label, {sheets} lembar: {files}", "{count} labels, {sheets} sheets: {files}"),
    "labels_none": ("tidak ada rumah di {file}", "there is no house in {file}"),
    "labels_no_channel": (
        "{file} tidak memuat kanal; --with-channel memerlukan village.yaml",
        "{file} holds no channel; --with-channel needs a village.yaml",
    ),
    "labels_channel": (
        "AWAS: {file} memuat kunci kanal. Cetak, pindai, lalu hapus; jangan ditempel, jangan difoto.",
        "CAREFUL: {file} holds the channel's key. Print it, scan it, delete it; never put it on a wall or in a photo.",
    ),
}


@dataclass(frozen=True, slots=True)
class RegisterVoice:
    """Says each sentence in one language."""

    language: str

    def __call__(self, key: str, /, **facts: object) -> str:
        return SAID[key][LANGUAGES.index(self.language)].format(**facts)
