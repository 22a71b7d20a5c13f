//! A protected resource.

use super::{Walk, origin};
use crate::base::secret::Secret;
use crate::flow::outbound::Call;
use crate::protocol::doctor::{Side, resource};
use crate::protocol::{metadata, resource as metadata_of_resource};

impl Walk<'_> {
    /// What it asks for and what it says of itself: the authorization servers that it names. `named_by` is
    /// who gave its URL.
    pub(super) async fn resource(&mut self, url: &str, named_by: Side) -> Option<Vec<String>> {
        let mut challenge = None;
        let without = "Ask the resource without a token";
        self.try_out(without, Side::Resource, Call::get(url), |answer| {
            let (checks, found) = resource::without_token(answer);
            challenge = found;
            checks
        })
        .await;
        let nobodys = Secret::new(self.stranger());
        let with = "Ask the resource with a token that nobody issued";
        let call = Call::get(url).bearer(&nobodys);
        self.try_out(with, Side::Resource, call, resource::with_unknown_token)
            .await;

        let led = challenge
            .as_ref()
            .and_then(|challenge| resource::metadata_url(challenge, url));
        let call = led.map_or_else(|| metadata_of(url), Call::get);
        let mut servers = None;
        self.try_out(
            "Read the metadata of the resource",
            Side::Resource,
            call,
            |answer| {
                let (checks, named) = resource::read(answer, url, named_by);
                servers = named;
                checks
            },
        )
        .await;
        servers
    }
}

/// The metadata of a resource (RFC 9728 §3.1).
pub(super) fn metadata_of(url: &str) -> Call {
    let path = metadata::well_known(metadata_of_resource::WELL_KNOWN, url);
    Call::get(format!("{}{path}", origin(url)))
}
