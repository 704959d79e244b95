"""`python -m cli` is `kentongan`."""

from cli.app import main

main()
