//! A consumer of OAuth 1.0a and the three legs of its way (RFC 5849 §2).

use super::{Answer, Application, Authorized, Browser, Call, Keys, User, World, command};

/// An application with what it signs by.
#[derive(Clone, Debug)]
pub(crate) struct Consumer {
    pub(crate) application: Application,
    pub(crate) secret: String,
}

/// A form-encoded answer.
#[track_caller]
pub(crate) fn member(answer: &Answer, name: &str) -> String {
    let mut found = url::form_urlencoded::parse(answer.body.as_bytes()).filter(|(known, _)| known == name);
    let value = found
        .next()
        .unwrap_or_else(|| panic!("no {name}: {answer}"))
        .1
        .into_owned();
    assert!(found.next().is_none(), "{name} stands twice: {answer}");
    value
}

impl Consumer {
    /// Allows OAuth 1.0a; the callbacks are `uris`.
    pub(crate) async fn create(world: &World, uris: &[&str], options: &[&str]) -> Self {
        let mut arguments = vec!["application", "create", "--json", "--name", "Notes", "--oauth1"];
        for uri in uris {
            arguments.extend(["--redirect-uri", uri]);
        }
        arguments.extend(options);
        let made = command::run(world, &arguments, "").await.json();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        Self {
            application: Application::known(
                &text("client_id"),
                Some(&text("client_secret")),
                uris.first().copied().unwrap_or("oob"),
            ),
            secret: text("consumer_secret"),
        }
    }

    /// One that was allowed it by other means than the command.
    pub(crate) fn known(client_id: &str, secret: &str) -> Self {
        Self {
            application: Application::known(client_id, None, "oob"),
            secret: secret.to_owned(),
        }
    }

    pub(crate) fn keys(&self) -> Keys {
        Keys {
            consumer_key: self.application.client_id.clone(),
            consumer_secret: self.secret.clone(),
            token: String::new(),
            token_secret: String::new(),
        }
    }

    pub(crate) fn asks(&self, world: &World, callback: &str) -> Call {
        let call = world.call(&self.keys(), "POST", "/oauth/request_token");
        call.without("oauth_token").with("oauth_callback", callback)
    }

    /// A request token, with its secret.
    pub(crate) async fn request_token(&self, world: &World, callback: &str) -> Keys {
        let answer = self.asks(world, callback).by_header().await;
        assert_eq!(answer.status, 200, "{answer}");
        self.with_token_of(&answer)
    }

    #[track_caller]
    pub(crate) fn with_token_of(&self, answer: &Answer) -> Keys {
        Keys {
            token: member(answer, "oauth_token"),
            token_secret: member(answer, "oauth_token_secret"),
            ..self.keys()
        }
    }

    /// The whole way, for a user who is asked.
    pub(crate) async fn access(&self, world: &World, user: &User) -> Keys {
        let request = self.request_token(world, self.application.redirect_uri()).await;
        let browser = world.signed_in(user).await;
        let verifier = decided(&browser, &request.token, "authorize")
            .await
            .get("oauth_verifier")
            .unwrap();
        let answer = exchange(world, &request, &verifier).by_header().await;
        assert_eq!(answer.status, 200, "{answer}");
        self.with_token_of(&answer)
    }
}

/// A person comes with a request token and presses a button.
pub(crate) async fn decided(browser: &Browser, token: &str, button: &str) -> Authorized {
    let page = browser
        .get(&format!("/oauth/authorize?oauth_token={token}"))
        .await;
    browser.walk(page, None, Some(button)).await
}

pub(crate) fn exchange(world: &World, request: &Keys, verifier: &str) -> Call {
    world
        .call(request, "POST", "/oauth/access_token")
        .with("oauth_verifier", verifier)
}
