"""A village's folder for stories: its file, its channel's key and its admins'."""

from pathlib import Path

from firmware_config.keys import new_admin_pair, new_channel_key

TOP = """\
village: 35.09.14.2005
channel:
  name: SiagaSuci
  key: keys/channel.key
radio:
  region: KR
  preset: MEDIUM_FAST
  slot: 4
  power_dbm: 17
  antenna_dbi: 3
admin:
  keys: keys/admin.pub
pins:
  button: 4
  serial_rx: 15
  serial_tx: 16
  siren: 21
"""
NODES = """\
places:
  - name: musala
    rt: 03
    rw: 01
    landmark: depan musala
    lat: -8.25
    lon: 113.64
nodes:
  - name: POS-1      # di pos
    profile: gateway
  - name: RT03-12
    profile: button
    place: musala
    home: pos-1
  - {name: RT03-13, profile: head}   # satu baris
  - name: TIANG-1
    profile: relay
  - name: SIR-1
    profile: siren
"""


def village_file(folder: Path, text: str = TOP + NODES) -> Path:
    keys = folder / "keys"
    keys.mkdir(parents=True, exist_ok=True)
    (keys / "channel.key").touch(mode=0o600)
    (keys / "channel.key").write_text(new_channel_key() + "\n")
    (keys / "admin.pub").write_text(f"# admin\n{new_admin_pair()[1]}\n")
    (folder / "village.yaml").write_text(text, encoding="utf-8")
    return folder / "village.yaml"
