//! The figures in words: what is well, what is not, and which client is slow.

use serde::{Deserialize, Serialize};

use super::figures::{ConnectionFigures, Figures, Slow, StreamFigures, WriterFigures};
use crate::live::watch::DeviceKind;
use crate::words;

/// From here on a stream is called slow. A burst puts everybody a little behind for a moment.
const SLOW_EVENTS: u64 = 500;
const SLOW_BYTES: u64 = 128 * 1024;

/// A commit that takes longer on average has a disk that is too slow, or too busy. Of fewer commits
/// nothing can be said.
const SLOW_COMMIT_MS: f64 = 100.0;
const COMMITS_LEAST: u64 = 100;

words! {
    /// How bad it is.
    Level { Ok = "ok", Warn = "warn", Fail = "fail" }
}

/// Something that an operator should know, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Finding {
    pub level: Level,
    /// Stable and dotted; its first word says what it is about.
    pub code: String,
    pub text: String,
}

/// Returns what there is to say: a sentence on each part, and one on each slow stream.
pub fn of(figures: &Figures) -> Vec<Finding> {
    let Figures { connections, streams, writer, .. } = figures;
    let mut findings = vec![of_connections(connections), of_streams(streams)];
    findings.extend(streams.slowest.iter().filter(|slow| is_slow(slow)).map(of_slow));
    findings.push(of_writer(writer));
    findings
}

/// Returns the worst of all.
pub fn worst(findings: &[Finding]) -> Level {
    findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
}

fn of_connections(connections: &ConnectionFigures) -> Finding {
    let ConnectionFigures { open, max, refused } = connections;
    let text =
        format!("{open} of {max} connections are open; {refused} were refused since the start");
    if nearly_full(*open, *max) {
        finding(Level::Warn, "connections.nearly_full", text)
    } else {
        finding(Level::Ok, "connections.open", text)
    }
}

fn of_streams(streams: &StreamFigures) -> Finding {
    let StreamFigures { open, max, refused, deliveries, replay_rows, lag_events, .. } = streams;
    let kinds = streams.by_kind.iter().filter(|one| one.open > 0);
    let kinds: Vec<_> = kinds.map(|one| format!("{} {}", one.open, one.kind.word())).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    let ended = streams.ended.iter().filter(|one| one.count > 0);
    let ended: Vec<_> = ended.map(|one| format!("{} {}", one.count, one.reason.word())).collect();
    let ended = if ended.is_empty() { "none".to_owned() } else { ended.join(", ") };
    let text = format!(
        "{open} of {max} streams are open{kinds}; the slowest is {lag_events} events behind; since \
         the start {deliveries} frames were delivered, {replay_rows} rows of the log were read for \
         those behind, the server ended {ended}, and {refused} were refused"
    );
    if nearly_full(*open, *max) {
        finding(Level::Warn, "streams.nearly_full", text)
    } else {
        finding(Level::Ok, "streams.open", text)
    }
}

fn of_slow(slow: &Slow) -> Finding {
    let who = match slow.person_id {
        Some(person) => format!("person {person}"),
        None => slow.session_id.replace(':', " "),
    };
    let text = format!(
        "{who} is slow: the {} stream{} that is open since {} is {} events behind, and {} bytes \
         wait for it",
        slow.kind.word(),
        on_device(slow.device),
        slow.since,
        slow.lag_events,
        slow.waiting_bytes
    );
    finding(Level::Warn, "streams.slow", text)
}

/// Says on what kind of device, where that is known.
fn on_device(device: DeviceKind) -> String {
    match device {
        DeviceKind::Unknown => String::new(),
        device => format!(" on a {}", device.word()),
    }
}

fn of_writer(writer: &WriterFigures) -> Finding {
    let WriterFigures { queue, queue_max, writes, commits, batch_mean, commit_mean_ms, .. } =
        writer;
    let text = format!(
        "{queue} of {queue_max} writes wait; {writes} were made in {commits} commits, {batch_mean} \
         in each, {commit_mean_ms} ms each; {} were refused, and {} commits failed",
        writer.refused, writer.commits_failed
    );
    if nearly_full(usize::try_from(*queue).unwrap_or(0), *queue_max) {
        finding(Level::Fail, "writer.overloaded", text)
    } else if writer.commits_failed > 0 {
        finding(Level::Warn, "writer.commits_failed", text)
    } else if *commit_mean_ms > SLOW_COMMIT_MS && *commits >= COMMITS_LEAST {
        finding(Level::Warn, "writer.slow", text)
    } else {
        finding(Level::Ok, "writer.open", text)
    }
}

fn finding(level: Level, code: &str, text: String) -> Finding {
    Finding { level, code: code.to_owned(), text }
}

fn is_slow(slow: &Slow) -> bool {
    slow.lag_events >= SLOW_EVENTS || slow.waiting_bytes >= SLOW_BYTES
}

/// Nine tenths of what there may be.
fn nearly_full(open: usize, max: usize) -> bool {
    open.saturating_mul(10) >= max.saturating_mul(9)
}

#[cfg(test)]
mod tests {
    use super::{Level, of_writer};
    use crate::http::figures::WriterFigures;

    #[test]
    fn a_writer_is_judged_by_its_queue_its_failures_and_its_pace() {
        for (queue, failed, commits, mean_ms, level, code) in [
            (0, 0, 1000, 2.0, Level::Ok, "writer.open"),
            (0, 0, 99, 400.0, Level::Ok, "writer.open"),
            (0, 0, 100, 400.0, Level::Warn, "writer.slow"),
            (0, 1, 100, 2.0, Level::Warn, "writer.commits_failed"),
            (921, 0, 100, 2.0, Level::Ok, "writer.open"),
            (922, 1, 100, 400.0, Level::Fail, "writer.overloaded"),
        ] {
            let writer = WriterFigures::example(queue, commits, failed, mean_ms);
            let found = of_writer(&writer);
            assert_eq!((found.level, &*found.code), (level, code), "{}", found.text);
        }
    }
}
