"""What `kentongan doctor` and `kentongan ports` say, Indonesian first, English beside it."""

from dataclasses import dataclass

from cli.words import LANGUAGES
from cli.words import SAID as COMMON

SAID: dict[str, tuple[str, str]] = {
    # ports
    "ports_none": (
        "tidak ada port serial USB. Periksa kabel (kabel data, bukan kabel isi daya) dan daya perangkat.",
        "no USB serial port. Check the cable (a data cable, not a charging one) and the device's power.",
    ),
    "port_free": ("bebas", "free"),
    "port_used": ("dipakai pos ini untuk {word}", "this post uses it for {word}"),
    "port_bridge": ("dipegang jembatan (proses {pid})", "held by the bridge (process {pid})"),
    "port_held": ("dipegang {name} (proses {pid})", "held by {name} (process {pid})"),
    "port_refused": (
        "tidak boleh dibuka: sudo usermod -aG {group} $USER, lalu keluar dan masuk lagi; "
        "atau aturan udev: kentongan ports --udev",
        "may not be opened: sudo usermod -aG {group} $USER, then log out and in again; "
        "or a udev rule: kentongan ports --udev",
    ),
    "udev_how": (
        "# Simpan sebagai /etc/udev/rules.d/60-kentongan.rules, lalu: sudo udevadm control --reload && "
        "sudo udevadm trigger",
        "# Save as /etc/udev/rules.d/60-kentongan.rules, then: sudo udevadm control --reload && sudo udevadm trigger",
    ),
    # doctor
    "bad_part": ("tidak ada bagian {part!r}; yang ada: {known}", "there is no part {part!r}; there are: {known}"),
    "bridge_runs": ("berjalan {up}, versi {version}", "up {up}, version {version}"),
    "bridge_mute": (
        "berjalan tetapi tidak menjawab ({why})",
        "runs but does not answer ({why})",
    ),
    "bridge_mute_advice": (
        "Panggilan mungkin tetap terdengar. Ulangi sebagai pengguna kentongan, atau: sudo systemctl restart kentongan",
        "Calls may still be heard. Try again as user kentongan, or: sudo systemctl restart kentongan",
    ),
    "not_asked": (
        "tidak ditanya: jembatan memegang radio dan tidak menjawab",
        "not asked: the bridge holds the radio and does not answer",
    ),
    "ports_well": ("{path} boleh dibuka", "{path} may be opened"),
    "ports_unneeded": ("pos ini tidak memakai port serial", "this post uses no serial port"),
    "ports_gone": ("{path} tidak ada ({word})", "{path} is not there ({word})"),
    "ports_gone_advice": (
        "Colokkan kabelnya, lalu cari namanya: kentongan ports",
        "Plug it in, then find its name: kentongan ports",
    ),
    "ports_refused": ("{path} tidak boleh dibuka ({word})", "{path} may not be opened ({word})"),
    "ports_refused_advice": (
        "sudo usermod -aG {group} $USER, lalu keluar dan masuk lagi; atau: kentongan ports --udev",
        "sudo usermod -aG {group} $USER, then log out and in again; or: kentongan ports --udev",
    ),
    "radio_lost": ("{url} tidak menjawab: {why}", "{url} does not answer: {why}"),
    "radio_old": (
        "{own}, firmware {firmware}: terlalu lama, sebelum 2.7.15 kunci dapat dipalsukan (CVE-2025-52464)",
        "{own}, firmware {firmware}: too old, before 2.7.15 keys can be forged (CVE-2025-52464)",
    ),
    "radio_old_advice": (
        "Perbarui radio ke 2.7.15 atau lebih baru, lalu: kentongan doctor radio",
        "Update the radio to 2.7.15 or newer, then: kentongan doctor radio",
    ),
    "radio_lora": (
        "{region} {preset} slot {slot}: {mhz}, {power} dBm",
        "{region} {preset} slot {slot}: {mhz}, {power} dBm",
    ),
    "radio_unlawful_advice": (
        "Ubah dengan berkas desa: kentongan node apply village.yaml NAMA --port {port}",
        "Change it from the village's file: kentongan node apply village.yaml NAME --port {port}",
    ),
    "channel_well": ("kanal privat: {names}", "private channels: {names}"),
    "channel_none": ("radio tidak punya kanal privat", "the radio has no private channel"),
    "channel_missing": ("radio tidak punya kanal {name!r}", "the radio has no channel {name!r}"),
    "channel_public": (
        "kanal {name!r} berkunci umum: siapa pun dapat memalsukan panggilan",
        "channel {name!r} has the public key: anybody can forge a call",
    ),
    "channel_advice": (
        "Panggilan warga di sana tidak dianggap. Atur kanal dari berkas desa (kentongan node apply) dan [radio] "
        "channels di post.toml.",
        "Calls there do not count. Set the channel from the village's file (kentongan node apply) and [radio] "
        "channels in post.toml.",
    ),
    "air_well": ("{air:.2f} % dalam sejam terakhir, paling tinggi 1 %", "{air:.2f} % in the last hour, at most 1 %"),
    "air_much": ("{air:.2f} % dalam sejam terakhir: lebih dari 1 %", "{air:.2f} % in the last hour: more than 1 %"),
    "air_advice": (
        "Aturan 920-923 MHz membatasi 1 %. Jarangkan telemetri dan posisi node (profil), dan hindari uji berulang.",
        "The rule of 920-923 MHz is 1 %. Let nodes send telemetry and positions less often (profiles); test less.",
    ),
    "air_unknown": ("belum diketahui; radio memberitahu jembatan berkala", "not known yet; the radio tells the bridge"),
    "broker_up": ("{place} tersambung", "{place} connected"),
    "broker_down": ("{place}: {why}", "{place}: {why}"),
    "broker_advice": (
        "Alarm disimpan dan akan dikirim. Periksa modem, lalu: kentongan doctor broker",
        "Alarms are kept and will be sent. Check the modem, then run: kentongan doctor broker",
    ),
    "tls_none": (
        "{place} tanpa TLS: alarm dapat dibaca di jalan",
        "{place} without TLS: alarms can be read on the way",
    ),
    "tls_none_advice": ("Tulis url mqtts:// dengan ca di [[uplink]].", "Write url mqtts:// with ca in [[uplink]]."),
    "tls_well": ("{what} berlaku sampai {until}", "{what} is valid until {until}"),
    "tls_soon": ("{what} berakhir {until}", "{what} ends on {until}"),
    "tls_over": ("{what} tidak berlaku: {since} sampai {until}", "{what} is not valid: {since} to {until}"),
    "tls_bad": ("{what}: {why}", "{what}: {why}"),
    "tls_advice": (
        "Minta sertifikat baru dari pengurus broker; bila tanggalnya aneh, periksa jam: kentongan doctor clock",
        "Ask the broker's keeper for a new certificate; if the dates look odd, check: kentongan doctor clock",
    ),
    "desk_well": ("meja polisi menjawab lewat {name}", "the police desk answers through {name}"),
    "desk_no_key": ("[desk] keys kosong", "[desk] keys is empty"),
    "desk_no_key_advice": (
        "Jawaban polisi tidak dapat diperiksa, jadi tidak dipercaya. Di meja polisi, ketik: kentongan desk key",
        "No answer of the police can be verified, so none counts. Ask for the key: kentongan desk key (at the desk)",
    ),
    "desk_mute": ("tidak ada jawaban lewat {name} dalam {s:g} detik", "no answer through {name} in {s:g} s"),
    "desk_mute_advice": (
        "Alarm disimpan. Apakah kunci pos ini terdaftar (kentongan desk post list) dan [desk] keys benar?",
        "Alarms are kept. Is this post's key known there (kentongan desk post list), and are [desk] keys right?",
    ),
    "journal_well": ("{path}: {waiting} alarm menunggu dikirim", "{path}: {waiting} alarms waiting to be sent"),
    "journal_new": ("{path} belum ada; dibuat saat jembatan mulai", "{path} is not there yet; the bridge makes it"),
    "journal_shut": ("{path} tidak boleh ditulis", "{path} may not be written"),
    "journal_shut_advice": (
        "Jalankan sebagai pengguna jembatan (kentongan), atau perbaiki hak folder {folder}.",
        "Run this as the bridge's user (kentongan), or mend the rights of folder {folder}.",
    ),
    "journal_copies": ("{count} salinan rusak di sebelahnya: {names}", "{count} damaged copies beside it: {names}"),
    "journal_copies_advice": (
        "Yang masih terbaca sudah dipindah. Periksa kartu SD (ganti bila berulang), simpan salinannya, lalu hapus.",
        "What could be read was moved over. Check the SD card (replace it if it happens again), keep a copy, delete.",
    ),
    "disk_well": ("{free} bebas dari {total}", "{free} free of {total}"),
    "disk_advice": (
        "Jurnal akan berhenti bila penuh. Hapus log lama: sudo journalctl --vacuum-size=100M",
        "The journal stops when it is full. Delete old logs: sudo journalctl --vacuum-size=100M",
    ),
    "siren_try": (
        "{names}; dicoba dengan: kentongan siren test",
        "{names}; try with: kentongan siren test",
    ),
    "inputs_none": ("tidak ada kentongan berkabel", "no wired kentongan"),
    "inputs_named": ("{name} ({driver}); jembatan tidak berjalan", "{name} ({driver}); the bridge does not run"),
    "heads_none": ("tidak ada kepala di sources.toml", "no head in sources.toml"),
    "heads_well": ("{count} kepala, semua berkunci", "{count} heads, all with keys"),
    "heads_open": ("{count} kepala; tanpa kunci: {names}", "{count} heads; without a key: {names}"),
    "heads_advice": (
        "Siapa pun dapat berpura-pura menjadi mereka. Beri kunci: kentongan head key --port … --head NAMA",
        "Anybody can pretend to be them. Give a key: kentongan head key --port … --head NAME",
    ),
    "sources_wrong": ("daftar sumber tidak dapat dipakai: {why}", "the register cannot be used: {why}"),
    **{
        f"part_{part}": names
        for part, names in {
            "ports": ("port", "ports"),
            "channel": ("kanal", "channel"),
            "airtime": ("udara", "airtime"),
            "broker": ("broker", "broker"),
            "tls": ("TLS", "TLS"),
            "disk": ("disk", "disk"),
            "inputs": ("kabel", "wired"),
            "heads": ("kepala", "heads"),
        }.items()
    },
}


@dataclass(frozen=True, slots=True)
class DoctorVoice:
    """Says each sentence in one language; knows those of the other commands too."""

    language: str

    def __call__(self, key: str, /, **facts: object) -> str:
        return (SAID.get(key) or COMMON[key])[LANGUAGES.index(self.language)].format(**facts)
