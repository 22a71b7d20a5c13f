//! The Copy buttons of an application's page.

use serde_json::json;

use crate::world::{Chromium, Scripts, World};

/// Signs in and registers an application; its page, with the new secret, is open then.
async fn register(world: &World, window: &Chromium) {
    let ichiro = world.administrator("ichiro").await;
    window.open("/login").await;
    window.sign_in(&ichiro).await;
    window.open("/oauth/applications/new").await;
    window.fill("#name", "Memo Bot").await;
    window
        .fill("#redirect_uris", "https://memo.example/callback")
        .await;
    window.follow("#save").await;
    window.element("#client-secret").await;
}

/// Presses a Copy button; gives what the page says to those who listen.
async fn press(window: &Chromium, source: &str) -> String {
    window
        .run(
            "const told = document.getElementById('told');
             window.said = new Promise(resolve => new MutationObserver(() => {
               if (told.textContent) resolve(told.textContent);
             }).observe(told, { childList: true }));",
        )
        .await;
    window.click(&format!("[data-copy={source}]")).await;
    let said = window.run_async("window.said.then(arguments[0]);").await;
    said.as_str().unwrap().to_owned()
}

async fn clipboard(window: &Chromium) -> String {
    let text = window
        .run_async("navigator.clipboard.readText().then(arguments[0], error => arguments[0](String(error)));")
        .await;
    text.as_str().unwrap().to_owned()
}

on_each_database! {

async fn a_click_copies_what_stands_beside_the_button(world: World) {
    let window = world.chromium(Scripts::On).await;
    register(&world, &window).await;
    window.allow_clipboard(true).await;
    for source in ["client-secret", "client-id"] {
        assert_eq!(press(&window, source).await, "Copied");
        let shown = match source {
            "client-secret" => window.value("#client-secret").await,
            _ => window.text("#client-id").await,
        };
        assert_eq!(clipboard(&window).await, shown);
        assert_eq!(window.text(&format!("[data-copy={source}] span")).await, "Copied");
    }
    assert_eq!(window.text("[data-copy=client-secret] span").await, "Copy", "the last one alone says it");

    press(&window, "test-link-1").await;
    let link = clipboard(&window).await;
    assert!(link.starts_with(&format!("{}/oauth/authorize?", world.base_url)), "{link}");
    window.click("details summary").await;
    press(&window, "command-1").await;
    let command = clipboard(&window).await;
    assert!(command.contains("code_verifier=") && command.trim() == command, "{command:?}");
    assert!(window.complaints().await.is_empty());
}

async fn a_browser_that_refuses_the_clipboard_selects_the_text(world: World) {
    let window = world.chromium(Scripts::On).await;
    register(&world, &window).await;
    window.allow_clipboard(false).await;
    assert!(press(&window, "client-secret").await.contains("The text is selected"));
    let field = "const f = document.getElementById('client-secret');
                 return f.value.slice(f.selectionStart, f.selectionEnd);";
    assert_eq!(window.run(field).await, json!(window.value("#client-secret").await));
    press(&window, "client-id").await;
    let selected = window.run("return getSelection().toString();").await;
    assert_eq!(selected, json!(window.text("#client-id").await));
}

async fn no_button_shows_where_no_script_runs(world: World) {
    let window = world.chromium(Scripts::Off).await;
    register(&world, &window).await;
    assert!(window.has("[data-copy=client-secret]").await);
    assert!(!window.shows("[data-copy]").await);
}

}
