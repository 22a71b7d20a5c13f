use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use time::OffsetDateTime;
use uuid::Uuid;

use super::*;
use crate::base::secret::Secret;
use crate::model::client_id::ClientId;
use crate::model::resource::Resource;
use crate::model::scope::Scope;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const ISSUER: &str = "https://as.example";

fn application(redirect_uris: &[&str]) -> Application {
    Application {
        id: Uuid::from_u128(1).into(),
        owner_id: None,
        owner: None,
        client_id: ClientId::parse("app").unwrap(),
        settings: ApplicationSettings {
            name: "App".into(),
            confidential: true,
            trusted: false,
            require_pkce: false,
            introspect: false,
            send_iss: true,
            localhost_any_port: false,
            redirect_uris: redirect_uris
                .iter()
                .map(|uri| RedirectUri::register(uri).unwrap())
                .collect(),
            scopes: None,
            grants: BTreeSet::from([GrantType::AuthorizationCode]),
            access_token_ttl: None,
            refresh_token_ttl: None,
            refresh_token_max_ttl: None,
            default_scopes: None,
            optional_scopes: None,
            access_token_ttls: BTreeMap::new(),
            reuse_access_token: false,
            reuse_refresh_token: false,
            revoke_previous_tokens: false,
            allowed_origins: Vec::new(),
            restricted: false,
            authentication: Box::default(),
        },
        version: 1,
        created_at: OffsetDateTime::UNIX_EPOCH,
        updated_at: OffsetDateTime::UNIX_EPOCH,
        last_used_at: None,
        oauth1: false,
        oauth1_rsa_public_key: None,
        disabled_at: None,
    }
}

fn one() -> Application {
    application(&["https://c.example/cb"])
}

fn catalog() -> Catalog {
    let read = Scope::parse("read").unwrap();
    Catalog::new(vec![(read.clone(), "Read".into())], [read].into_iter().collect())
}

fn params(query: &str) -> Params {
    Params::parse(query.as_bytes()).unwrap()
}

fn identify(query: &str, application: Option<&Application>) -> Result<Target, Unproven> {
    Target::identify(&params(query), application)
}

fn judged(query: &str, application: &Application) -> Result<AuthorizationRequest, String> {
    let params = params(query);
    let target = Target::identify(&params, Some(application)).unwrap();
    let asked = Asked {
        params: &params,
        application: &application.settings,
        catalog: &catalog(),
        offered: &GrantType::ALL,
        resources: &Resources::from_iter([Resource::parse("https://api.example").unwrap()]),
        require_pkce: false,
    };
    check(&asked, target).map_err(|(_, error)| error.code().as_str().to_owned())
}

#[test]
fn nothing_is_proven_without_a_known_enabled_client() {
    assert_eq!(
        identify("redirect_uri=x", Some(&one())),
        Err(Unproven::MissingClientId)
    );
    assert_eq!(identify("client_id=app", None), Err(Unproven::UnknownClient));
    let mut disabled = one();
    disabled.disabled_at = Some(OffsetDateTime::UNIX_EPOCH);
    assert_eq!(
        identify("client_id=app", Some(&disabled)),
        Err(Unproven::UnknownClient)
    );
}

#[test]
fn a_repeated_client_or_redirect_uri_is_never_redirected() {
    for name in ["client_id", "redirect_uri"] {
        let query = "client_id=app&redirect_uri=https://c.example/cb";
        assert_eq!(
            identify(&format!("{query}&{name}=https://c.example/cb"), Some(&one())),
            Err(Unproven::Repeated(name))
        );
    }
}

#[test]
fn the_redirect_uri_may_be_left_out_where_exactly_one_is_registered() {
    let target = identify("client_id=app", Some(&one())).unwrap();
    assert_eq!(
        (target.redirect_uri(), target.redirect_uri_sent()),
        ("https://c.example/cb", false)
    );
    let two = application(&["https://c.example/cb", "https://c.example/other"]);
    assert_eq!(
        identify("client_id=app", Some(&two)),
        Err(Unproven::MissingRedirectUri)
    );
    assert_eq!(
        identify("client_id=app", Some(&application(&[]))),
        Err(Unproven::MissingRedirectUri)
    );
}

#[test]
fn an_unregistered_redirect_uri_is_a_mismatch() {
    let sent = "https://evil.example/cb";
    assert_eq!(
        identify(&format!("client_id=app&redirect_uri={sent}"), Some(&one())),
        Err(Unproven::Mismatch {
            sent: sent.to_owned()
        })
    );
}

#[test]
fn the_answer_carries_state_and_iss_once_and_exactly() {
    let target = identify("client_id=app&state=a%2Bb%20%E3%81%B5", Some(&one())).unwrap();
    assert_eq!(
        target.success("tgc_x", ISSUER),
        Delivery::Redirect(
            "https://c.example/cb?code=tgc_x&state=a%2Bb%20%E3%81%B5&iss=https%3A%2F%2Fas.example".into()
        )
    );
}

#[test]
fn iss_can_be_left_out_for_clients_that_refuse_it() {
    let mut quiet = one();
    quiet.settings.send_iss = false;
    let target = identify("client_id=app", Some(&quiet)).unwrap();
    assert_eq!(
        target.success("c", ISSUER),
        Delivery::Redirect("https://c.example/cb?code=c".into())
    );
}

#[test]
fn a_native_target_is_never_redirected() {
    let target = identify("client_id=app", Some(&application(&[RedirectUri::OOB]))).unwrap();
    assert_eq!(target.success("c", ISSUER), Delivery::NativeCode);
    assert!(matches!(
        target.error(&OAuthError::access_denied("no"), ISSUER),
        Delivery::NativeError { .. }
    ));
}

#[test]
fn each_fault_has_its_error() {
    let cases = [
        ("client_id=app", "invalid_request"),
        ("client_id=app&response_type=token", "unauthorized_client"),
        ("client_id=app&response_type=CODE", "unsupported_response_type"),
        (
            "client_id=app&response_type=code%20token",
            "unsupported_response_type",
        ),
        (
            "client_id=app&response_type=code&state=a&state=b",
            "invalid_request",
        ),
        ("client_id=app&response_type=code&scope=unknown", "invalid_scope"),
        (
            "client_id=app&response_type=code&response_mode=web_message",
            "invalid_request",
        ),
        (
            "client_id=app&response_type=code&request=x",
            "request_not_supported",
        ),
        (
            "client_id=app&response_type=code&request_uri=x",
            "request_uri_not_supported",
        ),
        (
            "client_id=app&response_type=code&prompt=none%20login",
            "invalid_request",
        ),
        (
            "client_id=app&response_type=code&prompt=unknown",
            "invalid_request",
        ),
        (
            "client_id=app&response_type=code&code_challenge_method=S256",
            "invalid_request",
        ),
        (
            &format!("client_id=app&response_type=code&code_challenge={CHALLENGE}"),
            "invalid_request",
        ),
    ];
    for (query, error) in cases {
        assert_eq!(judged(query, &one()), Err(error.to_owned()), "{query}");
    }
}

#[test]
fn a_repeated_state_is_not_given_back() {
    let target = identify("client_id=app&state=a&state=b", Some(&one())).unwrap();
    let Delivery::Redirect(url) = target.error(&OAuthError::invalid_request("no"), ISSUER) else {
        panic!()
    };
    assert!(!url.contains("state="), "{url}");
}

#[test]
fn the_grant_must_be_allowed() {
    let mut without = one();
    without.settings.grants.clear();
    assert_eq!(
        judged("client_id=app&response_type=code", &without),
        Err("unauthorized_client".into())
    );
}

#[test]
fn pkce_is_asked_of_public_applications_and_where_it_is_required() {
    let with =
        format!("client_id=app&response_type=code&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let mut public = one();
    public.settings.confidential = false;
    let mut strict = one();
    strict.settings.require_pkce = true;
    for application in [&public, &strict] {
        assert_eq!(
            judged("client_id=app&response_type=code", application),
            Err("invalid_request".into())
        );
        assert!(judged(&with, application).is_ok());
    }
    assert!(judged("client_id=app&response_type=code", &one()).is_ok());
}

#[test]
fn unknown_and_empty_parameters_mean_nothing() {
    let query = "client_id=app&response_type=code&state=&&&foo=bar&scope&access_type=offline";
    let request = judged(query, &one()).unwrap();
    assert_eq!(request.scopes.to_string(), "read");
    assert_eq!(
        request.target.success("c", ""),
        Delivery::Redirect("https://c.example/cb?code=c&iss=".into())
    );
}

#[test]
fn what_a_prompt_wants() {
    let prompt = |text: &str| {
        judged(&format!("client_id=app&response_type=code&prompt={text}"), &one())
            .unwrap()
            .prompt
    };
    assert_eq!(prompt("none"), Prompt::None);
    assert!(prompt("login").wants_login());
    assert!(prompt("consent").wants_consent());
    assert!(prompt("select_account").wants_consent());
    assert_eq!(prompt("login%20consent"), Prompt::LoginAndConsent);
}

#[test]
fn what_may_be_unticked_is_kept_with_the_request() {
    let mut lenient = one();
    lenient.settings.optional_scopes = Some(Scopes::parse("read write").unwrap());
    let request = judged("client_id=app&response_type=code", &lenient).unwrap();
    assert_eq!(request.optional.to_string(), "read");
    assert!(request.narrowed(&Scopes::default()).scopes.is_empty());
    let kept = serde_json::to_value(&request).unwrap();
    assert_eq!(
        serde_json::from_value::<AuthorizationRequest>(kept).unwrap(),
        request
    );
}

proptest! {
    #[test]
    fn unticking_narrows_and_nothing_widens(
        asked in "(a |b |u:1 |u:2 ){1,4}", optional in "(a |b |u:1 |u:2 |c ){0,4}", ticked in "(a |b |u:1 |u:\\* |c ){0,4}"
    ) {
        let scopes = |text: &str| Scopes::parse(text).unwrap();
        let request = AuthorizationRequest {
            scopes: scopes(&asked),
            optional: scopes(&optional),
            ..judged("client_id=app&response_type=code", &one()).unwrap()
        };
        let granted = request.narrowed(&scopes(&ticked)).scopes;
        prop_assert!(granted.is_subset(&request.scopes));
        prop_assert!(request.scopes.difference(&request.optional).is_subset(&granted), "what is required stays");
        for scope in granted.intersection(&request.optional).iter() {
            prop_assert!(scopes(&ticked).covers(scope), "{scope} was unticked");
        }
    }
}

fn implicit(redirect_uris: &[&str]) -> Application {
    let mut application = application(redirect_uris);
    application.settings.grants.insert(GrantType::Implicit);
    application
}

fn token() -> TokenResponse {
    TokenResponse {
        access_token: Secret::new("tga_x"),
        token_type: TokenType::Bearer,
        expires_in: 60,
        refresh_token: Some(Secret::new("tgr_x")),
        scope: "read write".into(),
        created_at: 0,
    }
}

#[test]
fn a_token_comes_in_the_fragment_without_a_refresh_token() {
    let request = judged(
        "client_id=app&response_type=token&state=a%20%23",
        &implicit(&["https://c.example/cb?x=1"]),
    );
    assert_eq!(
        request.unwrap().target.token(&token(), ISSUER),
        Delivery::Redirect(
            "https://c.example/cb?x=1#access_token=tga_x&token_type=Bearer&expires_in=60&scope=read%20write\
             &state=a%20%23&iss=https%3A%2F%2Fas.example"
                .into()
        )
    );
}

#[test]
fn each_response_type_has_its_modes() {
    let public = implicit(&["https://c.example/cb"]);
    let query = |kind: &str, mode: &str| format!("client_id=app&response_type={kind}&response_mode={mode}");
    for (kind, mode) in [
        ("code", "query"),
        ("code", "fragment"),
        ("code", "form_post"),
        ("token", "fragment"),
        ("token", "form_post"),
    ] {
        assert!(judged(&query(kind, mode), &public).is_ok(), "{kind} by {mode}");
    }
    for (kind, mode) in [
        ("token", "query"),
        ("token", "web_message"),
        ("code", "form_post.jwt"),
        ("code", "FRAGMENT"),
    ] {
        assert_eq!(
            judged(&query(kind, mode), &public),
            Err("invalid_request".into()),
            "{kind} by {mode}"
        );
    }
}

#[test]
fn a_form_is_posted_to_the_web_alone() {
    let query = "client_id=app&response_type=code&response_mode=form_post";
    for uri in ["com.example.app:/cb", RedirectUri::OOB] {
        assert_eq!(
            judged(query, &application(&[uri])),
            Err("invalid_request".into()),
            "{uri}"
        );
    }
    for uri in ["https://c.example/cb", "http://localhost:1/cb", "http://[::1]/cb"] {
        assert!(judged(query, &application(&[uri])).is_ok(), "{uri}");
    }
}

#[test]
fn a_token_is_never_shown_on_a_page() {
    let query = "client_id=app&response_type=token";
    assert_eq!(
        judged(query, &implicit(&[RedirectUri::OOB])),
        Err("invalid_request".into())
    );
}

#[test]
fn an_error_travels_as_the_answer_would() {
    let error = OAuthError::access_denied("no");
    let delivered = |query: &str| {
        identify(query, Some(&implicit(&["https://c.example/cb"])))
            .unwrap()
            .error(&error, ISSUER)
    };
    let redirected = |query: &str| match delivered(query) {
        Delivery::Redirect(url) => url,
        other => panic!("{other:?}"),
    };
    assert!(redirected("client_id=app").starts_with("https://c.example/cb?error=access_denied&"));
    for query in [
        "client_id=app&response_type=token",
        "client_id=app&response_type=token&response_mode=query",
        "client_id=app&response_type=code&response_mode=fragment",
    ] {
        assert!(
            redirected(query).starts_with("https://c.example/cb#error=access_denied&"),
            "{query}"
        );
    }
    let Delivery::FormPost { action, fields } = delivered("client_id=app&response_mode=form_post&state=s")
    else {
        panic!("a form was asked for")
    };
    assert_eq!(action, "https://c.example/cb");
    let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["error", "error_description", "error_uri", "state", "iss"]);
}
