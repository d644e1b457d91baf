"""``python -m masklet`` is the ``masklet`` command."""

from masklet.cli.main import main

if __name__ == "__main__":
    main()
