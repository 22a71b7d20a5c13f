"""A world of a sandbox, and a client as people write them around requests-oauthlib."""

import requests
from requests_oauthlib import OAuth2Session

# Any loopback address is a redirect URI of a sandbox's applications; nothing listens there.
CALLBACK = "http://127.0.0.1:8765/callback"
BOTH = ["read", "write"]


class World:
    """A world made for one test, steered through its control plane."""

    def __init__(self, root):
        described = requests.post(f"{root}/sandbox", json={}, timeout=10)
        described.raise_for_status()
        self.__dict__.update(described.json())
        self.user = self.users[0]["username"]
        self.confidential = next(app for app in self.applications if app["confidential"])
        self.public = next(app for app in self.applications if not app["confidential"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        requests.delete(self.control, timeout=10).raise_for_status()

    def url(self, path):
        return f"{self.issuer}{path}"

    def steer(self, method, path, body=None, **query):
        """What the control plane answers; an error is the test's own fault."""
        answer = requests.request(method, f"{self.control}{path}", json=body, params=query, timeout=30)
        assert answer.ok, f"{method} {path} {body}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def advance(self, by):
        return self.steer("PATCH", "/clock", {"advance": by})

    def user_named(self, username):
        return self.steer("POST", "/users", {"username": username})

    def application(self, **settings):
        return self.steer("POST", "/applications", {"redirect_uris": [CALLBACK], "scopes": BOTH, **settings})

    def decide(self, url, **decision):
        """Where the browser of the person comes out who decides on the page at `url`."""
        return self.steer("POST", "/authorize", {"url": url, **decision})["redirect_to"]

    def mint(self, **token):
        return self.steer("POST", "/tokens", token)

    def script(self, endpoint, times=1, **answer):
        """From now on the next answers of `endpoint` are what `answer` says."""
        return self.steer("POST", "/scripts", {"endpoint": endpoint, "times": times, "answer": answer})

    def seen(self, endpoint, count=0, **query):
        """The requests that reached `endpoint`, once there are `count`."""
        if count:
            query |= {"count": count, "wait": 10}
        return self.steer("GET", "/requests", endpoint=endpoint, **query)["requests"]

    def introspect(self, token):
        app = self.confidential
        answer = requests.post(
            self.url("/oauth/introspect"),
            data={"token": token},
            auth=(app["client_id"], app["client_secret"]),
            timeout=10,
        )
        answer.raise_for_status()
        return answer.json()


class Client:
    """The client under test: signs a person in, keeps the token, calls the interface, refreshes."""

    def __init__(self, world, application=None, scope=BOTH, **session):
        self.world = world
        self.application = application or world.confidential
        self.token_url = world.url("/oauth/token")
        self.memos_url = world.url("/api/memos")
        self.secret = self.application.get("client_secret")
        self.credentials = {"client_id": self.application["client_id"]}
        if self.secret:
            self.credentials["client_secret"] = self.secret
        session.setdefault("redirect_uri", CALLBACK)
        self.session = OAuth2Session(self.application["client_id"], scope=scope, **session)

    @property
    def token(self):
        return self.session.token

    def address(self):
        """The authorization URL, to be opened in the person's browser."""
        return self.session.authorization_url(self.world.url("/oauth/authorize"))[0]

    def redeem(self, callback, **more):
        """The token for what the browser brought back."""
        more.setdefault("client_secret", self.secret)
        return self.session.fetch_token(self.token_url, authorization_response=callback, **more)

    def sign_in(self, **decision):
        self.redeem(self.world.decide(self.address(), **decision))
        return self

    def refresh(self, **more):
        return self.session.refresh_token(self.token_url, **self.credentials, **more)

    def memos(self, **more):
        return self.session.get(self.memos_url, timeout=10, **more)

    def remember(self, message):
        return self.session.post(self.memos_url, json={"message": message}, timeout=10)

    def messages(self):
        answer = self.memos()
        answer.raise_for_status()
        return [memo["message"] for memo in answer.json()["memos"]]
