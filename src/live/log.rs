//! The event log: append, read back in order, prune. No other module touches the table.

use std::slice;

use rusqlite::{Connection, ToSql, params};

use crate::base::{Actor, Result, Timestamp, text};
use crate::event::wire::{Logged, VERSION};
use crate::event::{Event, Topic};
use crate::store::ready::Prepares;
use crate::store::rows::{self, FromRow, Row};

/// Returns `event` as the log will know it in the place `seq`.
pub(super) fn entry(seq: i64, at: Timestamp, event: &Event) -> Result<Logged> {
    let data = text::json(event)?;
    let (kind, topics, subject) = (event.kind().into(), event.topics(), event.subject());
    Ok(Logged { seq, at, kind, topics, subject, name: None, data })
}

/// How many events one statement takes: what stands around each statement costs as much as half of
/// an event.
const TOGETHER: usize = 8;

/// The statement that appends so many events as it is given rows. It fails as a whole with all
/// that the batch has written, so that nothing need be kept to undo it by itself.
macro_rules! insert {
    ($($row:tt)+) => {
        concat!(
            "insert or fail into event_log (seq, at, by, type, v, topics, subject_id, data)
             values ",
            $($row, "(?, ?, ?, ?, ?, ?, ?, ?)"),+
        )
    };
}

/// Appends events, each in the place that it was given, with those who caused them.
pub(super) fn append(at: &impl Prepares, events: &[Logged], by: &[Actor]) -> Result<()> {
    for (events, by) in events.chunks(TOGETHER).zip(by.chunks(TOGETHER)) {
        if events.len() == TOGETHER {
            append_all(at, insert!("" "," "," "," "," "," "," ","), events, by)?;
        } else {
            for (event, by) in events.iter().zip(by) {
                append_all(at, insert!(""), slice::from_ref(event), slice::from_ref(by))?;
            }
        }
    }
    Ok(())
}

fn append_all(
    at: &impl Prepares,
    sql: &'static str,
    events: &[Logged],
    by: &[Actor],
) -> Result<()> {
    let topics: Vec<String> = events.iter().map(|event| joined(&event.topics)).collect();
    let mut values: Vec<&dyn ToSql> = Vec::with_capacity(events.len() * 8);
    for ((event, topics), by) in events.iter().zip(&topics).zip(by) {
        let Logged { seq, at, kind, subject, data, .. } = event;
        values.extend([seq as &dyn ToSql, at, by, kind, &VERSION, topics, subject, data]);
    }
    rows::run(at, sql, &*values)?;
    Ok(())
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
pub fn head(at: &impl Prepares) -> Result<i64> {
    rows::one(at, "event", "select coalesce(max(seq), 0) from event_log", [])
}

/// Returns the oldest cursor from which nothing is missing.
pub fn floor(conn: &Connection) -> Result<i64> {
    rows::one(conn, "event", "select coalesce(min(seq) - 1, 0) from event_log", [])
}

/// Returns the place of the newest event from before `moment`, or that before the oldest event. Times
/// rise with the places, but where a clock was put back.
pub(super) fn last_before(conn: &Connection, moment: Timestamp) -> Result<i64> {
    let (mut low, mut high) = (floor(conn)?, head(conn)?);
    while low < high {
        let middle = high - (high - low) / 2;
        let at: Option<Timestamp> = rows::maybe(
            conn,
            "select at from event_log where seq >= ?1 order by seq limit 1",
            params![middle],
        )?;
        if at.is_some_and(|at| at < moment) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(low)
}

/// Removes the events up to the first that came at `moment` or later, and returns how many there
/// were. The newest stays in any case: its number must never be given again.
pub fn prune(conn: &Connection, moment: Timestamp) -> Result<usize> {
    rows::run(
        conn,
        "delete from event_log
         where seq < coalesce(
             (select seq from event_log where at >= ?1 order by seq limit 1),
             (select max(seq) from event_log))",
        params![moment],
    )
}

fn joined(topics: &[Topic]) -> String {
    let mut text = String::with_capacity(16 * topics.len());
    for topic in topics {
        if !text.is_empty() {
            text.push(' ');
        }
        topic.push_to(&mut text);
    }
    text
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
            name: None,
            data: row.get("data")?,
        })
    }
}
