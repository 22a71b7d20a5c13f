//! What the token, revocation and introspection endpoints read from a body: a code is redeemed only by
//! who proves all of it.

use tegata::model::grant_type::GrantType;
use tegata::model::ids::ApplicationId;
use tegata::protocol::grant::code::{Presented, Verdict, judge};
use tegata::protocol::introspection::IntrospectionRequest;
use tegata::protocol::params::Params;
use tegata::protocol::revocation::RevocationRequest;
use time::Duration;
use uuid::Uuid;

use super::{assert_plain, sample};

pub fn holds(body: &[u8]) {
    let Ok(params) = Params::parse(body) else {
        return;
    };
    token_in(&params);
    code(&params);
    if let Ok(grant) = params.require("grant_type").map(GrantType::parse) {
        assert!(grant.is_err() || params.get("grant_type").is_some_and(str::is_ascii));
    }
}

fn token_in(params: &Params) {
    let revocation = RevocationRequest::parse(params);
    let introspection = IntrospectionRequest::parse(params);
    match (revocation, introspection) {
        (Ok(one), Ok(other)) => {
            assert_eq!(params.first_repeated(), None);
            assert_eq!(params.get("token"), Some(one.token.expose()));
            assert_eq!(one.token.expose(), other.token.expose());
            assert_eq!(one.hint, other.hint);
            assert!(one.hint.is_none() || params.get("token_type_hint").is_some());
        }
        (Err(one), Err(other)) => {
            assert_eq!(one, other);
            assert_plain(one.description());
            assert!(params.get("token").is_none() || params.first_repeated().is_some());
        }
        _ => panic!("two readings of one body"),
    }
}

fn code(params: &Params) {
    let presented = Presented::of(params);
    let client = sample::application_id();
    let code = sample::code();
    let proves = params.get("redirect_uri") == Some(sample::CALLBACK)
        && params.get("code_verifier") == Some(sample::VERIFIER);
    let verdict = judge(&code, client, presented, sample::NOW);
    assert_eq!(verdict == Verdict::Redeem, proves, "{verdict:?}");
    assert!(proves || matches!(verdict, Verdict::Fail(_)));

    let late = judge(&code, client, presented, code.expires_at);
    assert_eq!(matches!(late, Verdict::Refuse(_)), proves);
    let another: ApplicationId = Uuid::from_u128(4).into();
    let foreign = judge(&code, another, presented, sample::NOW);
    assert!(matches!(foreign, Verdict::Refuse(_)));

    let mut used = code.clone();
    used.used_at = Some(sample::NOW - Duration::seconds(1));
    let again = judge(&used, client, presented, sample::NOW);
    assert_eq!(again == Verdict::Replay, proves);
    assert!(proves || matches!(again, Verdict::Refuse(_)));

    let mut plain = code;
    plain.code_challenge = None;
    let stripped = judge(&plain, client, presented, sample::NOW);
    assert!(stripped != Verdict::Redeem || params.get("code_verifier").is_none());
}
