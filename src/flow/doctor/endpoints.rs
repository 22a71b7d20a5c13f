//! The token endpoint, and the endpoints beside it.

use super::Walk;
use crate::base::secret::Secret;
use crate::flow::outbound::Call;
use crate::protocol::doctor::metadata::{CODE_GRANT, DEVICE_GRANT, Known};
use crate::protocol::doctor::token::{self, Refused};
use crate::protocol::doctor::{Side, device};

/// A scheme that names no grant.
const NO_GRANT: &str = "urn:example:no-such-grant";
const SERVER: Side = Side::AuthorizationServer;

impl Walk<'_> {
    pub(super) async fn token_endpoint(&mut self, known: &Known) {
        let Some(url) = &known.token_endpoint else { return };
        let stranger = self.stranger();
        let code = [
            ("grant_type", CODE_GRANT),
            ("code", "tegata-doctor"),
            ("redirect_uri", "https://doctor.invalid/"),
        ];

        let unknown = Call::post(url, code.into_iter().chain([("client_id", &*stranger)]));
        let about = "Redeem a code as a client that nobody knows";
        self.try_out(about, SERVER, unknown, |answer| {
            token::refusal(answer, Refused::UnknownClient)
        })
        .await;

        let basic = Call::post(url, code).basic(&stranger, &self.nonce);
        let about = "The same with Basic credentials";
        self.try_out(about, SERVER, basic, |answer| {
            token::refusal(answer, Refused::Basic)
        })
        .await;

        let client_id = self.plan.client_id.as_deref().unwrap_or(&stranger);
        let grant = Call::post(url, [("grant_type", NO_GRANT), ("client_id", client_id)]);
        let about = "Ask by a grant type that does not exist";
        self.try_out(about, SERVER, grant, |answer| {
            token::refusal(answer, Refused::UnknownGrant)
        })
        .await;

        if let Some(client_id) = &self.plan.client_id {
            self.as_client(url, client_id).await;
        }
    }

    /// What takes a client that is known.
    async fn as_client(&mut self, url: &str, client_id: &str) {
        let nobodys = self.nonce.clone();
        let refresh = [
            ("grant_type", "refresh_token"),
            ("refresh_token", nobodys.expose()),
        ];
        let call = self.proving(client_id, |fields| {
            Call::post(url, refresh.into_iter().chain(fields))
        });
        let about = "Refresh by a token that nobody issued";
        self.try_out(about, SERVER, call, |answer| {
            token::refusal(answer, Refused::UnknownCode)
        })
        .await;
    }

    /// A call by the client that the plan names: with its secret as the server takes it, or with its `client_id` in
    /// the body.
    fn proving(&self, client_id: &str, call: impl FnOnce(Vec<(&'static str, &str)>) -> Call) -> Call {
        match self.secret {
            Some(secret) if self.is_secret_in_body => {
                call(vec![("client_id", client_id), ("client_secret", secret.expose())])
            }
            Some(secret) => call(Vec::new()).basic(client_id, secret),
            None => call(vec![("client_id", client_id)]),
        }
    }

    pub(super) async fn other_endpoints(&mut self, known: &Known) {
        if let Some(url) = &known.introspection_endpoint {
            let call = Call::post(url, [("token", self.nonce.expose())]);
            self.try_out(
                "Introspect without credentials",
                SERVER,
                call,
                token::introspection,
            )
            .await;
        }
        let Some(client_id) = &self.plan.client_id else {
            return;
        };
        if let Some(url) = &known.revocation_endpoint {
            let about = "Revoke a token that nobody issued";
            let nobodys = self.nonce.clone();
            let call = self.revoking(url, client_id, &nobodys);
            self.try_out(about, SERVER, call, token::revocation).await;
        }
        self.own_token(known, client_id).await;
        self.device(known, client_id).await;
    }

    fn revoking(&self, url: &str, client_id: &str, token: &Secret) -> Call {
        self.proving(client_id, |fields| {
            Call::post(url, [("token", token.expose())].into_iter().chain(fields))
        })
    }

    /// A token by the client's secret, which is revoked again.
    async fn own_token(&mut self, known: &Known, client_id: &str) {
        let (Some(url), Some(_)) = (&known.token_endpoint, self.secret) else {
            return;
        };
        let scope = self.plan.scope.as_deref().map(|scope| ("scope", scope));
        let fields = [("grant_type", "client_credentials")].into_iter().chain(scope);
        let call = self.proving(client_id, |own| Call::post(url, fields.chain(own)));
        let about = "Get a token by the client's own credentials";
        let answer = self.try_out(about, SERVER, call, token::issued).await;
        let token = answer.as_ref().and_then(token::access_token);
        if let (Some(token), Some(url)) = (token, &known.revocation_endpoint) {
            let call = self.revoking(url, client_id, &token);
            self.try_out("Revoke that token", SERVER, call, token::revocation)
                .await;
        }
    }

    async fn device(&mut self, known: &Known, client_id: &str) {
        let Some(url) = &known.device_authorization_endpoint else {
            return;
        };
        let scope = self.plan.scope.as_deref().map(|scope| ("scope", scope));
        let call = self.proving(client_id, |own| Call::post(url, own.into_iter().chain(scope)));
        let mut code = None;
        self.try_out("Ask for a device code", SERVER, call, |answer| {
            let (checks, given) = device::codes(answer);
            code = given;
            checks
        })
        .await;
        if let (Some(code), Some(url)) = (code, &known.token_endpoint) {
            let poll = [("grant_type", DEVICE_GRANT), ("device_code", code.expose())];
            let call = self.proving(client_id, |own| Call::post(url, poll.into_iter().chain(own)));
            self.try_out("Poll before anybody decided", SERVER, call, device::poll)
                .await;
        }
    }
}
