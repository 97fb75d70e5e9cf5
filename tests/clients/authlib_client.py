"""Python's Authlib runs every grant against a running system, as its documentation shows them. The only thing beside the
library is a browser: requests with cookies, which fills in the pages that a person would.

    python authlib_client.py READY_FILE
"""

import html
import json
import os
import re
import sys
import uuid
from urllib.parse import parse_qs, urljoin, urlsplit

# The system under test is on loopback without TLS.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

REDIRECT_URI = "http://127.0.0.1:4711/callback"
PASSWORD = "correct horse battery staple"

with open(sys.argv[1]) as file:
    ready = json.load(file)
issuer = ready["url"].rstrip("/")
unique = uuid.uuid4().hex
email = f"authlib-{unique}@example.org"
metadata = requests.get(issuer + "/.well-known/openid-configuration").json()
assert metadata["issuer"] == issuer


def post(path, body, token=None):
    answer = requests.post(issuer + path, json=body, headers={"Authorization": f"Bearer {token}"} if token else {})
    assert answer.ok, f"{path}: {answer.status_code} {answer.text}"
    return answer.json()


admin = next(user for user in ready["users"] if user["role"] == "admin")
admin_token = post("/auth/login", {"email": admin["email"], "password": admin["password"]})["token"]
customer = post("/auth/register", {"email": email, "password": PASSWORD, "name": "Ada Lovelace"})["userId"]
key = ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"}, private=True)


def register(name, **more):
    spec = {
        "name": f"authlib {name} {unique}",
        "scopes": ["orders:read", "openid", "email", "profile", "offline_access"],
        "redirectUris": [REDIRECT_URI],
    }
    return post("/api/clients", {**spec, **more}, admin_token)


CONFIDENTIAL = ["client_credentials", "authorization_code", "refresh_token"]
with_secret = register("with a secret", grants=CONFIDENTIAL)
with_key = register("with a key", grants=CONFIDENTIAL, jwks={"keys": [key.as_dict(private=False)]})
public = register("public", grants=CONFIDENTIAL[1:], public=True)


def session(method, **more):
    """A session as the documentation of Authlib makes it for that way to authenticate."""
    more.update(token_endpoint_auth_method=method, revocation_endpoint_auth_method=method)
    if method == "private_key_jwt":
        made = OAuth2Session(with_key["clientId"], key, **more)
        made.register_client_auth_method(PrivateKeyJWT(metadata["token_endpoint"], alg="ES256"))
        return made
    if method == "none":
        return OAuth2Session(public["clientId"], **more)
    secret = with_secret["clientSecret"]
    return OAuth2Session(with_secret["clientId"], secret, **more)


def refused(error, call, *arguments, **more):
    try:
        call(*arguments, **more)
    except OAuthError as thrown:
        assert thrown.error == error, thrown
    else:
        raise AssertionError(f"{error} was expected")


def visit(url):
    """Follows redirects and fills in forms until it is sent to somebody else."""
    browser = requests.Session()
    answer = browser.get(url, allow_redirects=False)
    for _ in range(10):
        if "location" in answer.headers:
            url = urljoin(url, answer.headers["location"])
            if not url.startswith(issuer):
                return url
            answer = browser.get(url, allow_redirects=False)
            continue
        assert answer.status_code == 200, answer.text
        form = {}
        for name, value in re.findall(r'name="([^"]*)" value="([^"]*)"', answer.text):
            form.setdefault(name, html.unescape(value))
        if 'type="password"' in answer.text:
            form.update(email=email, password=PASSWORD)
        action = re.search(r'<form[^>]*action="([^"]*)"', answer.text).group(1)
        url = urljoin(url, html.unescape(action))
        answer = browser.post(url, data=form, allow_redirects=False)
    raise AssertionError("the pages lead nowhere")


for method in ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]:
    if method != "none":
        oauth = session(method, scope="orders:read")
        token = oauth.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
        assert token["scope"] == "orders:read"
        assert oauth.get(issuer + "/api/orders").status_code == 200
        about = oauth.introspect_token(metadata["introspection_endpoint"], token=token["access_token"])
        assert about.json()["active"] is True, about.text
        gone = oauth.revoke_token(metadata["revocation_endpoint"], token=token["access_token"])
        assert gone.status_code == 200, gone.text
        about = oauth.introspect_token(metadata["introspection_endpoint"], token=token["access_token"])
        assert about.json()["active"] is False, about.text

    verifier, nonce = generate_token(48), generate_token(20)
    scope = "openid email profile orders:read offline_access"
    oauth = session(method, scope=scope, redirect_uri=REDIRECT_URI, code_challenge_method="S256")
    url, state = oauth.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
    back = visit(url)
    assert back.startswith(REDIRECT_URI), back
    assert parse_qs(urlsplit(back).query)["iss"] == [issuer]
    first = oauth.fetch_token(metadata["token_endpoint"], authorization_response=back, code_verifier=verifier, state=state)
    key_set = KeySet.import_key_set(requests.get(metadata["jwks_uri"]).json())
    decoded = jwt.decode(first["id_token"], key_set, algorithms=["ES256"])
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        {"iss": {"value": issuer}, "aud": {"value": oauth.client_id}},
        {"nonce": nonce, "client_id": oauth.client_id, "access_token": first["access_token"]},
    )
    claims.validate()
    assert claims["sub"] == customer
    user = oauth.get(metadata["userinfo_endpoint"]).json()
    assert (user["sub"], user["email"], user["name"]) == (customer, email, "Ada Lovelace"), user
    assert oauth.get(issuer + "/api/orders").status_code == 200

    refresh = lambda token: oauth.refresh_token(metadata["token_endpoint"], refresh_token=token)
    second = dict(refresh(first["refresh_token"]))
    assert second["refresh_token"] != first["refresh_token"]
    third = dict(refresh(second["refresh_token"]))
    refused("invalid_grant", refresh, first["refresh_token"])
    refused("invalid_grant", refresh, third["refresh_token"])
    print(f"authlib: every grant with {method}")

refused("unsupported_grant_type", session("client_secret_basic").fetch_token, metadata["token_endpoint"],
        grant_type="password", username=email, password=PASSWORD)
print("authlib: done")
