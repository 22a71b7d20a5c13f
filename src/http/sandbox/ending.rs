//! Answers that never come, or not to their end.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::Response;
use futures_util::stream;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::timeout;

use super::script::{Answer, Dropping};

/// A request is stalled so long at most.
const STALLED: Duration = Duration::from_mins(10);

/// How an answer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ending {
    #[default]
    Answered,
    /// Nothing was sent until the client or the script gave up.
    Stalled,
    /// The connection was closed, and nothing was sent.
    Dropped,
    /// The same, after the server had done what it was asked.
    Lost,
    /// The connection was closed after half of the body.
    Truncated,
    /// The client went before there was an answer.
    HungUp,
}

impl Ending {
    /// Of a request that the server never sees.
    pub(super) fn instead_of(answer: &Answer) -> Option<Self> {
        if answer.stall {
            Some(Self::Stalled)
        } else if answer.drop == Dropping::Request {
            Some(Self::Dropped)
        } else {
            None
        }
    }

    /// Whether the server had an answer, be it that only half of it or nothing was sent.
    pub(super) const fn has_answer(self) -> bool {
        matches!(self, Self::Answered | Self::Lost | Self::Truncated)
    }

    /// Ends an answer so. `released` tells when a stalled one is let go.
    pub(super) async fn carry_out(
        self,
        response: Response,
        body: Bytes,
        mut released: watch::Receiver<()>,
    ) -> Response {
        match self {
            Self::Answered | Self::HungUp => response,
            Self::Stalled => {
                let _ = timeout(STALLED, released.changed()).await;
                broken(Response::default(), Bytes::new())
            }
            Self::Dropped | Self::Lost => broken(Response::default(), Bytes::new()),
            Self::Truncated => truncated(response, body),
        }
    }
}

/// Announces the whole and sends half of it.
fn truncated(mut response: Response, mut body: Bytes) -> Response {
    let length = body.len().into();
    response.headers_mut().insert(header::CONTENT_LENGTH, length);
    body.truncate(body.len() / 2);
    broken(response, body)
}

/// The connection breaks when `sent` is out, or before anything is where that is empty: a server has no other
/// way to tell its HTTP library so than a body that fails.
fn broken(response: Response, sent: Bytes) -> Response {
    let (parts, _) = response.into_parts();
    let chunks = stream::unfold(Step::Send(sent), |step| async move {
        match step {
            Step::Send(sent) if !sent.is_empty() => Some((Ok(sent), Step::Flush)),
            Step::Send(_) => Some((Err(io::ErrorKind::ConnectionAborted.into()), Step::Done)),
            Step::Flush => {
                // what was sent is to leave before the connection is closed
                tokio::task::yield_now().await;
                Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), Step::Done))
            }
            Step::Done => None,
        }
    });
    Response::from_parts(parts, Body::from_stream(chunks))
}

enum Step {
    Send(Bytes),
    Flush,
    Done,
}
