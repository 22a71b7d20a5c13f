//! Authorization requests: an answer goes to a registered redirect URI and nowhere else, and says exactly
//! what it should.

use tegata::model::application::Application;
use tegata::protocol::authorize::{Asked, AuthorizationRequest, Delivery, Target, Unproven, check};
use tegata::protocol::error::OAuthError;
use tegata::protocol::params::Params;
use url::Url;

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
        Delivery::Redirect(url) => says(&url, &request.target, &[("code", "tgc_x")], asked),
        Delivery::NativeCode => assert!(request.target.is_native()),
        Delivery::NativeError { .. } => panic!("a code is no error"),
    }
}

fn refused(target: &Target, error: &OAuthError, asked: &Asked<'_>) {
    assert_plain(error.description());
    match target.error(error, ISSUER) {
        Delivery::Redirect(url) => {
            let explained = format!("{ISSUER}/oauth/errors/{}", error.code().as_str());
            let answer = [
                ("error", error.code().as_str()),
                ("error_description", error.description()),
                ("error_uri", explained.as_str()),
            ];
            says(&url, target, &answer, asked);
        }
        Delivery::NativeError { code, description } => {
            assert!(target.is_native());
            assert_eq!((code, description.as_str()), (error.code(), error.description()));
        }
        Delivery::NativeCode => panic!("an error is no code"),
    }
}

/// The answer is the redirect URI byte for byte, then these parameters, the state, the issuer, no more.
fn says(url: &str, target: &Target, answer: &[(&str, &str)], asked: &Asked<'_>) {
    assert!(url.starts_with(target.redirect_uri()));
    assert!(url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'));
    let mut expected = answer.to_vec();
    let state = asked.params.get("state").filter(|state| state.len() <= 8192);
    if let Some(state) = state.filter(|_| !asked.params.repeated("state")) {
        expected.push(("state", state));
    }
    if asked.application.send_iss {
        expected.push(("iss", ISSUER));
    }
    let before = Url::parse(target.redirect_uri()).unwrap().query_pairs().count();
    let read = Url::parse(url).unwrap();
    let said: Vec<_> = read.query_pairs().skip(before).collect();
    assert!(
        said.iter().map(|(name, value)| (&**name, &**value)).eq(expected),
        "{url}"
    );
}
