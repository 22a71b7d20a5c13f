"""An application without a server of its own: the token comes in the fragment (implicit grant).

Prints the authorization URL and reads from standard input the address at which the browser arrived.
"""

import os

from oauthlib.oauth2 import MobileApplicationClient
from requests_oauthlib import OAuth2Session

SERVER = os.environ["TEGATA_URL"]
CLIENT_ID = os.environ["CLIENT_ID"]
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"


def main():
    session = OAuth2Session(client=MobileApplicationClient(client_id=CLIENT_ID), scope=["read"])
    url, _state = session.authorization_url(f"{SERVER}/oauth/authorize")
    print("open", url, flush=True)
    token = session.token_from_fragment(input())
    assert token["token_type"] == "Bearer", token["token_type"]
    assert token["scope"] == ["read"], token["scope"]
    assert "refresh_token" not in token, "the implicit grant brings no refresh token"
    answer = session.get(f"{SERVER}/api/memos")
    answer.raise_for_status()
    print("memos", [memo["message"] for memo in answer.json()["memos"]])


if __name__ == "__main__":
    main()
