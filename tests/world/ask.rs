//! What an application puts into the query of `/oauth/authorize` (RFC 6749 §4.1.1).

use url::form_urlencoded;

use super::Application;

/// The verifier of RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The S256 challenge of [`VERIFIER`].
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// An authorization request.
#[derive(Clone, Debug)]
#[must_use]
pub(crate) struct Ask(Vec<(String, String)>);

impl Ask {
    /// A correct request for the scope `read`, with PKCE when the application is public.
    pub(crate) fn of(application: &Application) -> Self {
        let ask = Self(Vec::new())
            .with("response_type", "code")
            .with("client_id", &application.client_id)
            .with("redirect_uri", application.redirect_uri())
            .with("scope", "read")
            .with("state", "xyz-123");
        if application.client_secret.is_none() {
            ask.pkce()
        } else {
            ask
        }
    }

    pub(crate) fn pkce(self) -> Self {
        self.with("code_challenge", CHALLENGE)
            .with("code_challenge_method", "S256")
    }

    /// With `name` set to `value`, instead of what it was.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        self.without(name).twice(name, value)
    }

    /// With one more `name`, beside what there is.
    pub(crate) fn twice(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    pub(crate) fn path(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.0);
        format!("/oauth/authorize?{}", query.finish())
    }
}
