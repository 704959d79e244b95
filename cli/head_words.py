"""What `kentongan head` says to technicians, Indonesian first, English beside it."""

from dataclasses import dataclass

from cli.words import LANGUAGES

SAID: dict[str, tuple[str, str]] = {
    # the port
    "no_port": (
        "tidak ada apa-apa di {port}. Periksa kabel USB (kabel data, bukan kabel pengisi); lihat: ls /dev/serial/by-id",
        "there is nothing at {port}. Check the USB cable (a data cable); see: ls /dev/serial/by-id",
    ),
    "port_denied": (
        "{port} tidak boleh dibuka: masukkan pengguna ini ke grup dialout, lalu masuk kembali",
        "{port} may not be opened: put this user into group dialout and log in again",
    ),
    "port_busy": (
        "{port} sedang dipakai program lain; hentikan dahulu, misalnya jembatan pos (systemctl stop kentongan)",
        "{port} is in use by another program; stop it first, for example the post's bridge (systemctl stop kentongan)",
    ),
    "port_wrong": ("{port} tidak dapat dibuka: {why}", "{port} cannot be opened: {why}"),
    "gone": (
        "{port} terputus di tengah jalan. Periksa kabel, lalu jalankan perintah yang sama lagi.",
        "{port} was cut off. Check the cable and run the same command again.",
    ),
    # what answers there
    "mute": (
        "kepala kentongan di {port} tidak menjawab “{asked}”. Bila belum diisi: kentongan head flash --port {port}",
        "the head at {port} does not answer “{asked}”. If it is new: kentongan head flash --port {port}",
    ),
    "bare": (
        "di {port} ada MicroPython tanpa program kentongan. Isi dahulu: kentongan head flash --port {port}",
        "at {port} there is MicroPython without the head's program. First: kentongan head flash --port {port}",
    ),
    "refused": ("kepala kentongan menolak “{asked}”: {why}", "the head refuses “{asked}”: {why}"),
    "strange": (
        "jawaban kepala kentongan tidak dimengerti; perbarui: kentongan head flash --port {port}",
        "the head's answer is not understood; update it: kentongan head flash --port {port}",
    ),
    "faulty": ("kepala kentongan melaporkan gangguan: {why}", "the head reports a fault: {why}"),
    "info": (
        "{name}: {at}, irama {codebook}, kunci {keyed}, program versi {version}, pukulan terakhir {epoch}.{press}",
        "{name}: {at}, codebook {codebook}, key {keyed}, program version {version}, latest press {epoch}.{press}",
    ),
    "yes": ("ada", "yes"),
    "no": ("belum ada", "none yet"),
    "house": ("rumah", "house"),
    "post": ("pos", "post"),
    # flash
    "no_mpremote": (
        "mpremote belum terpasang; pasang bersama program ini: pip install 'kentongan[head]'",
        "mpremote is not installed; install it with this program: pip install 'kentongan[head]'",
    ),
    "no_micropython": (
        "tidak ada MicroPython yang menjawab di {port}. {how}",
        "no MicroPython answers at {port}. {how}",
    ),
    "how_pico": (
        "Pico: tahan tombol BOOTSEL sambil menancapkan USB, salin berkas .uf2 MicroPython ke penyimpanan RPI-RP2, "
        "tunggu sampai hilang, lalu ulangi perintah ini.",
        "Pico: hold BOOTSEL while plugging in the USB, copy MicroPython's .uf2 file to the drive RPI-RP2, wait until "
        "it vanishes, then run this again.",
    ),
    "how_esp32": (
        "ESP32: tulis berkas .bin MicroPython dengan esptool (esptool --port {port} erase-flash, lalu write-flash "
        "0x1000 BERKAS), lalu ulangi perintah ini.",
        "ESP32: write MicroPython's .bin file with esptool (esptool --port {port} erase-flash, then write-flash "
        "0x1000 FILE), then run this again.",
    ),
    "other_board": (
        "di {port} ada {found}, bukan {wanted}; tidak ada yang diubah.",
        "at {port} there is {found}, not {wanted}; nothing was changed.",
    ),
    "old_micropython": (
        "MicroPython {found} terlalu lama, perlu {wanted}; tidak ada yang diubah. {how}",
        "MicroPython {found} is too old, {wanted} is needed; nothing was changed. {how}",
    ),
    "broken_off": (
        "penulisan tidak selesai: {why}. Kepala kentongan ini TIDAK BEKERJA sampai perintah yang sama berhasil.",
        "it was not written to the end: {why}. This head DOES NOT WORK until the same command succeeds.",
    ),
    "unlike": (
        "berkas di papan berbeda dari aslinya: {files}. Kepala kentongan ini TIDAK BEKERJA; ulangi, atau ganti papan.",
        "files on the board differ from the originals: {files}. This head DOES NOT WORK; run it again, or replace it.",
    ),
    "not_started": (
        "program sudah ditulis dan sama, tetapi di {port} tidak ada jawaban dalam {s:g} detik. Cabut dan pasang "
        "kembali kabelnya, lalu: kentongan head test --port {port}",
        "the program was written and is the same, but nothing answers at {port} within {s:g} s. Pull the cable and "
        "plug it in again, then: kentongan head test --port {port}",
    ),
    "flash_found": ("{found}; jangan cabut kabelnya …", "{found}; leave the cable in …"),
    "flash_wiped": (
        "ingatan dihapus: baginya semua pukulan baru, dan ia menunggu kunci (kentongan head key)",
        "its memory was wiped: its presses count as new ones, and it waits for a key (kentongan head key)",
    ),
    "flash_options": ("dengan {options} (board.py)", "with {options} (board.py)"),
    "flash_same": ("{count} berkas ditulis, dibaca kembali, sama", "{count} files written, read back, the same"),
    "next_codebook": (
        "Ia belum tahu irama desa ini; setiap pukulan menjadi alarm tanpa jenis. Isi: "
        "kentongan head flash --port {port} --codebook a",
        "It does not know this village's rhythms; every strike is an alarm without a kind. Give it one: "
        "kentongan head flash --port {port} --codebook a",
    ),
    "next_key": (
        "Ia belum punya kunci. Selanjutnya: kentongan head key --port {port} --head {name} --sources sources.toml",
        "It has no key. Next: kentongan head key --port {port} --head {name} --sources sources.toml",
    ),
    # key
    "bad_name": (
        "{name!r} bukan nama kepala kentongan: 1–7 dari A–Z, 0–9 dan -, misalnya RT03-12",
        "{name!r} is no name of a head: 1–7 of A–Z, 0–9 and -, for example RT03-12",
    ),
    "bad_place": ("--at: house (rumah) atau post (pos)", "--at: house or post"),
    "bad_board": ("--board: pico atau esp32", "--board: pico or esp32"),
    "other_head": (
        "kepala kentongan ini bernama {found}, bukan {wanted}. Tukar kepalanya, atau beri nama: "
        "kentongan head flash --port {port} --name {wanted}",
        "this head calls itself {found}, not {wanted}. Take the other head, or name it: "
        "kentongan head flash --port {port} --name {wanted}",
    ),
    "has_key": (
        "{head} sudah punya kunci di {file}; tidak ada yang diubah. Untuk menggantinya: --replace",
        "{head} has a key in {file} already; nothing was changed. To replace it: --replace",
    ),
    "by_hand": (
        "{file} ditulis dengan cara yang tidak dapat diubah dengan aman; tidak ada yang diubah. "
        "Tulis setiap perangkat sebagai [[source]].",
        "{file} cannot be changed safely as it is written; nothing was changed. Write each entry as [[source]].",
    ),
    "not_owner": (
        "{file} milik pengguna {owner}; jalankan sebagai pengguna itu: sudo -u {owner} kentongan head key …",
        "{file} belongs to user {owner}; run this as that user: sudo -u {owner} kentongan head key …",
    ),
    "busy": (
        "perintah lain sedang menulis kunci di {folder}; tunggu sebentar.",
        "another command is writing keys in {folder}; wait a moment.",
    ),
    "no_write": ("{file} tidak dapat ditulis: {why}", "{file} cannot be written: {why}"),
    "bad_pending": (
        "{file} rusak. Bila kepala kentongan masih terbukti (kentongan head test), hapus berkas itu.",
        "{file} is damaged. If the head still proves itself (kentongan head test), delete that file.",
    ),
    "key_resumed": (
        "melanjutkan pemberian kunci yang terputus, dengan kunci yang sama",
        "going on with a key that was not finished, with the same key",
    ),
    "key_unfinished": (
        "kunci belum selesai dipasang dan tersimpan di {file}; jalankan perintah yang sama lagi.",
        "the key is not in place yet and is kept in {file}; run the same command again.",
    ),
    "not_keyed": (
        "kepala kentongan tidak menyimpan kunci; ulangi, atau isi ulang dengan kentongan head flash",
        "the head did not keep the key; run it again, or flash it anew with kentongan head flash",
    ),
    "key_done": ("{head} punya kunci; tercatat di {file}", "{head} has its key; it stands in {file}"),
    "key_next": (
        "Jalankan ulang jembatan pos agar kunci berlaku, lalu: kentongan head test --port {port} --sources {file}",
        "Restart the post's bridge so that the key counts, then: kentongan head test --port {port} --sources {file}",
    ),
    # test
    "test_lamps": (
        "Ketiga lampu menyala bergantian selama 3 detik: pos, polisi, datang. Satu yang gelap: periksa kabelnya.",
        "The three lamps light in turn for 3 s: post, police, coming. If one stays dark, check its wire.",
    ),
    "test_strike": (
        "Pukul sekarang. Ini ALARM SUNGGUHAN bila nodenya menyala. Menunggu {s:g} detik …",
        "Strike now. It is a REAL ALARM if its node is on. Waiting for {s:g} s …",
    ),
    "test_waiting": (
        "Ia masih menunggu jawaban atas panggilan sebelumnya; menunggu pengulangannya, paling lama {s:g} detik …",
        "It still waits for an answer to a call of before; waiting until it says that again, at most {s:g} s …",
    ),
    "test_open": (
        "{head} masih menunggu jawaban atas panggilan sebelumnya. Nyalakan nodenya di dekat pos, atau coba lagi "
        "dengan --wait 330",
        "{head} still waits for an answer to a call of before. Turn its node on near the post, or try again with "
        "--wait 330",
    ),
    "test_deaf": (
        "{head} terbukti, tetapi tidak percaya jawaban dengan kuncinya sendiri: isi ulang dengan kentongan head flash "
        "--port {port}",
        "{head} proves itself, but does not believe an answer with its own key: flash it anew with kentongan head "
        "flash --port {port}",
    ),
    "test_silent": (
        "tidak ada baris yang terdengar dalam {s:g} detik. Periksa kabel bantalan pukul, lalu ulangi.",
        "no line was heard within {s:g} s. Check the pad's wire and try again.",
    ),
    "test_right": ("BAIK: {head} terbukti dengan kuncinya", "OK: {head} proves itself with its key"),
    "test_no_key": (
        "{head} memukul alarm, tetapi tanpa kunci: jalankan kentongan head key --port {port} --head {head} "
        "--sources {file}",
        "{head} alarms, but has no key: run kentongan head key --port {port} --head {head} --sources {file}",
    ),
    "test_unknown": (
        "{head} punya kunci, tetapi {file} tidak: jalankan kentongan head key --port {port} --head {head} "
        "--sources {file}",
        "{head} has a key, but {file} has none: run kentongan head key --port {port} --head {head} --sources {file}",
    ),
    "test_wrong": (
        "kunci {head} tidak cocok dengan {file}; alarmnya tetap diterima, tempatnya hanya “diakui”. Jalankan "
        "kentongan head key --port {port} --head {head} --sources {file} --replace",
        "the key of {head} is not the one in {file}; its alarms still count, its place is only “claimed”. Run "
        "kentongan head key --port {port} --head {head} --sources {file} --replace",
    ),
}


@dataclass(frozen=True, slots=True)
class HeadVoice:
    """Says each sentence in one language."""

    language: str

    def __call__(self, key: str, /, **facts: object) -> str:
        return SAID[key][LANGUAGES.index(self.language)].format(**facts)
