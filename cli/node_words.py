"""What `kentongan node` says to technicians, Indonesian first, English beside it."""

from dataclasses import dataclass

from cli.words import LANGUAGES

SAID: dict[str, tuple[str, str]] = {
    # new
    "new_exists": (
        "{folder} sudah ada isinya; tidak ada yang diubah. Pilih folder lain.",
        "{folder} is not empty; nothing was changed. Choose another folder.",
    ),
    "new_disk": ("{folder} tidak dapat dibuat: {why}", "{folder} cannot be made: {why}"),
    "new_done": (
        "Desa baru siap di {folder}. Kunci-kuncinya dibuat; simpan salinan folder keys di tempat terkunci.",
        "A new village is ready in {folder}. Its keys were made; keep a copy of the folder keys under lock.",
    ),
    "new_next": (
        "Selanjutnya: isi kode desa dan daftar kotak di {file}, lalu: kentongan node check {file}",
        "Next: fill in the village's code and the boxes in {file}, then: kentongan node check {file}",
    ),
    # check
    "check_village": (
        "Desa {code}: {nodes} kotak, {done} sudah disiapkan",
        "Village {code}: {nodes} boxes, {done} set up",
    ),
    "check_band": (
        "Kanal {channel}, {region} {preset} slot {slot}: {centre} ({low} - {high}), di dalam 920-923 MHz",
        "Channel {channel}, {region} {preset} slot {slot}: {centre} ({low} - {high}), within 920-923 MHz",
    ),
    "check_power": (
        "Daya {power} dBm + antena {antenna:g} dBi = {eirp:g} dBm EIRP, paling tinggi 20",
        "Power {power} dBm + antenna {antenna:g} dBi = {eirp:g} dBm EIRP, at most 20",
    ),
    "check_next": ("Selanjutnya: kentongan node provision {file}", "Next: kentongan node provision {file}"),
    "no_name": ("tidak ada {name} di {file}; yang ada: {known}", "there is no {name} in {file}; there are: {known}"),
    "no_number": (
        "{name} belum pernah disiapkan, jadi belum dapat dicapai lewat udara; colokkan dan tanpa --remote",
        "{name} was never set up, so it cannot be reached over the air; plug it in, without --remote",
    ),
    # the box
    "lost": (
        "{port}: tidak ada radio Meshtastic yang menjawab ({why}). Periksa kabel (kabel data) dan baterai, lalu "
        "jalankan perintah yang sama lagi; yang sudah ditulis tetap ada.",
        "{port}: no Meshtastic radio answers ({why}). Check the cable (a data cable) and the battery, then run the "
        "same command again; what was written stays.",
    ),
    "unheard": (
        "radio di {port} belum mengenal {number} atau kuncinya; tidak ada yang ditulis. Nyalakan kotak itu di "
        "tempatnya, tunggu ia memperkenalkan diri (paling lama beberapa jam), lalu ulangi; atau pakai kabel.",
        "the radio at {port} does not know {number} or its key yet; nothing was written. Switch that box on at its "
        "place, wait until it has told who it is (some hours at most), then run this again; or plug it in by cable.",
    ),
    "no_url": (
        "--port {port} bukan alamat kotak; tulis misalnya {url}. Yang tersambung: kentongan ports",
        "--port {port} is no box's address; write for example {url}. What is plugged in: kentongan ports",
    ),
    "busy": (
        "{port} sedang dipakai program lain ({why}). Bila itu jembatan pos: --port control+unix:///JALUR/kentongan.sock",
        "{port} is in use by another program ({why}). If that is the bridge: --port control+unix:///PATH/kentongan.sock",
    ),
    "managed": (
        "kotak ini terkelola: yang memegangnya tidak dapat mengubahnya. Ubah lewat radio pos: kentongan node apply "
        "{file} {name} --port RADIO-POS --remote",
        "this box is managed: whoever holds it cannot change it. Change it through the post's radio: kentongan node "
        "apply {file} {name} --port POST-RADIO --remote",
    ),
    "refused": (
        "perangkat menolak: {reason}. ADMIN_PUBLIC_KEY_UNAUTHORIZED berarti radio ini bukan adminnya",
        "the node refuses: {reason}. ADMIN_PUBLIC_KEY_UNAUTHORIZED means that this radio is not its admin",
    ),
    "at_the_cable": (
        "ini hanya dapat diubah dengan kabel, supaya perangkat tidak hilang dari udara: {paths}",
        "these change only at the cable, or the node would drop off the air: {paths}",
    ),
    "bad_setting": (
        "program ini dan firmware tidak sepakat tentang: {paths}. Perbarui program ini",
        "this program and the firmware disagree about: {paths}. Update this program",
    ),
    "fault": ("{port}: {why}", "{port}: {why}"),
    "old_firmware": (
        "firmware {found} terlalu lama: sebelum 2.7.15 dua kotak dapat berkunci sama. Tidak ada yang ditulis.",
        "firmware {found} is too old: before 2.7.15 two boxes may have one key. Nothing was written.",
    ),
    "flash_1": (
        "Memperbarui tanpa internet di desa: di tempat yang ada internet, simpan firmware papan ini (2.7.15 atau lebih "
        "baru, meshtastic.org/downloads) ke stik USB.",
        "To update without internet in the village: where there is internet, put this board's firmware (2.7.15 or "
        "newer, meshtastic.org/downloads) on a USB stick.",
    ),
    "flash_2": (
        "RAK4631, T-Echo, Pico: tekan RESET dua kali, salin berkas .uf2 ke penyimpanan yang muncul, tunggu ia hilang.",
        "RAK4631, T-Echo, Pico: press RESET twice, copy the .uf2 file onto the drive that appears, wait till it goes.",
    ),
    "flash_3": (
        "Heltec, T-Beam, ESP32: tahan BOOT sambil menancapkan USB, lalu device-install.sh -f BERKAS.bin dari arsip "
        "yang sama (memakai esptool).",
        "Heltec, T-Beam, ESP32: hold BOOT while plugging in USB, then device-install.sh -f FILE.bin from the same "
        "archive (it uses esptool).",
    ),
    "flash_4": (
        "Lalu kosongkan (meshtastic --factory-reset-device) supaya kuncinya dibuat baru, dan ulangi perintah ini.",
        "Then empty it (meshtastic --factory-reset-device), so that its keys are made anew, and run this again.",
    ),
    "no_version": ("yang tidak disebut versinya", "that does not say its version"),
    "other_box": (
        "yang tersambung di {port} adalah {found}, bukan {name}; tidak ada yang ditulis",
        "{found} is plugged in at {port}, not {name}; nothing was written",
    ),
    "name_taken": (
        "{name} adalah kotak {number}, bukan kotak baru ini; bila kotaknya diganti, hapus node dan public_key pada "
        "{name} di village.yaml",
        "{name} is box {number}, not this new one; if the box was replaced, remove node and public_key at {name} in "
        "village.yaml",
    ),
    # plan, apply, verify
    "plan_same": ("{name}: semua sudah benar", "{name}: everything is right"),
    "plan_head": ("{name}: {count} yang berbeda", "{name}: {count} differences"),
    "plan_next": (
        "Tulis dengan: kentongan node apply {file} {name} --port {port}",
        "Write it with: kentongan node apply {file} {name} --port {port}",
    ),
    "applied": (
        "{name}: {count} setelan ditulis dan dibaca kembali, benar.",
        "{name}: {count} settings written and read back, right.",
    ),
    "write_name": (" Tulis {name} pada kotak ini.", " Write {name} on this box."),
    "applied_none": (
        "{name}: sudah benar, tidak ada yang ditulis",
        "{name}: right already, nothing was written",
    ),
    "not_taken": (
        "{name}: {count} setelan tidak diterima perangkat, walau sudah diulang. Jalankan lagi; bila tetap, laporkan.",
        "{name}: the node did not take {count} settings, though tried again. Run it once more; if it stays, report it.",
    ),
    "no_key": (
        "{name}: semua tertulis, tetapi perangkat belum membuat kuncinya. Cabut, colokkan lagi, jalankan perintah ini "
        "lagi.",
        "{name}: all is written, but the node has not made its key yet. Unplug it, plug it in, run this again.",
    ),
    "wrong_box": (
        "{name}: {count} setelan tidak seperti seharusnya",
        "{name}: {count} settings are not as they should be",
    ),
    "admins_full": (
        "{file} sudah berisi tiga kunci: {name} tidak dapat menjadi admin lewat udara",
        "{file} holds three keys already: {name} cannot be an admin over the air",
    ),
    "interrupted": (
        "Terputus. Jalankan perintah yang sama lagi: kotak yang setengah jadi dikenali dan diselesaikan.",
        "Interrupted. Run the same command again: a box that is half done is recognised and finished.",
    ),
    # provision
    "next_box": (
        "Berikutnya {name} ({about}), sisa {left}: colokkan kotaknya.",
        "Next {name} ({about}), {left} left: plug the box in.",
    ),
    "taking": ("{name}: menyiapkan {box}, jangan dicabut", "{name}: setting up {box}, leave it plugged in"),
    "left_alone": ("{port} sedang dipakai (radio pos?); dilewati", "{port} is in use (the post's radio?); left alone"),
    "no_name_left": (
        "kotak baru {box}, tetapi semua nama terpakai; tambahkan namanya di {file}, atau hapus node pada nama yang "
        "kotaknya rusak",
        "a new box {box}, but every name is taken; add its name in {file}, or remove node where a box is broken",
    ),
    "file_wrong": (
        "{file} sekarang salah; perbaiki, lalu colokkan lagi kotak ini",
        "{file} is wrong now; correct it, then plug this box in again",
    ),
    "table_name": ("nama", "name"),
    "table_profile": ("profil", "profile"),
    "table_box": ("kotak", "box"),
    "table_result": ("hasil", "result"),
    "result_done": ("siap", "ready"),
    "result_same": ("siap, tidak ada yang ditulis", "ready, nothing written"),
    "result_before": ("siap sejak dahulu", "ready since before"),
    "result_begun": ("MULAI, BELUM SELESAI: colokkan lagi", "BEGUN, NOT FINISHED: plug it in again"),
    "result_waiting": ("belum", "not yet"),
    "result_failed": ("GAGAL", "FAILED"),
    "others": ("Kotak lain yang tidak ditulisi:", "Other boxes, not written to:"),
    "total": ("{done} dari {total} kotak siap", "{done} of {total} boxes ready"),
    "total_next": (
        "Lanjutkan kapan saja: kentongan node provision {file}",
        "Go on at any time: kentongan node provision {file}",
    ),
    "step_reading": ("membaca", "reading"),
    "step_writing": ("menulis", "writing"),
    "step_restarting": ("menunggu menyala ulang", "waiting for its restart"),
}


@dataclass(frozen=True, slots=True)
class NodeVoice:
    """Says each sentence in one language."""

    language: str

    def __call__(self, key: str, /, **facts: object) -> str:
        return SAID[key][LANGUAGES.index(self.language)].format(**facts)
