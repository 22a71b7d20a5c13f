//! A device without a browser (RFC 8628), and the person who types its code on another one.

use serde_json::Value;

use super::{Answer, Application, Browser, Request, World};
use crate::form::Form;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What a device was answered that asked to be authorized.
#[derive(Clone, Debug)]
pub(crate) struct Codes {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
    pub(crate) json: Value,
}

impl Answer {
    /// The codes of a success.
    #[track_caller]
    pub(crate) fn device(&self) -> Codes {
        assert_eq!(self.status, 200, "{self}");
        let json = self.json();
        let text = |name: &str| json[name].as_str().unwrap_or_else(|| panic!("no {name}: {self}"));
        Codes {
            device_code: text("device_code").to_owned(),
            user_code: text("user_code").to_owned(),
            json: json.clone(),
        }
    }
}

impl World {
    /// A device asks to be authorized for `read`.
    pub(crate) fn device_authorization(&self, application: &Application) -> Request {
        self.post("/oauth/device_authorization", &[("scope", "read")])
            .by(application)
    }

    pub(crate) async fn device(&self, application: &Application) -> Codes {
        self.device_authorization(application).await.device()
    }

    pub(crate) fn poll(&self, application: &Application, device: &Codes) -> Request {
        self.poll_with(application, &device.device_code)
    }

    pub(crate) fn poll_with(&self, application: &Application, device_code: &str) -> Request {
        self.token(&[("grant_type", GRANT), ("device_code", device_code)])
            .by(application)
    }
}

impl Browser {
    /// Types a user code and presses Continue.
    pub(crate) async fn type_code(&self, user_code: &str) -> Answer {
        let page = self.get("/oauth/device").await;
        let form = Form::with_id(&page.body, "continue");
        let mut form = form.unwrap_or_else(|| panic!("no form for a code: {page}"));
        form.fill("user-code", user_code);
        form.press("continue");
        self.submit(&page, &form).await
    }

    /// Types a user code and comes to the page that asks.
    pub(crate) async fn asked(&self, user_code: &str) -> (Answer, Form) {
        let page = self.type_code(user_code).await;
        assert_eq!(page.status, 200, "{page}");
        let form = Form::with_id(&page.body, "authorize");
        let form = form.unwrap_or_else(|| panic!("nothing is asked: {page}"));
        (page, form)
    }

    /// Types a user code and presses `authorize` or `deny`.
    pub(crate) async fn decide_device(&self, user_code: &str, button: &str) -> Answer {
        let (page, mut form) = self.asked(user_code).await;
        form.press(button);
        let done = self.submit(&page, &form).await;
        assert_eq!(done.status, 200, "{done}");
        done
    }

    pub(crate) async fn authorize_device(&self, device: &Codes) -> Answer {
        self.decide_device(&device.user_code, "authorize").await
    }
}
