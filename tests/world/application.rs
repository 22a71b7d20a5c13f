//! Applications, registered through the `tegata` command.

use serde_json::Value;

use super::{World, command};

/// A registered application, as its developer knows it.
#[derive(Clone, Debug)]
pub(crate) struct Application {
    pub(crate) client_id: String,
    /// `None`: a public application.
    pub(crate) client_secret: Option<String>,
    redirect_uris: Vec<String>,
}

impl Application {
    /// One that was registered by other means than the command.
    pub(crate) fn known(client_id: &str, client_secret: Option<&str>, redirect_uri: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            client_secret: client_secret.map(str::to_owned),
            redirect_uris: vec![redirect_uri.to_owned()],
        }
    }

    /// The first registered redirect URI.
    pub(crate) fn redirect_uri(&self) -> &str {
        &self.redirect_uris[0]
    }

    /// The secret of a confidential application.
    #[track_caller]
    pub(crate) fn secret(&self) -> &str {
        self.client_secret.as_deref().expect("a confidential application")
    }
}

/// An application that is about to be registered.
#[must_use]
pub(crate) struct Wanted {
    world: World,
    name: String,
    redirect_uris: Vec<String>,
    options: Vec<String>,
    secret: String,
}

impl Wanted {
    pub(super) fn new(world: World) -> Self {
        Self {
            world,
            name: "Notes".to_owned(),
            redirect_uris: Vec::new(),
            options: Vec::new(),
            secret: String::new(),
        }
    }

    /// Instead of `Notes`.
    pub(crate) fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Instead of the usual `https://app.example/callback`; more than one may be given.
    pub(crate) fn redirect_uri(mut self, uri: &str) -> Self {
        self.redirect_uris.push(uri.to_owned());
        self
    }

    pub(crate) fn scope(self, scope: &str) -> Self {
        self.option("--scope").option(scope)
    }

    pub(crate) fn grant(self, grant: &str) -> Self {
        self.option("--grant").option(grant)
    }

    pub(crate) fn public(self) -> Self {
        self.option("--public")
    }

    pub(crate) fn trusted(self) -> Self {
        self.option("--trusted")
    }

    pub(crate) fn require_pkce(self) -> Self {
        self.option("--require-pkce")
    }

    /// May introspect the tokens of others.
    pub(crate) fn introspects(self) -> Self {
        self.option("--introspect")
    }

    pub(crate) fn client_id(self, id: &str) -> Self {
        self.option("--client-id").option(id)
    }

    pub(crate) fn chosen_secret(mut self, secret: &str) -> Self {
        self.secret = format!("{secret}\n");
        self.option("--client-secret-stdin")
    }

    pub(crate) fn access_token_ttl(self, ttl: &str) -> Self {
        self.option("--access-token-ttl").option(ttl)
    }

    /// As `client_credentials=15m`.
    pub(crate) fn access_token_ttl_for(self, grant: &str) -> Self {
        self.option("--access-token-ttl-by-grant").option(grant)
    }

    pub(crate) fn default_scope(self, scope: &str) -> Self {
        self.option("--default-scope").option(scope)
    }

    /// May be unticked on the consent page.
    pub(crate) fn optional_scope(self, scope: &str) -> Self {
        self.option("--optional-scope").option(scope)
    }

    pub(crate) fn reuses_access_token(self) -> Self {
        self.option("--reuse-access-token")
    }

    pub(crate) fn reuses_refresh_token(self) -> Self {
        self.option("--reuse-refresh-token")
    }

    pub(crate) fn revokes_previous_tokens(self) -> Self {
        self.option("--revoke-previous-tokens")
    }

    /// From where a browser may call in its name.
    pub(crate) fn allowed_origin(self, origin: &str) -> Self {
        self.option("--allowed-origin").option(origin)
    }

    /// Of a user, by name.
    pub(crate) fn owner(self, name: &str) -> Self {
        self.option("--owner").option(name)
    }

    /// For this user, and whoever else is named, alone.
    pub(crate) fn allow_user(self, name: &str) -> Self {
        self.option("--allow-user").option(name)
    }

    pub(crate) fn allow_group(self, group: &str) -> Self {
        self.option("--allow-group").option(group)
    }

    pub(crate) async fn create(mut self) -> Application {
        if self.redirect_uris.is_empty() {
            self.redirect_uris.push("https://app.example/callback".to_owned());
        }
        let mut arguments = vec!["application", "create", "--json", "--name", &self.name];
        for uri in &self.redirect_uris {
            arguments.extend(["--redirect-uri", uri]);
        }
        arguments.extend(self.options.iter().map(String::as_str));
        let made = command::run(&self.world, &arguments, &self.secret).await.json();
        // A chosen secret is not told again.
        let chosen = self.secret.strip_suffix('\n').map(str::to_owned);
        Application {
            client_id: command::text(&made["client_id"]),
            client_secret: made["client_secret"].as_str().map(str::to_owned).or(chosen),
            redirect_uris: made["redirect_uris"]
                .as_array()
                .unwrap()
                .iter()
                .map(Value::as_str)
                .map(owned)
                .collect(),
        }
    }

    fn option(mut self, word: &str) -> Self {
        self.options.push(word.to_owned());
        self
    }
}

fn owned(text: Option<&str>) -> String {
    text.unwrap().to_owned()
}
