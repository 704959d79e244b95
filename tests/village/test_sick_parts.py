"""A radio, a disk or a link that misbehaves: the alarm goes through, and nothing untrue is said."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.brokers import Mosquitto
from tests.village.scene import Scene, scene, until

pytestmark = pytest.mark.mosquitto


def eof(stage: Scene) -> None:
    stage.gateway.close_client("eof")


def rst(stage: Scene) -> None:
    stage.gateway.close_client("rst")


def refusal(stage: Scene) -> None:
    stage.gateway.refuse(True)
    stage.gateway.close_client("rst")
    until(lambda: not stage.status().get("radios"), 10, "the post misses its radio")
    stage.gateway.refuse(False)


def reboot(stage: Scene) -> None:
    stage.gateway.reboot()


def restart(stage: Scene) -> None:
    stage.gateway.restart()


def garbage(stage: Scene) -> None:
    chance = random.Random(9)
    for _ in range(20):
        stage.gateway.inject(chance.randbytes(chance.randint(1, 600)))


@pytest.mark.parametrize("fault", [eof, rst, refusal, reboot, restart, garbage], ids=lambda fault: fault.__name__)
def test_a_radio_that_fails_is_found_again(evening: Scene, fault: Callable[[Scene], None]) -> None:
    evening.wait_radio()
    before = evening.press("RT01-01")
    evening.wait_stored([before])
    fault(evening)
    until(lambda: "radio" not in str(evening.status().get("faults", {})) and evening.status().get("radios"), 30, fault)
    time.sleep(0.2)  # half a frame of garbage is given up after a pause
    after = evening.press("RT02-02", "maling!")
    evening.wait_stored([after])
    evening.account([before, after])


@pytest.mark.timeout(120)
def test_a_silent_radio_is_noticed_within_thirty_seconds(evening: Scene) -> None:
    evening.wait_radio()
    evening.gateway.mute(True)
    start = time.monotonic()
    until(lambda: not evening.status().get("radios"), 35, "the silence is noticed")
    print(f"\nhalf-open radio noticed after {time.monotonic() - start:.1f} s")
    assert time.monotonic() - start <= 31
    evening.gateway.mute(False)
    evening.wait_radio()
    press = evening.press("RT03-12")
    evening.wait_stored([press])


@pytest.mark.timeout(180)
def test_a_disk_that_stalls_delays_no_siren(tmp_path: Path, broker: Mosquitto) -> None:
    """Every sync of the bridge takes 5 s from the moment it runs: the kernel's own delay, by strace."""
    stall = ("strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync")
    inject = ("-e", "inject=fdatasync,fsync:delay_enter=5000000:when=40+")
    with scene(tmp_path, broker.url, post_before=(*stall, *inject)) as stage:
        stage.wait_desk(40)
        stage.wait_radio()
        presses, waits = [], []
        for n in range(40):
            presses.append(stage.press(f"RT01-{n:02}", "kebakaran" if n % 2 else "maling"))
            start = time.monotonic()
            until(lambda n=n: len(stage.rings()) > n, 10, "the siren")
            waits.append(time.monotonic() - start)
        stalled = [1000 * wait for wait in waits[-10:]]
        print(f"\npress to siren, disk stalled: {min(stalled):.0f}–{max(stalled):.0f} ms (air and polling 70 ms of it)")
        assert max(stalled) < 1000, "a siren waited for the disk, whose every sync takes 5 s"
        stage.wait_stored(presses, 60)
        listed = stage.json("desk", "list", "--config", str(tmp_path / "desk/desk.toml"))
        assert "unsafe" in str(listed), "nothing was relayed from memory"
