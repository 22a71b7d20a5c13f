"""The life of a token: expiry, refresh, rotation, revocation from either side, and the clocks."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from oauthlib.oauth2 import InvalidGrantError, TokenExpiredError
from sandbox import Client


def expired_for_the_client(token):
    return {**token, "expires_in": -30, "expires_at": 1}


def test_16_a_token_expires_and_the_client_refreshes_by_itself(world):
    token = Client(world).sign_in().token
    world.advance(token["expires_in"] + 1)
    saved = []
    client = Client(world, token=token)
    refused = client.memos()
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]

    client = Client(
        world,
        token=expired_for_the_client(token),
        auto_refresh_url=client.token_url,
        auto_refresh_kwargs=client.credentials,
        token_updater=saved.append,
    )
    assert client.messages() == []
    assert len(saved) == 1 and saved[0]["access_token"] != token["access_token"]


def test_17_without_a_refresh_token_the_person_is_asked_again(world):
    application = world.application(confidential=True, grants=["authorization_code"])
    client = Client(world, application).sign_in()
    assert "refresh_token" not in client.token
    world.advance(client.token["expires_in"] + 1)
    assert client.memos().status_code == 401
    with pytest.raises(TokenExpiredError):
        Client(world, application, token=expired_for_the_client(client.token)).memos()
    assert client.sign_in().memos().status_code == 200


def test_18_a_refresh_token_that_is_revoked_or_made_up_is_refused(world):
    client = Client(world).sign_in()
    world.steer("POST", "/revoke", {"token": client.token["refresh_token"]})
    with pytest.raises(InvalidGrantError):
        client.refresh()
    with pytest.raises(InvalidGrantError):
        client.refresh(refresh_token="tgr_made-up")
    minted = world.mint(scope="read", refresh_token=True, revoked=True)
    with pytest.raises(InvalidGrantError):
        client.refresh(refresh_token=minted["refresh_token"])


def test_19_a_refresh_token_rotates_and_two_at_once_get_the_same(world):
    client = Client(world).sign_in()
    old = client.token["refresh_token"]
    rivals = [Client(world, token=dict(client.token)) for _ in range(4)]
    with ThreadPoolExecutor() as threads:
        renewed = list(threads.map(lambda rival: rival.refresh()["refresh_token"], rivals))
    assert len(set(renewed)) == 1 and renewed[0] != old, "a lost answer is given again"
    assert rivals[0].memos().status_code == 200

    world.advance("1m")
    with pytest.raises(InvalidGrantError):
        client.refresh(refresh_token=old)
    assert rivals[0].memos().status_code == 401, "an old refresh token is a stolen one"
    with pytest.raises(InvalidGrantError):
        rivals[0].refresh()


def test_20_the_provider_takes_everything_back(world):
    client = Client(world).sign_in()
    kept = Client(world).sign_in(username=world.user_named("mei")["username"])
    assert world.steer("POST", "/revoke", {"username": world.user})["revoked"] >= 1
    refused = client.memos()
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    assert world.introspect(client.token["access_token"]) == {"active": False}
    with pytest.raises(InvalidGrantError):
        client.refresh()
    assert kept.memos().status_code == 200


def test_21_the_client_disconnects(world):
    client = Client(world).sign_in()
    token = client.token["refresh_token"]
    for _ in range(2):
        answer = client.session.post(
            world.url("/oauth/revoke"), data={"token": token, **client.credentials}, withhold_token=True
        )
        assert answer.status_code == 200, "a token that is dead already is no error (RFC 7009 §2.2)"
    assert client.memos().status_code == 401
    with pytest.raises(InvalidGrantError):
        client.refresh()


def test_22_the_person_behind_a_session_changes(world):
    world.user_named("mei")
    client = Client(world).sign_in()
    client.remember("fuji")
    before = world.introspect(client.token["access_token"])
    client.sign_in(username="mei")
    after = world.introspect(client.token["access_token"])
    assert (before["username"], after["username"]) == (world.user, "mei")
    assert before["sub"] != after["sub"]
    assert client.messages() == [], "another person's memos are not shown"

    world.steer("DELETE", "/users/mei")
    assert client.memos().status_code == 401


def test_23_many_connections_live_and_die_apart(world, other_world):
    def connect(number):
        name = f"person-{number}"
        world.user_named(name)
        client = Client(world).sign_in(username=name)
        client.remember(name)
        return client

    with ThreadPoolExecutor(8) as threads:
        clients = list(threads.map(connect, range(16)))
    world.steer("POST", "/revoke", {"username": "person-3"})
    alive = [number for number, client in enumerate(clients) if client.memos().ok]
    assert alive == [number for number in range(16) if number != 3]
    assert clients[5].messages() == ["person-5"]
    stranger = requests.get(other_world.url("/api/memos"), headers=bearer(clients[5]), timeout=10)
    assert stranger.status_code == 401, "a token of one world is nothing in another"


def test_24_clocks_that_disagree_do_no_harm(world):
    for now in ["2031-05-06T07:08:09Z", "2020-01-01T00:00:00Z"]:
        world.steer("PATCH", "/clock", {"now": now, "frozen": True})
        client = Client(world).sign_in()
        assert client.messages() == [], "expires_in is relative: no clock is compared"
        told = world.introspect(client.token["access_token"])
        assert told["exp"] - told["iat"] == client.token["expires_in"]
        world.advance(client.token["expires_in"] - 1)
        assert client.memos().status_code == 200
        world.advance(1)
        assert client.memos().status_code == 401
        assert client.refresh()["access_token"]
        world.advance("366d")
        with pytest.raises(InvalidGrantError):
            client.refresh()


def bearer(client):
    return {"Authorization": f"Bearer {client.token['access_token']}"}
