"""A consumer of 2009, as one ran on App Engine: it signs a GET with everything in the query.

Asks for a request token, prints the address to send the person to, reads the address that they come back to, exchanges
the verifier, and looks up who they are. No library signs: RFC 5849 section 3.4 is short enough.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from urllib.parse import parse_qs, quote, urlsplit

import requests

SERVER = os.environ["TEGATA_URL"]
CONSUMER_KEY = os.environ["CLIENT_ID"]
CONSUMER_SECRET = os.environ["CONSUMER_SECRET"]
CALLBACK = os.environ["REDIRECT_URI"]
CLOCK = int(os.environ.get("CLOCK", time.time()))


def encoded(text):
    return quote(text, safe="~")


def signed_query(url, token="", secret="", more=None):
    parameters = {
        "oauth_consumer_key": CONSUMER_KEY,
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(CLOCK),
        "oauth_nonce": secrets.token_hex(16),
        "oauth_version": "1.0",
        **(more or {}),
    }
    if token:
        parameters["oauth_token"] = token
    pairs = sorted((encoded(name), encoded(value)) for name, value in parameters.items())
    line = "&".join(f"{name}={value}" for name, value in pairs)
    text = "&".join(["GET", encoded(url), encoded(line)])
    key = f"{encoded(CONSUMER_SECRET)}&{encoded(secret)}"
    mac = hmac.new(key.encode(), text.encode(), hashlib.sha1).digest()
    return f"{line}&oauth_signature={encoded(base64.b64encode(mac).decode())}"


def fetch(path, token="", secret="", more=None, protected=False):
    url = SERVER + path
    headers = {"Authorization": "OAuth"} if protected else {}
    answer = requests.get(f"{url}?{signed_query(url, token, secret, more)}", headers=headers, timeout=10)
    answer.raise_for_status()
    return answer.text


def credentials(text):
    members = parse_qs(text)
    return members["oauth_token"][0], members["oauth_token_secret"][0]


answer = fetch("/oauth/request_token", more={"oauth_callback": CALLBACK})
assert parse_qs(answer)["oauth_callback_confirmed"] == ["true"]
request_token, request_secret = credentials(answer)
print("open", f"{SERVER}/oauth/authorize?oauth_token={request_token}", flush=True)

arrived = parse_qs(urlsplit(input()).query)
assert arrived["oauth_token"] == [request_token]
answer = fetch("/oauth/access_token", request_token, request_secret, {"oauth_verifier": arrived["oauth_verifier"][0]})
token, secret = credentials(answer)
print("screen_name", parse_qs(answer)["screen_name"][0])

person = json.loads(fetch("/account/verify_credentials.json", token, secret, protected=True))
print("knows", person["screen_name"], bool(person["id"]), "name" in person, "profile_image_url" in person)
