"""What survives a power cut, at every byte of every write."""

from firmware_config.head.store import Log
from tests.head.bench import Bench, Flash, PowerCut, Until


def story_a_record_is_kept_whole_or_the_one_before_whatever_byte_was_the_last() -> None:
    """Twice in a row: what the first cut left behind must not spoil the second."""
    whole = Flash()
    fill(whole, 12)
    for left in range(whole.spent):
        flash = Flash(left)
        added = 0
        for again in range(2):
            with Until(PowerCut):
                added = fill(flash, 12, added)
            kept = Log(flash, "x", 3, 90).newest
            assert kept in ((flash.done or [""])[-1], flash.begun), (left, again, kept)
            flash.done.append(kept)  # found once is found for ever
            added = int(kept.split(" ")[1]) if kept else 0
            flash.left = flash.spent + left % 37


def fill(flash: Flash, until: int, added: int = 0) -> int:
    """Small files, so that every few records another is begun."""
    flash.done = flash.done if hasattr(flash, "done") else []
    log = Log(flash, "x", 3, 90)
    while added < until:
        flash.begun = f"record {added + 1}"
        log.add(flash.begun)
        flash.done.append(flash.begun)
        added += 1
    return added


def story_wear_is_spread_over_all_files_and_none_grows_without_bound() -> None:
    flash = Flash()
    log = Log(flash, "x", 4, 300)
    counts = {}
    for number in range(2000):
        log.add(f"ABCD {number}")
        counts[log._turn] = counts.get(log._turn, 0) + 1
    assert len(counts) == 4 and max(counts.values()) - min(counts.values()) < 40, counts
    assert max([len(kept) for kept in flash.kept.values()]) <= 300
    assert Log(flash, "x", 4, 300).newest == "ABCD 1999"


def story_rubbish_in_the_flash_is_passed_over() -> None:
    flash = Flash()
    log = Log(flash, "x", 2)
    log.add("one")
    log.add("two")
    assert flash.kept["x.0"].count(b"\n") == 4
    flash.kept["x.1"] = b"\xff\x00\n99 three 00000000\n\n \n7\n"
    flash.kept["x.0"] += b"\x80\x81\n3 thr"
    log = Log(flash, "x", 2)
    assert log.newest == "two"
    log.add("three")
    assert Log(flash, "x", 2).newest == "three"
    flash.kept["x.0"] = flash.kept["x.0"].replace(b"three", b"thred")
    assert Log(flash, "x", 2).newest == "two"


def story_power_cut_at_every_byte_loses_no_press_and_uses_no_number_twice() -> None:
    whole = Bench()
    set_up = whole.flash.spent
    night(whole, [])
    assert whole.flash.spent - set_up > 300
    for left in range(set_up, whole.flash.spent):
        cut_at(left)


def cut_at(left: int) -> None:
    """The night until the flash has taken so many bytes; then power again."""
    bench = Bench()
    bench.flash.left = left
    said = []
    with Until(PowerCut):
        night(bench, said)
    collect(bench, said)
    epoch = bench.head.calls.epoch
    bench.flash.left = None
    bench.start()
    assert bench.head.settings.key != b"" and bench.head.settings.name == "RT03-12", left
    assert bench.head.calls.epoch == epoch, left
    highest = max([int(press.split(".")[1]) for press, _ in said] + [0])
    assert bench.head.calls.number >= highest, left  # a number that was said is never used again
    bench.run(6000, 500)
    again = []
    collect(bench, again)
    answered = [press for press, word in said if word == "answered"]
    if said and said[-1][0] not in answered:
        assert said[-1][0] in [press for press, _ in again], (left, said, again)
    assert "on" not in bench.shows(), left  # nothing is shown that no post has said since


def night(bench: Bench, said: list[tuple[str, str]]) -> None:
    """Two presses: the first is answered and closed, the second is not. Coarse steps: it is told hundreds of times."""
    tap(bench, said)
    bench.step(250)
    tap(bench, said)
    bench.run(4500, 750)
    collect(bench, said)
    press = bench.head.calls.press
    for letters in ("J", "S", "D"):
        said.append((press, "answered"))
        bench.answer(letters)
        bench.run(6000, 1000)
        collect(bench, said)
    bench.answer("C")
    bench.run(6000, 1000)
    tap(bench, said)
    bench.run(5000, 750)
    collect(bench, said)


def tap(bench: Bench, said: list[tuple[str, str]]) -> None:
    bench.board.changes += [(True, 30), (False, 0)]
    bench.step(30)
    bench.step(5)
    collect(bench, said)


def collect(bench: Bench, said: list[tuple[str, str]]) -> None:
    for line in bench.board.usb.lines():
        if line.startswith("K1"):
            said.append((line.split(" ")[2], line.split(" ")[3]))


def story_power_cut_while_settings_are_written_keeps_the_old_or_the_new() -> None:
    whole = Bench()
    before = whole.flash.spent
    whole.tell_usb("!name RT09-9")
    whole.step(0)
    for left in range(before, whole.flash.spent):
        bench = Bench()
        bench.flash.left = left
        bench.tell_usb("!name RT09-9")
        with Until(PowerCut):
            bench.step(0)
        assert b"!ok" not in bench.board.usb.said
        bench.flash.left = None
        bench.start()
        assert bench.head.settings.name in ("RT03-12", "RT09-9") and bench.head.is_keyed


def story_a_press_is_in_flash_before_it_is_said() -> None:
    bench = Bench()
    bench.strike()
    assert b".1:PANIC:open:" in bench.flash.kept["press.0"]


def story_an_unanswered_press_is_said_again_after_a_power_cut() -> None:
    bench = Bench()
    bench.play("000=000")
    bench.run(6000)
    press = bench.head.calls.press
    bench.start()
    bench.run(6000)
    assert bench.k1() == [f"K1 RT03-12 {press} FIRE"]
    assert bench.shows() == "slow off off"
    bench.answer("D")
    assert bench.shows() == "on on on"


def story_after_a_power_cut_the_lamps_wait_for_a_word_that_is_new() -> None:
    bench = Bench()
    bench.strike()
    bench.run(6000)
    bench.answer("S")
    bench.answer("D")
    bench.run(6000)
    bench.start()
    bench.run(100000, 500)
    assert bench.shows() == "slow off off"  # it was answered: "nobody heard" would not be true either
    assert bench.k1()[0].endswith(" MURDER")
    bench.answer("N")
    assert bench.shows() == "on on on"  # S was shown before: N stays ignored


def story_a_closed_press_is_not_said_again() -> None:
    bench = Bench()
    bench.strike()
    bench.run(6000)
    bench.answer("C")
    bench.run(6000)
    bench.start()
    bench.run(400000, 1000)
    assert bench.k1() == [] and bench.shows() == "off off off"


def story_a_wiped_flash_is_a_new_head_without_a_key() -> None:
    bench = Bench()
    bench.strike()
    epoch = bench.head.calls.epoch
    bench.flash.kept = {}
    bench.start()
    assert bench.head.calls.epoch != epoch and len(bench.head.calls.epoch) == 4
    bench.strike()
    (line,) = bench.board.uart.lines()
    assert line.endswith(".1 PANIC ------") and line.startswith("K1 H-")
    bench.start()
    assert line.split(" ")[2].startswith(bench.head.calls.epoch)  # kept from the first start on


def story_a_sick_flash_alarms_under_an_epoch_that_no_flash_knows() -> None:
    bench = Bench()
    bench.strike()
    bench.run(6000)
    bench.k1()
    epoch = bench.head.calls.epoch
    bench.flash.is_sick = True
    bench.strike()
    (line,) = bench.k1()
    assert line.endswith(".1 PANIC") and epoch not in line
    assert bench.head.fault.startswith("flash: ")
    bench.hear("\nP1 pos-1 .\n")
    bench.run(6000)
    bench.answer("C")
    bench.run(130000, 500)
    assert bench.shows() == "triple off off"
    bench.start()  # not even readable: it still alarms
    bench.strike()
    assert bench.k1()[0].endswith(".1 PANIC")
    bench.flash.is_sick = False
    bench.start()
    assert bench.head.calls.epoch == epoch and bench.head.is_keyed
