"""`kentongan rhythm` as anybody would try it: lines of seconds in, lines of kinds out, a bad line costs only itself."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

THEFT = {"kind": "THEFT", "groups": "00=00", "confidence": 0.9}


def rhythm(*words: str, given: bytes = b"") -> tuple[int, list[str], list[str]]:
    """Exit code, lines said, lines complained."""
    command = [sys.executable, "-m", "cli", "rhythm", *words]
    done = subprocess.run(command, input=given, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode().splitlines(), done.stderr.decode().splitlines()


def test_each_line_is_read_and_a_bad_one_costs_only_itself() -> None:
    lines = [
        b"[0, 0.3, 1.8, 2.1]",
        b"",
        b"theft",
        b"[3, 1]",
        b"[]",
        b"[true]",
        b"[NaN]",
        b"[1e400]",
        b'{"times": [1]}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"[5]",
        b"[7.0, 7.3, 7.6]",
    ]
    code, said, complained = rhythm("read", "--codebook", "a", "--lang", "en", given=b"\n".join(lines))
    assert code == 2
    assert [json.loads(line) for line in said] == [
        THEFT,
        {"kind": "MURDER", "groups": "0", "confidence": 0.6},
        {"kind": "FIRE", "groups": "000", "confidence": 0.6},
    ]
    assert [line.split(":")[0] for line in complained] == [f"line {number}" for number in range(3, 12)]
    assert all(len(line) < 200 for line in complained)


def test_a_file_is_read_as_well_and_all_good_lines_end_well(tmp_path: Path) -> None:
    file = tmp_path / "strikes.jsonl"
    file.write_text("[0, 0.3, 1.8, 2.1]\n" * 3)
    code, said, complained = rhythm("read", "--codebook", "B", str(file))
    assert (code, complained) == (0, [])
    assert [json.loads(line) for line in said] == [THEFT] * 3


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ('"1" = "MURDER"\n"1-1-1" = "NOTICE"', "1 MURDER and 1-1-1 NOTICE cannot be told apart"),
        ('"2" = "THIEF"', "2: THIEF is no kind"),
        ('"2" = ', "tabel [rules] tidak dapat dibaca"),
    ],
)
def test_a_village_book_with_a_mistake_is_refused_in_one_line(tmp_path: Path, rules: str, says: str) -> None:
    book = tmp_path / "own.toml"
    book.write_text(f"[rules]\n{rules}\n")
    code, said, complained = rhythm("read", "--codebook", str(book), given=b"[1]\n")
    assert code != 0 and said == [] and len(complained) == 1
    assert says in complained[0]


def test_the_codebooks_there_are() -> None:
    code, said, _ = rhythm("list", "--json")
    books = json.loads(said[0])
    assert code == 0 and list(books) == ["a", "a-gunungkidul", "b", "c", "d"]
    assert books["d"]["rules"]["titir"] == "DISASTER"
    code, said, _ = rhythm("list")
    assert code == 0 and "    2-2    THEFT" in said
