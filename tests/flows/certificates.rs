//! Clients that a certificate proves (RFC 8705 §2), as a proxy in front tells of it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rcgen::{ExtendedKeyUsagePurpose, SanType, date_time_ymd};
use serde_json::{Value, json};
use tegata::flow::sweep;
use tegata::model::certificate::Thumbprint;

use crate::endpoints::applications::Script;
use crate::world::{Authority, Pair, Request, World};

const ENDPOINTS: [&str; 4] = [
    "/oauth/token",
    "/oauth/revoke",
    "/oauth/introspect",
    "/oauth/device_authorization",
];

/// A server that trusts an authority, and an administrator's script.
pub(crate) struct Desk {
    pub(crate) world: World,
    pub(crate) authority: Authority,
    pub(crate) script: Script,
}

impl Desk {
    pub(crate) async fn of(world: World) -> Self {
        let authority = Authority::new("Authority");
        let file = world.folder().join("clients.pem");
        std::fs::write(&file, authority.pem()).unwrap();
        world
            .restart_with(&[("tls_client_ca", file.to_str().unwrap())])
            .await;
        Self {
            authority,
            ..Self::trusting_nobody(world).await
        }
    }

    async fn trusting_nobody(world: World) -> Self {
        let root = world.administrator("root").await;
        let script = Script::signed_in(&world, &root).await;
        Self {
            world,
            authority: Authority::new("Stranger"),
            script,
        }
    }

    /// An application that may use every grant of its own, with the members of `more`.
    pub(crate) async fn register(&self, more: &Value) -> Value {
        let mut body = json!({
            "name": "Memo Bot",
            "redirect_uris": ["https://app.example/callback"],
            "grants": ["authorization_code", "refresh_token", "client_credentials", "device_code"],
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = self.script.create(&body).await;
        assert_eq!(answer.status, 201, "{answer}");
        answer.json()
    }

    /// One that is proven by a certificate for `CN=app` of the authority.
    pub(crate) async fn of_authority(&self) -> Value {
        let subject = json!({ "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=app" });
        self.register(&subject).await
    }

    /// One that is proven by this certificate.
    pub(crate) async fn of_certificate(&self, pair: &Pair) -> Value {
        let own = json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth", "certificates": [pair.certificate_pem] });
        self.register(&own).await
    }

    pub(crate) async fn patch(&self, application: &Value, body: &Value) -> crate::world::Answer {
        let path = format!("/oauth/applications/{}", text(&application["id"]));
        self.script.request("PATCH", &path).json(body).await
    }

    /// What whoever runs the application reads of what was refused last.
    async fn refused_for(&self, application: &Value) -> Value {
        sweep::round(&self.world.app().await).await.unwrap();
        let path = format!("/oauth/applications/{}/failed_requests", text(&application["id"]));
        let rows = self.script.request("GET", &path).await.json();
        rows[0].clone()
    }
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// A request that succeeds as soon as its application is proven.
pub(crate) fn asked(world: &World, path: &str, application: &Value) -> Request {
    let fields = [("grant_type", "client_credentials"), ("token", "tga_unknown")];
    world
        .post(path, &fields)
        .field("client_id", text(&application["client_id"]))
}

/// As a proxy would send it (RFC 9440).
pub(crate) fn header(pair: &Pair) -> String {
    format!("Client-Cert: :{}:", STANDARD.encode(&pair.der))
}

fn client(name: &str) -> Pair {
    Pair::self_signed(name, |_| {})
}

on_each_database! {

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn a_certificate_of_the_authority_proves_a_client_at_every_endpoint(world: World) {
    let desk = Desk::of(world.clone()).await;
    let app = desk.of_authority().await;
    assert_eq!(app["client_secret"], Value::Null, "nothing to keep: {app}");
    let pair = desk.authority.pair("app", |_| {});
    for path in ENDPOINTS {
        let proven = asked(&world, path, &app).carrying(&pair).await;
        assert_eq!(proven.status, 200, "{path}: {proven}");
        asked(&world, path, &app).await.refused(401, "invalid_client");
        let basic = asked(&world, path, &app).without("client_id").carrying(&pair);
        basic.basic(text(&app["client_id"]), "").await.refused(400, "invalid_request");
    }
    let unnamed = asked(&world, "/oauth/token", &app).without("client_id").carrying(&pair).await;
    unnamed.refused(401, "invalid_client");
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn each_alternative_name_proves_a_client(world: World) {
    let desk = Desk::of(world.clone()).await;
    let pair = desk.authority.pair("app", |wanted| {
        wanted.subject_alt_names = vec![
            SanType::DnsName("app.example".try_into().unwrap()),
            SanType::URI("spiffe://example/app".try_into().unwrap()),
            SanType::IpAddress("192.0.2.7".parse().unwrap()),
            SanType::Rfc822Name("app@mail.example".try_into().unwrap()),
        ];
    });
    for (field, right, wrong) in [
        ("tls_client_auth_san_dns", "app.example", "example"),
        ("tls_client_auth_san_uri", "spiffe://example/app", "spiffe://example/ap"),
        ("tls_client_auth_san_ip", "192.0.2.7", "192.0.2.8"),
        ("tls_client_auth_san_email", "app@mail.example", "ap@mail.example"),
        ("tls_client_auth_subject_dn", "cn=APP", "CN=app.example"),
    ] {
        for (value, status) in [(right, 200), (wrong, 401)] {
            let app = desk.register(&json!({ "token_endpoint_auth_method": "tls_client_auth", field: value })).await;
            let answer = asked(&world, "/oauth/token", &app).carrying(&pair).await;
            assert_eq!(answer.status, status, "{field}={value}: {answer}");
        }
    }
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn a_certificate_of_its_own_proves_a_client_by_pem_and_by_key(world: World) {
    let desk = Desk::of(world.clone()).await;
    let (pair, other) = (client("app"), client("app"));
    let x5c = json!({ "keys": [{ "x5c": [STANDARD.encode(&pair.der)] }] });
    for own in [json!({ "certificates": [pair.certificate_pem] }), json!({ "certificates": pair.certificate_pem }), json!({ "jwks": x5c })] {
        let mut body = own.clone();
        body["token_endpoint_auth_method"] = json!("self_signed_tls_client_auth");
        let app = desk.register(&body).await;
        asked(&world, "/oauth/token", &app).carrying(&pair).await.tokens();
        asked(&world, "/oauth/token", &app).carrying(&other).await.refused(401, "invalid_client");
        asked(&world, "/oauth/token", &app).await.refused(401, "invalid_client");
    }
    // The old one goes on until the new one is everywhere.
    let app = desk.register(&json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth", "certificates": [pair.certificate_pem] })).await;
    let both = json!({ "certificates": [pair.certificate_pem, other.certificate_pem] });
    assert_eq!(desk.patch(&app, &both).await.status, 200);
    for shown in [&pair, &other] {
        asked(&world, "/oauth/token", &app).carrying(shown).await.tokens();
    }
    assert_eq!(desk.patch(&app, &json!({ "certificates": [other.certificate_pem] })).await.status, 200);
    asked(&world, "/oauth/token", &app).carrying(&pair).await.refused(401, "invalid_client");
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn every_refused_certificate_is_answered_alike_and_explained_to_whoever_runs_the_application(world: World) {
    let desk = Desk::of(world.clone()).await;
    let app = desk.of_authority().await;
    let own = client("known");
    let by_itself = desk.register(&json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth", "certificates": [own.certificate_pem] })).await;
    let plain = asked(&world, "/oauth/token", &json!({ "client_id": "nobody" })).await;
    plain.refused(401, "invalid_client");
    let told = |request: Request, application: Value, reason: &'static str| {
        let (desk, plain, world) = (&desk, &plain, &world);
        async move {
            let answer = request.await;
            assert_eq!((answer.status, &answer.body), (401, &plain.body), "{reason}: one answer for all");
            let row = desk.refused_for(&application).await;
            assert_eq!(row["reason"], reason, "{row}");
            world.clock.advance(1);
            row
        }
    };
    let with = |pair: &Pair| asked(&world, "/oauth/token", &app).carrying(pair);
    told(asked(&world, "/oauth/token", &app), app.clone(), "certificate_missing").await;
    told(asked(&world, "/oauth/token", &app).header("Client-Cert", ":AAAA:"), app.clone(), "certificate_unreadable").await;
    let pair = desk.authority.pair("app", |_| {});
    told(with(&pair).carrying(&pair), app.clone(), "certificate_unreadable").await;
    told(with(&client("app")), app.clone(), "certificate_untrusted").await;
    let stranger = Authority::new("Authority").pair("app", |_| {});
    told(with(&stranger), app.clone(), "certificate_untrusted").await;
    let over = desk.authority.pair("app", |wanted| wanted.not_after = date_time_ymd(2021, 1, 1));
    told(with(&over), app.clone(), "certificate_expired").await;
    let server = desk.authority.pair("app", |wanted| {
        wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    told(with(&server), app.clone(), "certificate_purpose").await;
    let row = told(with(&desk.authority.pair("another", |_| {})), app.clone(), "certificate_subject").await;
    assert_eq!((&row["value"], &row["registered"]), (&json!("CN=another"), &json!(["CN=app"])), "both are shown");
    let secret = |pair: &Pair| with(pair).field("client_secret", "tgs_x");
    told(secret(&client("app")), app.clone(), "certificate_untrusted").await;
    let unknown = asked(&world, "/oauth/token", &by_itself).carrying(&client("known"));
    let row = told(unknown, by_itself.clone(), "certificate_unknown").await;
    assert!(text(&row["value"]).starts_with("CN=known (SHA-256 "), "{row}");
    assert_ne!(row["registered"], json!([row["value"]]), "{row}");
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert", "rate_limits" = "true")
async fn a_secret_beside_the_certificate_of_a_client_is_a_second_mechanism_and_no_guess(world: World) {
    let desk = Desk::of(world.clone()).await;
    let app = desk.of_authority().await;
    let pair = desk.authority.pair("app", |_| {});
    for _ in 0..300 {
        let both = asked(&world, "/oauth/token", &app).carrying(&pair).field("client_secret", "tgs_x").await;
        both.refused(400, "invalid_request");
    }
    asked(&world, "/oauth/token", &app).carrying(&pair).await.tokens();
    assert_eq!(desk.refused_for(&app).await["reason"], "several_mechanisms");
    let without = asked(&world, "/oauth/token", &app).field("client_secret", "tgs_x").await;
    without.refused(401, "invalid_client");
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn an_application_is_held_to_the_one_way_that_is_registered(world: World) {
    let desk = Desk::of(world.clone()).await;
    let request = |app: &Value| asked(&world, "/oauth/token", app).without("client_id");
    for (method, basic, body) in [
        (Value::Null, 200, 200),
        (json!("client_secret_basic"), 200, 401),
        (json!("client_secret_post"), 401, 200),
    ] {
        let app = desk.register(&json!({ "token_endpoint_auth_method": method })).await;
        let (id, secret) = (text(&app["client_id"]), text(&app["client_secret"]));
        assert_eq!(request(&app).basic(id, secret).await.status, basic, "{method}");
        assert_eq!(request(&app).secret_in_body(id, secret).await.status, body, "{method}");
    }
    let app = desk.register(&json!({ "token_endpoint_auth_method": "client_secret_basic" })).await;
    request(&app).secret_in_body(text(&app["client_id"]), text(&app["client_secret"])).await;
    assert_eq!(desk.refused_for(&app).await["reason"], "method_differs");
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn a_certificate_beside_a_secret_is_no_second_mechanism_and_proves_nothing(world: World) {
    let app = world.application().create().await;
    let pair = client("app");
    let tokens = world.client_credentials(&app).carrying(&pair).await.tokens();
    assert_eq!(world.memos(&tokens.access).await.status, 200, "and what is not asked to be bound is not");
    world.client_credentials(&app).header("Client-Cert", "rubbish").await.tokens();
    let nameless = world.token(&[("grant_type", "client_credentials"), ("client_id", &app.client_id)]);
    nameless.carrying(&pair).await.refused(401, "invalid_client");
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn an_application_that_gets_a_certificate_loses_its_secrets_and_gets_one_when_it_goes(world: World) {
    let desk = Desk::of(world.clone()).await;
    let app = desk.register(&json!({})).await;
    let (id, secret) = (text(&app["client_id"]), text(&app["client_secret"]));
    let to_certificate = json!({ "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=app" });
    let changed = desk.patch(&app, &to_certificate).await;
    assert_eq!((changed.status, &changed.json()["tls_client_certificate_bound_access_tokens"]), (200, &json!(true)));
    world.token(&[("grant_type", "client_credentials")]).basic(id, secret).await.refused(401, "invalid_client");
    let rotated = world.command(&["application", "rotate-secret", id], "").await;
    assert_eq!(rotated.exit, 1, "{rotated:?}");
    let shown = world.command(&["application", "show", id], "").await.stdout;
    assert!(shown.contains("tls_client_auth_subject_dn") && shown.contains("CN=app"), "{shown}");
    let back = json!({ "token_endpoint_auth_method": null, "tls_client_auth_subject_dn": null });
    let changed = desk.patch(&app, &back).await.json();
    assert_eq!(changed["tls_client_certificate_bound_access_tokens"], json!(false));
    let fresh = text(&changed["client_secret"]);
    world.token(&[("grant_type", "client_credentials")]).basic(id, fresh).await.tokens();
    let log = world.command(&["audit", "--event", "application_changed"], "").await.stdout;
    let fields = ["token_endpoint_auth_method", "tls_client_auth_subject_dn", "tls_client_certificate_bound_access_tokens"];
    assert!(fields.iter().all(|field| log.contains(field)), "{log}");
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn what_cannot_prove_a_client_is_refused_when_it_is_registered(world: World) {
    let desk = Desk::of(world.clone()).await;
    let pair = client("app");
    let own = "self_signed_tls_client_auth";
    for (wrong, field) in [
        (json!({ "token_endpoint_auth_method": "private_key_jwt" }), "token_endpoint_auth_method"),
        (json!({ "token_endpoint_auth_method": own, "certificates": [pair.certificate_pem], "confidential": false, "grants": ["authorization_code"] }), "token_endpoint_auth_method"),
        (json!({ "token_endpoint_auth_method": "tls_client_auth" }), "tls_client_auth_subject_dn"),
        (json!({ "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "app" }), "tls_client_auth_subject_dn"),
        (json!({ "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=a", "tls_client_auth_san_ip": "192.0.2.7" }), "tls_client_auth_san_ip"),
        (json!({ "tls_client_auth_san_dns": "app.example" }), "tls_client_auth_san_dns"),
        (json!({ "token_endpoint_auth_method": own }), "certificates"),
        (json!({ "token_endpoint_auth_method": own, "certificates": pair.key_pem }), "certificates"),
        (json!({ "token_endpoint_auth_method": own, "certificates": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" }), "certificates"),
        (json!({ "token_endpoint_auth_method": own, "jwks": { "keys": [] } }), "jwks"),
        (json!({ "token_endpoint_auth_method": own, "jwks": { "keys": [{ "kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQAB" }] } }), "jwks"),
        (json!({ "token_endpoint_auth_method": own, "jwks": { "keys": [{ "x5c": [STANDARD.encode(&pair.der)], "kid": "a\0" }] } }), "jwks"),
        (json!({ "token_endpoint_auth_method": own, "jwks": { "keys": [{ "x5c": [STANDARD.encode(&pair.der)] }], "a\0": 1 } }), "jwks"),
        (json!({ "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=a\0" }), "tls_client_auth_subject_dn"),
        (json!({ "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_uri": "spiffe://a\0" }), "tls_client_auth_san_uri"),
        (json!({ "certificates": [pair.certificate_pem] }), "certificates"),
        (json!({ "token_endpoint_auth_method": own, "certificates": [pair.certificate_pem], "reuse_access_token": true }), "reuse_access_token"),
        (json!({ "token_endpoint_auth_method": own, "certificates": [pair.certificate_pem], "client_secret": "a secret that somebody chose, of 40 chars" }), "client_secret"),
    ] {
        let mut body = json!({ "name": "Memo Bot", "redirect_uris": ["https://app.example/callback"] });
        for (name, value) in wrong.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = desk.script.create(&body).await;
        assert_eq!(answer.status, 422, "{wrong}: {answer}");
        let json = answer.json();
        let told = json["errors"].as_object().unwrap();
        assert_eq!(told.keys().collect::<Vec<_>>(), [field], "{wrong}: {answer}");
    }
}

async fn a_server_that_sees_no_certificate_registers_none_and_keeps_what_is(world: World) {
    let desk = Desk::trusting_nobody(world.clone()).await;
    let subject = json!({ "name": "Bot", "redirect_uris": ["https://app.example/callback"], "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=app" });
    let refused = desk.script.create(&subject).await;
    assert_eq!(refused.status, 422, "{refused}");
    assert!(refused.body.contains("client_certificate_header"), "{refused}");
    let sees = [("trusted_proxies", "127.0.0.1"), ("client_certificate_header", "client-cert")];
    world.restart_with(&sees).await;
    let refused = desk.script.create(&subject).await;
    assert!(refused.body.contains("tls_client_ca"), "{refused}");
    let pair = client("app");
    let app = desk.register(&json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth", "certificates": [pair.certificate_pem] })).await;
    world.restart().await;
    assert_eq!(desk.patch(&app, &json!({ "name": "Robot" })).await.json()["token_endpoint_auth_method"], "self_signed_tls_client_auth");
    asked(&world, "/oauth/token", &app).carrying(&pair).await.refused(401, "invalid_client");
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "x-client-cert")
async fn the_header_is_read_in_each_of_its_formats(world: World) {
    let desk = Desk::of(world.clone()).await;
    let pair = client("app");
    let app = desk.register(&json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth", "certificates": [pair.certificate_pem] })).await;
    let escaped = utf8_percent_encode(&pair.certificate_pem, NON_ALPHANUMERIC).to_string();
    let element = format!("Hash={};Cert=\"{escaped}\";Subject=\"CN=app\"", Thumbprint::of(&pair.der).hexadecimal());
    for value in [format!(":{}:", STANDARD.encode(&pair.der)), escaped, element] {
        let proven = asked(&world, "/oauth/token", &app).header("X-Client-Cert", &value).await;
        assert_eq!(proven.status, 200, "{value}: {proven}");
        let elsewhere = asked(&world, "/oauth/token", &app).header("Client-Cert", &value).await;
        elsewhere.refused(401, "invalid_client");
    }
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "x-client-cert")
async fn an_alternative_name_that_a_client_chose_makes_it_nobody_else(world: World) {
    let desk = Desk::of(world.clone()).await;
    let (victim, attacker) = (client("victim"), client("attacker"));
    let app = desk.of_certificate(&victim).await;
    let escaped = |pair: &Pair| utf8_percent_encode(&pair.certificate_pem, NON_ALPHANUMERIC).to_string();
    let stolen = format!("Cert=\"{}\"", escaped(&victim));
    let own = format!("Hash={};Cert=\"{}\"", Thumbprint::of(&attacker.der).hexadecimal(), escaped(&attacker));
    let hash = Thumbprint::of(&victim.der).hexadecimal();
    for name in [format!("x,{stolen}"), format!("x;{stolen}"), format!("x,Hash={hash};{stolen}"), format!("x;Hash={hash};{stolen}")] {
        let request = asked(&world, "/oauth/token", &app).header("X-Client-Cert", &format!("{own};URI={name}"));
        request.await.refused(401, "invalid_client");
        assert_eq!(desk.refused_for(&app).await["reason"], "certificate_unreadable", "{name}");
    }
}

with("trusted_proxies" = "192.0.2.1", "client_certificate_header" = "client-cert")
async fn the_header_of_anybody_but_a_trusted_proxy_is_passed_over(world: World) {
    let desk = Desk::of(world.clone()).await;
    let pair = desk.authority.pair("app", |_| {});
    let app = desk.of_authority().await;
    for forged in [("X-Request-Start", "0"), ("X-Forwarded-For", "192.0.2.1"), ("Forwarded", "for=192.0.2.1")] {
        let request = asked(&world, "/oauth/token", &app).carrying(&pair).header(forged.0, forged.1);
        request.await.refused(401, "invalid_client");
        assert_eq!(desk.refused_for(&app).await["reason"], "certificate_missing");
    }
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn a_key_of_a_set_proves_every_certificate_of_it(world: World) {
    let desk = Desk::of(world.clone()).await;
    let pair = client("app");
    let key = rcgen::KeyPair::from_pem(&pair.key_pem).unwrap();
    let (x, y) = rcgen::PublicKeyData::der_bytes(&key)[1..].split_at(32);
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) });
    let app = desk.register(&json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": { "keys": [jwk] } })).await;
    assert_eq!(app["jwks"]["keys"][0]["crv"], "P-256");
    asked(&world, "/oauth/token", &app).carrying(&pair).await.tokens();
    asked(&world, "/oauth/token", &app).carrying(&client("app")).await.refused(401, "invalid_client");
}

}
