"""Write the catalogue of effects, which the studio's page draws from.

usage: effects_catalogue.py FILE
"""

from __future__ import annotations

import sys
from pathlib import Path

from masklet.effects.catalogue import dumps

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(dumps(), encoding="utf-8")
