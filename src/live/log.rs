//! The event log: append, read back in order, prune. No other module touches the table.

use rusqlite::{Connection, Row, params};

use crate::base::{Actor, Result, Timestamp};
use crate::event::wire::{Logged, VERSION};
use crate::event::{Event, Topic};
use crate::store::rows::{self, FromRow};

/// Appends `event` and returns it with its place.
pub(super) fn append(conn: &Connection, at: Timestamp, by: Actor, event: &Event) -> Result<Logged> {
    let data = serde_json::to_string(event).map_err(anyhow::Error::from)?;
    let (topics, subject) = (event.topics(), event.subject());
    let seq = rows::insert(
        conn,
        "insert into event_log (at, by, type, v, topics, subject_id, data)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![at, by, event.kind(), VERSION, joined(&topics), subject, data],
    )?;
    Ok(Logged { seq, at, kind: event.kind().into(), topics, subject, data })
}

/// Returns the events with `first <= seq < end`, oldest first.
pub(super) fn range(conn: &Connection, first: i64, end: i64) -> Result<Vec<Logged>> {
    rows::all(
        conn,
        "select seq, at, type, topics, subject_id, data
         from event_log
         where seq >= ?1 and seq < ?2
         order by seq",
        params![first, end],
    )
}

/// Returns the place of the newest event; 0 when there never was one.
pub fn head(conn: &Connection) -> Result<i64> {
    let head: Option<i64> = rows::one(conn, "event", "select max(seq) from event_log", [])?;
    match head {
        Some(seq) => Ok(seq),
        None => Ok(last_given(conn)?),
    }
}

/// Returns the oldest cursor from which nothing is missing.
pub fn floor(conn: &Connection) -> Result<i64> {
    let first: Option<i64> = rows::one(conn, "event", "select min(seq) from event_log", [])?;
    match first {
        Some(seq) => Ok(seq - 1),
        None => last_given(conn),
    }
}

/// Removes the events before `moment` and returns how many there were.
pub fn prune(conn: &Connection, moment: Timestamp) -> Result<usize> {
    rows::run(conn, "delete from event_log where at < ?1", params![moment])
}

/// The number that the last event had, also when it has been pruned.
fn last_given(conn: &Connection) -> Result<i64> {
    let seq = rows::maybe(conn, "select seq from sqlite_sequence where name = 'event_log'", [])?;
    Ok(seq.unwrap_or(0))
}

fn joined(topics: &[Topic]) -> String {
    topics.iter().map(Topic::to_string).collect::<Vec<_>>().join(" ")
}

impl FromRow for Logged {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Logged> {
        let (kind, topics): (String, String) = (row.get("type")?, row.get("topics")?);
        Ok(Logged {
            seq: row.get("seq")?,
            at: row.get("at")?,
            kind: kind.into(),
            topics: topics.split(' ').filter_map(|topic| topic.parse().ok()).collect(),
            subject: row.get("subject_id")?,
            data: row.get("data")?,
        })
    }
}
