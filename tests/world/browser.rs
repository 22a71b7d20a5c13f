//! A person at a browser without JavaScript: keeps cookies, fills in forms, presses buttons.

use reqwest::Client;
use url::Url;

use super::{Answer, Ask, Pair, Request, User, address, request};
use crate::form::{Form, text_of};

/// One browser with its cookies. Clones share them.
#[derive(Clone)]
pub(crate) struct Browser {
    base_url: String,
    client: Client,
}

/// How an authorization request ended.
#[derive(Debug)]
pub(crate) struct Authorized {
    /// The last answer: the redirect to the application, or the page on which it stopped.
    pub(crate) answer: Answer,
    redirect: Option<Url>,
}

impl Authorized {
    /// The code, from the redirect or from the page that shows it.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        let shown = || text_of(&self.answer.body, "authorization-code");
        self.get("code")
            .or_else(shown)
            .unwrap_or_else(|| panic!("no code: {}", self.answer))
    }

    /// The error in the redirect; everything that must come with it is checked (RFC 6749 §4.1.2.1).
    #[track_caller]
    pub(crate) fn error(&self) -> String {
        let error = self
            .get("error")
            .unwrap_or_else(|| panic!("no error: {}", self.answer));
        assert_eq!(self.get("code"), None);
        assert!(
            self.get("iss").is_some(),
            "an error names its issuer too: {}",
            self.answer
        );
        assert!(
            self.get("error_uri")
                .is_some_and(|uri| uri.ends_with(&format!("/oauth/errors/{error}"))),
            "an error names its page: {}",
            self.answer
        );
        error
    }

    /// A parameter of the redirect to the application.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let redirect = self.redirect.as_ref()?;
        let fragment = redirect.fragment().unwrap_or_default();
        let in_fragment = url::form_urlencoded::parse(fragment.as_bytes());
        let all = redirect.query_pairs().chain(in_fragment);
        let mut found = all.filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.into_owned());
        assert!(found.next().is_none(), "{name} stands twice in {redirect}");
        value
    }

    /// The redirect to the application.
    #[track_caller]
    pub(crate) fn redirect(&self) -> &Url {
        self.redirect
            .as_ref()
            .unwrap_or_else(|| panic!("no redirect: {}", self.answer))
    }

    /// Asserts that a page was shown instead of a redirect (RFC 6749 §4.1.2.1: the redirect URI is unproven).
    #[track_caller]
    pub(crate) fn is_page(&self, status: u16) {
        assert_eq!(self.answer.status, status, "{}", self.answer);
        assert!(
            self.redirect.is_none() && !self.answer.headers.contains_key("location"),
            "{}",
            self.answer
        );
        assert!(
            self.answer.header("content-type").starts_with("text/html"),
            "{}",
            self.answer
        );
    }
}

impl Browser {
    pub(super) fn new(base_url: &str, identity: Option<&Pair>) -> Self {
        Self {
            base_url: base_url.to_owned(),
            client: request::client(base_url, true, identity),
        }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request::new(&self.client, method, &address(&self.base_url, path))
    }

    pub(crate) fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    /// Sends a form from the page `page` as a browser does, its origin included.
    pub(crate) fn submit(&self, page: &Answer, form: &Form) -> Request {
        let mut target = page.url.clone();
        if !form.action.is_empty() {
            target = target.join(&form.action).unwrap();
        }
        Request::new(&self.client, "POST", target.as_str())
            .header("Origin", &page.url.origin().ascii_serialization())
            .header("Sec-Fetch-Site", "same-origin")
            .fields(&form.fields)
    }

    /// Signs in at `/login`.
    pub(crate) async fn sign_in(&self, user: &User) {
        let answer = self.try_to_sign_in(&user.username, &user.password).await;
        assert_eq!(answer.status, 303, "{answer}");
    }

    pub(crate) async fn try_to_sign_in(&self, username: &str, password: &str) -> Answer {
        let page = self.get("/login").await;
        self.submit(&page, &filled_in(&page, username, password)).await
    }

    /// Asks and authorizes, without signing in on the way.
    pub(crate) async fn authorize(&self, ask: &Ask) -> Authorized {
        self.decide(ask, None, "authorize").await
    }

    /// Asks, signs in as `user` when the server wants it, and authorizes.
    pub(crate) async fn authorize_as(&self, user: &User, ask: &Ask) -> Authorized {
        self.decide(ask, Some(user), "authorize").await
    }

    pub(crate) async fn deny(&self, ask: &Ask) -> Authorized {
        self.decide(ask, None, "deny").await
    }

    /// Asks and stops at the consent page.
    pub(crate) async fn consent_page(&self, ask: &Ask) -> (Answer, Form) {
        let stopped = self.walk(self.get(&ask.path()).await, None, None).await;
        let form = Form::with_id(&stopped.answer.body, "authorize");
        (
            stopped.answer.clone(),
            form.unwrap_or_else(|| panic!("no consent page: {}", stopped.answer)),
        )
    }

    async fn decide(&self, ask: &Ask, user: Option<&User>, button: &str) -> Authorized {
        self.walk(self.get(&ask.path()).await, user, Some(button)).await
    }

    /// Goes on from `answer` until the server has no more to ask, or asks what nobody answers.
    pub(crate) async fn walk(
        &self,
        mut answer: Answer,
        user: Option<&User>,
        button: Option<&str>,
    ) -> Authorized {
        for _ in 0..10 {
            if let Some(location) = answer.location() {
                if location.origin() != answer.url.origin() {
                    return Authorized {
                        answer,
                        redirect: Some(location),
                    };
                }
                answer = Request::new(&self.client, "GET", location.as_str()).await;
                continue;
            }
            let login = Form::with_id(&answer.body, "sign-in").and(user);
            let consent = button.and_then(|id| Some((id, Form::with_id(&answer.body, id)?)));
            answer = match (login, consent) {
                (Some(user), _) => {
                    self.submit(&answer, &filled_in(&answer, &user.username, &user.password))
                        .await
                }
                (None, Some((id, mut form))) => {
                    form.press(id);
                    self.submit(&answer, &form).await
                }
                (None, None) => {
                    return Authorized {
                        answer,
                        redirect: None,
                    };
                }
            };
        }
        panic!("the server goes round in circles: {answer}")
    }
}

/// The sign-in form of `page`, filled in.
pub(crate) fn filled_in(page: &Answer, username: &str, password: &str) -> Form {
    let mut form = Form::with_id(&page.body, "sign-in").unwrap_or_else(|| panic!("no sign-in form: {page}"));
    form.fill("username", username);
    form.fill("password", password);
    form.press("sign-in");
    form
}
