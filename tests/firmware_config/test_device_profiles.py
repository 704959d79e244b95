"""Every profile goes onto a node out of the box, whichever of its orders is lost on the wire."""

import pytest

from firmware_config.device import apply, open_device
from firmware_config.village_file import load_village
from simulator.air import Air
from simulator.village import Village
from tests.firmware_config.device_parts import LOSSY, Passing, Wire, kept
from tests.firmware_config.villages import village_file


@pytest.fixture
def village():
    with Village(seed=6, air=Air(6)) as running:
        yield running


@pytest.mark.parametrize("name", ["POS-1", "RT03-12", "RT03-13", "TIANG-1", "SIR-1"])
def test_every_order_of_every_profile_may_be_lost_once(village, tmp_path, name):
    found = load_village(village_file(tmp_path))
    wanted = found.wanted(found.find(name))
    orders, lost = apply_on(village, wanted, None), 0
    while lost < orders:
        assert apply_on(village, wanted, lost) > orders, "it was given again"
        lost += 1
    assert lost >= 9


def apply_on(village, wanted, lost):
    """How many orders it took to make a new node as wanted, when one of them is lost."""
    node = village.factory_new(f"baru {lost}", reboot_s=0.02, down_s=0.01)
    with Wire(node, Passing(lose=lost)) as wire, open_device(wire.url, LOSSY) as device:
        assert apply(device, wanted).is_right and kept(node, wanted)
        assert apply(device, wanted).written == ()
    return len(wire.passing.orders)
