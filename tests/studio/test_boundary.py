"""Who gets in: Host, Origin and token on every route, and what answers give away."""

import json

import pytest
from starlette.routing import Mount, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from masklet.errors import StudioError
from masklet.studio.security import OPEN_PATHS, Place, TokenGate, keep_token, make_token

PORT = 8427
RIGHT = f"127.0.0.1:{PORT}"
SAMPLE = {"project_id": "0" * 16, "media_id": "0" * 16, "job_id": "0" * 16, "upload_id": "0" * 16, "frame": "0", "object_id": "1"}  # fmt: skip
ORIGINS = [None, f"http://{RIGHT}", "http://evil.example", "null", "http://localhost:9999", "http://127.0.0.1.evil.com",
           f"http://{RIGHT}:99999", "http://127.0.0.1:99999", "file://", ""]  # fmt: skip
HOSTS = [RIGHT, f"localhost:{PORT}", f"[::1]:{PORT}", f"192.168.1.7:{PORT}", "evil.example", f"evil.example:{PORT}", "",
         f"127.0.0.1.:{PORT}", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:x", f"a@127.0.0.1:{PORT}", f"2130706433:{PORT}"]  # fmt: skip


@pytest.fixture
def browser(client, base, token):
    """A client with the cookie and nothing else, as after the launch."""
    with_cookie = TestClient(client.app, base_url=base, cookies={f"masklet_studio_{PORT}": token})
    with_cookie.get("/api/health")
    return with_cookie


def every_route(app):
    for route in app.routes:
        if isinstance(route, WebSocketRoute) or (
            hasattr(route, "dependant") and not getattr(route, "methods", None)
        ):
            yield "WEBSOCKET", route.path
        elif isinstance(route, Mount):
            yield "GET", route.path + "/anything"
        elif hasattr(route, "path"):
            yield from ((method, route.path.format(**SAMPLE)) for method in sorted(route.methods))
        else:
            raise AssertionError(f"{route} is of a kind that this test does not know.")


def flat(app):
    """Every route, those of included routers too, whatever way they hang in the application."""
    found = []
    for route in app.routes:
        inner = getattr(getattr(route, "original_router", None), "routes", None)
        found.extend(inner if inner is not None else [route])
    return type("Flat", (), {"routes": found})()


def test_every_route_refuses_without_a_token(client, base):
    stranger = TestClient(client.app, base_url=base)
    walked = list(every_route(flat(client.app)))
    assert len(walked) > 35
    assert {path for method, path in walked if method == "WEBSOCKET"} == {"/ws", "/ws/live"}
    open_paths = set()
    for method, path in walked:
        if method == "WEBSOCKET":
            with pytest.raises(WebSocketDisconnect), stranger.websocket_connect(f"ws://{RIGHT}{path}"):
                pass
        elif stranger.request(method, path, json={}).status_code not in (401, 403):
            open_paths.add(path)
    assert open_paths == set(OPEN_PATHS)


@pytest.mark.parametrize("host", HOSTS)
def test_only_names_of_this_machine_are_answered(browser, host):
    is_right = host in HOSTS[:3]
    answer = browser.get("/api/projects", headers={"Host": host})
    assert answer.status_code == (200 if is_right else 403)


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_cookie_works_from_the_own_page_only(browser, origin):
    headers = {} if origin is None else {"Origin": origin}
    is_own = origin == f"http://{RIGHT}"
    assert browser.get("/api/projects", headers=headers).status_code == (
        200 if is_own or origin is None else 403
    )
    made = browser.post("/api/projects", json={"name": "a"}, headers=headers)
    assert made.status_code == (201 if is_own else 403)
    simple = browser.post("/api/projects", content="{}", headers={**headers, "Content-Type": "text/plain"})
    assert simple.status_code == (422 if is_own else 403)
    if is_own:
        with browser.websocket_connect(f"ws://{RIGHT}/ws", headers=headers):
            pass
    else:
        with (
            pytest.raises(WebSocketDisconnect, check=lambda error: error.code == 4403),
            browser.websocket_connect(f"ws://{RIGHT}/ws", headers=headers),
        ):
            pass


def test_the_launch_address_gives_the_cookie_and_loses_the_token(client, base, token):
    stranger = TestClient(client.app, base_url=base, follow_redirects=False)
    answer = stranger.get(f"/?token={token}&project=0123")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?project=0123")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    page = stranger.get(answer.headers["location"])
    assert page.status_code == 200
    assert "has not been built: run <code>make web</code>" in page.text
    assert token not in page.text


def test_guessing_is_slowed_down(client, base, token):
    guesser = TestClient(client.app, base_url=base, client=("10.1.1.1", 1))
    codes = [guesser.get("/", params={"token": "wrong"}).status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]
    right = guesser.get("/api/projects", headers={"Authorization": f"Bearer {token}"})
    assert right.status_code == 429
    assert int(right.headers["retry-after"]) <= 61
    assert client.get("/api/projects").status_code == 200


def test_a_page_with_an_old_token_keeps_nobody_from_the_new_address(client, base, token):
    name = f"masklet_studio_{base.rpartition(':')[2]}"
    old = TestClient(
        client.app, base_url=base, cookies={name: "of-the-studio-before"}, client=("10.1.1.2", 1)
    )
    assert [old.get("/api/projects").status_code for _ in range(11)] == [401] * 10 + [429]
    fresh = TestClient(client.app, base_url=base, client=("10.1.1.2", 2))
    assert fresh.get("/", params={"token": token}).status_code == 200
    assert fresh.get("/api/projects").status_code == 200  # the same browser: its other page goes on too


@pytest.mark.parametrize("given", ["Bearer wrong", "Basic YTpi", "Bearer", "Bearer \u00e9"])
def test_other_credentials_are_refused(client, base, given):
    stranger = TestClient(client.app, base_url=base)
    answer = stranger.get("/api/projects", headers=[("Authorization", given.encode("utf-8"))])
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "path", ["/", "/api/health", "/api/projects", "/api/nothing", "/nothing", "/api/jobs/1"]
)
def test_every_answer_has_the_security_headers(client, path):
    answer = client.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in answer.headers


def test_no_get_changes_anything(page, media_id):
    page.prompt(media_id)
    ids = {**SAMPLE, "project_id": page.project_id, "media_id": media_id}

    def dump():
        database = page.client.app.state.studio.store._database
        tables = ("projects", "media", "classes", "objects", "prompts", "results", "edits", "acknowledged")
        return [[dict(row) for row in database.rows(f"SELECT * FROM {table}")] for table in tables]

    before = dump()
    for route in flat(page.client.app).routes:
        if "GET" in (getattr(route, "methods", None) or ()):
            page.client.get(route.path.format(**ids))
    assert dump() == before


def test_errors_have_one_shape_and_give_no_folder_away(client, settings, media_id):
    (settings.media_folder / f"{media_id}.video").unlink()
    client.app.state.studio.frames.forget(media_id)
    answers = [
        client.get(f"/api/media/{media_id}/frames/0"),
        client.get("/api/projects/zzz"),
        client.get("/api/projects/0123456789abcdef"),
        client.post("/api/projects", content=b"{"),
        client.put("/api/projects"),
        client.get("/api/../../etc/passwd"),
        client.get("/api/jobs/..%2f..%2fetc%2fpasswd"),
    ]
    for answer in answers:
        assert 400 <= answer.status_code < 500, answer.text
        assert set(answer.json()) == {"code", "message"}
        assert str(settings.home) not in answer.text
        assert "/" not in answer.json()["message"]


def test_an_unexpected_failure_is_an_answer_too(client, monkeypatch):
    def fail(_self):
        raise ZeroDivisionError("/secret/place/file.py")

    monkeypatch.setattr(type(client.app.state.studio.store.projects), "listed", fail)
    answer = client.get("/api/projects")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_body_larger_than_allowed_is_refused(client):
    limit = client.app.state.studio.settings.limits.body_bytes
    answer = client.post("/api/projects", content=b" " * (limit + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_the_token_is_long_and_its_file_private(tmp_path):
    assert len(make_token()) >= 43
    assert make_token() != make_token()
    path = keep_token(tmp_path, "secret")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("secret", 0o600)
    with pytest.raises(StudioError, match="128 bits"):
        TokenGate("short")


def test_a_shared_studio_answers_to_addresses_but_to_no_foreign_name():
    place = Place(host="0.0.0.0", port=80)
    assert [place.allows_host(one) for one in ("10.0.0.5", "localhost:80", "evil.example", "10.0.0.5:81", None)] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_health_says_nothing_private(client, settings):
    answer = client.get("/api/health").json()
    assert answer["status"] in ("ok", "starting")
    assert str(settings.home) not in json.dumps(answer)
