"""A native script: the person copies the code out of the browser, the token is kept on disk.

The first run prints the authorization URL and reads the code from standard input. Later runs take
the pickled token, and refresh it by themselves once it has expired.

Settings come from a .env file in the working directory or from the environment: TEGATA_URL,
CLIENT_ID, CLIENT_SECRET.
"""

import os
import pickle
from pathlib import Path

from dotenv import load_dotenv
from requests_oauthlib import OAuth2Session

load_dotenv(Path.cwd() / ".env")
SERVER = os.environ["TEGATA_URL"]
CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
TOKEN_URL = f"{SERVER}/oauth/token"
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
TOKEN_FILE = Path("token.pickle")
# oauthlib wants https; the development server speaks plain http.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"


def keep(token):
    TOKEN_FILE.write_bytes(pickle.dumps(token))
    print("token kept", flush=True)


def kept_token():
    return pickle.loads(TOKEN_FILE.read_bytes()) if TOKEN_FILE.exists() else None


def ask_for_token():
    session = OAuth2Session(client_id=CLIENT_ID, scope="read", redirect_uri=OUT_OF_BAND)
    url, _state = session.authorization_url(f"{SERVER}/oauth/authorize")
    print("open", url, flush=True)
    token = session.fetch_token(TOKEN_URL, client_secret=CLIENT_SECRET, code=input())
    keep(token)
    return token


def main():
    token = kept_token() or ask_for_token()
    session = OAuth2Session(
        CLIENT_ID,
        token=token,
        scope="read",
        redirect_uri=OUT_OF_BAND,
        auto_refresh_url=TOKEN_URL,
        auto_refresh_kwargs={"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
        token_updater=keep,
    )
    # The trailing slash is what such scripts send.
    answer = session.get(f"{SERVER}/api/memos/")
    answer.raise_for_status()
    print("memos", [memo["message"] for memo in answer.json()["memos"]], flush=True)


if __name__ == "__main__":
    main()
