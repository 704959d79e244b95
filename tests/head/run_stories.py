"""Runs stories under MicroPython: each function story_… of each module named; one JSON line for each."""

import gc
import io
import json
import sys


def run(module: str) -> None:
    stories = __import__("tests.head.stories." + module, None, None, ["*"])
    for name in dir(stories):
        if name.startswith("story_"):
            print(json.dumps([module, name, failure(getattr(stories, name))]))
            gc.collect()


def failure(story) -> str:
    """'' when it went well, else the traceback."""
    try:
        story()
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is this story's
        said = io.StringIO()
        sys.print_exception(error, said)  # type: ignore[attr-defined]
        return said.getvalue()
    return ""


for given in sys.argv[1:]:
    run(given)
