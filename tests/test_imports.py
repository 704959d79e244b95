"""The arrows of the design: who may import whom, and where foreign packages may be named.

Read from the source with `ast`, so that an import inside a function or under TYPE_CHECKING counts too.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("bridge", "cli", "desk", "firmware_config", "mqtt", "simulator")

MAY_IMPORT = {
    "bridge/domain": {"bridge.domain"},
    "bridge": {"bridge"},
    "mqtt": {"mqtt", "bridge.domain"},
    "desk": {"desk", "mqtt", "bridge.domain"},
    "firmware_config": {"firmware_config", "bridge.domain"},
    "simulator": {"simulator", "bridge.domain"},  # not the codec: two authors' errors must not cancel out
}

# A package and the only places that may name it; the longest matching name decides.
KEPT_TO = {
    "paho": ("mqtt/session.py",),
    "sqlmodel": ("bridge/store/", "desk/"),
    "sqlalchemy": ("bridge/store/", "desk/"),
    "alembic": ("bridge/store/", "desk/"),
    "meshtastic": ("firmware_config/device",),
    "meshtastic.protobuf": ("bridge/edges/mesh_radio", "simulator/", "firmware_config/device"),
}

# Standard modules by which a rule would meet the world: files, wires, clocks, threads, chance.
WORLDLY = {
    "asyncio", "concurrent", "glob", "http", "importlib", "io", "logging", "multiprocessing", "os", "pathlib",
    "queue", "random", "secrets", "select", "selectors", "shutil", "signal", "socket", "sqlite3", "ssl",
    "subprocess", "sys", "syslog", "tempfile", "threading", "time", "urllib",
}
WORLDLY_CALLS = {"input", "now", "open", "print", "today", "utcnow"}

SHADOWS = {"meshtastic.py", "queue.py", "serial.py", "signal.py"}


def sources(root: Path, folder: str) -> list[Path]:
    return sorted((root / folder).rglob("*.py"))


def targets(root: Path, path: Path) -> Iterator[str]:
    """Everything a file imports, as full dotted names (`from a import b` is `a.b`)."""
    package = path.relative_to(root).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            here = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*here, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def strays(root: Path, folder: str, allowed: set[str]) -> Iterator[str]:
    """Imports of our own packages that the folder may not make."""
    for path in sources(root, folder):
        for name in targets(root, path):
            if name.split(".")[0] in OURS and not any(within(name, package) for package in allowed):
                yield f"{path.relative_to(root)} imports {name}"


def misplaced(root: Path) -> Iterator[str]:
    """Imports of a foreign package outside the places it is kept to."""
    for path in (path for folder in OURS for path in sources(root, folder)):
        place = path.relative_to(root).as_posix()
        for name in targets(root, path):
            rules = [package for package in KEPT_TO if within(name, package)]
            if rules and not place.startswith(KEPT_TO[max(rules, key=len)]):
                yield f"{place} imports {name}"


def worldly(root: Path) -> Iterator[str]:
    """What the domain imports beyond pure standard modules, and its calls that would read a clock or a file."""
    for path in sources(root, "bridge/domain"):
        place = path.relative_to(root).as_posix()
        for name in targets(root, path):
            top = name.split(".")[0]
            if top in WORLDLY or (top not in sys.stdlib_module_names and top not in OURS):
                yield f"{place} imports {name}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and called(node) in WORLDLY_CALLS:
                yield f"{place}:{node.lineno} calls {called(node)}"


def called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_point_inwards(folder: str) -> None:
    assert sources(ROOT, folder), f"{folder} has no source: the rule would guard nothing"
    assert list(strays(ROOT, folder, MAY_IMPORT[folder])) == []


def test_foreign_packages_stay_where_they_are_kept() -> None:
    assert list(misplaced(ROOT)) == []


def test_the_domain_meets_no_world() -> None:
    assert list(worldly(ROOT)) == []


def test_no_module_of_ours_hides_a_package() -> None:
    assert [path for folder in OURS for path in sources(ROOT, folder) if path.name in SHADOWS] == []


STRAYS = [
    ("bridge/domain/alarm.py", "from bridge.codec import line", "bridge/domain"),
    ("bridge/domain/deep/alarm.py", "from ...store import journal", "bridge/domain"),
    ("bridge/engine.py", "import mqtt.contract", "bridge"),
    ("mqtt/contract.py", "from bridge import engine", "mqtt"),
    ("mqtt/session.py", "import bridge", "mqtt"),
    ("desk/intake.py", "def late():\n    from bridge.store import tables", "desk"),
    ("firmware_config/plan.py", "from bridge.domain import node\nimport cli.words", "firmware_config"),
    ("simulator/node.py", "from bridge.codec.line import read", "simulator"),
    ("simulator/village.py", "import mqtt", "simulator"),
]


@pytest.mark.parametrize(("place", "text", "folder"), STRAYS)
def test_a_stray_import_is_found(tmp_path: Path, place: str, text: str, folder: str) -> None:
    write(tmp_path, place, text)
    (found,) = strays(tmp_path, folder, MAY_IMPORT[folder])
    assert found.startswith(f"{place} imports ")


INWARD = [
    ("bridge/domain/alarm.py", "from . import ids\nfrom .ids import AlarmId\nimport bridge.domain", "bridge/domain"),
    ("bridge/engine.py", "from .domain import alarm\nfrom bridge.store.journal import Journal", "bridge"),
    ("desk/cases.py", "from bridge.domain import alarm\nfrom mqtt import contract\nfrom . import tables", "desk"),
    ("simulator/node.py", "import serial\nfrom bridge.domain.ids import NodeId", "simulator"),
]


@pytest.mark.parametrize(("place", "text", "folder"), INWARD)
def test_an_import_that_points_inwards_is_let_pass(tmp_path: Path, place: str, text: str, folder: str) -> None:
    write(tmp_path, place, text)
    assert list(strays(tmp_path, folder, MAY_IMPORT[folder])) == []


MISPLACED = [
    ("mqtt/uplink.py", "from paho.mqtt import client", 1),
    ("mqtt/session.py", "from paho.mqtt import client", 0),
    ("bridge/engine.py", "import sqlmodel\nfrom sqlalchemy import text\nimport alembic.config", 3),
    ("bridge/store/tables.py", "import sqlmodel\nfrom sqlalchemy import text\nimport alembic.config", 0),
    ("bridge/codec/stock.py", "from meshtastic.protobuf import mesh_pb2", 1),
    ("bridge/edges/mesh_radio_frames.py", "from meshtastic.protobuf import mesh_pb2", 0),
    ("bridge/edges/mesh_radio.py", "from meshtastic import tcp_interface", 1),
    ("simulator/node.py", "from meshtastic import protobuf\nimport meshtastic.protobuf.mesh_pb2", 0),
    ("cli/node.py", "import meshtastic.serial_interface", 1),
    ("firmware_config/device.py", "import meshtastic.serial_interface", 0),
]


@pytest.mark.parametrize(("place", "text", "count"), MISPLACED)
def test_a_misplaced_package_is_found(tmp_path: Path, place: str, text: str, count: int) -> None:
    write(tmp_path, place, text)
    assert len(list(misplaced(tmp_path))) == count


def test_a_worldly_domain_is_found(tmp_path: Path) -> None:
    write(tmp_path, "bridge/domain/a.py", "import time\nfrom os import path\nimport pydantic\nimport hashlib, datetime")
    write(tmp_path, "bridge/domain/b.py", "from datetime import datetime as d\nat = d.now()\nopen('x')")
    assert list(worldly(tmp_path)) == [
        "bridge/domain/a.py imports time",
        "bridge/domain/a.py imports os.path",
        "bridge/domain/a.py imports pydantic",
        "bridge/domain/b.py:2 calls now",
        "bridge/domain/b.py:3 calls open",
    ]


def write(root: Path, place: str, text: str) -> None:
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    (root / place).write_text(text, encoding="utf-8")
