"""What is sealed opens with its key and with nothing else, and not after a change of one bit."""

import io
import os
import random
from pathlib import Path

import pytest

from firmware_config import locks
from firmware_config.faults import Refused
from firmware_config.locks import KeyLock, Lock, PaperLock, PassphraseLock, PublicLock
from firmware_config.paper_key import PaperKey
from firmware_config.vault import CHUNK, Opener, Sealer, said_of, seal, unseal
from firmware_config.whole_file import write_whole

KEY, OTHER = PaperKey(bytes(range(18))), PaperKey(bytes(range(1, 19)))
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "SCRYPT_LOG_N", 8)


def why(content: bytes, lock: Lock) -> str:
    with pytest.raises(Refused) as refused:
        unseal(content, lock, "x.vault")
    return refused.value.key


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_comes_out(size: int) -> None:
    plain = random.Random(size).randbytes(size)
    for closes, opens in (
        (KeyLock(KEY), KeyLock(KEY)),
        (PassphraseLock("kentongan desa"), PassphraseLock("kentongan desa")),
        (PublicLock(KEY.public), PaperLock(KEY)),
    ):
        sealed = seal(plain, closes, {"what": "test"})
        assert unseal(sealed, opens, "x") == plain
        assert sealed != seal(plain, closes, {"what": "test"}), "no two files have one key"


@pytest.mark.parametrize(
    ("closes", "opens", "said"),
    [
        (KeyLock(KEY), KeyLock(OTHER), "key_wrong"),
        (PassphraseLock("kentongan desa"), PassphraseLock("kentongan kota"), "key_wrong"),
        (PublicLock(KEY.public), PaperLock(OTHER), "key_wrong"),
        (KeyLock(KEY), PassphraseLock("kentongan desa"), "key_other_kind"),
        (PublicLock(KEY.public), KeyLock(KEY), "key_other_kind"),
        (PublicLock(KEY.public), PublicLock(KEY.public), "key_other_kind"),  # the post itself cannot open its backups
    ],
)
def test_another_key_is_told_from_damage(closes: Lock, opens: Lock, said: str) -> None:
    assert why(seal(b"Budi", closes, {}), opens) == said


def test_every_changed_bit_and_every_cut_is_noticed() -> None:
    sealed = seal(b"Budi; 0812" * 9, KeyLock(KEY), {"what": "test"})
    chance = random.Random(4)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1 << chance.randrange(8)
        assert why(bytes(changed), KeyLock(KEY)) in {"damaged", "not_sealed", "key_wrong", "key_other_kind"}
        assert why(sealed[:at], KeyLock(KEY)) in {"damaged", "not_sealed"}
    assert why(sealed + b"x", KeyLock(KEY)) == "damaged"


def test_a_long_file_cut_between_two_chunks_or_put_in_another_order_does_not_open() -> None:
    out = io.BytesIO()
    sealer = Sealer(out, KeyLock(KEY), {})
    head = len(out.getvalue())
    sealer.write(bytes(3 * CHUNK))
    sealer.finish()
    whole, piece = out.getvalue(), CHUNK + 16
    first, second = whole[head : head + piece], whole[head + piece : head + 2 * piece]
    assert why(whole[: head + piece], KeyLock(KEY)) == "damaged"
    assert why(whole[:head] + second + first + whole[head + 2 * piece :], KeyLock(KEY)) == "damaged"
    assert why(whole[:head], KeyLock(KEY)) == "damaged"


def test_the_header_is_for_everybody_to_read_and_for_nobody_to_change() -> None:
    sealed = seal(b"secret", KeyLock(KEY), {"post": "pos-1"})
    assert said_of(io.BytesIO(sealed), "x")["post"] == "pos-1"
    assert why(sealed.replace(b"pos-1", b"pos-2"), KeyLock(KEY)) == "damaged"
    assert Opener(io.BytesIO(sealed), KeyLock(KEY), "x").readall() == b"secret"


def test_a_paper_key_is_read_as_people_write_it() -> None:
    assert PaperKey.read(KEY.text) == KEY
    assert PaperKey.read(f"  {KEY.text.lower().replace('-', ' ')}\n") == KEY
    assert PaperKey.read(KEY.text.replace("O", "0").replace("I", "1")) == KEY
    assert len(KEY.text) == 39


def test_every_single_letter_misread_is_noticed() -> None:
    letters = KEY.text
    for at, right in enumerate(letters):
        for wrong in "AQ7" if right != "-" else "":
            if wrong != right:
                with pytest.raises(Refused, match="misread"):
                    PaperKey.read(letters[:at] + wrong + letters[at + 1 :])
    for text in ("", "A", letters[:-1], letters + "AAAA", "!" * 32):
        with pytest.raises(Refused, match="misread"):
            PaperKey.read(text)


def test_no_key_is_shown_by_mistake() -> None:
    for thing in (KEY, KeyLock(KEY), PaperLock(KEY), PassphraseLock("kentongan desa")):
        assert "kentongan desa" not in repr(thing) and repr(KEY.secret) not in repr(thing)


def test_a_strangers_header_cannot_take_the_bridges_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    monkeypatch.setattr(locks, "SCRYPT_LOG_N", 17)
    real = locks.Scrypt

    def counting(salt: bytes, length: int, n: int, r: int, p: int) -> object:
        asked.append(n * r * 128)
        return real(salt, length, n=256, r=r, p=p)

    monkeypatch.setattr(locks, "Scrypt", counting)
    PassphraseLock("kentongan desa").find({"by": "passphrase", "salt": "AAAA", "log_n": 40})
    assert asked[0] <= 256 * 2**20


def test_root_gives_no_key_to_whoever_left_a_file_where_everybody_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda _handle, uid, _gid: given.append(uid))
    real = Path.stat
    left = tmp_path / "sheet.svg"
    left.touch()

    def stat(path: Path, **how: bool) -> os.stat_result:
        told = real(path, **how)
        return os.stat_result((*told[:4], 4711, *told[5:])) if path == left else told

    monkeypatch.setattr(Path, "stat", stat)
    for mode, owner in ((0o1777, real(tmp_path).st_uid), (0o755, 4711)):
        tmp_path.chmod(mode)
        write_whole(left, b"geheim")
        assert given.pop() == owner
