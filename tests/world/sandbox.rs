//! A sandbox for one test, inside the own process.

use tegata::sandbox::{self, RunningSandbox, seeds};

use super::{Answer, Browser, Request, User, address, finish, request};

/// One world of a sandbox; clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Sandbox {
    /// No trailing slash.
    pub(crate) issuer: String,
    client: reqwest::Client,
}

/// Runs `test` against a sandbox of its own and stops it again, whatever comes of it.
pub(crate) fn run_in_sandbox<T, F>(test: T)
where
    T: FnOnce(Sandbox) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    finish(async {
        let running: RunningSandbox = sandbox::start().await.unwrap();
        let root = Sandbox::at(running.issuer().as_str());
        let outcome = tokio::spawn(test(root)).await;
        running.stop().await;
        outcome
    });
}

/// Runs each test against a sandbox of its own.
macro_rules! in_a_sandbox {
    ($(async fn $name:ident($($sandbox:tt)*) $body:block)+) => {
        $(#[test]
        fn $name() {
            async fn body($($sandbox)*) $body
            $crate::world::run_in_sandbox(body);
        })+
    };
}

impl Sandbox {
    pub(crate) fn at(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            client: request::client(issuer, false, None),
        }
    }

    /// Another world beside this one.
    pub(crate) async fn another(&self) -> Self {
        let made = self.steer("POST", "", &serde_json::json!({})).await;
        assert_eq!(made.status, 201, "{made}");
        Self::at(made.json()["issuer"].as_str().unwrap())
    }

    /// `path` is one of the issuer's, or a whole address.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request::new(&self.client, method, &address(&self.issuer, path))
    }

    pub(crate) fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    /// A request to the control plane: `path` as `/clock`.
    pub(crate) fn control(&self, method: &str, path: &str) -> Request {
        self.request(method, &format!("/sandbox{path}"))
    }

    /// As [`Self::control`], with a JSON body.
    pub(crate) async fn steer(&self, method: &str, path: &str, body: &serde_json::Value) -> Answer {
        self.control(method, path).json(body).await
    }

    /// A token request of the seeded confidential application.
    pub(crate) fn token(&self, grant: &str) -> Request {
        self.request("POST", "/oauth/token")
            .field("grant_type", grant)
            .basic(seeds::CONFIDENTIAL, seeds::SECRET)
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.issuer, None)
    }

    pub(crate) fn alice() -> User {
        User {
            id: String::new(),
            username: seeds::USER.to_owned(),
            password: seeds::PASSWORD.to_owned(),
        }
    }
}
