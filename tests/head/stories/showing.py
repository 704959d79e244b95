"""What the lamps show, and whom they believe."""

from tests.head.bench import OCTETS, Bench, p1

STRUCK = "slow off off"


def after(*answers: str) -> str:
    """The lamps of a struck head after these answers, one by one."""
    bench = Bench()
    bench.strike()
    for letters in answers:
        bench.answer(letters)
    return bench.shows()


def story_every_step_has_its_picture() -> None:
    assert after() == STRUCK
    assert after("J") == "on off off"
    assert after("N") == "on fast off"
    assert after("S") == "on slow off"
    assert after("S", "A") == "on on off"
    assert after("S", "A", "D") == "on on on"
    assert after("D", "O") == "on on double"
    assert after("D", "W") == "on double off"
    assert after("J", "G") == "on off slow"
    assert after("D", "C") == "double double double"
    assert after("LJ") == "run1 run2 run3"


def story_not_connected_is_ignored_once_the_police_have_it() -> None:
    assert after("S", "N") == "on slow off"
    assert after("J", "N") == "on fast off"


def story_withdrawn_outranks_on_their_way_in_any_order() -> None:
    assert after("W", "D") == after("D", "W") == after("DW") == "on double off"


def story_guards_are_beside_the_ladder() -> None:
    assert after("G", "GN") == "on fast slow"
    assert after("A", "G") == "on on slow"
    assert after("G", "D") == "on on on"
    assert after("GS") == "on slow slow"


def story_nothing_real_is_shown_in_a_drill() -> None:
    assert after("LJ", "LD") == "run1 run2 run3"
    assert after("LJ", "LC") == "double double double"


def story_letters_of_a_later_firmware_change_nothing() -> None:
    assert after("Z") == STRUCK
    assert after("JZ") == "on off off"


def story_the_letter_said_back_is_the_highest_and_the_latest_of_equals() -> None:
    for answers, letter in (
        ("JS", "S"),
        ("SJ", "S"),
        ("GN", "G"),
        ("AG", "G"),
        ("GA", "A"),
        ("LJ", "J"),
        ("L", "L"),
        ("DW", "W"),
        ("WO", "W"),
    ):
        bench = Bench()
        bench.strike()
        bench.answer(answers)
        assert bench.head.calls.latest.shows == letter, answers


def story_a_phone_lights_nothing() -> None:
    bench = Bench()
    bench.strike()
    press = bench.head.calls.press
    bench.hear(f"P1 pos-1 RT03-12.{press}=D", "HP1")
    bench.hear(f"\nP1 pos-1 RT03-12.{press}=D\n")
    bench.hear(f"\nP1 pos-1 RT03-12.{press}=D.------\n")
    bench.hear(f"\nP1 pos-1 RT03-12.{press}=D.AAAAAA\n")
    bench.hear(f"\nP1 pos-1 RT03-12.{press}=D.\n")
    bench.hear(p1("D", press, key=bytes(16)))
    assert bench.shows() == STRUCK


def story_a_right_mac_counts_for_its_letters_its_press_and_its_post_only() -> None:
    bench = Bench()
    bench.strike()
    press = bench.head.calls.press
    right = p1("J", press)
    for forged in (right.replace("=J", "=D"), right.replace("pos-1", "pos-2"), right.replace(press, press + "1")):
        bench.hear(forged)
    bench.hear(p1("D", "ZZZZ.1"))
    bench.hear(p1("D", press, name="RT03-13"))
    bench.hear("K1" + right[3:])
    assert bench.shows() == STRUCK
    bench.hear(right)
    assert bench.shows() == "on off off"


def story_one_line_tells_many_heads() -> None:
    bench = Bench()
    bench.strike()
    press = bench.head.calls.press
    mine = p1("S", press)[1:-1].split(" ")[2]
    others = [p1("D", f"ABCD.{number}", name="RT03-9")[1:-1].split(" ")[2] for number in range(1, 4)]
    bench.hear("\nP1 pos-1 " + " ".join(others + [mine]) + "\n")  # noqa: RUF005 - MicroPython unpacks into no list
    assert bench.shows() == "on slow off"


def story_a_head_without_a_key_alarms_and_shows_only_that_it_was_sent() -> None:
    bench = Bench(keyed=False)
    bench.strike()
    name = bench.head.settings.name
    (line,) = bench.board.uart.lines()
    assert line == f"K1 {name} {bench.head.calls.press} PANIC ------"
    bench.hear(p1("D", bench.head.calls.press, key=OCTETS, name=name))
    bench.hear(p1("D", bench.head.calls.press, key=b"", name=name))
    assert bench.shows() == STRUCK
    bench.run(100000, 500)
    assert bench.shows() == STRUCK  # nobody heard? it cannot know
    bench.run(7200000, 5000)
    assert bench.shows() == "off off off"


def story_idle_a_lamp_says_that_the_post_was_heard_within_the_hour() -> None:
    bench = Bench()
    assert bench.shows() == "off off off"
    bench.hear("\nP1 pos-1 .\n")
    assert bench.shows() == "wink off off"
    bench.run(3590000, 10000)
    assert bench.shows() == "wink off off"
    bench.run(20000, 1000)
    assert bench.shows() == "off off off"
    bench.hear("\nP1 pos-1 ada rapat .\n")
    assert bench.shows() == "off off off"


def story_the_recessed_button_takes_back_under_its_own_number() -> None:
    bench = Bench()
    bench.strike()
    bench.run(6000)
    bench.answer("S")
    bench.run(6000)
    bench.k1()
    bench.push(300)
    press = bench.head.calls.press
    assert bench.k1() == [f"K1 RT03-12 {press} CANCEL"] and press.endswith(".2")
    assert bench.shows() == "on slow off"  # still true: people decide
    bench.answer("C")
    assert bench.shows() == "double double double"


def story_an_alarm_that_nobody_has_answered_goes_on_when_it_is_taken_back() -> None:
    bench = Bench()
    bench.play("000=000")
    bench.run(6000)
    bench.push(300)
    epoch = bench.head.calls.epoch
    bench.k1()
    bench.run(21500, 100)
    assert f"K1 RT03-12 {epoch}.1 FIRE" in bench.k1()
    bench.answer("C", f"{epoch}.2")  # "nothing to take back": the alarm was never heard
    assert bench.shows() == STRUCK
    bench.run(21000, 100)
    assert bench.k1() == [f"K1 RT03-12 {epoch}.1 FIRE"]
    bench.answer("J", f"{epoch}.1")
    assert bench.shows() == "on off off"


def story_a_rhythm_under_way_is_read_although_the_button_was_pushed() -> None:
    bench = Bench()
    bench.play("000")
    bench.push(900)
    bench.play("000")
    bench.run(6000)
    lines = bench.k1()
    epoch = bench.head.calls.epoch
    assert f"K1 RT03-12 {epoch}.2 CANCEL" in lines and f"K1 RT03-12 {epoch}.1 FIRE" in lines


def story_a_long_push_is_a_drill_and_the_lamps_run() -> None:
    bench = Bench()
    bench.board.is_down = True
    bench.run(3200)
    assert bench.shows() == "run1 run2 run3"
    assert bench.k1() == [f"K1 RT03-12 {bench.head.calls.press} TEST"]
    bench.run(60000, 100)
    assert bench.head.calls.number == 1  # a button that sticks is one test
    bench.board.is_down = False
    bench.run(200)
    assert bench.head.calls.number == 1
    bench.answer("LJ")
    assert bench.shows() == "run1 run2 run3"


def story_a_self_test_during_an_alarm_only_runs_the_lamps() -> None:
    bench = Bench()
    bench.strike()
    bench.run(6000)
    bench.push(3300)
    assert bench.head.calls.number == 1
    bench.run(3000)
    assert bench.shows() == STRUCK


def story_a_button_that_is_held_at_the_start_says_nothing() -> None:
    bench = Bench()
    bench.start()
    bench.board.is_down = True
    bench.run(10000)
    bench.board.is_down = False
    bench.run(500)
    assert bench.k1() == []


def story_a_roll_call_is_answered_by_one_strike_and_silence() -> None:
    bench = Bench()
    bench.answer("R", bench.head.calls.press)
    assert bench.shows() == "double off off"
    bench.strike()
    bench.run(3500)
    assert bench.k1() == []
    bench.run(1000)
    press = bench.head.calls.press
    assert bench.k1() == [f"K1 RT03-12 {press} HERE"] and press.endswith(".1")
    assert bench.shows() == "wink off off"
    bench.strike()
    assert bench.k1() == []  # two seconds lie between two lines
    bench.run(2000)
    assert bench.k1() == [f"K1 RT03-12 {bench.head.calls.epoch}.2 PANIC"]


def story_in_a_roll_call_a_rhythm_is_still_an_alarm() -> None:
    bench = Bench()
    bench.answer("R", bench.head.calls.press)
    bench.play("000=000")
    bench.run(6000)
    assert [line.split(" ")[3] for line in bench.k1()] == ["PANIC", "FIRE"]


def story_a_roll_call_ends_after_five_minutes_and_is_not_believed_twice() -> None:
    bench = Bench()
    call = p1("R", bench.head.calls.press)
    bench.hear(call)
    bench.run(301000, 1000)
    assert bench.shows() == "wink off off"
    bench.hear(call)
    bench.strike()
    assert bench.k1() == [f"K1 RT03-12 {bench.head.calls.press} PANIC"]


def story_lamps_burn_by_their_patterns() -> None:
    bench = Bench()
    bench.strike()
    seen = []
    for _ in range(16):
        bench.step(125)
        seen.append(bench.board.lit[0])
    assert seen.count(True) == 8 and not any([lit for lit in bench.board.lit[1:]])
    bench.answer("D")
    bench.step(10)
    assert bench.board.lit == [True, True, True]
