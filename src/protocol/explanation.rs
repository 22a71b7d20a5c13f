//! What every error code means, for the developer of a client: the pages behind `error_uri`
//! (RFC 6749 §4.1.2.1 and §5.2). They say nothing of any request.

/// The path of the list; a code's page is under it.
pub const PATH: &str = "/oauth/errors";

/// The page on one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub code: &'static str,
    /// In a sentence or two.
    pub meaning: &'static str,
    /// What usually causes it, and what to change then.
    pub causes: &'static [(&'static str, &'static str)],
    /// Where it is defined.
    pub section: &'static str,
}

/// The address of the page on `code`.
pub fn uri(issuer: &str, code: &str) -> String {
    format!("{issuer}{PATH}/{code}")
}

/// The page on `code`, if there is such a code.
pub fn find(code: &str) -> Option<&'static Explanation> {
    ALL.iter().find(|explanation| explanation.code == code)
}

/// Every page, in the order of the list.
pub const ALL: &[Explanation] = &[
    Explanation {
        code: "invalid_request",
        meaning: "The request cannot be understood: a parameter is missing, is there twice, or holds what it may not hold. The error_description names it.",
        causes: &[
            (
                "A required parameter is missing or empty",
                "Send it. An empty value counts as none.",
            ),
            (
                "A parameter is there twice, perhaps once in the URL and once in the body",
                "Send every parameter once. At the token endpoint they belong in the body.",
            ),
            (
                "The application must use PKCE and sent no code_challenge",
                "Send code_challenge and code_challenge_method=S256; most libraries do so when told to use PKCE.",
            ),
            (
                "The body is JSON",
                "Send application/x-www-form-urlencoded in UTF-8.",
            ),
        ],
        section: "RFC 6749 §4.1.2.1 and §5.2",
    },
    Explanation {
        code: "invalid_client",
        meaning: "The server does not know the client, or the client did not prove that it is the one it names.",
        causes: &[
            (
                "The client_id is of another server or has a typing mistake",
                "Copy it again from the application's page.",
            ),
            (
                "The secret is wrong, was retired, or has a line end after it",
                "Copy the secret again without spaces. It is shown once; where it is lost, have a new one made.",
            ),
            (
                "The application is public, but the client sends a secret; or it is confidential, and the client sends none",
                "Send the client_id alone as a public application, both as a confidential one.",
            ),
            (
                "Client_id and secret in a Basic header were not form-encoded first",
                "Form-encode both, join them by a colon, then encode in base64; or send them in the body.",
            ),
            (
                "The application was disabled or deleted",
                "Ask whoever runs this server.",
            ),
        ],
        section: "RFC 6749 §5.2, client authentication in §2.3.1",
    },
    Explanation {
        code: "invalid_grant",
        meaning: "What the client wants to exchange is no longer good, never was, or belongs to another client: an authorization code, a refresh token or a user's password.",
        causes: &[
            (
                "The authorization code was redeemed before, or a minute has gone by",
                "Redeem it at once and only once. A page that is loaded again sends it again.",
            ),
            (
                "The redirect_uri is not the one of the authorization request",
                "Send the same text in both requests.",
            ),
            (
                "The code_verifier does not belong to the code_challenge",
                "Keep one verifier a request, under its state, and send it unchanged.",
            ),
            (
                "The refresh token was used before: each use gives a new one",
                "Store the new refresh token before anything else, and refresh from one place at a time.",
            ),
            (
                "The user name or the password is wrong, or the user is disabled",
                "Ask the person for them again; better, send the person through authorization, which needs no password in the client.",
            ),
            (
                "The user withdrew the access, changed the password, or was away for too long",
                "Send the user through authorization again.",
            ),
        ],
        section: "RFC 6749 §5.2, codes in §4.1.3, refresh tokens in §6",
    },
    Explanation {
        code: "unauthorized_client",
        meaning: "The client is who it says it is, but may not use this grant.",
        causes: &[
            (
                "The grant is not among those of the application",
                "Have it ticked on the application's page.",
            ),
            (
                "A public application asks for client_credentials",
                "Register a confidential application for what acts in its own name.",
            ),
        ],
        section: "RFC 6749 §4.1.2.1 and §5.2",
    },
    Explanation {
        code: "unsupported_grant_type",
        meaning: "The server does not know the grant_type, or has it switched off.",
        causes: &[
            (
                "A typing mistake, or the name of another server's own grant",
                "Use a value of grant_types_supported in the server's metadata.",
            ),
            (
                "The operator does not offer the grant",
                "Use authorization_code, with PKCE.",
            ),
        ],
        section: "RFC 6749 §5.2",
    },
    Explanation {
        code: "invalid_scope",
        meaning: "The scope is malformed, unknown, or more than the client may have. The error_description names what it may ask for.",
        causes: &[
            (
                "The names are separated by commas or by several spaces",
                "Separate them by single spaces, encoded as + or %20.",
            ),
            (
                "The application is not allowed one of the scopes",
                "Ask for less, or have the scope allowed on the application's page.",
            ),
            (
                "A refresh asks for more than the user had granted",
                "Leave scope out of the refresh; for more, send the user through authorization again.",
            ),
            (
                "No scope was named, and there is none by default",
                "Name the scopes that the client needs.",
            ),
        ],
        section: "RFC 6749 §3.3, §4.1.2.1 and §5.2",
    },
    Explanation {
        code: "access_denied",
        meaning: "The user said no, or may not use the application. The request itself was right.",
        causes: &[
            (
                "The user pressed Deny, on the consent page or on the page for devices",
                "Go on without access, and say what does not work without it. Do not ask again at once.",
            ),
            (
                "The application is for some users only, and this one is not among them",
                "Ask whoever runs this server: an administrator names the users and groups that may use it.",
            ),
        ],
        section: "RFC 6749 §4.1.2.1, RFC 8628 §3.5",
    },
    Explanation {
        code: "unsupported_response_type",
        meaning: "The server does not give the kind of answer that response_type asks for.",
        causes: &[
            (
                "The client uses the implicit flow (token), which the server does not offer, or OpenID Connect (id_token)",
                "Use response_type=code, with PKCE; it works in browsers and in native applications too.",
            ),
            (
                "A typing mistake",
                "Use a value of response_types_supported in the server's metadata.",
            ),
        ],
        section: "RFC 6749 §3.1.1 and §4.1.2.1",
    },
    Explanation {
        code: "server_error",
        meaning: "The server met a condition that it did not expect. The client did nothing wrong.",
        causes: &[(
            "A fault of the server",
            "Try again later. Give the X-Request-Id of the answer to whoever runs this server.",
        )],
        section: "RFC 6749 §4.1.2.1",
    },
    Explanation {
        code: "temporarily_unavailable",
        meaning: "The server cannot do it at the moment. Nothing was decided: tokens and codes are as good as before.",
        causes: &[
            (
                "The store is out of reach, or there is too much to do",
                "Try again after the seconds in Retry-After. Do not throw tokens away.",
            ),
            (
                "Too many failures came from the same address (status 429)",
                "Wait the seconds in Retry-After, and mend what fails before trying again.",
            ),
        ],
        section: "RFC 6749 §4.1.2.1",
    },
    Explanation {
        code: "invalid_target",
        meaning: "The resource that the token was asked for is unknown, malformed, or none that this client may use.",
        causes: &[
            (
                "The parameter resource is not exactly one that the server knows",
                "Send the resource's identifier as it is published, an absolute URI without a fragment.",
            ),
            (
                "The token request names a resource that the authorization request did not",
                "Name it in the authorization request, too.",
            ),
        ],
        section: "RFC 8707 §2",
    },
    Explanation {
        code: "login_required",
        meaning: "Nobody is signed in, and the request with prompt=none allows no page to sign in on.",
        causes: &[(
            "The session is over, or the browser sends no cookies inside a frame",
            "Send the user through an ordinary authorization request, without prompt=none.",
        )],
        section: "OpenID Connect Core 1.0 §3.1.2.6",
    },
    Explanation {
        code: "consent_required",
        meaning: "The user has to be asked, and the request with prompt=none allows no page to ask on.",
        causes: &[
            (
                "The user has not allowed this application these scopes yet, or took it back",
                "Send the user through an ordinary authorization request, without prompt=none.",
            ),
            (
                "The application is public: its users are asked every time",
                "Keep a refresh token instead of asking in the background.",
            ),
        ],
        section: "OpenID Connect Core 1.0 §3.1.2.6",
    },
    Explanation {
        code: "interaction_required",
        meaning: "Something has to be done by the user, and the request with prompt=none allows no page.",
        causes: &[(
            "The server must show a page",
            "Send the user through an ordinary authorization request, without prompt=none.",
        )],
        section: "OpenID Connect Core 1.0 §3.1.2.6",
    },
    Explanation {
        code: "request_not_supported",
        meaning: "The request came as a request object, which this server does not read.",
        causes: &[(
            "The client sends the parameter request",
            "Send the parameters one by one, in the query.",
        )],
        section: "OpenID Connect Core 1.0 §3.1.2.6, RFC 9101 §5",
    },
    Explanation {
        code: "request_uri_not_supported",
        meaning: "The request is said to be at another address, which this server does not fetch.",
        causes: &[(
            "The client sends the parameter request_uri",
            "Send the parameters one by one, in the query.",
        )],
        section: "OpenID Connect Core 1.0 §3.1.2.6, RFC 9101 §5",
    },
    Explanation {
        code: "authorization_pending",
        meaning: "The user has not decided yet on the other device. This is no failure.",
        causes: &[(
            "The user is still typing the code",
            "Ask again after the interval in seconds that the first answer gave.",
        )],
        section: "RFC 8628 §3.5",
    },
    Explanation {
        code: "slow_down",
        meaning: "The device asks too often.",
        causes: &[(
            "The client asks in shorter intervals than it was told",
            "Add five seconds to the interval, for this and all later requests.",
        )],
        section: "RFC 8628 §3.5",
    },
    Explanation {
        code: "expired_token",
        meaning: "The device code came to its end before the user had decided.",
        causes: &[(
            "The user took too long, or went away",
            "Stop asking. Start again when the user wants to.",
        )],
        section: "RFC 8628 §3.5",
    },
    Explanation {
        code: "unsupported_token_type",
        meaning: "The server does not revoke tokens of this kind.",
        causes: &[(
            "The token is none of this server",
            "Revoke it where it was issued.",
        )],
        section: "RFC 7009 §2.2.1",
    },
    Explanation {
        code: "invalid_token",
        meaning: "The access token is unknown, expired or revoked.",
        causes: &[
            (
                "The token is past its expires_in",
                "Refresh, and repeat the request with the new token.",
            ),
            (
                "The user withdrew the access, or the application was changed",
                "Where the refresh fails with invalid_grant, send the user through authorization again.",
            ),
            (
                "It was cut, or is a refresh token or one of another server",
                "Send the access_token as it came, after Bearer and one space.",
            ),
        ],
        section: "RFC 6750 §3.1",
    },
    Explanation {
        code: "insufficient_scope",
        meaning: "The access token is good, but not for this: it lacks a scope, or its user lacks a right. The challenge names the scopes that are needed.",
        causes: &[
            (
                "The scope was not asked for, or not granted",
                "Ask for the scopes of the challenge in a new authorization request.",
            ),
            (
                "Only administrators may do it",
                "Use a token that an administrator granted.",
            ),
        ],
        section: "RFC 6750 §3.1",
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::protocol::bearer::BearerErrorCode;
    use crate::protocol::error::ErrorCode;

    #[test]
    fn every_code_is_explained_once_and_no_other_is() {
        let bearer = [
            BearerErrorCode::InvalidRequest,
            BearerErrorCode::InvalidToken,
            BearerErrorCode::InsufficientScope,
        ];
        let codes: BTreeSet<_> = ErrorCode::ALL
            .iter()
            .map(|code| code.as_str())
            .chain(bearer.map(BearerErrorCode::as_str))
            .collect();
        let explained: Vec<_> = ALL.iter().map(|explanation| explanation.code).collect();
        assert_eq!(explained.iter().copied().collect::<BTreeSet<_>>(), codes);
        assert_eq!(explained.len(), codes.len());
        for code in codes {
            assert_eq!(find(code).map(|found| found.code), Some(code));
        }
    }

    #[test]
    fn every_explanation_says_what_to_do_and_where_it_is_written() {
        for explanation in ALL {
            assert!(!explanation.causes.is_empty(), "{}", explanation.code);
            assert!(explanation.section.contains('§'), "{}", explanation.code);
            for (cause, change) in explanation.causes {
                assert!(
                    !cause.ends_with('.') && change.ends_with('.'),
                    "{cause}: {change}"
                );
            }
        }
    }

    #[test]
    fn the_address_stands_under_the_issuer() {
        assert_eq!(
            uri("https://id.example/auth", "invalid_grant"),
            "https://id.example/auth/oauth/errors/invalid_grant"
        );
        assert_eq!(find("nonsense"), None);
    }
}
