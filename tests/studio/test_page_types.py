"""The page's types are generated from what the server says of itself."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_knows_the_interface_as_it_is():
    describe = runpy.run_path(str(ROOT / "tools" / "studio_openapi.py"))["describe"]
    known = (ROOT / "web" / "openapi.json").read_text(encoding="utf-8")
    assert known == describe(), "the interface changed; run `make web-types`"
