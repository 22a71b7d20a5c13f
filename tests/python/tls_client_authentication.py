"""A client that a certificate proves, as the documentation of requests-oauthlib has it: no secret anywhere.

Usage: tls_client_authentication.py backend|web

The web application prints the authorization URL and reads the full callback URL from standard input.
"""

import os
import sys

import requests
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session

SERVER = os.environ["TEGATA_URL"]
CLIENT_ID = os.environ["CLIENT_ID"]
REDIRECT_URI = os.environ["REDIRECT_URI"]
AUTHORITY = os.environ["AUTHORITY"]
CERTIFICATE = ("test-client.pem", "test-client.key")
TOKEN_URL = f"{SERVER}/oauth/token"
MEMOS_URL = f"{SERVER}/api/memos"


def backend():
    oauth = OAuth2Session(client=BackendApplicationClient(client_id=CLIENT_ID))
    oauth.fetch_token(token_url=TOKEN_URL, include_client_id=True, cert=CERTIFICATE, verify=AUTHORITY)
    return oauth


def web():
    oauth = OAuth2Session(CLIENT_ID, redirect_uri=REDIRECT_URI, scope=["read"], pkce="S256")
    url, _state = oauth.authorization_url(f"{SERVER}/oauth/authorize")
    print("open", url, flush=True)
    oauth.fetch_token(
        token_url=TOKEN_URL,
        include_client_id=True,
        cert=CERTIFICATE,
        verify=AUTHORITY,
        authorization_response=input(),
    )
    oauth.cert, oauth.verify = CERTIFICATE, AUTHORITY
    before = oauth.token["refresh_token"]
    oauth.refresh_token(TOKEN_URL, client_id=CLIENT_ID)
    assert oauth.token["refresh_token"] != before
    return oauth


def main():
    oauth = {"backend": backend, "web": web}[sys.argv[1]]()
    assert oauth.token["token_type"] == "Bearer", oauth.token["token_type"]
    answer = oauth.get(MEMOS_URL, cert=CERTIFICATE, verify=AUTHORITY)
    answer.raise_for_status()
    bearer = {"Authorization": f"Bearer {oauth.token['access_token']}"}
    stolen = requests.get(MEMOS_URL, headers=bearer, verify=AUTHORITY)
    print("memos", len(answer.json()["memos"]), "stolen", stolen.status_code)


if __name__ == "__main__":
    main()
