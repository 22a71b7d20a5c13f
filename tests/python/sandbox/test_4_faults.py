"""A server that fails: errors, silence, nonsense; and what may not be told of it all."""

import json
import logging

import pytest
import requests
from oauthlib.oauth2 import MissingTokenError, OAuth2Error, TemporarilyUnavailableError
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ConnectionError, ReadTimeout
from sandbox import Client
from urllib3.util import Retry

# Long enough for a busy machine to answer in, short enough to wait out.
PATIENCE = 1


@pytest.mark.parametrize("status", [500, 502, 503, 504], ids=str)
def test_25_a_failing_token_endpoint_costs_nothing(world, status):
    client = Client(world)
    callback = world.decide(client.address())
    world.script("token", status=status)
    with pytest.raises(OAuth2Error):
        client.redeem(callback)
    world.script("token", status=status, error="temporarily_unavailable")
    with pytest.raises(TemporarilyUnavailableError):
        client.redeem(callback)
    assert client.redeem(callback)["access_token"], "the code was never spent"
    assert [seen["status"] for seen in world.seen("token", count=3)] == [status, status, 200]


def test_26_it_fails_twice_and_then_works(world):
    client = Client(world)
    patient = Retry(total=3, status_forcelist=[503], allowed_methods=None, backoff_factor=0)
    client.session.mount("http://", HTTPAdapter(max_retries=patient))
    world.script("token", times=2, status=503)
    assert client.sign_in().memos().status_code == 200
    assert [seen["status"] for seen in world.seen("token", count=3)] == [503, 503, 200]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"template": "malformed_json"}, MissingTokenError),
        ({"content_type": "text/html", "body": "<h1>Welcome</h1>"}, MissingTokenError),
        ({"template": "empty"}, MissingTokenError),
        ({"omit": ["access_token"]}, MissingTokenError),
        ({"set": {"expires_in": "soon"}}, ValueError),
        ({"drop": True}, ConnectionError),
        ({"drop": "answer"}, ConnectionError),
        ({"truncate": True}, ChunkedEncodingError),
    ],
    ids=str,
)
def test_27_nonsense_is_no_token(world, answer, error):
    client = Client(world)
    world.script("token", **answer)
    with pytest.raises(error):
        client.sign_in()
    assert not client.token
    assert client.sign_in().memos().status_code == 200, "one answer was nonsense, the next is not"


STALLED = {
    "metadata": ("GET", "/.well-known/oauth-authorization-server"),
    "authorize": ("GET", "/oauth/authorize"),
    "token": ("POST", "/oauth/token"),
    "revoke": ("POST", "/oauth/revoke"),
    "introspect": ("POST", "/oauth/introspect"),
    "device_authorization": ("POST", "/oauth/device_authorization"),
    "token_info": ("GET", "/oauth/token/info"),
    "memos": ("GET", "/api/memos"),
}


@pytest.mark.parametrize("endpoint", STALLED)
def test_28_an_endpoint_that_says_nothing_stalls_nobody_else(world, other_world, endpoint):
    method, path = STALLED[endpoint]
    world.script(endpoint, stall=True)
    with pytest.raises(ReadTimeout):
        requests.request(method, world.url(path), timeout=PATIENCE)
    for next_door in (other_world, world):
        answer = requests.request(method, next_door.url(path), timeout=10)
        assert answer.status_code < 500, "once was said: it is over"


def test_29_the_interface_says_401_403_429_and_500(world):
    client = Client(world, scope=["read"]).sign_in()
    assert client.memos().status_code == 200
    assert client.remember("fuji").status_code == 403
    nobody = requests.get(client.memos_url, headers={"Authorization": "Bearer tga_nobody"}, timeout=10)
    assert nobody.status_code == 401
    world.script("memos", status=429, retry_after=7)
    limited = client.memos()
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "7")
    for status in [500, 502, 503]:
        world.script("memos", status=status)
        assert client.memos().status_code == status
    patient = Retry(total=1, status_forcelist=[429], allowed_methods=None)
    client.session.mount("http://", HTTPAdapter(max_retries=patient))
    world.script("memos", status=429, retry_after=0)
    assert client.memos().status_code == 200


def test_30_no_secret_is_told(world, caplog):
    caplog.set_level(logging.INFO)
    client = Client(world, pkce="S256")
    address = client.address()
    callback = world.decide(address)
    code = callback.split("code=")[1].split("&")[0]
    first = dict(client.redeem(callback))
    second = client.refresh()
    client.memos()

    password = world.users[0]["password"]
    secrets = [client.secret, client.session._code_verifier, code, password]
    secrets += [token[kind] for token in (first, second) for kind in ("access_token", "refresh_token")]
    record = world.seen("token", count=2) + world.seen("memos", count=1) + world.seen("authorize")
    told = json.dumps(record) + caplog.text
    assert [secret for secret in secrets if secret in told] == []
    redeemed, refreshed, _ = record[:3]
    given, shown = redeemed["answer"]["refresh_token"], refreshed["parameters"]["refresh_token"]
    assert given == shown, "what is masked can still be told apart"
    assert given != refreshed["answer"]["refresh_token"]
