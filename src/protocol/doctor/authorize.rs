//! The authorization endpoint as it looks to somebody who has not signed in (RFC 6749 §4.1.2.1, RFC 9207,
//! RFC 9700 §2.1).
//!
//! Many servers ask for a sign-in before they judge a request, so an answer is held against that to a sound
//! request: where both lead to the same place, nothing was refused yet, and that is all that can be said.

use url::Url;

use super::check::{Check, Outcome, Rule, Side};
use crate::protocol::answer::Answer;

const REDIRECT_URI: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 9700 §2.1",
    "unregistered_redirect_uri",
    "The browser is never sent to a redirect URI that is not registered.",
    "Compare redirect URIs as strings with what is registered, and show a page where none matches.",
);
const PKCE_PLAIN: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 7636 §4.4.1",
    "plain_challenge_refused",
    "A challenge by the method plain is refused.",
    "Answer error=invalid_request to every method but S256.",
);
const PKCE_MISSING: Rule = Rule::of_server(
    Outcome::Warn,
    "RFC 9700 §2.1.1",
    "missing_challenge_refused",
    "A request without PKCE is refused; of public clients it has to be.",
    "Require code_challenge, of public clients in any case.",
);
const SOUND: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 6749 §4.1.1",
    "sound_request_goes_on",
    "A sound request is not refused.",
    "Look at what it says: the client may not be known here, or the redirect URI or the scope is not registered.",
);
const ERROR: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 6749 §4.1.2.1",
    "error_comes_by_redirect",
    "A response type that does not exist is told to the client, by redirect and as unsupported_response_type.",
    "Once client and redirect URI are proven, send errors to the redirect URI.",
);
const STATE: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 6749 §4.1.2.1",
    "state_comes_back",
    "An error brings state back as it was sent, once.",
    "Give back the value of state byte for byte; a client that does not find it takes the answer for forged.",
);
const ISS: Rule = Rule::of_server(
    Outcome::Fail,
    "RFC 9207 §2",
    "iss_in_errors",
    "Where the metadata promise iss, an error carries it, and it is the issuer.",
    "Send iss in errors too, equal to the issuer in the metadata.",
);
const ISS_UNTOLD: Rule = Rule::of_server(
    Outcome::Warn,
    "RFC 9207 §3",
    "iss_is_told",
    "A server that sends iss says so in its metadata.",
    "Set authorization_response_iss_parameter_supported to true; clients that do not expect iss may refuse it.",
);

/// What is to be said of the answer to a sound request that would come back to `redirect_uri`.
pub fn sound(answer: &Answer, redirect_uri: &str) -> Check {
    let location = answer.header("location").unwrap_or_default();
    let error = delivered(answer, redirect_uri).and_then(|url| parameter(&url, "error"));
    let saw = || match &error {
        Some(code) => format!("error {code}"),
        None => format!("status {}{}", answer.status, place(location)),
    };
    let check = SOUND.judge(answer.status < 400 && error.is_none(), saw);
    if check.outcome == Outcome::Pass {
        return check;
    }
    // what the client is registered with is not what was given here, more often than not
    check.mended(Side::Client, SOUND.mend)
}

/// What is to be said of the answer to a request that names `redirect_uri`, which nobody registered.
/// `sound`: the answer to the same request with one that is registered.
pub fn unregistered(answer: &Answer, redirect_uri: &str, sound: Option<&Answer>) -> Check {
    if delivered(answer, redirect_uri).is_some() {
        return REDIRECT_URI.broken(format!("a redirect to {redirect_uri}"));
    }
    judged_later(&REDIRECT_URI, answer, sound)
}

/// That nobody tried, for want of a client.
pub fn not_tried(why: &str) -> Vec<Check> {
    [&SOUND, &ERROR, &STATE, &PKCE_PLAIN, &PKCE_MISSING]
        .into_iter()
        .map(|rule| rule.not_tried(why))
        .collect()
}

/// What is to be said of the answer to a challenge by the method plain.
pub fn plain_challenge(answer: &Answer, redirect_uri: &str, sound: &Answer) -> Check {
    pkce(&PKCE_PLAIN, answer, redirect_uri, sound)
}

/// What is to be said of the answer to a request without a challenge.
pub fn missing_challenge(answer: &Answer, redirect_uri: &str, sound: &Answer) -> Check {
    pkce(&PKCE_MISSING, answer, redirect_uri, sound)
}

fn pkce(rule: &Rule, answer: &Answer, redirect_uri: &str, sound: &Answer) -> Check {
    if let Some(check) = nothing_there(rule, answer) {
        return check;
    }
    if let Some(url) = delivered(answer, redirect_uri) {
        let code = parameter(&url, "error");
        return rule.judge(code.is_some(), || "an answer without error".into());
    }
    if leads_to(answer) == leads_to(sound) {
        let saw = format!("it goes on as with a sound request: status {}", answer.status);
        return Check {
            outcome: Outcome::Warn,
            ..rule.broken(saw)
        };
    }
    judged_later(rule, answer, Some(sound))
}

fn nothing_there(rule: &Rule, answer: &Answer) -> Option<Check> {
    let status = answer.status;
    let is_nothing = matches!(status, 404..=406);
    is_nothing.then(|| rule.not_tried(format!("status {status}: there is nothing to GET there")))
}

/// A refusal is a page with a status that says so; of anything else nothing can be told.
fn judged_later(rule: &Rule, answer: &Answer, sound: Option<&Answer>) -> Check {
    if let Some(check) = nothing_there(rule, answer) {
        return check;
    }
    if (400..500).contains(&answer.status) {
        return rule.kept();
    }
    let location = answer.header("location").unwrap_or_default();
    let saw = format!("status {}{}", answer.status, place(location));
    match sound {
        Some(sound) if leads_to(answer) == leads_to(sound) => Check {
            outcome: Outcome::Warn,
            ..rule.broken(format!("it goes on as with a sound request: {saw}"))
        },
        _ => rule.not_tried(format!("cannot be told without signing in: {saw}")),
    }
}

/// What was asked with a response type that does not exist.
#[derive(Clone, Copy, Debug)]
pub struct Wrong<'a> {
    pub redirect_uri: &'a str,
    pub state: &'a str,
    pub issuer: &'a str,
    /// By the metadata.
    pub promises_iss: bool,
}

/// What is to be said of the answer to it.
pub fn wrong_response_type(answer: &Answer, wrong: Wrong<'_>) -> Vec<Check> {
    let Some(url) = delivered(answer, wrong.redirect_uri) else {
        if answer.is_redirect() || answer.status == 200 {
            let why = format!("cannot be told without signing in: status {}", answer.status);
            return [&ERROR, &STATE].map(|rule| rule.not_tried(&why)).into();
        }
        return vec![ERROR.broken(format!("status {} and no redirect", answer.status))];
    };
    let error = parameter(&url, "error").unwrap_or_default();
    let states = parameters(&url, "state");
    let iss = parameters(&url, "iss");
    let mut checks = vec![
        ERROR.judge(error == "unsupported_response_type", || format!("error {error}")),
        STATE.judge(states == [wrong.state], || {
            format!("sent {}, came back {}", wrong.state, states.join(", "))
        }),
    ];
    if wrong.promises_iss {
        checks.push(ISS.judge(iss == [wrong.issuer], || format!("iss {}", iss.join(", "))));
    } else {
        checks.push(ISS_UNTOLD.judge(iss.is_empty(), || format!("iss {}", iss.join(", "))));
    }
    checks
}

/// Where the answer sends the browser, if that is `redirect_uri`, with parameters of its own added.
fn delivered(answer: &Answer, redirect_uri: &str) -> Option<Url> {
    let location = answer.header("location").filter(|_| answer.is_redirect())?;
    let (to, wanted) = (Url::parse(location).ok()?, Url::parse(redirect_uri).ok()?);
    let is_it = to.scheme() == wanted.scheme()
        && to.host() == wanted.host()
        && to.port() == wanted.port()
        && to.path() == wanted.path()
        && wanted
            .query_pairs()
            .all(|pair| to.query_pairs().any(|other| other == pair));
    is_it.then_some(to)
}

/// Status and place of an answer; a place's query differs from request to request.
fn leads_to(answer: &Answer) -> (u16, Option<&str>) {
    let location = answer.header("location");
    (
        answer.status,
        location.and_then(|location| location.split(['?', '#']).next()),
    )
}

fn place(location: &str) -> String {
    match location.split(['?', '#']).next() {
        None | Some("") => String::new(),
        Some(place) => format!(" to {place}"),
    }
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    parameters(url, name).into_iter().next()
}

/// Of the query and of the fragment.
fn parameters(url: &Url, name: &str) -> Vec<String> {
    let fragment = url.fragment().unwrap_or_default().as_bytes();
    let pairs = url.query_pairs().chain(url::form_urlencoded::parse(fragment));
    let named = pairs.filter(|(held, _)| held == name);
    named.map(|(_, value)| value.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACK: &str = "https://app.example/callback";
    const ISSUER: &str = "https://id.example";

    fn page(status: u16) -> Answer {
        Answer::new(status, [], Vec::new())
    }

    fn to(location: &str) -> Answer {
        Answer::new(
            302,
            [("location".to_owned(), location.as_bytes().to_vec())],
            Vec::new(),
        )
    }

    fn wrong(answer: &Answer, promises_iss: bool) -> Vec<(&'static str, Outcome)> {
        let wrong = Wrong {
            redirect_uri: BACK,
            state: "s +/",
            issuer: ISSUER,
            promises_iss,
        };
        let checks = wrong_response_type(answer, wrong);
        checks
            .into_iter()
            .map(|check| (check.rule, check.outcome))
            .collect()
    }

    #[test]
    fn only_a_refusal_proves_that_a_redirect_uri_is_not_taken() {
        let sign_in = to("https://id.example/login?next=1");
        let told = |answer: &Answer, sound: Option<&Answer>| unregistered(answer, BACK, sound).outcome;
        assert_eq!(
            told(&to("https://app.example/callback?error=x"), None),
            Outcome::Fail
        );
        assert_eq!(
            told(&to("https://app.example/callback#error=x"), None),
            Outcome::Fail
        );
        assert_eq!(told(&page(400), None), Outcome::Pass);
        assert_eq!(told(&page(200), None), Outcome::NotTried);
        assert_eq!(told(&sign_in, None), Outcome::NotTried);
        assert_eq!(
            told(&to("https://id.example/login?next=2"), Some(&sign_in)),
            Outcome::Warn
        );
        assert_eq!(
            told(&to("https://id.example/error"), Some(&sign_in)),
            Outcome::NotTried
        );
    }

    #[test]
    fn a_challenge_is_refused_by_an_error_or_a_page() {
        let sign_in = to("https://id.example/login?next=1");
        let told = |answer: &Answer| plain_challenge(answer, BACK, &sign_in).outcome;
        assert_eq!(
            told(&to("https://app.example/callback?error=invalid_request")),
            Outcome::Pass
        );
        assert_eq!(told(&page(400)), Outcome::Pass);
        assert_eq!(told(&to("https://app.example/callback?code=x")), Outcome::Fail);
        assert_eq!(told(&sign_in), Outcome::Warn);
        let missing = missing_challenge(&to("https://app.example/callback?code=x"), BACK, &sign_in);
        assert_eq!(missing.outcome, Outcome::Warn);
    }

    #[test]
    fn an_error_brings_back_the_state_and_the_issuer() {
        use Outcome::{Fail, NotTried, Pass, Warn};
        let sound = "https://app.example/callback?error=unsupported_response_type&state=s+%2B%2F";
        let with_iss = format!("{sound}&iss=https%3A%2F%2Fid.example");
        assert_eq!(
            wrong(&to(&with_iss), true),
            [
                ("error_comes_by_redirect", Pass),
                ("state_comes_back", Pass),
                ("iss_in_errors", Pass)
            ]
        );
        assert_eq!(wrong(&to(sound), true)[2], ("iss_in_errors", Fail));
        assert_eq!(wrong(&to(&with_iss), false)[2], ("iss_is_told", Warn));
        assert_eq!(
            wrong(&to(&sound.replace("%2B", "+")), true)[1],
            ("state_comes_back", Fail)
        );
        assert_eq!(
            wrong(&to(&format!("{sound}&state=s")), true)[1],
            ("state_comes_back", Fail)
        );
        assert_eq!(wrong(&page(400), true), [("error_comes_by_redirect", Fail)]);
        assert_eq!(
            wrong(&to("https://id.example/login"), true)[0],
            ("error_comes_by_redirect", NotTried)
        );
    }

    #[test]
    fn a_sound_request_that_is_refused_is_the_clients_to_mend() {
        assert_eq!(
            sound(&to("https://id.example/login"), BACK).outcome,
            Outcome::Pass
        );
        let refused = sound(&to("https://app.example/callback?error=invalid_scope"), BACK);
        assert_eq!(
            (refused.side, refused.saw.as_deref()),
            (Some(Side::Client), Some("error invalid_scope"))
        );
        assert_eq!(sound(&page(400), BACK).outcome, Outcome::Fail);
    }
}
