"""`kentongan node new`: a village's folder with its file and its keys, whole or not at all."""

import json
import shutil
import tempfile
from pathlib import Path

from cli.node_words import NodeVoice
from cli.words import fail

VILLAGE_YAML = """\
# Satu desa: kanal, frekuensi, kunci, dan kotak-kotaknya. Periksa dengan: kentongan node check village.yaml
# (One village: channel, frequency, keys and boxes. Check it with: kentongan node check village.yaml)
# Tanpa nama orang; kode rumah cukup. (No names of people; a house's code is enough.)

village: {village}            # kode desa Kemendagri (the village's code), 35.09.14.2005

channel:
  name: {channel}
  key: keys/channel.key       # siapa memegangnya mendengar dan memanggil di kanal ini; jangan difoto (secret)

# KR slot 4 = 920,875 MHz. Firmware tidak punya wilayah Indonesia; bawaan SG_923 jatuh di 917,875 MHz, di luar pita.
# (KR slot 4 = 920.875 MHz. Firmware has no Indonesian region; the default of SG_923 lies outside our band.)
radio:
  region: KR
  preset: MEDIUM_FAST
  slot: 4
  power_dbm: 17               # dengan antena 3 dBi = 20 dBm EIRP (with a 3 dBi antenna)
  antenna_dbi: 3
  hops: 3

admin:
  keys: keys/admin.pub        # kunci publik admin, satu per baris, paling banyak 3 (at most three public keys)

# Daftar perangkat pos, bila ada di komputer ini. (The post's register, where it is on this computer.)
# sources: ../pos-1/sources.toml

# Kaki papan yang dipakai, menurut nomor firmware. (The board's pins that are in use.)
pins:
  # button: 4                 # tombol ke tanah (a button to ground)
  # serial_rx: 15             # dari kepala kentongan (from the head)
  # serial_tx: 16             # ke kepala kentongan (to the head)
  # siren: 21                 # ke relai sirene (to the siren's relay)

places:
  # - name: musala
  #   rt: 03
  #   rw: 01
  #   landmark: depan musala
  #   lat: -8.2512
  #   lon: 113.6421

# profile: gateway (radio pos), relay (tiang), button (tombol), head (kepala kentongan), siren (sirene)
# node dan public_key ditulis oleh alat ini. (node and public_key are written by the tool.)
nodes:
  # - name: POS-1
  #   profile: gateway
  # - name: RT03-12
  #   profile: button
  #   place: musala
  #   home: pos-1
"""


def make_village(folder: Path, village: str, channel: str, say: NodeVoice, as_json: bool) -> str:
    """Everything is written beside `folder` and renamed into place; what to say then. Raises typer.Exit."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise fail(say("new_exists", folder=folder))
    try:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.absolute().parent))
        try:
            _fill(scratch, village, channel)
            scratch.rename(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)  # no longer there when all went well
    except OSError as error:
        raise fail(say("new_disk", folder=folder, why=error.strerror)) from error
    file = folder / "village.yaml"
    if as_json:
        return json.dumps({"village": str(file), "keys": str(folder / "keys")})
    return f"{say('new_done', folder=folder)}\n{say('new_next', file=file)}"


def _fill(scratch: Path, village: str, channel: str) -> None:
    from firmware_config.keys import new_admin_pair, new_channel_key
    from firmware_config.whole_file import write_whole

    private, public = new_admin_pair()
    (scratch / "keys").mkdir(mode=0o700)
    for name, text in (
        ("keys/channel.key", new_channel_key()),
        ("keys/admin.key", private),
        ("keys/admin.pub", f"# kunci admin desa ini; pasangannya keys/admin.key (its private half)\n{public}"),
        ("village.yaml", VILLAGE_YAML.format(village=village, channel=channel).rstrip("\n")),
    ):
        write_whole(scratch / name, f"{text}\n".encode())
