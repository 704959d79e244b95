"""Firmware that is too old for a village. Pure."""

import re

OLDEST = (2, 7, 15)  # before: keys in common (CVE-2025-52464), keys overwritten (-55293), forged texts (-53627), -24797
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def version(firmware: str) -> tuple[int, ...]:
    """(2, 7, 26) of `2.7.26.54e0d8d`; () of what is no version."""
    found = _VERSION.match(firmware)
    return tuple(map(int, found.groups())) if found else ()


def is_old(firmware: str) -> bool:
    """Too old to be trusted with a village; also when it does not say what it is."""
    return version(firmware) < OLDEST
