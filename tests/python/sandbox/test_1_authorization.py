"""What comes back from the authorization endpoint: codes, denials, and what nobody should have sent."""

import pytest
import requests
from oauthlib.oauth2 import (
    AccessDeniedError,
    InvalidGrantError,
    MismatchingStateError,
    MissingCodeError,
    OAuth2Error,
)
from sandbox import BOTH, CALLBACK, Client


def test_01_a_person_says_yes_and_the_interface_opens(world):
    client = Client(world).sign_in()
    assert client.remember("fuji").status_code == 201
    assert client.messages() == ["fuji"]
    assert [seen["status"] for seen in world.seen("token", count=1)] == [200]
    assert [seen["method"] for seen in world.seen("memos", count=2)] == ["POST", "GET"]


def test_02_a_person_says_no_and_no_token_is_asked_for(world):
    client = Client(world)
    with pytest.raises(AccessDeniedError):
        client.sign_in(decision="deny")
    assert not client.session.authorized
    assert world.seen("token") == []


def test_03_less_is_granted_than_was_asked_for(world):
    client = Client(world)
    with pytest.raises(Warning, match="Scope has changed") as told:
        client.sign_in(scope="read")
    assert (sorted(told.value.old_scope), told.value.new_scope) == (BOTH, ["read"])

    narrower = Client(world, token=told.value.token)
    assert narrower.messages() == []
    refused = narrower.remember("fuji")
    assert (refused.status_code, refused.json()["error"]) == (403, "insufficient_scope")

    world.script("token", omit=["scope"])
    client.sign_in()
    assert "scope" not in client.token
    assert client.remember("fuji").status_code == 201, "then it is what was asked for (RFC 6749 §5.1)"


def test_04_a_state_that_is_anothers_or_is_missing_stops_the_client(world, other_world):
    mine, hers = Client(world), Client(world)
    mine.address()
    callback = world.decide(hers.address())
    with pytest.raises(MismatchingStateError):
        mine.redeem(callback)
    with pytest.raises(MismatchingStateError):
        mine.redeem(callback.split("&state=")[0])
    assert world.seen("token") == [], "nothing was sent for a redirect that is not ours"

    hers.redeem(callback)
    with pytest.raises(InvalidGrantError):
        hers.redeem(callback)

    elsewhere = Client(other_world, state=lambda: hers.session._state)
    elsewhere.address()
    with pytest.raises(InvalidGrantError):
        elsewhere.redeem(callback)


def test_05_a_redirect_with_a_code_and_an_error_is_an_error(world):
    client = Client(world)
    callback = world.decide(client.address())
    with pytest.raises(AccessDeniedError):
        client.redeem(f"{callback}&error=access_denied")
    assert world.seen("token") == []


def test_06_a_redirect_without_a_code_is_refused_by_the_client(world):
    client = Client(world)
    client.address()
    with pytest.raises(MissingCodeError):
        client.redeem(f"{CALLBACK}?state={client.session._state}")
    assert world.seen("token") == []


def test_07_a_redirect_uri_elsewhere_never_gets_the_browser(world):
    for uri in ["https://evil.example/callback", "//evil.example", "http://127.0.0.1.evil.example/callback"]:
        address = Client(world, redirect_uri=uri).address()
        page = requests.get(address, allow_redirects=False, timeout=10)
        assert (page.status_code, page.headers.get("Location")) == (400, None), uri
        decided = requests.post(f"{world.control}/authorize", json={"url": address}, timeout=10)
        assert (decided.status_code, decided.json()["error"]) == (400, "invalid_request"), uri


def test_08_a_public_client_is_held_to_pkce(world):
    client = Client(world, world.public, pkce="S256").sign_in()
    assert client.messages() == []

    callback = world.decide(client.address())
    client.session._code_verifier = "x" * 43
    with pytest.raises(InvalidGrantError):
        client.redeem(callback)
    assert "verifier" in world.seen("token", count=2)[-1]["reason"]

    without = Client(world, world.public)
    with pytest.raises(OAuth2Error, match="invalid_request.*code_challenge"):
        without.redeem(world.decide(without.address()))


def test_09_more_is_asked_for_step_by_step(world):
    first = Client(world, scope=["read"]).sign_in()
    assert first.remember("fuji").status_code == 403
    second = Client(world, scope=BOTH).sign_in()
    assert second.remember("fuji").status_code == 201
    assert first.messages() == ["fuji"], "the narrower token goes on"
