"""Lines by USB and by the node, merged and split, and the technician's lines."""

import gc
import json

from tests.head.bench import BOOK, KEY, Bench, Chance, p1


def replies(bench: Bench, *lines: str) -> list[str]:
    bench.tell_usb(*lines)
    bench.step(0)
    return bench.board.usb.lines()


def story_an_answer_that_is_split_anywhere_is_read_once_it_is_whole() -> None:
    bench = Bench()
    bench.strike()
    text = b"\r\nGW1: " + p1("J", bench.head.calls.press).encode() + b"\r\n"
    for cut in range(len(text)):
        bench = Bench()
        bench.strike()
        bench.board.uart.coming += text[:cut]
        bench.run(300, 100)
        bench.board.uart.coming += text[cut:]
        bench.step(0)
        assert bench.shows() == "on off off", cut


def story_several_lines_may_share_a_text() -> None:
    bench = Bench()
    bench.strike()
    bench.hear("\nP1 pos-1 .\n" + p1("J", bench.head.calls.press) + p1("S", bench.head.calls.press) + "\nP1 pos-1")
    assert bench.shows() == "on slow off"


def story_a_line_that_lost_its_end_swallows_nothing_after_the_next_newline() -> None:
    bench = Bench()
    bench.strike()
    bench.hear(p1("D", bench.head.calls.press)[:-4])
    bench.hear(p1("J", bench.head.calls.press))
    assert bench.shows() == "on off off"


def story_whatever_comes_in_is_borne_and_takes_no_room() -> None:
    bench = Bench()
    bench.strike()
    chance = Chance(7)
    gc.collect()
    before = gc.mem_alloc()
    for turn in range(3000):
        noise = chance.octets(chance(60))
        if turn % 3 == 0:
            noise = noise.replace(b"\n", b"")
        bench.board.uart.coming += noise
        bench.board.usb.coming += noise.replace(b"!", b"")
        bench.step(20)
        if turn % 100 == 0:
            bench.board.uart.coming += b"A" * 5000
            bench.board.usb.lines(), bench.board.uart.lines()
    gc.collect()
    assert gc.mem_alloc() - before < 20000
    bench.hear("\n")
    bench.answer("J")
    assert bench.shows() == "on off off"


def story_a_line_without_an_end_takes_no_room_either() -> None:
    bench = Bench()
    gc.collect()
    before = gc.mem_alloc()
    for _ in range(400):
        bench.board.uart.coming = bench.board.usb.coming = b"A" * 200
        bench.step(20)
    gc.collect()
    assert gc.mem_alloc() - before < 20000
    bench.board.usb.coming += b"\n!info\n"
    bench.step(20)
    assert bench.board.usb.lines()[0].startswith("!info ")


def story_two_seconds_lie_between_two_lines_to_a_node_and_the_newest_counts() -> None:
    bench = Bench()
    bench.play("000=000", 120)
    bench.run(600)
    assert [line.split(" ")[3] for line in bench.k1()] == ["PANIC"]
    assert len([line for line in bench.board.usb.lines() if line[0] == "K"]) == 2
    bench.run(700)
    assert [line.split(" ")[3] for line in bench.k1()] == ["FIRE"]


def story_info_says_everything_but_the_key() -> None:
    bench = Bench()
    (line,) = replies(bench, "!info")
    said = json.loads(line[6:])
    assert line.startswith("!info ") and KEY not in line and KEY.upper() not in line
    assert said == {
        "name": "RT03-12",
        "epoch": bench.head.calls.epoch,
        "press": 0,
        "keyed": True,
        "codebook": "a",
        "at": "house",
        "version": "1",
        "fault": "",
    }


def story_what_is_written_is_there_after_the_power_went() -> None:
    bench = Bench(keyed=False)
    assert json.loads(replies(bench, "!info")[0][6:])["keyed"] is False
    told = replies(bench, "!name RT1", "!key " + KEY.upper(), "!codebook " + BOOK, "!at post")
    assert told == ["!ok name RT1", "!ok key", "!ok codebook a", "!ok at post"]
    bench.start()
    said = json.loads(replies(bench, "!info")[0][6:])
    assert (said["name"], said["keyed"], said["codebook"], said["at"]) == ("RT1", True, "a", "post")
    bench.play("00")
    assert bench.k1()[0].startswith("K1 RT1 ")


def story_what_is_wrong_is_refused_and_changes_nothing() -> None:
    bench = Bench()
    secret = "ff" * 15
    wrong = (
        "!name rt03",
        "!name",
        "!name TOOLONG8",
        "!key " + secret,
        "!key",
        "!key zz" + secret,
        "!at home",
        "!cancel",
    )
    wrong += (
        "!codebook {",
        "!codebook 5",
        '!codebook {"rules": {"2": "TEA"}}',
        "!codebook " + '{"rules": {"9": "FIRE"}}',
    )
    wrong += ('!codebook {"rules": {"1": "FIRE", "1-1-1": "THEFT"}}', '!codebook {"rules": [1]}', "!")
    for line in wrong:
        (told,) = replies(bench, line)
        assert told.startswith("!err ") and secret not in told, (line, told)
    bench.start()
    assert json.loads(replies(bench, "!info")[0][6:])["codebook"] == "a"
    assert bench.head.settings.name == "RT03-12" and bench.head.is_keyed


def story_what_is_said_back_is_one_line_of_ascii() -> None:
    bench = Bench()
    assert replies(bench, '!codebook {"name": "d\\u00e9\\nK1", "rules": {}}') == ["!ok codebook d??K1"]
    assert replies(bench, '!codebook {"rules": {"\\u00e9": "FIRE"}}')[0].startswith("!err ")


def story_a_flash_that_takes_nothing_says_so() -> None:
    bench = Bench()
    bench.flash.is_sick = True
    assert replies(bench, "!key " + KEY)[0].startswith("!err flash")


def story_the_node_gives_no_orders() -> None:
    bench = Bench()
    epoch = bench.head.calls.epoch
    for order in ("!name EVIL", "!key " + "00" * 16, "!test", "!at post", "!info"):
        bench.hear("\n" + order + "\n")
        bench.board.uart.coming += (order + "\n").encode()
        bench.step(0)
    assert bench.board.uart.said == b"" and bench.board.usb.said == b""
    assert (bench.head.settings.name, bench.head.calls.epoch, bench.head.calls.number) == ("RT03-12", epoch, 0)
    assert bench.head.settings.key == bytes(range(16)) and bench.head.settings.place == "house"


def story_a_test_by_usb_is_the_buttons() -> None:
    bench = Bench()
    told = replies(bench, "!test")
    press = bench.head.calls.press
    assert told[0] == f"!ok test {press}" and told[1].startswith(f"K1 RT03-12 {press} TEST ")
    assert replies(bench, "!test") == ["!err a call is open"]


def story_lamps_run_by_usb() -> None:
    bench = Bench()
    assert replies(bench, "!lamps") == ["!ok lamps"]
    assert bench.shows() == "run1 run2 run3"
    bench.run(3000)
    assert bench.shows() == "off off off" and bench.head.calls.number == 0


def story_another_codebook_counts_from_the_next_press() -> None:
    bench = Bench()
    bench.play("000")
    replies(bench, '!codebook {"name": "x", "rules": {"3": "MEDICAL"}}')
    bench.run(100)
    bench.play("=000")
    bench.run(6000)
    assert bench.k1()[-1].endswith(" FIRE")
    bench.play("000=000")
    bench.run(6000)
    assert bench.k1()[-1].endswith(" MEDICAL")


def story_a_head_without_a_codebook_still_alarms() -> None:
    bench = Bench(keyed=False)
    bench.play("000=000")
    bench.run(6000)
    assert [line.split(" ")[3] for line in bench.k1()] == ["PANIC", "UNKNOWN"]


def story_a_crash_is_told_once_and_a_self_test_forgets_it() -> None:
    bench = Bench()
    bench.board.crashed = "crash: TypeError"
    assert json.loads(replies(bench, "!info")[0][6:])["fault"] == "crash: TypeError"
    assert bench.shows() == "off off off"
    replies(bench, "!test")
    assert json.loads(replies(bench, "!info")[0][6:])["fault"] == ""
