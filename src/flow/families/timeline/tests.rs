use time::Duration;
use uuid::Uuid;

use super::*;
use crate::model::client_id::ClientId;
use crate::model::grant::RevokedReason;
use crate::model::resource::Resources;
use crate::model::scope::Scopes;

fn at(minute: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap() + Duration::minutes(minute)
}

fn grant(grant_type: GrantType) -> WholeGrant {
    WholeGrant {
        id: Uuid::nil().into(),
        application_id: Uuid::nil().into(),
        client_id: ClientId::parse("notes").unwrap(),
        user_id: Uuid::nil().into(),
        username: "alice".into(),
        grant_type: grant_type.into(),
        scopes: Scopes::parse("read").unwrap(),
        resources: Resources::default(),
        created_at: at(0),
        expires_at: at(100),
        last_used_at: None,
        revoked_at: None,
        revoked_reason: None,
        application_disabled: false,
        application_deleted: false,
        user_disabled: false,
        user_deleted: false,
        outdated: false,
        live_access_tokens: 1,
        refresh_tokens: 1,
        live_refresh_tokens: 1,
        certificate: None,
    }
}

fn by_code() -> WholeGrant {
    grant(GrantType::AuthorizationCode)
}

fn code(used_at: Option<OffsetDateTime>, failures: i64) -> FamilyCode {
    FamilyCode {
        created_at: at(0),
        expires_at: at(1),
        used_at,
        failures,
    }
}

fn refresh_token(id: u8, parent: Option<u8>, used_at: Option<OffsetDateTime>) -> FamilyRefreshToken {
    FamilyRefreshToken {
        hash: vec![id; 32],
        parent_hash: parent.map(|id| vec![id; 32]),
        created_at: at(i64::from(id)),
        expires_at: at(i64::from(id) + 10),
        used_at,
        retries: 0,
    }
}

fn token() -> AnyToken {
    AnyToken {
        client_id: ClientId::parse("notes").unwrap(),
        application_live: true,
        grant_id: Some(Uuid::nil().into()),
        scopes: Scopes::default(),
        resources: Resources::default(),
        created_at: at(0),
        expires_at: at(10),
        revoked_at: None,
        used_at: None,
        certificate: None,
    }
}

/// Does something to a grant.
type Change = fn(&mut WholeGrant);

fn told(events: &[Entry]) -> Vec<(OffsetDateTime, &str)> {
    events
        .iter()
        .map(|event| (event.at, event.what.as_str()))
        .collect()
}

#[test]
fn a_grant_by_code_begins_with_the_user_and_the_code() {
    let events = beginning(&by_code(), None, &[code(Some(at(0)), 2)], at(1));
    assert_eq!(
        told(&events),
        [
            (at(0), "alice authorized the application"),
            (at(0), "Authorization code issued"),
            (at(0), "Authorization code redeemed"),
        ]
    );
    assert_eq!(events[0].detail, "Granted: read.");
    assert!(
        events[1].detail.contains("2 times it came with a wrong proof"),
        "{events:?}"
    );
}

#[test]
fn a_code_that_nobody_redeemed_expires() {
    let last = |now| beginning(&by_code(), None, &[code(None, 0)], now).pop().unwrap();
    assert_eq!(last(at(1) - Duration::SECOND).what, "Authorization code issued");
    assert_eq!(
        (last(at(1)).at, &*last(at(1)).what),
        (at(1), "Authorization code expired")
    );
}

#[test]
fn a_grant_by_device_begins_with_the_device() {
    let device = |used_at| FamilyDevice {
        requested_from: "192.0.2.7".into(),
        created_at: at(-1),
        expires_at: at(5),
        used_at,
    };
    let grant = grant(GrantType::DeviceCode);
    let events = beginning(&grant, Some(&device(Some(at(1)))), &[], at(2));
    assert_eq!(
        told(&events),
        [
            (at(-1), "A device asked for access"),
            (at(0), "alice allowed it on the device page"),
            (at(1), "The device fetched its first tokens"),
        ]
    );
    assert!(events[0].detail.contains("192.0.2.7"), "{events:?}");
    assert_eq!(
        beginning(&grant, Some(&device(None)), &[], at(2)).len(),
        2,
        "it may come yet"
    );
    let never = beginning(&grant, Some(&device(None)), &[], at(5));
    assert_eq!(told(&never)[2], (at(5), "The device never fetched its tokens"));
}

#[test]
fn a_grant_by_password_says_that_the_application_had_it() {
    let events = beginning(&grant(GrantType::Password), None, &[], at(1));
    assert_eq!(
        told(&events),
        [(at(0), "The application signed in with alice’s password")]
    );
}

#[test]
fn every_renewal_names_what_replaced_what_and_how_often_it_was_told_again() {
    let mut third = refresh_token(3, Some(2), None);
    third.retries = 2;
    let tokens = [
        refresh_token(1, None, Some(at(2))),
        refresh_token(2, Some(1), Some(at(3))),
        third,
    ];
    let events = refreshes(&by_code(), &tokens);
    assert_eq!(
        told(&events),
        [
            (at(1), "First refresh token issued: 01010101"),
            (at(2), "Access renewed"),
            (at(3), "Access renewed"),
        ]
    );
    assert_eq!(events[1].detail, "Refresh token 02020202 replaced 01010101.");
    assert!(
        events[2].detail.ends_with("it was given again 2 times."),
        "{events:?}"
    );
}

#[test]
fn the_last_refresh_token_ends_unused_or_used_up() {
    let last = |token: FamilyRefreshToken, grant: &WholeGrant, now| -> Vec<String> {
        let events = ending(grant, &[refresh_token(1, None, Some(at(2))), token], now);
        events.into_iter().map(|event| event.what).collect()
    };
    let (idle, spent) = (
        refresh_token(2, Some(1), None),
        refresh_token(2, Some(1), Some(at(3))),
    );
    assert_eq!(last(idle.clone(), &by_code(), at(11)), Vec::<String>::new());
    assert_eq!(
        last(idle.clone(), &by_code(), at(12)),
        ["Refresh token 02020202 expired"]
    );
    assert_eq!(
        last(spent, &by_code(), at(4)),
        ["Access renewed for the last time"]
    );
    let mut revoked = by_code();
    revoked.revoked_at = Some(at(11));
    revoked.revoked_reason = Some("client".into());
    assert_eq!(
        last(idle, &revoked, at(50)),
        ["Revoked: the application gave it back"]
    );
}

#[test]
fn every_reason_has_words_of_its_own_for_people() {
    let reasons = [
        RevokedReason::Client,
        RevokedReason::Withdrawn,
        RevokedReason::CodeReplayed,
        RevokedReason::RefreshTokenReplayed,
        RevokedReason::PasswordChanged,
        RevokedReason::UserDisabled,
        RevokedReason::ApplicationDisabled,
        RevokedReason::ApplicationDeleted,
        RevokedReason::Operator,
        RevokedReason::Superseded,
        RevokedReason::AccessWithdrawn,
    ];
    let mut seen = std::collections::BTreeSet::new();
    for reason in reasons {
        let mut revoked = by_code();
        revoked.revoked_at = Some(at(5));
        revoked.revoked_reason = Some(reason.as_str().to_owned());
        let events = ending(&revoked, &[], at(200));
        let [end] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(end.at, at(5));
        assert!(!end.what.contains('_') && end.what.contains(' '), "{end:?}");
        let why = why_not(&revoked, at(200)).unwrap();
        assert!(why.starts_with("It was revoked: ") && why.ends_with('.'), "{why}");
        assert!(seen.insert(why), "{reason} is told like another");
    }
}

#[test]
fn a_grant_is_without_effect_for_more_reasons_than_that_it_was_revoked() {
    assert_eq!(why_not(&by_code(), at(99)), None);
    assert_eq!(why_not(&by_code(), at(100)).unwrap(), "It has reached its end.");
    let cases: [(Change, &str); 5] = [
        (
            |grant| grant.application_deleted = true,
            "The application was deleted.",
        ),
        (
            |grant| grant.application_disabled = true,
            "The application is disabled.",
        ),
        (|grant| grant.user_deleted = true, "The user was deleted."),
        (|grant| grant.user_disabled = true, "The user is disabled."),
        (
            |grant| grant.outdated = true,
            "Everything of the user was ended since, as by a new password, or who may use the application was changed.",
        ),
    ];
    for (change, expected) in cases {
        let mut ended = by_code();
        change(&mut ended);
        assert_eq!(why_not(&ended, at(1)).unwrap(), expected);
        assert!(!ended.is_live(at(1)));
        assert_eq!(ended.is_revocable(at(1)), ended.application_disabled);
    }
}

#[test]
fn a_token_is_dead_by_its_grant_by_its_application_or_by_itself() {
    let now = at(9);
    let live = by_code();
    assert_eq!(why_token_not(&token(), Some(&live), now), None);
    let mut revoked = by_code();
    revoked.revoked_at = Some(at(5));
    revoked.revoked_reason = Some("withdrawn".into());
    let cases = [
        (
            token(),
            Some(&revoked),
            now,
            "Its grant was revoked: the user’s permission was taken back.",
        ),
        (token(), None, now, "Its grant is gone."),
        (
            AnyToken {
                application_live: false,
                grant_id: None,
                ..token()
            },
            None,
            now,
            "The application is disabled or deleted.",
        ),
        (
            AnyToken {
                revoked_at: Some(at(1)),
                grant_id: None,
                ..token()
            },
            None,
            now,
            "It was revoked.",
        ),
        (
            AnyToken {
                used_at: Some(at(1)),
                ..token()
            },
            Some(&live),
            now,
            "It was used before, and each works once.",
        ),
        (token(), Some(&live), at(10), "It has expired."),
    ];
    for (token, grant, now, expected) in cases {
        assert_eq!(why_token_not(&token, grant, now).as_deref(), Some(expected));
    }
}
