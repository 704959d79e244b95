"""Which version this is."""

from importlib.metadata import PackageNotFoundError, version


def program_version() -> str:
    """The installed version; 'source' when the program runs from its source tree alone."""
    try:
        return version("kentongan")
    except PackageNotFoundError:
        return "source"
