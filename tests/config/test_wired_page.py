"""The page for technicians: every setting that it shows is one that a post takes."""

import re
import tomllib
from pathlib import Path

from pydantic import TypeAdapter

from bridge.config_inputs import Inputs
from bridge.config_siren import Outputs, SirenRing
from bridge.sources import load_sources

PAGE = (Path(__file__).parents[2] / "docs" / "wired.md").read_text(encoding="utf-8")


def test_what_the_page_shows_can_be_typed(tmp_path: Path) -> None:
    tables = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)]
    inputs = [entry for table in tables for entry in table.get("input", [])]
    outputs = [entry for table in tables for entry in table.get("output", [])]
    seen = [TypeAdapter(Inputs).validate_python(tuple(table["input"])) for table in tables if "input" in table]
    assert sum(map(len, seen)) == len(inputs) == 4
    assert len(TypeAdapter(Outputs).validate_python(tuple(outputs))) == 3
    assert [SirenRing.model_validate(table["siren"]).quiet for table in tables if "siren" in table] == ["22:00-04:30"]
    (sources,) = [block for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "[[source]]" in block]
    (tmp_path / "sources.toml").write_text(sources)
    assert load_sources(tmp_path / "sources.toml", "pos-1").find("wired:pos-1/kentongan") is not None
