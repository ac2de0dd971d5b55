//! What systemd gives and wants: sockets that it opened, readiness, the watchdog, and log lines
//! with the journal's levels. Outside systemd all of it does nothing.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sd_notify::NotifyState;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::config::LogForm;

/// Returns the listening socket that `daybook.socket` opened, if it did.
pub fn listener() -> Result<Option<TcpListener>> {
    let mut given = listenfd::ListenFd::from_env();
    ensure!(given.len() <= 1, "systemd hands over {} sockets, Daybook listens on one", given.len());
    if given.len() == 0 {
        return Ok(None);
    }
    given.take_tcp_listener(0).context("the socket that systemd hands over is not a TCP listener")
}

/// Tells systemd that the server answers, and where.
pub fn ready(url: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(&format!("answering at {url}"))]);
}

/// Tells systemd that the server has begun to stop.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("finishing what has begun")]);
}

/// Returns how often the watchdog wants to hear of us: twice as often as it would act.
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

/// Tells the watchdog that the server is well.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(e) = sd_notify::notify(state) {
        tracing::warn!(error = %e, "systemd could not be told the state");
    }
}

/// Starts the log on standard error.
pub fn log_to(form: LogForm, level: &str, environment: &BTreeMap<String, String>) -> Result<()> {
    // A stale cookie is an everyday thing; that layer would warn of each.
    let quieter = format!("tower_sessions=error,tower_sessions_core=error,{level}");
    let filter = EnvFilter::try_new(quieter).with_context(|| format!("log_level {level:?}"))?;
    let journal = match form {
        LogForm::Auto => environment.get("JOURNAL_STREAM").is_some_and(|s| is_standard_error(s)),
        LogForm::Journal => true,
        LogForm::Text | LogForm::Json => false,
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match form {
        LogForm::Json => log.json().flatten_event(true).try_init(),
        _ => log.with_ansi(false).event_format(Line { journal }).try_init(),
    };
    started.map_err(|e| anyhow::anyhow!("the log was started already: {e}"))
}

/// Whether the journal's stream (`<device>:<inode>`) is our standard error, not a parent's.
fn is_standard_error(stream: &str) -> bool {
    std::fs::metadata("/proc/self/fd/2")
        .is_ok_and(|file| stream == format!("{}:{}", file.dev(), file.ino()))
}

/// One event as one line, whatever its values hold: for the journal with its level as `<3>` to
/// `<7>` (sd-daemon(3)) and without the time, which the journal knows.
struct Line {
    journal: bool,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        if self.journal {
            write!(out, "<{}>", priority(level))?;
        } else {
            SystemTime.format_time(&mut out)?;
            write!(out, " {level:>5} ")?;
        }
        let mut line = String::new();
        context.format_fields(Writer::new(&mut line), event)?;
        for span in context.event_scope().into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>()
                && !fields.fields.is_empty()
            {
                write!(line, " {}", fields.fields)?;
            }
        }
        out.write_str(&on_one_line(&line))?;
        out.write_char('\n')
    }
}

/// The number that the journal gives a level.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

/// Escapes control characters, so that no value can forge a second line.
fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_forge_a_second_line() {
        assert_eq!(on_one_line("Müller\n<0>\u{1b}[31m"), "Müller\\n<0>\\u{1b}[31m");
    }

    #[test]
    fn another_process_s_journal_is_not_ours() {
        assert!(!is_standard_error("1:1"));
        let file = std::fs::metadata("/proc/self/fd/2").unwrap();
        assert!(is_standard_error(&format!("{}:{}", file.dev(), file.ino())));
    }
}
