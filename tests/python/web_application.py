"""A web application: the callback URL brings the code; three ways to refresh the token.

Prints the authorization URL, reads the full callback URL from standard input, fetches the token,
and then refreshes it by each of the three styles that requests-oauthlib knows.
"""

import os

from oauthlib.oauth2 import TokenExpiredError
from requests_oauthlib import OAuth2Session, TokenUpdated

SERVER = os.environ["TEGATA_URL"]
CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
REDIRECT_URI = os.environ["REDIRECT_URI"]
TOKEN_URL = f"{SERVER}/oauth/token"
MEMOS_URL = f"{SERVER}/api/memos"
CREDENTIALS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"


def expired(token):
    return {**token, "expires_in": -30, "expires_at": 1}


def read_memos(session, style):
    answer = session.get(MEMOS_URL)
    answer.raise_for_status()
    print(style, len(answer.json()["memos"]), flush=True)


def authorize():
    session = OAuth2Session(CLIENT_ID, redirect_uri=REDIRECT_URI, scope=["read", "write"])
    # A parameter that only other servers know is sent too: it is ignored.
    url, _state = session.authorization_url(f"{SERVER}/oauth/authorize", access_type="offline")
    print("open", url, flush=True)
    token = session.fetch_token(TOKEN_URL, authorization_response=input(), client_secret=CLIENT_SECRET)
    read_memos(session, "authorized")
    return token


def refresh_by_hand(token):
    session = OAuth2Session(CLIENT_ID, token=expired(token))
    try:
        session.get(MEMOS_URL)
    except TokenExpiredError:
        token = session.refresh_token(TOKEN_URL, **CREDENTIALS)
    else:
        raise AssertionError("the client did not see that its token had expired")
    read_memos(OAuth2Session(CLIENT_ID, token=token), "by hand")
    return token


def refresh_and_be_told(token):
    session = OAuth2Session(
        CLIENT_ID, token=expired(token), auto_refresh_kwargs=CREDENTIALS, auto_refresh_url=TOKEN_URL
    )
    try:
        session.get(MEMOS_URL)
    except TokenUpdated as updated:
        token = updated.token
    else:
        raise AssertionError("the client was not told of its new token")
    read_memos(OAuth2Session(CLIENT_ID, token=token), "told")
    return token


def refresh_by_itself(token):
    saved = []
    session = OAuth2Session(
        CLIENT_ID,
        token=expired(token),
        auto_refresh_kwargs=CREDENTIALS,
        auto_refresh_url=TOKEN_URL,
        token_updater=saved.append,
    )
    read_memos(session, "by itself")
    assert len(saved) == 1, f"{len(saved)} tokens were saved"
    return saved[0]


def main():
    token = authorize()
    seen = {token["refresh_token"]}
    for style in (refresh_by_hand, refresh_and_be_told, refresh_by_itself):
        token = style(token)
        assert token["refresh_token"] not in seen, f"{style.__name__} brought no new refresh token"
        seen.add(token["refresh_token"])
    print("done", flush=True)


if __name__ == "__main__":
    main()
