"""Codes that the token endpoint refuses, and clients that it does not believe."""

import pytest
from oauthlib.oauth2 import InvalidClientError, InvalidGrantError
from requests.auth import HTTPBasicAuth
from sandbox import CALLBACK, Client


def test_10_a_code_expires(world):
    client = Client(world)
    callback = world.decide(client.address())
    world.advance("61s")
    with pytest.raises(InvalidGrantError):
        client.redeem(callback)
    assert "expired" in world.seen("token", count=1)[0]["reason"]


def test_11_a_code_that_comes_twice_ends_what_came_of_it(world):
    client = Client(world)
    callback = world.decide(client.address())
    token = client.redeem(callback)
    with pytest.raises(InvalidGrantError):
        client.redeem(callback)
    stale = Client(world, token=token)
    assert stale.memos().status_code == 401
    with pytest.raises(InvalidGrantError):
        stale.refresh()


def test_12_a_code_that_is_wrong_or_anothers_is_refused(world):
    client = Client(world)
    callback = world.decide(client.address())
    state = client.session._state
    with pytest.raises(InvalidGrantError):
        client.redeem(f"{CALLBACK}?code=tgc_made-up&state={state}")

    thief = Client(world, world.application(confidential=True), state=lambda: state)
    thief.address()
    with pytest.raises(InvalidGrantError):
        thief.redeem(callback)
    reasons = [seen["reason"] for seen in world.seen("token", count=2)]
    assert reasons == ["code_unknown"] * 2
    assert client.redeem(callback)["access_token"], "whose it is can still redeem it"


def test_13_a_wrong_secret_is_told_and_does_not_cost_the_code(world):
    client = Client(world)
    callback = world.decide(client.address())
    with pytest.raises(InvalidClientError):
        client.redeem(callback, client_secret="wrong")
    assert client.redeem(callback)["access_token"]
    assert [seen["status"] for seen in world.seen("token", count=2)] == [401, 200]


def test_14_a_code_is_bound_to_its_redirect_uri(world):
    client = Client(world)
    callback = world.decide(client.address())
    client.session.redirect_uri = "http://127.0.0.1:8765/elsewhere"
    with pytest.raises(InvalidGrantError):
        client.redeem(callback)
    assert "redirect" in world.seen("token", count=1)[0]["reason"]


def test_15_a_client_shows_its_secret_in_the_header_in_the_body_or_has_none(world):
    basic, post, none = Client(world), Client(world), Client(world, world.public, pkce="S256")
    basic.sign_in()
    post.redeem(world.decide(post.address()), include_client_id=True)
    none.redeem(world.decide(none.address()), include_client_id=True, client_secret=None)
    assert all(client.memos().ok for client in (basic, post, none))

    callback = world.decide(post.address())
    with pytest.raises(InvalidClientError):
        post.redeem(callback, include_client_id=True, client_secret=None)
    callback = world.decide(none.address())
    with pytest.raises(InvalidClientError):
        none.redeem(callback, auth=HTTPBasicAuth(world.public["client_id"], "a-secret-it-does-not-have"))
    assert [seen["status"] for seen in world.seen("token", count=5)] == [200, 200, 200, 401, 401]
