"""The post's own radio is set up through the bridge that holds it; the bridge goes on hearing all the time."""

from pathlib import Path

from firmware_config.device import Progress, Step, apply, open_device
from firmware_config.settings import Setting
from simulator.village import Village
from tests.cli.posts import make_post
from tests.firmware_config.device_parts import kept
from tests.patience import until

WANTED = (
    Setting("owner.long_name", "Pos Utara"),
    Setting("config.lora.hop_limit", 4),
    Setting("config.device.node_info_broadcast_secs", 14400),
    Setting("module.telemetry.device_update_interval", 7200),
    Setting("config.security.serial_enabled", False),
)


def test_a_press_in_the_middle_of_a_set_up_is_heard(tmp_path: Path) -> None:
    with Village(seed=3) as village:
        radio, house = village.gateway("GW1", reboot_s=0.3), village.house("RT03-12")
        post = make_post(tmp_path / "pos", radio=radio.serve_tcp())

        def press(progress: Progress) -> None:
            if progress.step is Step.WRITING and progress.section == "owner":
                house.text("TOLONG maling")

        with post.bridge():
            until(lambda: (post.picture().get("radios") or {}).get("gw1"), why="the radio is up")
            with open_device(f"control+unix://{post.socket}") as device:
                report = apply(device, WANTED, press)
            assert report.is_right and report.restarts == 1 and kept(radio, WANTED)
            until(lambda: post.picture().get("alarms"), why="the press is an alarm")
            house.wait_for(lambda text: text.sender == radio.num, 20)
