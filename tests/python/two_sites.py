"""Two sites of one owner: the one asks the other for its users' consent, step by step and by hand, and
then speaks on its own behalf.

Prints the authorization URL and reads the full callback URL from standard input.
"""

import os
import secrets
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session

SERVER = os.environ["TEGATA_URL"]
CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
REDIRECT_URI = os.environ["REDIRECT_URI"]
# As people mount it who are used to a slash at the end.
TOKEN_URL = f"{SERVER}/oauth/token/"
MEMOS_URL = f"{SERVER}/api/memos"
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"


def code_of(callback, state):
    answer = {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}
    assert callback.startswith(REDIRECT_URI), callback
    assert answer["state"] == state, answer
    return answer["code"]


def in_the_name_of_a_user():
    state = secrets.token_urlsafe()
    asked = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "scope": "read",
        "state": state,
    }
    print(f"open {SERVER}/oauth/authorize/?{urlencode(asked)}", flush=True)
    exchange = {
        "grant_type": "authorization_code",
        "code": code_of(input(), state),
        "redirect_uri": REDIRECT_URI,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }
    answer = requests.post(TOKEN_URL, data=exchange)
    answer.raise_for_status()
    tokens = answer.json()
    assert tokens["scope"] == "read" and tokens["refresh_token"], sorted(tokens)
    memos = requests.get(MEMOS_URL, headers={"Authorization": f"Bearer {tokens['access_token']}"})
    memos.raise_for_status()
    print("hers", [memo["message"] for memo in memos.json()["memos"]], flush=True)


def in_its_own_name():
    session = OAuth2Session(client=BackendApplicationClient(client_id=CLIENT_ID))
    session.fetch_token(token_url=TOKEN_URL, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    memos = session.get(MEMOS_URL)
    memos.raise_for_status()
    print("its own", [memo["message"] for memo in memos.json()["memos"]], flush=True)


if __name__ == "__main__":
    in_the_name_of_a_user()
    in_its_own_name()
