"""Serving the built page: what may be kept for ever, and what is asked for again."""

import pytest
from starlette.testclient import TestClient

from masklet.studio.app import create_app
from masklet.studio.page import is_built
from masklet.studio.studio import Studio


@pytest.fixture
def page_folder(tmp_path):
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<p>the page</p>", encoding="utf-8")
    (folder / "assets" / "index-abc.js").write_text("1", encoding="utf-8")
    return folder


def test_the_page_is_asked_for_again_and_its_parts_are_kept(settings, page_folder, base, token):
    app = create_app(Studio(settings), token=token, static_folder=page_folder)
    with TestClient(app, base_url=base, headers={"Authorization": f"Bearer {token}"}) as client:
        front = client.get("/")
        assert front.text == "<p>the page</p>"
        assert front.headers["cache-control"] == "no-cache"
        part = client.get("/assets/index-abc.js")
        assert "immutable" in part.headers["cache-control"]
        assert "default-src 'self'" in part.headers["content-security-policy"]
        assert client.get("/assets/none.js").json()["code"] == "not_found"


def test_a_checkout_knows_whether_its_page_is_built(page_folder, tmp_path):
    assert is_built(page_folder)
    assert not is_built(tmp_path / "elsewhere")
