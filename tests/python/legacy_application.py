"""An application that handles the user's password itself (password grant), and then refreshes.

Usage: legacy_application.py USERNAME; the password comes from standard input.
"""

import os
import sys

from oauthlib.oauth2 import LegacyApplicationClient
from requests_oauthlib import OAuth2Session

SERVER = os.environ["TEGATA_URL"]
CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
TOKEN_URL = f"{SERVER}/oauth/token"
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"


def main():
    session = OAuth2Session(client=LegacyApplicationClient(client_id=CLIENT_ID))
    print("open", TOKEN_URL, flush=True)
    first = session.fetch_token(
        token_url=TOKEN_URL,
        username=sys.argv[1],
        password=input(),
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
    )
    second = session.refresh_token(TOKEN_URL, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    assert second["refresh_token"] != first["refresh_token"], "a refresh token rotates"
    answer = session.get(f"{SERVER}/api/memos")
    answer.raise_for_status()
    print("memos", [memo["message"] for memo in answer.json()["memos"]])


if __name__ == "__main__":
    main()
