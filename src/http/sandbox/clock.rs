//! `{issuer}/sandbox/clock`: what codes, tokens, sessions, device codes and nonces take for the time.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::World;
use super::json::{Body, answer, invalid};
use crate::base::clock::SteeredClock;
use crate::base::config::seconds;

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new().route("/sandbox/clock", get(show).patch(steer))
}

/// The time and whether it stands.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    now: String,
    unix: i64,
    frozen: bool,
}

impl Told {
    pub(super) fn of(clock: &SteeredClock) -> Self {
        let now = clock.now();
        Self {
            now: now.format(&Rfc3339).unwrap_or_default(),
            unix: now.unix_timestamp(),
            frozen: clock.is_frozen(),
        }
    }
}

/// In this order: stands or runs, is set, is moved.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Steering {
    pub(super) frozen: Option<bool>,
    pub(super) now: Option<Moment>,
    pub(super) advance: Option<Span>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Moment {
    Unix(i64),
    Text(String),
}

/// Seconds, or as a setting spells them: `1h`, `30d`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Span {
    Seconds(i64),
    Text(String),
}

impl Span {
    /// In seconds.
    pub(super) fn parse(&self) -> Result<i64, String> {
        match self {
            Self::Seconds(seconds) => Ok(*seconds),
            Self::Text(text) => {
                let (sign, rest) = text.strip_prefix('-').map_or((1, &**text), |rest| (-1, rest));
                let seconds = seconds(rest).ok_or_else(|| {
                    format!("{text} is not a span of time: write seconds, or as 90s, 15m, 1h or 30d")
                })?;
                Ok(sign * seconds)
            }
        }
    }
}

impl Moment {
    fn unix(&self) -> Result<i64, String> {
        match self {
            Self::Unix(unix) => Ok(*unix),
            Self::Text(text) => OffsetDateTime::parse(text, &Rfc3339)
                .map(OffsetDateTime::unix_timestamp)
                .map_err(|_| format!("now: {text} is neither 2026-01-31T09:00:00Z nor unix seconds")),
        }
    }
}

/// What can be done to a clock, all of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steer {
    frozen: Option<bool>,
    /// In unix seconds.
    now: Option<i64>,
    /// In seconds.
    advance: Option<i64>,
}

impl Steering {
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn read(&self) -> Result<Steer, String> {
        Ok(Steer {
            frozen: self.frozen,
            now: self.now.as_ref().map(Moment::unix).transpose()?,
            advance: self.advance.as_ref().map(Span::parse).transpose()?,
        })
    }
}

impl Steer {
    pub(super) fn apply(self, clock: &SteeredClock) {
        match self.frozen {
            Some(true) => clock.freeze(),
            Some(false) => clock.resume(),
            None => {}
        }
        if let Some(now) = self.now {
            clock.set(now);
        }
        if let Some(seconds) = self.advance {
            clock.advance(seconds);
        }
    }
}

async fn show(State(world): State<Arc<World>>) -> Response {
    answer(StatusCode::OK, &Told::of(&world.clock))
}

async fn steer(State(world): State<Arc<World>>, Body(steering): Body<Steering>) -> Response {
    match steering.read() {
        Ok(steer) => {
            steer.apply(&world.clock);
            answer(StatusCode::OK, &Told::of(&world.clock))
        }
        Err(why) => invalid(why),
    }
}
