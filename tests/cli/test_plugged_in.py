"""Ports as they are plugged in and pulled out."""

from pathlib import Path

from cli.node_provision import plugged_in


def test_each_port_is_named_once_for_each_time_it_is_plugged_in(tmp_path: Path) -> None:
    folder = tmp_path / "by-id"
    ports = plugged_in(folder, look_s=0.0)
    folder.mkdir()
    for name in ("usb-b", "usb-a", "usb-MicroPython_Board"):
        (folder / name).touch()
    assert [next(ports), next(ports)] == [f"serial://{folder}/usb-a", f"serial://{folder}/usb-b"]
    (folder / "usb-c").touch()
    assert next(ports) == f"serial://{folder}/usb-c"
    (folder / "usb-a").unlink()
    (folder / "usb-d").touch()
    assert next(ports) == f"serial://{folder}/usb-d"
    (folder / "usb-a").touch()
    assert next(ports) == f"serial://{folder}/usb-a"
