"""docs/head.md stays true: its pins are the program's, its sums add up, its pictures are there."""

import ast
import re
import xml.etree.ElementTree as ET

import pytest

from tests.cli.kentongan import ROOT

PAGE = (ROOT / "docs/head.md").read_text(encoding="utf-8")
MA = {"Pico": 22.0, "ESP32": 50.0, "nRF52840": 12.0, "ESP32-S3": 100.0}
SENDING_MA, LAMP_MA = 1.0, 3.9 * 0.125 / 4
VOLT, LEFT, SUN_H, YIELD, REFILL_DAYS = 3.7, 0.8, 4.0, 0.5, 5


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    part = PAGE.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]
    return cells(re.search(r"(?:^\|.*\n)+", part, re.MULTILINE)[0])


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def board(name: str) -> dict[str, object]:
    """A table of pins, from the firmware's source: it runs on no PC."""
    tree = ast.parse((ROOT / "firmware_config/head/board.py").read_text(encoding="utf-8"))
    found = (node for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name)
    return ast.literal_eval(next(found).value)


def test_the_pins_are_those_of_the_program() -> None:
    told = {row[0]: row[1:3] for row in rows("Wiring")}
    pins = {"pad, switch": "pad", "pad, piezo": "adc", "recessed button": "button", "beeper": "beep"}
    pins |= {"to the node's RX": "tx", "from the node's TX": "rx"}
    pico, esp32, lamps = board("PICO"), board("ESP32"), board("LAMPS")
    for row, pin in pins.items():
        assert told[row] == [f"GP{pico[pin]}", f"GPIO{esp32[pin]}"], row
    for number, lamp in enumerate(("post", "police", "coming")):
        assert told[f"lamp: {lamp}"] == [f"GP{lamps['rp2'][number]}", f"GPIO{lamps['esp32'][number]}"]


@pytest.mark.parametrize(("picture", "column"), [("pico", 0), ("esp32", 1)])
def test_the_pictures_show_the_same_pins(picture: str, column: int) -> None:
    svg = ET.parse(ROOT / f"docs/head-{picture}.svg")
    shown = {text.text for text in svg.iter("{http://www.w3.org/2000/svg}text") if text.get("class") == "pin"}
    told = {row[1 + column] for row in rows("Wiring") if row[0] != "beeper"}
    assert shown == told
    assert f"(head-{picture}.svg)" in PAGE


def test_the_prices_add_up() -> None:
    *parts, total = rows("Parts")
    for column in (2, 4):
        prices = [int(row[column].replace(",", "")) for row in parts]
        assert f"**{sum(prices):,}**" == total[column]


def test_battery_and_sun_follow_from_the_formulas() -> None:
    table = PAGE.split("\n| head | I, mA", 1)[1].split("\n\n", 1)[0]
    for name, *told, take in cells(f"| head{table}"):
        head, node = re.fullmatch(r"(\S+) and (\S+) node", name).groups()
        current = MA[head] + MA[node] + SENDING_MA + LAMP_MA
        need, capacity = 24 * current, float(told[2])
        live = need / 1000 * VOLT / (SUN_H * YIELD)
        refill = capacity / 1000 * LEFT * VOLT / (REFILL_DAYS * SUN_H * YIELD)
        figures = [f"{current:.0f}", f"{need:.0f}", told[2], f"{capacity * LEFT / need:.1f}"]
        assert told == [*figures, f"{live:.1f}", f"{live + refill:.1f}"], name
        watts = re.match(r"\d+", take)
        assert watts is None or int(watts[0]) >= live + refill


def test_the_page_tells_of_every_current_that_the_sums_use() -> None:
    told = {row[0]: row[1] for row in rows("Battery and sun")}
    assert told["Pico, program running, no radio"] == "22" and told["ESP32 DevKit, radio off"] == "50"
    assert told["nRF52840 node, always listening"] == "12" and told["ESP32-S3 node, always listening"] == "100"
    assert told["lamp, idle: one of 125 ms in 4 s"] == f"{LAMP_MA:.2f}"
