"""A studio for the journeys: the real server and page, around a tiny model that answers in milliseconds.

usage: serve.py HOME
"""

import json
import runpy
import sys
from pathlib import Path

import uvicorn

from masklet.studio.app import create_app
from masklet.studio.security import make_token
from masklet.studio.serve import listening
from masklet.studio.settings import StudioSettings
from masklet.studio.studio import Studio

TESTS = Path(__file__).parents[1]


def main(home: Path) -> None:
    model = runpy.run_path(str(TESTS / "studio" / "conftest.py"))["tiny_model"]()
    settings = StudioSettings(home=home, port=0, model="debug-compact")
    with listening(settings, is_fixed=True) as listener:
        port = listener.getsockname()[1]
        settings = StudioSettings(home=home, port=port, model="debug-compact")
        token = make_token()
        app = create_app(Studio(settings, model=model), token=token)
        sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{port}/?token={token}"}) + "\n")
        sys.stdout.flush()
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
