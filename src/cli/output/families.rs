//! What `token show`, `token list` and the `grant` commands print.

use serde::Serialize;

use super::{Plain, row, table, when, yes_no};
use crate::flow::families::{Shown, Told};
use crate::model::certificate::Thumbprint;
use crate::model::family::{Fingerprint, ListedGrant, ListedToken};
use crate::model::ids::GrantId;

/// `token show`.
impl Plain for Shown {
    fn plain(&self) -> String {
        let mut rows = vec![
            row("fingerprint", self.fingerprint.as_str()),
            row("kind", self.kind),
            row("application", self.application.as_str()),
            row("user", self.user.as_deref().unwrap_or("-")),
        ];
        rows.extend(self.grant.map(|id| row("grant", id.to_string())));
        rows.extend(self.grant_type.map(|name| row("grant_type", name)));
        rows.push(row("scopes", self.scopes.to_string()));
        rows.extend(self.resources.iter().map(|uri| row("resource", uri.as_str())));
        rows.extend([
            row("created_at", when(self.created_at)),
            row("expires_at", when(self.expires_at)),
        ]);
        rows.extend(bound(self.certificate.as_ref()));
        rows.push(live(self.why_not.as_deref()));
        table(rows)
    }
}

fn bound(certificate: Option<&Thumbprint>) -> Option<Vec<String>> {
    certificate.map(|certificate| row("bound to certificate", format!("{}…", certificate.short())))
}

fn live(why_not: Option<&str>) -> Vec<String> {
    let text = why_not.map_or_else(
        || yes_no(true).to_owned(),
        |why| format!("{}: {why}", yes_no(false)),
    );
    row("live", text)
}

/// `token list`.
impl Plain for [ListedToken] {
    fn plain(&self) -> String {
        let head = [
            "FINGERPRINT",
            "KIND",
            "APPLICATION",
            "USER",
            "EXPIRES",
            "GRANT",
            "SCOPES",
        ];
        let rows = self.iter().map(|token| {
            vec![
                Fingerprint::text(&token.hash),
                token.kind.clone(),
                token.client_id.to_string(),
                token.username.clone().unwrap_or_else(|| "-".to_owned()),
                when(token.expires_at),
                token.grant_id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
                token.scopes.to_string(),
            ]
        });
        table(std::iter::once(head.map(str::to_owned).to_vec()).chain(rows))
    }
}

/// `grant list`.
impl Plain for [ListedGrant] {
    fn plain(&self) -> String {
        let head = [
            "ID",
            "APPLICATION",
            "USER",
            "BY",
            "SINCE",
            "LAST USED",
            "ENDS",
            "TOKENS",
            "SCOPES",
        ];
        let rows = self.iter().map(|grant| {
            vec![
                grant.id.to_string(),
                grant.client_id.to_string(),
                grant.username.clone(),
                grant.grant_type.name().to_owned(),
                when(grant.created_at),
                grant.last_used_at.map_or_else(|| "-".to_owned(), when),
                when(grant.expires_at),
                grant.live_tokens.to_string(),
                grant.scopes.to_string(),
            ]
        });
        table(std::iter::once(head.map(str::to_owned).to_vec()).chain(rows))
    }
}

/// `grant show`.
impl Plain for Told {
    fn plain(&self) -> String {
        let mut rows = vec![
            row("id", self.id.to_string()),
            row("application", self.application.as_str()),
            row("user", self.user.as_str()),
            row("grant_type", self.grant_type),
            row("scopes", self.scopes.to_string()),
        ];
        rows.extend(self.resources.iter().map(|uri| row("resource", uri.as_str())));
        rows.extend([
            row("created_at", when(self.created_at)),
            row(
                "last_used_at",
                self.last_used_at.map_or_else(|| "-".to_owned(), when),
            ),
            row("expires_at", when(self.expires_at)),
            row("access tokens", self.live_access_tokens.to_string()),
            row("refresh tokens", self.live_refresh_tokens.to_string()),
        ]);
        rows.extend(bound(self.certificate.as_ref()));
        rows.push(live(self.why_not.as_deref()));
        let facts = table(rows);
        let page = if self.pages > 1 {
            format!("What happened, page {} of {}:\n", self.page, self.pages)
        } else {
            String::new()
        };
        let events = self.timeline.iter().flat_map(|event| {
            let what = vec![when(event.at), event.what.clone()];
            let detail = (!event.detail.is_empty()).then(|| vec![String::new(), event.detail.clone()]);
            std::iter::once(what).chain(detail)
        });
        format!("{facts}\n\n{page}{}", table(events))
    }
}

/// `grant revoke`.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct RevokedGrant {
    pub(in crate::cli) id: GrantId,
    /// False where it was dead already.
    pub(in crate::cli) revoked: bool,
}

impl Plain for RevokedGrant {
    fn plain(&self) -> String {
        if self.revoked {
            return "The grant is revoked, and all its tokens are dead.".to_owned();
        }
        "The grant was dead already; nothing was revoked.".to_owned()
    }
}
