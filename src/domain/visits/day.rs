//! What the timetable does with a day: telling who is missing, and closing.
//!
//! Both may be called at any time and as often as one likes. What was due while
//! the server was off is done when it is back, for the moment at which it was due.

use std::time::Duration;

use rusqlite::params;

use super::model::{EndReason, Member, Source, Today};
use super::{attendance, bulk};
use crate::base::id::{PersonId, RunId};
use crate::base::{Day, Result, Timestamp};
use crate::domain::house;
use crate::domain::people::{self, Role};
use crate::domain::rooms;
use crate::event::{Event, Stale};
use crate::live::Tx;
use crate::store::rows::{self, FromRow, Row};

/// How long after the last punctual arrival a member is missing: a bus may be
/// late by this much, and somebody must still be called before the first break.
pub const MISSING_AFTER: Duration = Duration::from_secs(15 * 60);

/// How much there was to close.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Closed {
    pub visits: usize,
    pub people: usize,
    pub runs: usize,
}

struct StillThere {
    person: PersonId,
    role: Role,
    day: Day,
    since: Timestamp,
    last_ended_at: Option<Timestamp>,
}

struct StillOpen {
    run: RunId,
    since: Timestamp,
}

/// Notes, once a day, which members nobody has heard of, and tells those who
/// look after them. Nothing happens on a day on which no member has come: the
/// house is closed. Returns how many are missing.
pub fn mark_missing(tx: &mut Tx<'_>) -> Result<usize> {
    if !house::queries::exists(tx)? {
        return Ok(0);
    }
    let today = Today::now(tx)?;
    let due_at = today.late_after();
    if tx.now < due_at.plus(MISSING_AFTER) || tx.now >= today.closes() || !is_open(tx, today.day)? {
        return Ok(0);
    }
    let first = rows::run(
        tx,
        "insert into day_mark (day, missing_at)
         values (?1, ?2)
         on conflict do nothing",
        params![today.day, tx.now],
    )?;
    if first == 0 {
        return Ok(0);
    }
    let missing: Vec<PersonId> = rows::all(
        tx,
        "insert into attendance (person_id, day, status, source, changed_at)
         select person_id, ?1, 'unreported', 'auto', ?2
         from person
         where role = 'member' and state = 'active'
         on conflict do nothing
         returning person_id",
        params![today.day, tx.now],
    )?;
    for id in &missing {
        let groups = people::queries::groups_of(tx, *id)?;
        tx.emit(Event::AttendanceMissing { member_id: *id, due_at, groups })?;
    }
    tx.stale(Stale::Counts);
    Ok(missing.len())
}

/// Forgets that somebody was missing whom the house knows no more.
pub fn forget_missing(tx: &mut Tx<'_>, person: PersonId) -> Result<()> {
    rows::run(
        tx,
        "delete from attendance
         where person_id = ?1 and status = 'unreported' and source = 'auto'",
        params![person],
    )?;
    Ok(())
}

/// Ends what is still open of before the last closing time: runs with their
/// visits, and the presence of those who forgot to check out. What began after
/// closing time is ended at midnight.
pub fn close_day(tx: &mut Tx<'_>) -> Result<Closed> {
    let mut closed = Closed::default();
    if !house::queries::exists(tx)? {
        return Ok(closed);
    }
    let today = Today::now(tx)?;
    let before = today.last_close(tx.now);
    let runs: Vec<StillOpen> = rows::all(
        tx,
        "select run_id, started_at
         from run
         where ended_at is null and started_at < ?1
         order by room_id",
        params![before],
    )?;
    for open in &runs {
        let run = rooms::queries::run(tx, open.run)?;
        let at = today.close_after(open.since);
        closed.visits += bulk::end_all(tx, &run, at, EndReason::DayClosed)?;
        rooms::commands::mark_ended_at(tx, open.run, at, EndReason::DayClosed.word())?;
    }
    closed.runs = runs.len();
    let people: Vec<StillThere> = rows::all(
        tx,
        "select person_id, role, day, changed_at,
                (select ended_at
                 from visit
                 where visit.person_id = person.person_id
                   and newest = 1
                   and started_at >= changed_at) as last_ended_at
         from attendance
         join person using (person_id)
         where status = 'present' and day <= ?1 and changed_at < ?2
           and not exists (select 1
                           from visit
                           where visit.person_id = person.person_id
                             and newest = 1
                             and ended_at is null)
         order by day, person_id",
        params![today.day, before],
    )?;
    for there in &people {
        let closing = today.close_after(there.since);
        let at = there.last_ended_at.map_or(closing, |ended| ended.max(closing));
        let who = Member::of_role(tx, there.person, there.role)?;
        let day = today.of_day(there.day);
        attendance::leave(tx, &day, &who, at, Source::Auto, EndReason::DayClosed.word())?;
    }
    closed.people = people.len();
    Ok(closed)
}

/// Says whether any member has come today.
fn is_open(tx: &Tx<'_>, day: Day) -> Result<bool> {
    rows::one(
        tx,
        "day",
        "select exists (
             select 1
             from attendance
             join person using (person_id)
             where day = ?1 and arrived_at is not null and role = 'member')",
        params![day],
    )
}

impl FromRow for StillOpen {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<StillOpen> {
        Ok(StillOpen { run: row.get("run_id")?, since: row.get("started_at")? })
    }
}

impl FromRow for StillThere {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<StillThere> {
        Ok(StillThere {
            person: row.get("person_id")?,
            role: row.get("role")?,
            day: row.get("day")?,
            since: row.get("changed_at")?,
            last_ended_at: row.get("last_ended_at")?,
        })
    }
}
