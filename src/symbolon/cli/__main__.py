"""`python -m symbolon.cli` is `symbolon`."""

from symbolon.cli import main

main()
