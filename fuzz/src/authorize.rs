//! Authorization requests: an answer goes to a registered redirect URI and nowhere else, and says exactly
//! what it should.

use tegata::model::application::Application;
use tegata::model::grant_type::GrantType;
use tegata::protocol::authorize::{Asked, AuthorizationRequest, Delivery, Target, Unproven, check};
use tegata::protocol::error::OAuthError;
use tegata::protocol::params::Params;
use url::{Url, form_urlencoded};

use super::{assert_plain, sample};

const ISSUER: &str = "https://as.example";

pub fn holds(query: &[u8]) {
    let Ok(params) = Params::parse(query) else {
        return;
    };
    assert!(Target::identify(&params, None).is_err());
    for application in [sample::confidential(), sample::native()] {
        match Target::identify(&params, Some(&application)) {
            Ok(target) => proven(&params, &application, target),
            Err(unproven) => is_right(&unproven, &params),
        }
    }
}

fn is_right(unproven: &Unproven, params: &Params) {
    match unproven {
        Unproven::Repeated(name) => assert!(params.repeated(name)),
        Unproven::MissingClientId => assert_eq!(params.get("client_id"), None),
        Unproven::MissingRedirectUri => assert_eq!(params.get("redirect_uri"), None),
        Unproven::Mismatch { sent } => assert_eq!(params.get("redirect_uri"), Some(sent.as_str())),
        Unproven::UnknownClient => panic!("the application is known"),
    }
}

fn proven(params: &Params, application: &Application, target: Target) {
    let settings = &application.settings;
    assert!(target.is_registered(settings));
    assert_eq!(target.redirect_uri_sent(), params.get("redirect_uri").is_some());
    match params.get("redirect_uri") {
        Some(sent) => assert_eq!(target.redirect_uri(), sent),
        None => assert_eq!(target.redirect_uri(), settings.redirect_uris[0].as_str()),
    }
    let catalog = sample::catalog();
    let resources = sample::resources();
    let asked = Asked {
        resources: &resources,
        params,
        application: settings,
        catalog: &catalog,
        offered: &GrantType::ALL,
        require_pkce: false,
    };
    match check(&asked, target) {
        Ok(request) => granted(&request, &asked),
        Err((target, error)) => refused(&target, &error, &asked),
    }
}

fn granted(request: &AuthorizationRequest, asked: &Asked<'_>) {
    let sent = |name| asked.params.get(name);
    assert_eq!(sent("response_type"), Some("code"));
    assert_eq!(asked.params.first_repeated(), None);
    assert!(!request.scopes.is_empty());
    assert!(
        request
            .scopes
            .beyond(&asked.catalog.allowed(asked.application.scopes.as_ref()))
            .is_empty()
    );
    assert_eq!(request.code_challenge.as_deref(), sent("code_challenge"));
    assert!(asked.application.confidential || request.code_challenge.is_some());
    let json = serde_json::to_string(request).unwrap();
    assert_eq!(
        &serde_json::from_str::<AuthorizationRequest>(&json).unwrap(),
        request
    );

    match request.target.success("tgc_x", ISSUER) {
        Delivery::NativeCode => assert!(request.target.is_native()),
        Delivery::NativeError { .. } => panic!("a code is no error"),
        delivery => says(&delivery, &request.target, &[("code", "tgc_x")], asked),
    }
}

fn refused(target: &Target, error: &OAuthError, asked: &Asked<'_>) {
    assert_plain(error.description());
    match target.error(error, ISSUER) {
        Delivery::NativeError { code, description } => {
            assert!(target.is_native());
            assert_eq!((code, description.as_str()), (error.code(), error.description()));
        }
        Delivery::NativeCode => panic!("an error is no code"),
        delivery => {
            let uri = error.uri(ISSUER);
            let answer = [
                ("error", error.code().as_str()),
                ("error_description", error.description()),
                ("error_uri", &uri),
            ];
            says(&delivery, target, &answer, asked);
        }
    }
}

/// The answer goes to the redirect URI byte for byte, with these parameters, the state, the issuer, no more.
fn says(delivery: &Delivery, target: &Target, answer: &[(&str, &str)], asked: &Asked<'_>) {
    let mut expected = answer.to_vec();
    let state = asked.params.get("state").filter(|state| state.len() <= 8192);
    if let Some(state) = state.filter(|_| !asked.params.repeated("state")) {
        expected.push(("state", state));
    }
    if asked.application.send_iss {
        expected.push(("iss", ISSUER));
    }
    let said = match delivery {
        Delivery::Redirect(url) => said_by(url, target),
        Delivery::FormPost { action, fields } => {
            assert_eq!(action, target.redirect_uri());
            fields.clone()
        }
        Delivery::NativeCode | Delivery::NativeError { .. } => panic!("shown on a page"),
    };
    assert!(
        said.iter().map(|(name, value)| (&**name, &**value)).eq(expected),
        "{said:?}"
    );
}

fn said_by(url: &str, target: &Target) -> Vec<(String, String)> {
    let added = url.strip_prefix(target.redirect_uri()).unwrap();
    assert!(added.bytes().all(|byte| byte.is_ascii_graphic()));
    if let Some(fragment) = added.strip_prefix('#') {
        return form_urlencoded::parse(fragment.as_bytes()).into_owned().collect();
    }
    assert!(!added.contains('#'));
    let before = Url::parse(target.redirect_uri()).unwrap().query_pairs().count();
    let read = Url::parse(url).unwrap();
    read.query_pairs()
        .skip(before)
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}
