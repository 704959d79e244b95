"""The genuine `meshtastic` command line, as people type it, against a simulated node."""

import subprocess
import sys
import threading

import pytest

from simulator.air import Air
from simulator.village import Village
from tests.patience import until


@pytest.fixture
def village():
    with Village(seed=7, air=Air(7, delay_s=0.01)) as running:
        yield running


def meshtastic(*words):
    command = [sys.executable, "-m", "meshtastic", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_shows_the_node_its_channels_and_its_neighbours(village):
    gateway, house = village.gateway("GW1"), village.house("RT03-12", num=0x0A01)
    host = gateway.serve_tcp().removeprefix("tcp://")
    shown = meshtastic("--host", host, "--info")
    assert "Connected to radio" in shown and "SiagaDesa" in shown and "2.7.26.54e0d8d" in shown
    assert f"!{gateway.num:08x}" in shown and f"!{house.num:08x}" in shown and "RT03-12" in shown


def test_its_text_reaches_the_houses_on_the_channel_it_names(village):
    gateway, house = village.gateway("GW1"), village.house("RT03-12")
    host = gateway.serve_tcp().removeprefix("tcp://")
    meshtastic("--host", host, "--ch-index", "1", "--sendtext", "pos dengar")
    received = house.wait_for(lambda text: text.text == "pos dengar", 5)
    assert (received.sender, received.channel) == (gateway.num, "SiagaDesa")
    assert [packet.decoded.payload for packet in gateway.sent] == [b"pos dengar"]
    until(lambda: not gateway.has_client, "it said goodbye")


def test_its_direct_text_with_an_acknowledgement(village):
    gateway, house = village.gateway("GW1"), village.house("RT03-12")
    host = gateway.serve_tcp().removeprefix("tcp://")
    shown = meshtastic("--host", host, "--dest", f"!{house.num:08x}", "--ack", "--sendtext", "khusus")
    assert "ACK" in shown and house.wait_for(lambda text: text.text == "khusus", 5).pki


def test_it_works_over_a_serial_line_full_of_log_text(village):
    gateway = village.gateway("GW1")
    port = gateway.serve_pty(log_text=True).removeprefix("serial://")
    assert "Connected to radio" in meshtastic("--port", port, "--info")


def test_it_writes_settings_and_reads_them_back(village):
    gateway = village.gateway("GW1", reboot_s=0.05)
    host = gateway.serve_tcp().removeprefix("tcp://")
    meshtastic("--host", host, "--set", "device.role", "CLIENT_MUTE", "--set", "detection_sensor.name", "Pos RT03")
    until(lambda: gateway.reboots, "the restart after its commit")
    assert gateway.flash.modules.detection_sensor.name == "Pos RT03"
    meshtastic("--host", host, "--set-owner", "Poskamling 03", "--set-owner-short", "PK03")
    until(lambda: gateway.flash.owner.short_name == "PK03", "its names")
    shown = meshtastic("--host", host, "--info")
    exported = meshtastic("--host", host, "--export-config")
    assert '"role": "CLIENT_MUTE"' in shown and "Pos RT03" in shown and "Poskamling 03" in shown
    assert "role: CLIENT_MUTE" in exported and "owner: Poskamling 03" in exported and "name: Pos RT03" in exported


def test_the_library_receives_what_a_house_sends(village):
    gateway, house = village.gateway("GW1"), village.house("RT03-12")
    port = gateway.serve_tcp().rpartition(":")[2]
    listener = subprocess.Popen(
        [sys.executable, "-c", _LISTENER, port], stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    )
    alarm = threading.Timer(60, listener.kill)
    alarm.start()
    with listener:
        assert listener.stdout.readline() == "listening\n"
        sent = house.text("TOLONG maling", bell=True)
        assert listener.stdout.readline() == f"{house.num} {sent} '\\x07TOLONG maling'\n"
    alarm.cancel()
    assert listener.returncode == 0


_LISTENER = """
import sys, threading
from pubsub import pub
from meshtastic.tcp_interface import TCPInterface

heard = threading.Event()

def on_text(packet, interface):
    print(packet["from"], packet["id"], repr(packet["decoded"]["text"]), flush=True)
    heard.set()

pub.subscribe(on_text, "meshtastic.receive.text")
radio = TCPInterface("127.0.0.1", portNumber=int(sys.argv[1]))
print("listening", flush=True)
heard.wait(30)
radio.close()
"""
