"""A device without a browser (RFC 8628): it prints the address to open, and polls.

A line on standard input says that the person has decided. A real device sleeps for the interval
between two polls; here the first two come at once, to be told to slow down.

Settings come from the environment: TEGATA_URL, CLIENT_ID, CLIENT_SECRET.
"""

import os

import requests
from oauthlib.oauth2 import DeviceClient, InvalidGrantError
from oauthlib.oauth2.rfc6749.errors import CustomOAuth2Error
from requests_oauthlib import OAuth2Session

SERVER = os.environ["TEGATA_URL"]
CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
TOKEN_URL = f"{SERVER}/oauth/token"
# oauthlib wants https; the development server speaks plain http.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"


def ask_for_codes():
    answer = requests.post(
        f"{SERVER}/oauth/device_authorization", auth=(CLIENT_ID, CLIENT_SECRET), data={"scope": "read"}
    )
    answer.raise_for_status()
    codes = answer.json()
    assert isinstance(codes["interval"], int) and isinstance(codes["expires_in"], int), codes
    assert codes["verification_uri"] == f"{SERVER}/oauth/device", codes
    return codes


def poll(session, codes):
    return session.fetch_token(TOKEN_URL, device_code=codes["device_code"], client_secret=CLIENT_SECRET)


def refused(session, codes):
    try:
        return poll(session, codes)
    except CustomOAuth2Error as error:
        return error.error
    except InvalidGrantError:
        return "used"


def main():
    session = OAuth2Session(client=DeviceClient(CLIENT_ID), scope="read")
    codes = ask_for_codes()
    print("open", codes["verification_uri_complete"], flush=True)
    names = {"authorization_pending": "pending", "slow_down": "slower"}
    first = [refused(session, codes), refused(session, codes)]
    input()
    for error in first:
        print(names[error], flush=True)
    token = poll(session, codes)
    print("token kept", flush=True)
    answer = session.get(f"{SERVER}/api/memos")
    answer.raise_for_status()
    print("memos", answer.json()["memos"], flush=True)
    print(refused(session, codes), flush=True)
    session.refresh_token(TOKEN_URL, refresh_token=token["refresh_token"], auth=(CLIENT_ID, CLIENT_SECRET))
    session.get(f"{SERVER}/api/memos").raise_for_status()
    print("refreshed", flush=True)


if __name__ == "__main__":
    main()
