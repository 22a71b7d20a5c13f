//! Stopping: once to finish what is under way, twice to drop it.

use tokio::sync::watch;

/// How far the server is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Serving,
    Draining,
    Dropping,
}

/// The switch that stops the server. Clones are the same switch.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<Stage>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(Stage::Serving))
    }
}

impl Stop {
    /// Asks once more: the first time to finish what is under way, the second time to drop it.
    pub fn request(&self) {
        self.0.send_modify(|stage| {
            *stage = match *stage {
                Stage::Serving => Stage::Draining,
                Stage::Draining | Stage::Dropping => Stage::Dropping,
            }
        });
    }

    /// Whether the server was asked to stop; it is not ready for new work then.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow() > Stage::Serving
    }

    /// Returns when the server is asked to stop.
    pub async fn requested(&self) {
        self.reached(Stage::Draining).await;
    }

    /// Returns when nothing is to be waited for any more.
    pub async fn forced(&self) {
        self.reached(Stage::Dropping).await;
    }

    /// Drops everything still under way.
    pub(super) fn force(&self) {
        self.0.send_replace(Stage::Dropping);
    }

    /// From now on every SIGTERM and SIGINT is a request. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the signals cannot be listened for.
    #[cfg(unix)]
    pub fn on_signals(&self) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};

        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stop = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    Some(()) = terminate.recv() => {}
                    Some(()) = interrupt.recv() => {}
                    else => return,
                }
                if stop.is_requested() {
                    tracing::warn!("told to stop again: dropping what is under way");
                } else {
                    tracing::info!("told to stop: finishing what is under way");
                }
                stop.request();
            }
        });
        Ok(())
    }

    async fn reached(&self, stage: Stage) {
        // the sender lives in self, so waiting cannot fail
        let _ = self.0.subscribe().wait_for(|now| *now >= stage).await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn once_drains_and_twice_drops() {
        let stop = Stop::default();
        let seen = stop.clone();
        assert!(!seen.is_requested());
        assert_eq!(seen.requested().now_or_never(), None);
        stop.request();
        assert!(seen.is_requested());
        assert_eq!(seen.requested().now_or_never(), Some(()));
        assert_eq!(seen.forced().now_or_never(), None);
        stop.request();
        assert_eq!(seen.forced().now_or_never(), Some(()));
        stop.request();
        assert_eq!(seen.forced().now_or_never(), Some(()));
    }
}
