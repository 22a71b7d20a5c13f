//! When a connection must be done with what it does, and whether its place may be given away.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::{Instant, sleep_until};

use crate::server::listen::Limits;

/// What a connection is watched by. Its futures are to be polled after the connection: what moves the deadline
/// and what makes it idle happens while that is polled.
pub(super) trait Deadline {
    fn deadline(&self) -> Instant;

    fn is_idle(&self) -> bool;

    /// Returns when a phase took too long.
    async fn overdue(&self) {
        let mut timer = pin!(sleep_until(self.deadline()));
        poll_fn(|cx| {
            let deadline = self.deadline();
            // a deadline that has moved further away is looked at when the timer fires
            if deadline < timer.deadline() {
                timer.as_mut().reset(deadline);
            }
            loop {
                ready!(timer.as_mut().poll(cx));
                let deadline = self.deadline();
                if deadline <= timer.deadline() {
                    return Poll::Ready(());
                }
                timer.as_mut().reset(deadline);
            }
        })
        .await;
    }

    /// Returns when `make_room` asks for this connection's place. Only an idle connection queues for
    /// that, so that the one idle for the longest is the first to go.
    async fn wanted_while_idle(&self, make_room: &Notify) {
        let mut queued = pin!(None::<Notified<'_>>);
        poll_fn(|cx| {
            if !self.is_idle() {
                queued.set(None);
                return Poll::Pending;
            }
            if queued.is_none() {
                queued.set(Some(make_room.notified()));
            }
            queued
                .as_mut()
                .as_pin_mut()
                .map_or(Poll::Pending, |queued| queued.poll(cx))
        })
        .await;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Connected; not a byte of a request came.
    Silent,
    /// The last answer is out; not a byte of the next request came.
    Idle,
    /// A request's header is coming.
    Head,
    /// From the end of the header to the end of the answer.
    Request,
}

/// The phase of a connection with one request at a time, and when it ends. Clones watch the same connection.
#[derive(Clone)]
pub(super) struct Watch(Arc<Watching>);

struct Watching {
    now: Mutex<(Phase, Instant)>,
    head: Duration,
    idle: Duration,
    request: Duration,
}

impl Watch {
    pub(super) fn new(limits: &Limits) -> Self {
        Self(Arc::new(Watching {
            now: Mutex::new((Phase::Silent, Instant::now() + limits.head)),
            head: limits.head,
            idle: limits.idle,
            request: limits.request,
        }))
    }

    pub(super) fn bytes_came(&self) {
        let mut now = self.now();
        match now.0 {
            Phase::Silent => now.0 = Phase::Head,
            Phase::Idle => *now = (Phase::Head, Instant::now() + self.0.head),
            Phase::Head | Phase::Request => {}
        }
    }

    pub(super) fn request_began(&self) {
        *self.now() = (Phase::Request, Instant::now() + self.0.request);
    }

    pub(super) fn answer_ended(&self) {
        *self.now() = (Phase::Idle, Instant::now() + self.0.idle);
    }

    fn now(&self) -> MutexGuard<'_, (Phase, Instant)> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deadline for Watch {
    fn deadline(&self) -> Instant {
        self.now().1
    }

    fn is_idle(&self) -> bool {
        matches!(self.now().0, Phase::Silent | Phase::Idle)
    }
}
