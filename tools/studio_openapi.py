"""Write the description of the studio's interface, which the page's types are generated from.

usage: studio_openapi.py FILE
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from masklet.studio.app import create_app
from masklet.studio.security import make_token
from masklet.studio.settings import StudioSettings
from masklet.studio.studio import Studio


def describe() -> str:
    """The description as JSON; without a version, so that it changes only when the interface does."""
    with tempfile.TemporaryDirectory() as home:
        studio = Studio(StudioSettings(home=Path(home)))
        description = create_app(studio, token=make_token()).openapi()
        studio.store.close()
    description["info"]["version"] = ""
    return json.dumps(description, indent=1) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(describe(), encoding="utf-8")
