"""Whatever register, backup and labels refuse or tell has a sentence, in both languages, with the same facts."""

import re
import string

from cli.register_words import SAID
from tests.cli.kentongan import ROOT

OURS = ("cli/register*.py", "cli/post_*.py", "cli/labels.py", "firmware_config/*.py")


def facts(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_every_sentence_has_both_languages_and_the_same_facts() -> None:
    assert {key: said for key, said in SAID.items() if facts(said[0]) != facts(said[1]) or not all(said)} == {}


def test_every_refusal_and_every_word_has_its_sentence() -> None:
    sources = "".join(path.read_text() for pattern in OURS for path in ROOT.glob(pattern) if "node" not in path.name)
    refusals = set(re.findall(r'Refused\("(\w+)"', sources)) | {"known_key", "known_name"}
    flags = {f"flag_{what}" for what in re.findall(r'Flag\("(\w+)"', sources)}
    cli = "".join(path.read_text() for pattern in OURS[:3] for path in ROOT.glob(pattern))
    said = set(re.findall(r'\bsay\("(\w+)"', cli)) | set(re.findall(r'\bask\("(\w+)"', cli))
    assert len(refusals) > 20 and len(flags) == 4 and len(said) > 20
    assert (refusals | flags | said) - set(SAID) == set()
