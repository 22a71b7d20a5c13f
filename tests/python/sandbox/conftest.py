"""Every test has a world of its own in one running `tegata sandbox`, whose issuer SANDBOX_ISSUER names."""

import os

import pytest
from sandbox import World

# oauthlib wants https; a sandbox speaks plain http.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"


@pytest.fixture(scope="session")
def root():
    return os.environ["SANDBOX_ISSUER"]


@pytest.fixture
def world(root):
    with World(root) as made:
        yield made


@pytest.fixture
def other_world(root):
    with World(root) as made:
        yield made
