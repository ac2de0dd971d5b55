//! What the server has done and does, in figures: read once, shown as Prometheus text, as JSON and
//! in words.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use serde::Serialize;

use super::listen::Gate;
use super::streams::Streams;
use crate::app::App;
use crate::base::Timestamp;
use crate::base::id::PersonId;
use crate::live::metrics::{Ending, Reading};
use crate::live::watch::{Carrier, DeviceKind, Laggard};

/// How many slow streams are named.
const SLOWEST_MAX: usize = 10;

/// Everything that is counted.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = ServerFigures)]
pub struct Figures {
    pub connections: ConnectionFigures,
    pub streams: StreamFigures,
    pub writer: WriterFigures,
    pub people_present: usize,
    /// Position of the newest event.
    pub log_position: i64,
}

/// Connections, streams included.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ConnectionFigures {
    pub open: usize,
    pub max: usize,
    pub refused: u64,
}

/// Streams of every kind.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct StreamFigures {
    pub open: usize,
    pub max: usize,
    pub by_kind: Vec<OfKind>,
    /// Streams over a cap.
    pub refused: u64,
    /// Frames handed to streams.
    pub deliveries: u64,
    /// Events handed from the log to readers that were behind.
    pub replayed: u64,
    /// Rows of the log that were read for them.
    pub replay_rows: u64,
    /// Streams told to read snapshots again.
    pub resyncs: u64,
    /// Streams ended by the server.
    pub ended: Vec<Ended>,
    /// Events that the slowest stream is behind.
    pub lag_events: u64,
    /// Those that are behind, the slowest first.
    pub slowest: Vec<Slow>,
}

/// Streams of one kind.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct OfKind {
    pub kind: Carrier,
    pub open: usize,
}

/// Streams that were ended for one reason.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Ended {
    pub reason: Ending,
    pub count: u64,
}

/// A stream that is behind.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Slow {
    /// Whose it is; null for a wall screen.
    pub person_id: Option<PersonId>,
    /// Public id of the login session, or `display:{id}`.
    pub session_id: String,
    pub kind: Carrier,
    /// What it was opened on, as far as that can be told.
    pub device: DeviceKind,
    pub since: Timestamp,
    /// Events that it has still to be handed.
    pub lag_events: u64,
    /// Bytes that wait for it: handed and not taken, and in the ring.
    pub waiting_bytes: u64,
}

/// The one writer.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct WriterFigures {
    /// Writes that wait.
    pub queue: i64,
    pub queue_max: usize,
    /// Writes over the queue's cap.
    pub refused: u64,
    pub writes: u64,
    pub commits: u64,
    pub commits_failed: u64,
    /// Writes of a commit, on average.
    pub batch_mean: f64,
    /// Time of a commit, on average.
    pub commit_mean_ms: f64,
    #[serde(skip)]
    #[schema(ignore)]
    batch: Spread,
    #[serde(skip)]
    #[schema(ignore)]
    commit_us: Spread,
}

/// How values were spread, for those who draw curves.
#[derive(Debug, Clone)]
struct Spread(Reading);

impl Figures {
    /// Reads them all.
    pub fn read(app: &App, gate: &Gate, streams: &Streams) -> Figures {
        let config = &app.config;
        Figures {
            connections: ConnectionFigures {
                open: gate.open(),
                max: config.connections_max,
                refused: gate.refused(),
            },
            streams: StreamFigures::read(app, streams),
            writer: WriterFigures::read(app),
            people_present: app.presence.everybody().len(),
            log_position: app.hub.head().seq,
        }
    }

    /// Returns them as Prometheus text. Who is slow is not in it: it goes to where figures are kept
    /// for years.
    pub fn prometheus(&self) -> String {
        let Figures { connections, streams, writer, .. } = self;
        let mut page = Page(String::with_capacity(8192));
        page.gauge(
            "connections_open",
            "Connections that are open, streams included.",
            connections.open,
        );
        page.counter("connections_refused_total", "Connections over a cap.", connections.refused);
        streams.print(&mut page);
        page.gauge("people_present", "People who are online.", self.people_present);
        writer.print(&mut page);
        page.gauge("log_position", "Position of the newest event.", self.log_position);
        page.0
    }
}

impl StreamFigures {
    fn read(app: &App, streams: &Streams) -> StreamFigures {
        let m = app.hub.metrics();
        let audience = app.hub.audience(SLOWEST_MAX);
        let ended = |reason: &Ending| Ended { reason: *reason, count: m.endings(*reason) };
        StreamFigures {
            open: audience.streams.iter().map(|(_, open)| open).sum(),
            max: app.config.streams_max,
            by_kind: audience.streams.iter().map(|&(kind, open)| OfKind { kind, open }).collect(),
            refused: streams.refused(),
            deliveries: count(&m.deliveries),
            replayed: count(&m.replayed),
            replay_rows: app.replay.rows_read(),
            resyncs: count(&m.resyncs),
            ended: Ending::ALL.iter().map(ended).collect(),
            lag_events: audience.slowest.iter().map(|slow| slow.lag_events).max().unwrap_or(0),
            slowest: audience.slowest.into_iter().map(Slow::from).collect(),
        }
    }

    fn print(&self, page: &mut Page) {
        page.gauge("streams_open", "Streams that are open.", self.open);
        page.head("streams_by_kind", "Streams that are open, by kind.", "gauge");
        for OfKind { kind, open } in &self.by_kind {
            page.line(&format!("streams_by_kind{{kind=\"{}\"}}", kind.word()), open);
        }
        page.counter("streams_refused_total", "Streams over a cap.", self.refused);
        page.gauge("stream_lag_events", "Events that the slowest is behind.", self.lag_events);
        let waiting = self.slowest.iter().map(|slow| slow.waiting_bytes).max().unwrap_or(0);
        page.gauge("stream_waiting_bytes", "Bytes that wait for the slowest stream.", waiting);
        page.counter("deliveries_total", "Frames handed to streams.", self.deliveries);
        page.counter("replayed_total", "Events handed from the log to streams.", self.replayed);
        page.counter("replay_rows_total", "Rows of the log read for that.", self.replay_rows);
        page.counter("resyncs_total", "Streams told to read snapshots again.", self.resyncs);
        page.head("stream_cuts_total", "Streams ended by the server, by reason.", "counter");
        for Ended { reason, count } in &self.ended {
            page.line(&format!("stream_cuts_total{{reason=\"{}\"}}", reason.word()), count);
        }
    }
}

impl WriterFigures {
    /// Figures that a test judges.
    #[cfg(test)]
    pub fn example(queue: i64, commits: u64, failed: u64, commit_mean_ms: f64) -> WriterFigures {
        let none = || Spread(Reading { up_to: Vec::new(), count: commits, sum: commits });
        WriterFigures {
            queue,
            queue_max: 1024,
            refused: 0,
            writes: commits,
            commits,
            commits_failed: failed,
            batch_mean: 1.0,
            commit_mean_ms,
            batch: none(),
            commit_us: none(),
        }
    }

    fn read(app: &App) -> WriterFigures {
        let m = app.hub.metrics();
        let (batch, commit_us) = (m.batch.read(), m.commit_us.read());
        WriterFigures {
            queue: depth(&m.queue_depth),
            queue_max: app.config.write_queue,
            refused: count(&m.queue_refused),
            writes: batch.sum,
            commits: batch.count,
            commits_failed: count(&m.commits_failed),
            batch_mean: mean(&batch),
            commit_mean_ms: rounded(mean(&commit_us) / 1000.0),
            batch: Spread(batch),
            commit_us: Spread(commit_us),
        }
    }

    fn print(&self, page: &mut Page) {
        page.gauge("write_queue", "Writes that wait for the writer.", self.queue);
        page.counter("writes_refused_total", "Writes over the queue's cap.", self.refused);
        page.counter("writes_total", "Writes that were committed.", self.writes);
        page.counter("commits_failed_total", "Commits that failed.", self.commits_failed);
        page.spread("commit_writes", "Writes that shared a commit.", &self.batch, 1.0);
        page.spread("commit_seconds", "Time of a commit; writes share one.", &self.commit_us, 1e6);
    }
}

impl From<Laggard> for Slow {
    fn from(one: Laggard) -> Slow {
        Slow {
            person_id: one.holder.person,
            session_id: one.holder.session,
            kind: one.holder.carrier,
            device: one.holder.device,
            since: one.holder.since,
            lag_events: one.lag_events,
            waiting_bytes: one.waiting_bytes,
        }
    }
}

fn count(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn depth(gauge: &AtomicI64) -> i64 {
    gauge.load(Ordering::Relaxed)
}

/// Returns the mean, rounded to what a person reads.
fn mean(reading: &Reading) -> f64 {
    if reading.count == 0 {
        return 0.0;
    }
    rounded(reading.sum as f64 / reading.count as f64)
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// A page of figures in the making. Writing to a String cannot fail.
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        let _ = writeln!(self.0, "# HELP daybook_{name} {help}\n# TYPE daybook_{name} {kind}");
    }

    fn line(&mut self, name: &str, value: impl fmt::Display) {
        let _ = writeln!(self.0, "daybook_{name} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl fmt::Display) {
        self.head(name, help, "gauge");
        self.line(name, value);
    }

    fn counter(&mut self, name: &str, help: &str, value: impl fmt::Display) {
        self.head(name, help, "counter");
        self.line(name, value);
    }

    /// Prints a spread whose values are counted in `unit`s.
    fn spread(&mut self, name: &str, help: &str, Spread(reading): &Spread, unit: f64) {
        self.head(name, help, "histogram");
        for (bound, count) in &reading.up_to {
            let bound = *bound as f64 / unit;
            self.line(&format!("{name}_bucket{{le=\"{bound}\"}}"), count);
        }
        self.line(&format!("{name}_bucket{{le=\"+Inf\"}}"), reading.count);
        self.line(&format!("{name}_sum"), reading.sum as f64 / unit);
        self.line(&format!("{name}_count"), reading.count);
    }
}
