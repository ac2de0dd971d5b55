//! Reads of help requests.

use rusqlite::{Connection, params};

use super::model::{Figures, Help, Place, Status};
use crate::base::id::{HelpRequestId, PersonId};
use crate::base::{Day, Error, Result, Timestamp, text};
use crate::domain::people::Role;
use crate::domain::rooms::scope::Scope;
use crate::store::rows::{self, FromRow, Row};

/// Which requests a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Those that are not done.
    Open,
    /// Those of the day that stand so.
    OfDay(Day, Status),
}

/// Returns the request.
pub fn request(conn: &Connection, id: HelpRequestId) -> Result<Help> {
    rows::one(
        conn,
        "help request",
        "select *
         from help_view
         where help_request_id = ?1",
        params![id],
    )
}

/// Returns the request, if the holder of `scope` may read it.
pub fn request_in_scope(conn: &Connection, scope: &Scope, id: HelpRequestId) -> Result<Help> {
    let help = request(conn, id)?;
    if help.seen_by(scope) { Ok(help) } else { Err(Error::NotFound("help request")) }
}

/// Returns the member's open request.
pub fn open_of(conn: &Connection, member: PersonId) -> Result<Option<Help>> {
    rows::maybe(
        conn,
        "select *
         from help_view
         where person_id = ?1 and status in ('pending', 'assigned', 'on_hold')",
        params![member],
    )
}

/// Returns what `helper` has in hand or on hold, oldest first.
pub(super) fn held_by(conn: &Connection, helper: PersonId) -> Result<Vec<Help>> {
    rows::all(
        conn,
        "select *
         from help_view
         where status in ('assigned', 'on_hold') and assigned_to = ?1
         order by help_request_id",
        params![helper],
    )
}

/// Returns what nobody has in hand of those who have left the house since they asked.
pub(super) fn left_behind(conn: &Connection) -> Result<Vec<Help>> {
    rows::all(
        conn,
        "select help_view.*
         from help_view
         join attendance using (person_id, day)
         where help_view.status in ('pending', 'on_hold')
           and attendance.status = 'left'
           and left_at >= help_view.created_at
         order by help_request_id",
        [],
    )
}

/// Returns what the member has asked last: the open request, or the newest of the day, so that
/// its answer can be read again. One that was taken back is none.
pub fn last_of(conn: &Connection, member: PersonId, day: Day) -> Result<Option<Help>> {
    if let Some(open) = open_of(conn, member)? {
        return Ok(Some(open));
    }
    let newest: Option<Help> = rows::maybe(
        conn,
        "select *
         from help_view
         where day = ?2 and person_id = ?1
         order by help_request_id desc
         limit 1",
        params![member, day],
    )?;
    Ok(newest.filter(|help| help.status != Status::Cancelled))
}

/// Returns the queue as the holder of `scope` sees it: pending first in their
/// order, then those in hand, then those on hold.
pub fn list(conn: &Connection, scope: &Scope, filter: Filter) -> Result<Vec<Help>> {
    let requests: Vec<Help> = match filter {
        Filter::Open => rows::all(
            conn,
            "select *
             from help_view
             where status in ('pending', 'assigned', 'on_hold')
             order by position is null, position, status, claimed_at, help_request_id",
            [],
        )?,
        Filter::OfDay(day, status) => rows::all(
            conn,
            "select *
             from help_view
             where status = ?2 and (day = ?1 or closed_at is null)
             order by position is null, position, coalesce(closed_at, claimed_at, created_at),
                      help_request_id",
            params![day, status],
        )?,
    };
    Ok(requests.into_iter().filter(|help| help.seen_by(scope)).collect())
}

/// Returns how many wait for somebody: in the house for lead and office, of those that staff see.
pub fn waiting(conn: &Connection, scope: &Scope) -> Result<usize> {
    if [Role::Admin, Role::Office].contains(&scope.role) {
        let all = "select count(*) from help_request where status = 'pending'";
        return Ok(
            usize::try_from(rows::one::<i64>(conn, "help request", all, [])?).unwrap_or_default()
        );
    }
    let open = list(conn, scope, Filter::Open)?;
    Ok(open.iter().filter(|help| help.status == Status::Pending).count())
}

/// Returns the places of those who wait, in their order.
pub fn places(conn: &Connection, now: Timestamp) -> Result<Vec<Place>> {
    struct Waiting(Place, Timestamp);
    impl FromRow for Waiting {
        fn from_row(row: &Row<'_>) -> rusqlite::Result<Waiting> {
            let name: String = row.get("display_name")?;
            let (position, priority) = (row.get("position")?, row.get("priority")?);
            let place = Place { position, initials: text::initials(&name), priority, wait_s: 0 };
            Ok(Waiting(place, row.get("created_at")?))
        }
    }
    let waiting: Vec<Waiting> = rows::all(
        conn,
        "select position, display_name, priority, created_at
         from help_view
         where status = 'pending'
         order by position",
        [],
    )?;
    let wait = |since| now.seconds_since(since);
    Ok(waiting.into_iter().map(|Waiting(p, at)| Place { wait_s: wait(at), ..p }).collect())
}

/// Returns the ids of the open requests that were made before `moment`.
pub(super) fn open_before(conn: &Connection, moment: Timestamp) -> Result<Vec<HelpRequestId>> {
    rows::all(
        conn,
        "select help_request_id
         from help_request
         where status in ('pending', 'assigned', 'on_hold') and created_at < ?1
         order by help_request_id",
        params![moment],
    )
}

/// Returns how many requests of the day were resolved.
pub fn resolved_on(conn: &Connection, day: Day) -> Result<i64> {
    rows::one(
        conn,
        "help request",
        "select count(*)
         from help_request
         where day = ?1 and status = 'resolved'",
        params![day],
    )
}

/// Returns the figures of the queue.
pub fn figures(conn: &Connection, day: Day, now: Timestamp) -> Result<Figures> {
    struct Waiting {
        length: i64,
        open: i64,
        oldest: Option<Timestamp>,
    }
    impl FromRow for Waiting {
        fn from_row(row: &Row<'_>) -> rusqlite::Result<Waiting> {
            Ok(Waiting {
                length: row.get("length")?,
                open: row.get("open")?,
                oldest: row.get("oldest")?,
            })
        }
    }
    let waiting: Waiting = rows::one(
        conn,
        "help request",
        "select coalesce(sum(status = 'pending'), 0) as length,
                count(*) as open,
                min(case when status = 'pending' then created_at end) as oldest
         from help_request
         where status in ('pending', 'assigned', 'on_hold')",
        [],
    )?;
    let mut waits_ms: Vec<i64> = rows::all(
        conn,
        "select claimed_at - created_at
         from help_request
         where day = ?1 and claimed_at is not null
         order by 1",
        params![day],
    )?;
    let middle = waits_ms.len() / 2;
    let median_ms = (!waits_ms.is_empty()).then(|| waits_ms.swap_remove(middle));
    Ok(Figures {
        length: waiting.length,
        open: waiting.open,
        longest_wait_s: waiting.oldest.map_or(0, |since| now.seconds_since(since)),
        median_wait_s: median_ms.map(|wait| wait.max(0) / 1000),
    })
}
