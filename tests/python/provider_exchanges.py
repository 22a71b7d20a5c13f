"""The exchanges with a provider of OAuth 1.0a, by requests-oauthlib's OAuth1Session.

METHOD is the signature method, PLACE where the parameters go: AUTH_HEADER, BODY or QUERY. Prints the address to send
the person to, reads what they bring back: the whole callback, or the PIN that they were shown. Then calls an interface
by the access token, in the header and in the query.
"""

import os

from requests_oauthlib import OAuth1Session

SERVER = os.environ["TEGATA_URL"]
CALLBACK = os.environ["REDIRECT_URI"]
METHOD = os.environ["METHOD"]
PLACE = os.environ["PLACE"]
KEYS = {"signature_method": METHOD}
if METHOD == "RSA-SHA1":
    with open(os.environ["RSA_KEY_FILE"], encoding="ascii") as file:
        KEYS["rsa_key"] = file.read()


def session(place=PLACE, **more):
    return OAuth1Session(
        os.environ["CLIENT_ID"],
        client_secret=os.environ["CONSUMER_SECRET"],
        signature_type=place,
        **KEYS,
        **more,
    )


first = session(callback_uri=CALLBACK)
request = first.fetch_request_token(f"{SERVER}/oauth/request_token")
assert request["oauth_callback_confirmed"] == "true", request
print("open", first.authorization_url(f"{SERVER}/oauth/authorize"), flush=True)

brought = input()
second = session(
    resource_owner_key=request["oauth_token"],
    resource_owner_secret=request["oauth_token_secret"],
    **({"verifier": brought} if CALLBACK == "oob" else {}),
)
if CALLBACK != "oob":
    second.parse_authorization_response(brought)
access = second.fetch_access_token(f"{SERVER}/oauth/access_token")
print(access["screen_name"], "user_id" in access)

for place in ["AUTH_HEADER", "QUERY"]:
    signed = session(
        place,
        resource_owner_key=access["oauth_token"],
        resource_owner_secret=access["oauth_token_secret"],
    )
    person = signed.get(f"{SERVER}/account/verify_credentials.json")
    memos = signed.get(f"{SERVER}/api/memos", params={"limit": "5"})
    print(place, person.status_code, person.json()["screen_name"], memos.status_code, memos.json())
