"""Makes cli/villages/villages.txt.xz: every village's code and name, from the data set idn-area-data.

    npm pack idn-area-data@3.1.2 && tar xzf idn-area-data-3.1.2.tgz
    python deploy/make_villages.py package/data cli/villages/villages.txt.xz

The same input gives the same bytes. The data is under the ODbL 1.0: cli/villages/README.md goes wherever the file goes.
"""

import csv
import lzma
import sys
from collections.abc import Iterator
from pathlib import Path

TABLES = ("provinces", "regencies", "districts", "villages")
SMALL = {"Dki": "DKI", "Kabupaten": "Kab."}


def lines(folder: Path) -> Iterator[str]:
    """A tree in the order of the codes; a village stands below its district with its last four digits alone."""
    rows = [(row["code"], row["name"]) for table in TABLES for row in read(folder / f"{table}.csv")]
    for code, name in sorted(rows):
        yield f"{code[9:]} {name.strip()}" if code[9:] else f"{code} {plain(name)}"


def read(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as rows:
        yield from csv.DictReader(rows)


def plain(name: str) -> str:
    """Provinces and regencies are shouted in the source."""
    words = (word.title() if name.isupper() else word for word in name.split())
    return " ".join(SMALL.get(word, word) for word in words)


if __name__ == "__main__":
    text = "".join(f"{line}\n" for line in lines(Path(sys.argv[1])))
    Path(sys.argv[2]).write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
