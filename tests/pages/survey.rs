//! What holds of every page: it fits, it can be read, it loads nothing from elsewhere, nothing fails in it.

use std::env;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use url::{Origin, Url};

use crate::world::{Chromium, Scripts, World};

const WIDTHS: [u32; 4] = [320, 360, 768, 1280];
/// One of each layout: axe-core takes its time.
const READ_AT: [u32; 2] = [360, 1280];

/// A window, and the measure for what it shows.
pub(super) struct Survey {
    pub(super) window: Chromium,
    issuer: Url,
    axe: String,
    /// Where pictures go, when `TEGATA_TEST_SCREENSHOTS` names a folder.
    pictures: Option<PathBuf>,
}

impl Survey {
    pub(super) async fn start(world: &World) -> Self {
        let pictures = env::var_os("TEGATA_TEST_SCREENSHOTS").map(PathBuf::from);
        if let Some(folder) = &pictures {
            std::fs::create_dir_all(folder).unwrap();
        }
        Self {
            window: world.chromium(Scripts::On).await,
            issuer: world.base_url.parse().unwrap(),
            axe: axe_core(),
            pictures,
        }
    }

    pub(super) async fn open(&self, address: &str, name: &str) {
        self.window.open(address).await;
        self.look(name).await;
    }

    /// Checks the page that is open; `name` is what reports and pictures call it.
    pub(super) async fn look(&self, name: &str) {
        self.look_beside(name, &[]).await;
    }

    /// The same, where the page itself sends what it holds to an `application`.
    pub(super) async fn look_at_what_goes_to(&self, application: &Url, name: &str) {
        self.look_beside(name, &[application.origin()]).await;
    }

    async fn look_beside(&self, name: &str, known: &[Origin]) {
        self.everything_is_ours(name, known).await;
        self.nothing_failed(name).await;
        self.nothing_was_slipped_in(name).await;
        // Its answer is a function, which cannot be handed back.
        self.window.run(&format!("{}; return null;", self.axe)).await;
        for dark in [false, true] {
            for width in WIDTHS {
                self.window.resize(width, dark).await;
                let scheme = if dark { "dark" } else { "light" };
                let view = format!("{name}-{width}-{scheme}");
                self.nothing_sticks_out(&view).await;
                if READ_AT.contains(&width) {
                    self.everybody_can_read_it(&view).await;
                }
                self.take_picture(&view).await;
            }
        }
    }

    async fn everything_is_ours(&self, name: &str, known: &[Origin]) {
        let requested = self.window.requested().await;
        assert!(!requested.is_empty(), "{name}: a page is asked for");
        let strangers: Vec<_> = requested
            .iter()
            .filter(|url| url.origin() != self.issuer.origin() && !known.contains(&url.origin()))
            .collect();
        assert!(strangers.is_empty(), "{name} loads from elsewhere: {strangers:?}");
    }

    async fn nothing_failed(&self, name: &str) {
        let own = self.window.url().await;
        let mut complaints = self.window.complaints().await;
        // Chromium also remarks that the page itself is an error page.
        let remark = format!("{own} - Failed to load resource");
        complaints.retain(|entry| !entry.message.starts_with(&remark));
        assert!(complaints.is_empty(), "{name}: {complaints:?}");
    }

    /// What was typed and sent stays text: our pages have no scripts and no pictures but our own files, and
    /// the one line that sends a form.
    async fn nothing_was_slipped_in(&self, name: &str) {
        let found = self
            .window
            .run(
                "const ours = new URL('/assets/', location.origin).href;
                 return Array.from(document.querySelectorAll('*'))
                   .filter(e => /^(iframe|object|embed|svg|style)$/i.test(e.tagName)
                     || (/^(img|script)$/i.test(e.tagName) && !(e.src || '').startsWith(ours)
                       && e.textContent !== 'document.forms[0].submit()')
                     || e.getAttributeNames().some(a => /^on|^style$/.test(a))
                     || /^(javascript|data):/i.test(e.href || ''))
                   .map(e => e.outerHTML);",
            )
            .await;
        assert_eq!(found, Value::Array(Vec::new()), "{name}");
    }

    async fn nothing_sticks_out(&self, view: &str) {
        let culprits = self
            .window
            .run(
                "const page = document.scrollingElement;
                 if (page.scrollWidth <= page.clientWidth) return [];
                 return Array.from(document.querySelectorAll('body *'))
                   .filter(e => e.getBoundingClientRect().right > page.clientWidth)
                   .map(e => e.outerHTML.slice(0, 120));",
            )
            .await;
        assert_eq!(
            culprits,
            Value::Array(Vec::new()),
            "{view} can be scrolled sideways"
        );
    }

    async fn everybody_can_read_it(&self, view: &str) {
        let violations = self
            .window
            .run_async(
                "const done = arguments[arguments.length - 1];
                 axe.run(document, { preload: false, resultTypes: ['violations'] }).then(
                   found => done(found.passes.length === 0 ? 'nothing was looked at' : found.violations.map(
                     v => [v.id, v.help, v.nodes.map(n => [n.html, n.failureSummary])])),
                   error => done(String(error)));",
            )
            .await;
        assert_eq!(violations, Value::Array(Vec::new()), "{view}: axe-core objects");
    }

    async fn take_picture(&self, view: &str) {
        let Some(folder) = &self.pictures else { return };
        let picture = STANDARD.decode(self.window.screenshot().await).unwrap();
        std::fs::write(folder.join(format!("{view}.png")), picture).unwrap();
    }
}

/// The accessibility checker, from the Python packages of the tests.
fn axe_core() -> String {
    let python = env::var("TEGATA_TEST_PYTHON").unwrap_or_else(|_| {
        panic!("TEGATA_TEST_PYTHON is not set: run `scripts/test`, which prepares the Python packages")
    });
    let libraries = Path::new(&python).ancestors().nth(2).unwrap().join("lib");
    let version = std::fs::read_dir(&libraries).unwrap().next().unwrap().unwrap();
    let file = version.path().join("site-packages/axe_core_python/axe.min.js");
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
