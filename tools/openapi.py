"""Print the description of the studio's interface as JSON, from which the page's types are generated."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from masklet.studio.app import create_app
from masklet.studio.security import make_token
from masklet.studio.settings import StudioSettings
from masklet.studio.studio import Studio


def main() -> int:
    """Write to standard output; the same interface gives the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(StudioSettings(home=Path(folder)))
        described = create_app(studio, token=make_token()).openapi()
        studio.stop()
    described["info"]["version"] = "0"  # a release without a change of the interface changes no type
    print(json.dumps(described, indent=1, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
