"""The house itself: what a newcomer types works, and nothing of one machine is in it."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PREFLIGHT = ROOT / "deploy" / "preflight.sh"
FOR_ALL = {"python3", "python3-venv", "make", "git", "mosquitto", "strace"}
FOR_THE_DEMO = {"python3", "python3-venv", "make"}

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
LOCKED = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", LOCK, re.MULTILINE))


def preflight(tools: Path, level: str) -> subprocess.CompletedProcess[str]:
    """The preflight on a machine that has only what lies in `tools`; without an apt-get it can install nothing."""
    return subprocess.run(
        ["/bin/sh", PREFLIGHT, level], env={"PATH": str(tools)}, capture_output=True, text=True, timeout=30, check=False
    )


def put(tools: Path, name: str, script: str = "exit 0") -> None:
    (tools / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (tools / name).chmod(0o755)


def named(message: str) -> set[str]:
    return set(re.findall(r"^  ([a-z0-9-]+): ", message, re.MULTILINE))


@pytest.mark.parametrize(("level", "parts"), [("all", FOR_ALL), ("basic", FOR_THE_DEMO)])
def test_a_bare_machine_is_told_everything_at_once(tmp_path: Path, level: str, parts: set[str]) -> None:
    bare = preflight(tmp_path, level)
    assert (bare.returncode, bare.stdout) == (2, "")
    assert named(bare.stderr) == parts
    line = bare.stderr.splitlines()[-1]
    assert set(re.search(r"--no-install-recommends ([a-z0-9 -]+?)( &&|')", line)[1].split()) == parts


def test_a_broker_installed_by_hand_is_not_left_as_a_service(tmp_path: Path) -> None:
    assert "systemctl disable --now mosquitto" in preflight(tmp_path, "all").stderr
    assert "systemctl" not in preflight(tmp_path, "basic").stderr


def test_only_what_is_missing_is_named(tmp_path: Path) -> None:
    put(tmp_path, "python3", f'exec {sys.executable} "$@"')
    for name in ("make", "git", "mosquitto"):
        put(tmp_path, name)
    assert named(preflight(tmp_path, "all").stderr) == {"strace"}


def test_a_machine_that_has_all_hears_nothing(tmp_path: Path) -> None:
    put(tmp_path, "python3", f'exec {sys.executable} "$@"')
    for name in ("make", "git", "mosquitto", "strace"):
        put(tmp_path, name)
    fine = preflight(tmp_path, "all")
    assert (fine.returncode, fine.stdout, fine.stderr) == (0, "", "")


def test_an_old_python_is_named_with_the_way_round_it(tmp_path: Path) -> None:
    put(tmp_path, "python3", 'case "$2" in *version_info*) exit 1 ;; esac')
    put(tmp_path, "make")
    old = preflight(tmp_path, "basic")
    assert (old.returncode, named(old.stderr)) == (2, {"python3"})
    assert "make PYTHON=" in old.stderr


def test_the_lock_names_no_place() -> None:
    assert re.findall(r"://|file:|--index-url|--extra-index-url|--find-links|--trusted-host|(?m:^\.|^/)", LOCK) == []


def test_every_locked_package_has_a_hash() -> None:
    entries = re.split(r"\n(?=\S)", LOCK.strip())
    assert len(entries) == len(LOCKED)
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_covers_what_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wants = project["build-system"]["requires"] + project["project"]["dependencies"]
    wants += [line for extra in project["project"]["optional-dependencies"].values() for line in extra]
    unmet = [want for want in map(Requirement, wants) if not want.specifier.contains(LOCKED.get(want.name, "0"))]
    assert unmet == []


def test_every_make_target_of_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    said = {target for line in re.findall(r"\bmake ((?:[a-z-]+ ?)+)", commands(readme)) for target in line.split()}
    known = set(re.findall(r"^([a-z-]+):.* ## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert said >= {"demo", "test"}
    assert said - known == set()


def commands(markdown: str) -> str:
    """The parts of a page that are typed: fenced blocks and `inline code`."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", markdown, re.DOTALL))


def test_ci_runs_what_the_readme_says() -> None:
    runs = re.findall(r"^exec (.+)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert runs == ["make check test"]
    assert "make check test" in commands((ROOT / "README.md").read_text(encoding="utf-8"))
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_no_key_and_no_second_lock_is_committed() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, timeout=30)
    files = [ROOT / name for name in os.fsdecode(listed.stdout).split("\0") if name]
    assert ROOT / "pyproject.toml" in files
    assert [path for path in files if path.name == "uv.lock" or path.suffix in {".key", ".pem"}] == []
    key = b"-----BEGIN " + b"PRIVATE KEY-----"
    assert [path for path in files if path.is_file() and key in path.read_bytes()] == []
