//! A real browser: headless Chromium, driven through `chromedriver` in the words of W3C's `WebDriver` and,
//! where those do not reach, of the `DevTools` protocol.

use std::env;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::extensions::query::ElementPollerWithTimeout;
use thirtyfour::prelude::*;
use thirtyfour::{BrowserLogEntry, ChromeCapabilities, ChromiumLikeCapabilities, LoggingPrefsLogLevel};
use url::Url;

use super::{User, address};

/// One window with an empty profile. Clones are the same window.
#[derive(Clone)]
pub(crate) struct Chromium {
    driver: WebDriver,
    base_url: String,
    _profile: Arc<TempDir>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scripts {
    On,
    Off,
}

/// How long an element may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);
const INTERVAL: Duration = Duration::from_millis(20);

const ARGUMENTS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    // A page is as wide as its window, as on a phone.
    "--hide-scrollbars",
];

impl Chromium {
    pub(super) async fn start(base_url: &str, scripts: Scripts) -> Self {
        let server = env::var("TEGATA_TEST_WEBDRIVER").unwrap_or_else(|_| {
            panic!(
                "TEGATA_TEST_WEBDRIVER is not set: run `scripts/test`, which starts a chromedriver for the \
                 tests, or point the variable at one: http://127.0.0.1:9515"
            )
        });
        let profile = tempfile::tempdir().unwrap();
        let driver = WebDriver::builder(server, capabilities(&profile, scripts).unwrap())
            .poller(Arc::new(ElementPollerWithTimeout::new(PATIENCE, INTERVAL)))
            .connect()
            .await
            .unwrap_or_else(|error| panic!("Chromium did not start: {error}"));
        Self {
            driver,
            base_url: base_url.to_owned(),
            _profile: Arc::new(profile),
        }
    }

    pub(super) async fn quit(self) {
        // A window that is gone already needs no closing.
        let _ = self.driver.quit().await;
    }

    /// Opens a path of the server, or any address.
    pub(crate) async fn open(&self, target: &str) {
        self.driver.goto(address(&self.base_url, target)).await.unwrap();
    }

    /// The element of a CSS selector, as soon as it is there.
    pub(crate) async fn element(&self, selector: &str) -> WebElement {
        let found = self.driver.query(By::Css(selector)).first().await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("no {selector}: {error}\n{}", self.describe().await),
        }
    }

    /// Whether the page that is open has such an element now.
    pub(crate) async fn has(&self, selector: &str) -> bool {
        !self.driver.find_all(By::Css(selector)).await.unwrap().is_empty()
    }

    pub(crate) async fn click(&self, selector: &str) {
        let clicked = self.element(selector).await.click().await;
        clicked.unwrap_or_else(|error| panic!("{selector} cannot be clicked: {error}"));
    }

    /// Clicks what leads to another page, and waits until this one is left.
    pub(crate) async fn follow(&self, selector: &str) {
        let link = self.element(selector).await;
        let clicked = link.click().await;
        clicked.unwrap_or_else(|error| panic!("{selector} cannot be clicked: {error}"));
        let left = link.wait_until().stale().await;
        left.unwrap_or_else(|error| panic!("{selector} leads nowhere: {error}"));
    }

    /// Types into a field, in place of what it held.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let field = self.element(selector).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    pub(crate) async fn text(&self, selector: &str) -> String {
        self.element(selector).await.text().await.unwrap()
    }

    /// What a field holds.
    pub(crate) async fn value(&self, selector: &str) -> String {
        let value = self.element(selector).await.prop("value").await.unwrap();
        value.unwrap_or_default()
    }

    pub(crate) async fn url(&self) -> Url {
        self.driver.current_url().await.unwrap()
    }

    /// Waits for the sign-in form and sends it.
    pub(crate) async fn sign_in(&self, user: &User) {
        self.try_to_sign_in(&user.username, &user.password).await;
        assert!(!self.has("#sign-in").await, "{}", self.describe().await);
    }

    pub(crate) async fn try_to_sign_in(&self, username: &str, password: &str) {
        self.fill("#username", username).await;
        self.fill("#password", password).await;
        self.follow("#sign-in").await;
    }

    /// Lets pages write to the clipboard and read it, or refuses them both.
    pub(crate) async fn allow_clipboard(&self, allowed: bool) {
        let setting = if allowed { "granted" } else { "denied" };
        for name in ["clipboard-write", "clipboard-read"] {
            let permission = json!({"permission": {"name": name}, "setting": setting});
            self.command("Browser.setPermission", permission).await;
        }
    }

    /// Whether an element of the page that is open is to be seen now.
    pub(crate) async fn shows(&self, selector: &str) -> bool {
        for element in self.driver.find_all(By::Css(selector)).await.unwrap() {
            if element.is_displayed().await.unwrap() {
                return true;
            }
        }
        false
    }

    /// Runs a script beside those of the page, whose policy does not bind it.
    pub(crate) async fn run(&self, script: &str) -> Value {
        let returned = self.driver.execute(script, Vec::new()).await.unwrap();
        returned.json().clone()
    }

    /// Runs a script that calls the last of its arguments with what it found.
    pub(crate) async fn run_async(&self, script: &str) -> Value {
        let returned = self.driver.execute_async(script, Vec::new()).await.unwrap();
        returned.json().clone()
    }

    /// Makes the window `width` CSS pixels wide, and the system prefer dark or light pages.
    pub(crate) async fn resize(&self, width: u32, dark: bool) {
        let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.command("Emulation.setDeviceMetricsOverride", metrics).await;
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.command("Emulation.setEmulatedMedia", json!({"features": features}))
            .await;
    }

    /// The whole page as PNG in base64, beyond the window's lower edge too.
    pub(crate) async fn screenshot(&self) -> String {
        let shot = self
            .command(
                "Page.captureScreenshot",
                json!({"format": "png", "captureBeyondViewport": true}),
            )
            .await;
        shot["data"].as_str().unwrap().to_owned()
    }

    /// What Chromium complained of since the last call: errors, refused loads, violations of the policy.
    pub(crate) async fn complaints(&self) -> Vec<BrowserLogEntry> {
        self.driver.browser_log().await.unwrap()
    }

    /// Waits until Chromium has complained of something that contains `text`.
    pub(crate) async fn complains_of(&self, text: &str) {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let complaints = self.complaints().await;
            if complaints.iter().any(|entry| entry.message.contains(text)) {
                return;
            }
        }
        panic!("no complaint of {text}: {}", self.describe().await);
    }

    /// The addresses asked for since the last call, those of Chromium's own first page left out.
    pub(crate) async fn requested(&self) -> Vec<Url> {
        let log = self.driver.get_log("performance").await.unwrap();
        let events = log
            .iter()
            .map(|entry| serde_json::from_str::<Value>(&entry.message).unwrap()["message"].take());
        let requests = events.filter(|event| event["method"] == "Network.requestWillBeSent");
        let foreign = |event: &Value| {
            !event["params"]["documentURL"]
                .as_str()
                .unwrap()
                .starts_with("chrome")
        };
        requests
            .filter(foreign)
            .map(|event| Url::parse(event["params"]["request"]["url"].as_str().unwrap()).unwrap())
            .collect()
    }

    async fn command(&self, method: &str, params: Value) -> Value {
        let answer = self.driver.cdp().send_raw(method, params).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// The page that is open, for the report of a failure.
    pub(crate) async fn describe(&self) -> String {
        let url = self
            .driver
            .current_url()
            .await
            .map(String::from)
            .unwrap_or_default();
        let body = self.driver.find(By::Tag("body")).await;
        let text = match body {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(error) => error.to_string(),
        };
        format!("{url}\n{text}")
    }
}

fn capabilities(profile: &TempDir, scripts: Scripts) -> WebDriverResult<ChromeCapabilities> {
    let mut wanted = DesiredCapabilities::chrome();
    for argument in ARGUMENTS {
        wanted.add_arg(argument)?;
    }
    wanted.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
    // It knows nothing of the tests' authority.
    wanted.accept_insecure_certs(true)?;
    wanted.set_browser_log_level(LoggingPrefsLogLevel::All)?;
    wanted.set_logging_prefs("performance", LoggingPrefsLogLevel::All)?;
    if scripts == Scripts::Off {
        let blocked = json!({"profile.managed_default_content_settings.javascript": 2});
        wanted.add_experimental_option("prefs", blocked)?;
    }
    Ok(wanted)
}
