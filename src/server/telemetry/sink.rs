//! Where lines go: a short queue and a thread that empties it.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Lines that wait at most.
pub(super) const QUEUE: usize = 1024;
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(5);

enum Entry {
    Line(String),
    /// Answered when every line before it is written.
    Flush(SyncSender<()>),
}

/// The queue's end for writers. Clones share the queue.
#[derive(Clone, Debug)]
pub(super) struct Sink {
    queue: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
}

impl Sink {
    /// Starts the thread. It ends with the last clone of the sink.
    pub(super) fn start(writer: impl Write + Send + 'static) -> io::Result<Self> {
        let (queue, entries) = sync_channel(QUEUE);
        thread::Builder::new()
            .name("log".into())
            .spawn(move || empty(&entries, writer))?;
        Ok(Self {
            queue,
            lost: Arc::default(),
        })
    }

    /// Queues a line, or loses it when the queue is full. Never waits.
    pub(super) fn write(&self, line: String) {
        if self.queue.try_send(Entry::Line(line)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many lines were lost since this was asked last.
    pub(super) fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }

    /// Waits until what is queued is written, at most a second.
    pub(super) fn flush(&self) {
        let until = Instant::now() + PATIENCE;
        let (done, written) = sync_channel(1);
        let mut entry = Entry::Flush(done);
        while let Err(TrySendError::Full(back)) = self.queue.try_send(entry) {
            if Instant::now() >= until {
                return;
            }
            entry = back;
            thread::sleep(PAUSE);
        }
        let _ = written.recv_timeout(until.saturating_duration_since(Instant::now()));
    }
}

fn empty(entries: &Receiver<Entry>, mut writer: impl Write) {
    for entry in entries {
        match entry {
            // there is nowhere left to complain
            Entry::Line(line) => drop(writer.write_all(line.as_bytes())),
            Entry::Flush(done) => drop(done.send(())),
        }
    }
}
