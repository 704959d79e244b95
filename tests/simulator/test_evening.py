"""The scripted village that people run, and the rate that the bench relies on."""

import signal
import subprocess
import sys
import threading

from simulator.rate import measure
from simulator.script import How, Strike, evening
from simulator.serve import house_names, main_village
from tests.simulator.lab import Client, kind


def test_an_evening_repeats_itself_with_its_seed():
    names = house_names(25)
    assert (names[0], names[19], names[20]) == ("RT01-01", "RT01-20", "RT02-01")
    first = evening(names, seed=4, minutes=3, strikes=40)
    assert first == evening(names, seed=4, minutes=3, strikes=40) != evening(names, seed=5, minutes=3, strikes=40)
    assert [call.at_s for call in first] == sorted(call.at_s for call in first)
    assert first[0].at_s >= 0 and first[-1].at_s <= 180
    assert {call.house for call in first[:25]} == set(names)


def test_every_way_of_calling_reaches_the_client_of_a_served_village():
    script = [Strike(0.05 + number / 100, "RT01-01", how, "TOLONG") for number, how in enumerate(How)]
    stop, lines, begun = threading.Event(), [], threading.Event()
    go = threading.Event()

    def tell(line):
        lines.append(line)
        if len(lines) == 1:  # the URL; the strikes wait for the client
            begun.set()
            assert go.wait(10)

    runner = threading.Thread(target=main_village, args=(0, 2, 9, stop, script), kwargs={"tell": tell})
    runner.start()
    try:
        assert begun.wait(10)
        with Client(lines[0]) as client:
            client.handshake()
            go.set()
            told = client.told(lambda told: sum(kind(t) == "packet" for t in told) == len(How))
    finally:
        go.set()
        stop.set()
        runner.join(timeout=10)
    assert not runner.is_alive()
    payloads = {bytes(t.packet.decoded.payload) for t in told if kind(t) == "packet"}
    assert payloads == {b"TOLONG", b"\x07TOLONG", b"Tombol RT01-01 detected"}
    assert {f"{t.packet.id:08x}" for t in told if kind(t) == "packet"} == {line.split()[-1] for line in lines[1:]}


def test_the_program_serves_until_it_is_told_to_stop(tmp_path):
    name = tmp_path / "radio"
    command = [sys.executable, "-m", "simulator", "--port", "0", "--pty", str(name), "--houses", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            urls = [program.stdout.readline().strip(), program.stdout.readline().strip()]
            for url in urls:
                with Client(url) as client:
                    assert client.handshake()
        finally:
            program.send_signal(signal.SIGTERM)
        assert program.wait(10) == 0
    assert urls[1] == f"serial://{name}" and not name.is_symlink()


def test_a_taken_port_is_one_clear_line(free_port):
    taken = free_port()
    command = [sys.executable, "-m", "simulator", "--port", str(taken)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        try:
            first.stdout.readline()
            second = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        finally:
            first.terminate()
    assert second.returncode == 1
    assert second.stderr.startswith("cannot serve:") and second.stderr.count("\n") == 1


def test_the_rate_is_measured_to_the_last_packet():
    assert measure(count=2_000) > 0
