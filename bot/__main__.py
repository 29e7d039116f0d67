"""`python -m bot` is `scribe`."""

from bot.cli import main

if __name__ == "__main__":
    main()
