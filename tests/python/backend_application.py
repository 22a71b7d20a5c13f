"""A backend without a person: client credentials, the secret in the body or by Basic.

Usage: backend_application.py body|basic|plain
"""

import os
import sys

from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

SERVER = os.environ["TEGATA_URL"]
CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

CREDENTIALS = {
    # requests-oauthlib sends a bare secret by Basic of its own accord; the body has to be asked for.
    "body": {"client_secret": CLIENT_SECRET, "include_client_id": True},
    "basic": {"auth": HTTPBasicAuth(CLIENT_ID, CLIENT_SECRET)},
    "plain": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
}


def main():
    session = OAuth2Session(client=BackendApplicationClient(client_id=CLIENT_ID))
    token = session.fetch_token(token_url=f"{SERVER}/oauth/token", **CREDENTIALS[sys.argv[1]])
    assert token["token_type"] == "Bearer", token["token_type"]
    assert "refresh_token" not in token, "client credentials bring no refresh token"
    answer = session.get(f"{SERVER}/api/memos")
    answer.raise_for_status()
    print("memos", [memo["message"] for memo in answer.json()["memos"]])


if __name__ == "__main__":
    main()
