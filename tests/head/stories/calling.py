"""Striking, and what becomes of it."""

from firmware_config.head.call import FORGET_MS
from tests.head.bench import KEY, Bench, p1


def said(bench: Bench) -> list[str]:
    """Kinds and letters in the order they were said."""
    return [line.split(" ")[3] for line in bench.k1()]


def story_the_first_strike_is_an_alarm_and_the_rhythm_refines_it() -> None:
    bench = Bench()
    bench.strike()
    press = bench.head.calls.press
    assert bench.k1() == [f"K1 RT03-12 {press} PANIC"]
    bench.run(220)
    bench.play("00=000")
    bench.run(6000)
    assert bench.k1() == [f"K1 RT03-12 {press} FIRE"]
    assert bench.head.calls.number == 1


def story_a_line_has_a_newline_at_both_ends_and_goes_both_ways() -> None:
    bench = Bench()
    bench.strike()
    wired, aired = bench.board.usb.said, bench.board.uart.said
    assert wired == aired and wired[:4] == b"\nK1 " and wired[-1:] == b"\n"
    assert len(wired) <= 44


def story_a_lone_strike_at_a_house_is_an_alarm_and_stays_one() -> None:
    bench = Bench()
    bench.strike()
    bench.run(8000)
    assert said(bench)[0] == "PANIC"
    assert bench.head.calls.number == 1 and bench.head.calls.latest.kind != "AMAN"


def story_what_means_all_is_well_stays_an_alarm_with_its_number() -> None:
    bench = Bench()
    bench.play("0=0000000=0")
    bench.run(6000)
    words = said(bench)
    assert words[0] == "PANIC" and words[-1] == "AMAN" and bench.head.calls.number == 1


def story_the_hourly_beat_at_the_post_is_no_alarm() -> None:
    bench = Bench()
    bench.tell_usb("!at post", '!codebook {"name": "b", "rules": {"1": "AMAN", "2": "THEFT"}}')
    bench.step(0)
    bench.strike()
    bench.run(3500)
    assert bench.k1() == []
    bench.run(1500)
    assert said(bench) == ["AMAN"]
    assert bench.shows() == "off off off"
    bench.answer("C")
    bench.run(200000, 500)
    assert bench.k1() == []


def story_two_strikes_at_the_post_are_an_alarm_at_once() -> None:
    bench = Bench()
    bench.tell_usb("!at post")
    bench.step(0)
    bench.play("00")
    assert said(bench) == ["PANIC"]


def story_unanswered_it_is_said_four_times_in_80_s_then_each_five_minutes() -> None:
    bench = Bench()
    bench.strike()
    bench.run(5000)
    bench.k1()
    at = []
    for second in range(5, 1000):
        bench.run(1000, 250)
        if bench.k1():
            at.append(second)
    first, slow = at[:4], at[4:]
    assert 18 <= first[0] <= 27 and first[3] <= 90, at
    assert len(slow) == 3 and all([280 <= at[turn] - at[turn - 1] <= 320 for turn in range(4, 7)]), at


def story_nobody_heard_is_shown_after_80_s_and_not_before() -> None:
    bench = Bench()
    bench.strike()
    bench.run(79000, 200)
    assert bench.shows() == "slow off off"
    bench.run(1500)
    assert bench.shows() == "fast off off"
    bench.answer("J")
    assert bench.shows() == "on off off"


def story_an_answer_stops_the_repeats_and_is_echoed_with_its_letter() -> None:
    bench = Bench()
    bench.play("000=000")
    bench.run(6000)
    bench.k1()
    bench.answer("J")
    bench.run(6000)
    assert said(bench) == ["FIRE=J"]
    bench.run(45000, 200)
    assert said(bench) == []


def story_an_answered_head_asks_after_1_5_10_20_40_and_80_minutes() -> None:
    bench = Bench()
    bench.strike()
    bench.run(6000)
    bench.answer("S")
    bench.run(10000)
    bench.k1()
    at = []
    for second in range(10, 3 * 3600):
        bench.run(1000, 1000)
        if bench.k1():
            at.append(second / 60)
    assert len(at) == 6, at
    for turn, due in enumerate((1, 5, 10, 20, 40, 80)):
        assert due - 0.1 <= at[turn] <= due * 1.06 + 0.2, at
    assert bench.shows() == "off off off" and bench.head.calls.latest.state == "done"


def story_a_refined_kind_is_repeated_until_somebody_answers_that() -> None:
    bench = Bench()
    bench.strike()
    bench.answer("J")  # about the panic
    bench.run(220)
    bench.play("00=000")
    bench.run(6000)
    words = said(bench)
    assert words[0] == "PANIC" and "FIRE" in words and words[1] in ("PANIC=J", "FIRE=J"), words
    bench.run(50000, 200)
    assert said(bench) == ["FIRE", "FIRE"]  # without the letter: a post does not answer an echo
    bench.answer("J")
    bench.run(40000, 200)
    assert said(bench) in ([], ["FIRE=J"])  # an echo at most


def story_a_letter_that_is_said_again_was_not_heard_back_and_that_ends() -> None:
    bench = Bench()
    bench.strike()
    bench.run(5000)
    bench.answer("S")
    bench.run(5500)
    bench.k1()
    bench.answer("S")
    bench.run(5500)
    assert said(bench) == []  # it was just said: a post answers each line
    count = 0
    for _ in range(50):
        bench.run(20000, 500)
        bench.k1()
        bench.answer("S")
        bench.run(5500, 500)
        count += len(bench.k1())
    assert 2 <= count <= 4, count


def story_closed_is_echoed_once_shown_for_two_minutes_and_over() -> None:
    bench = Bench()
    bench.strike()
    bench.run(6000)
    bench.k1()
    bench.answer("SC")
    assert bench.shows() == "double double double"
    bench.run(6000)
    assert said(bench) == ["MURDER=C"]
    bench.run(120000, 500)
    bench.k1()
    assert bench.shows() == "wink off off"
    bench.run(FORGET_MS, 5000)
    assert bench.k1() == []


def story_a_new_press_has_a_new_number_and_its_own_lamps() -> None:
    bench = Bench()
    bench.strike()
    bench.answer("D")
    assert bench.shows() == "on on on"
    bench.run(10000)
    bench.k1()
    bench.strike()
    assert bench.k1()[0].endswith(".2 PANIC")
    assert bench.shows() == "slow off off"
    bench.hear(p1("O", bench.head.calls.epoch + ".1"))
    assert bench.shows() == "slow off off"  # about the press before


def story_a_pad_that_stays_closed_is_one_alarm_and_then_a_fault() -> None:
    bench = Bench()
    bench.board.changes.append((True, 0))
    bench.run(200)
    assert len(bench.k1()) == 1
    bench.answer("J")
    bench.run(60000, 100)
    assert bench.head.calls.number == 1
    assert bench.head.fault == "pad: it stays closed"
    assert bench.shows() == "triple off off"
    bench.board.changes.append((False, 0))
    bench.run(5000)
    assert bench.head.fault == "" and bench.shows() == "on off off"
    bench.strike()
    assert bench.head.calls.number == 2


def story_a_bouncing_contact_is_one_strike_and_noise_is_none() -> None:
    bench = Bench()
    for _ in range(5):
        bench.board.changes += [(True, 2), (False, 1)]
        bench.step(40)
    bench.run(5000)
    assert bench.k1() == [] and bench.head.calls.number == 0
    bench.board.changes += [(True, 20), (False, 12), (True, 10), (False, 4), (True, 2)]
    bench.step(20)
    bench.step(10)
    bench.board.changes.append((False, 0))
    bench.run(5000)
    assert bench.head.calls.number == 1


def story_the_clock_may_wrap_in_the_middle_of_a_call() -> None:
    bench = Bench(ticks=(1 << 30) - 1500)
    bench.play("000=000")
    bench.run(6000)
    assert said(bench) == ["PANIC", "FIRE"]
    bench.run(90000, 100)
    assert bench.shows() == "fast off off"
    assert len(bench.k1()) == 4


def story_after_the_last_number_comes_a_new_epoch() -> None:
    bench = Bench()
    epoch = bench.head.calls.epoch
    bench.head.calls.number = 99998
    bench.strike()
    assert bench.head.calls.press == epoch + ".99999"
    bench.run(6000)
    bench.strike()
    assert bench.head.calls.number == 1 and bench.head.calls.epoch != epoch


def story_many_heads_do_not_speak_in_one_breath() -> None:
    seconds = set()
    for seed in range(8):
        bench = Bench(seed=seed)
        bench.strike()
        bench.run(5000, 100)
        bench.k1()
        waited = 0
        while not bench.board.uart.said:
            bench.run(100, 100)
            waited += 1
        seconds.add(waited)
    assert len(seconds) > 3


def story_a_beep_is_off_unless_the_board_has_one_and_only_news_beeps() -> None:
    bench = Bench()
    bench.strike()
    bench.run(1000)
    assert bench.board.beeps == 0
    bench.answer("J")
    bench.run(500)
    beeps = bench.board.beeps
    assert beeps > 0
    bench.run(5000)
    rung = bench.board.beeps
    bench.answer("J")
    bench.run(500)
    assert bench.board.beeps == rung


def story_a_key_that_is_written_while_a_call_waits_lights_its_lamps() -> None:
    bench = Bench(keyed=False)
    bench.tell_usb("!name RT03-12")
    bench.strike()
    bench.tell_usb("!key " + KEY)
    bench.step(0)
    bench.answer("J")
    assert bench.shows() == "on off off"
