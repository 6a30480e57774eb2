"""`python -m tsunagi.cli`: the command, where its script is not on the path."""

from tsunagi.cli import main

main()
