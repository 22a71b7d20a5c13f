//! Logs: one record a line on stderr, for people or as JSON.
//!
//! What a client sends ends up in logs. So a record is one line whatever is in it: control characters
//! are escaped and long values cut. And logging never holds the server up: a thread of its own writes,
//! and when stderr is stuck, full or closed, records are lost and nothing else.

mod record;
mod sink;

use std::io::{self, IsTerminal};
use std::panic::{self, PanicHookInfo};

use tracing::span::{Attributes, Id, Record as Values};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Scope};
use tracing_subscriber::util::SubscriberInitExt;

use crate::base::clock::Clock;
use crate::base::config::LogFormat;
use record::{Fields, Record, SpanRecord};
use sink::Sink;

/// Keeps the log going. Dropping it waits up to a second for the last records to be written.
#[derive(Debug)]
#[must_use = "what was logged last is written when this is dropped"]
pub struct Telemetry {
    sink: Sink,
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        self.sink.flush();
    }
}

/// Starts to log what `filter` lets through (`info`, `info,sqlx=warn`) to stderr; without `format`,
/// pretty on a terminal, else JSON. A panic becomes a record too. Once a process.
///
/// # Errors
/// When `filter` cannot be read, the thread cannot be started, or logging was started before.
pub fn init(filter: &str, format: Option<LogFormat>, clock: Clock) -> io::Result<Telemetry> {
    let targets: Targets = filter
        .parse()
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let terminal = io::stderr().is_terminal();
    let format = format.unwrap_or(if terminal {
        LogFormat::Pretty
    } else {
        LogFormat::Json
    });
    let sink = Sink::start(io::stderr())?;
    let log = Log {
        sink: sink.clone(),
        format,
        colour: terminal && std::env::var_os("NO_COLOR").is_none(),
        clock,
    };
    tracing_subscriber::registry()
        .with(log.with_filter(targets))
        .try_init()
        .map_err(|error| io::Error::new(io::ErrorKind::AlreadyExists, error))?;
    panic::set_hook(Box::new(log_panic));
    Ok(Telemetry { sink })
}

fn log_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let words = info.payload_as_str().unwrap_or("no words");
    tracing::error!(place, "panicked: {words}");
}

/// Turns events into lines.
struct Log {
    sink: Sink,
    format: LogFormat,
    colour: bool,
    clock: Clock,
}

impl Log {
    fn write(&self, record: &Record<'_>) {
        let line = match self.format {
            LogFormat::Json => record.json(),
            LogFormat::Pretty => record.pretty(self.colour),
        };
        self.sink.write(line);
    }

    fn tell_what_is_lost(&self) {
        let lost = self.sink.take_lost();
        if lost == 0 {
            return;
        }
        let fields = Fields::message(format!("{lost} log records were lost: stderr was stuck"));
        self.write(&Record::new(
            self.clock.now(),
            tracing::Level::WARN,
            "tegata::log",
            fields,
            Vec::new(),
        ));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Log {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().replace(fields);
    }

    fn on_record(&self, id: &Id, values: &Values<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut spans = Vec::new();
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            let extensions = span.extensions();
            let fields = extensions.get::<Fields>().cloned().unwrap_or_default();
            spans.push(SpanRecord::new(span.name(), fields));
        }
        let metadata = event.metadata();
        self.tell_what_is_lost();
        self.write(&Record::new(
            self.clock.now(),
            *metadata.level(),
            metadata.target(),
            fields,
            spans,
        ));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use crate::base::clock::SteeredClock;

    use super::*;

    struct Pipe(Sender<Vec<u8>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn text(written: &Receiver<Vec<u8>>) -> String {
        String::from_utf8(written.try_iter().flatten().collect()).unwrap()
    }

    /// What is logged by `work`.
    fn logged(format: LogFormat, work: impl FnOnce()) -> String {
        let (sender, written) = channel();
        let sink = Sink::start(Pipe(sender)).unwrap();
        let clock = Clock::Steered(SteeredClock::at(1_700_000_000));
        let log = Log {
            sink: sink.clone(),
            format,
            colour: false,
            clock,
        };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(log), work);
        sink.flush();
        text(&written)
    }

    const NASTY: &str = "a\nfake=record \u{1b}[2J\u{9b}31m\u{7f}\u{202e}\"";

    fn nasty() {
        let span = tracing::info_span!("request", path = NASTY, status = tracing::field::Empty);
        span.record("status", 200);
        let _entered = span.enter();
        tracing::info!(username = NASTY, shown = %NASTY, count = 3, "hello {NASTY}");
    }

    #[test]
    fn a_pretty_record_is_one_line_without_control_characters() {
        let line = logged(LogFormat::Pretty, nasty);
        assert_eq!(line.matches('\n').count(), 1, "{line:?}");
        let line = line.trim_end_matches('\n');
        assert!(
            !line.contains(|c: char| c.is_control() || c == '\u{202e}'),
            "{line:?}"
        );
        assert!(
            line.starts_with("2023-11-14T22:13:20Z  INFO tegata::server::telemetry::tests: hello a\\nfake")
        );
        assert!(
            line.contains("count=3") && line.contains("username=\"a\\n"),
            "{line}"
        );
        assert!(
            line.contains("request{") && line.ends_with("status=200}"),
            "{line}"
        );
    }

    #[test]
    fn a_json_record_is_one_line_and_reads_back() {
        let line = logged(LogFormat::Json, nasty);
        assert_eq!(line.matches(char::is_control).count(), 1, "{line:?}");
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["timestamp"], "2023-11-14T22:13:20Z");
        assert_eq!(read["level"], "INFO");
        assert_eq!(read["message"], format!("hello {NASTY}"));
        assert_eq!(read["fields"]["username"], NASTY);
        assert_eq!(read["fields"]["shown"], NASTY);
        assert_eq!(read["fields"]["count"], 3);
        assert_eq!(read["spans"][0]["name"], "request");
        assert_eq!(read["spans"][0]["fields"]["status"], 200);
    }

    #[test]
    fn long_values_are_cut() {
        let long = "é".repeat(1_000_000);
        for format in [LogFormat::Json, LogFormat::Pretty] {
            let line = logged(
                format,
                || tracing::info!(username = long, shown = %long, "{long}"),
            );
            assert!(line.len() < 10_000, "{}", line.len());
            assert!(line.contains('…'));
        }
    }

    #[test]
    fn a_broken_writer_stops_nobody() {
        let (sender, written) = channel();
        drop(written);
        let sink = Sink::start(Pipe(sender)).unwrap();
        let log = Log {
            sink: sink.clone(),
            format: LogFormat::Json,
            colour: false,
            clock: Clock::System,
        };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(log), || {
            for _ in 0..10 {
                tracing::info!("unheard");
            }
        });
        sink.flush();
        assert_eq!(sink.take_lost(), 0);
    }

    /// Blocks until it is let go.
    struct Stuck(Receiver<()>, Pipe);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stuck_writer_loses_records_and_says_so() {
        let (sender, written) = channel();
        let (release, held) = channel();
        let sink = Sink::start(Stuck(held, Pipe(sender))).unwrap();
        let log = Log {
            sink: sink.clone(),
            format: LogFormat::Pretty,
            colour: false,
            clock: Clock::System,
        };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(log), || {
            for _ in 0..sink::QUEUE * 2 {
                tracing::info!("much");
            }
            drop(release);
            sink.flush();
            tracing::info!("after");
        });
        sink.flush();
        let text = text(&written);
        let told = text
            .lines()
            .find(|line| line.contains("log records were lost"))
            .unwrap();
        assert!(told.contains("WARN"), "{told}");
        assert!(text.lines().last().unwrap().ends_with("after"), "{text}");
    }

    #[test]
    fn a_wrong_filter_is_an_error() {
        let error = init("tegata=loud", Some(LogFormat::Json), Clock::System).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
