//! Reads of attendance, visits and rooms that decisions and figures rest on.
//!
//! What pages show is in [`super::snapshots`].

use rusqlite::{Connection, params};

use super::model::{Attendance, Counts, Occupancy, Standing, Status, Today, Visit};
use crate::base::id::{BadgeId, PersonId, RoomId, RunId, VisitId};
use crate::base::{Day, Result, Timestamp};
use crate::store::ready::Prepares;
use crate::store::rows::{self, FromRow, Row};

/// A room with what happens in it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub room: RoomId,
    pub room_name: String,
    pub capacity: i64,
    /// How many are in it now.
    pub count: i64,
    /// The open run, and since when it is open.
    pub run: Option<(RunId, Timestamp)>,
}

/// A run as it was at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunThen {
    pub run: RunId,
    pub started_at: Timestamp,
    /// When it has ended since.
    pub ended_at: Option<Timestamp>,
}

/// Returns a person's visit that is open now.
pub fn open_visit(conn: &Connection, person: PersonId) -> Result<Option<Visit>> {
    rows::maybe(
        conn,
        "select visit_id, person_id, run_id, room_id, started_at, ended_at, end_reason,
                from_visit_id, attendance_before, reason_before
         from visit
         where person_id = ?1 and newest = 1 and ended_at is null",
        params![person],
    )
}

/// Returns a visit, open or ended.
pub fn visit(conn: &Connection, visit: VisitId) -> Result<Visit> {
    rows::one(
        conn,
        "visit",
        "select visit_id, person_id, run_id, room_id, started_at, ended_at, end_reason,
                from_visit_id, attendance_before, reason_before
         from visit
         where visit_id = ?1",
        params![visit],
    )
}

/// Says whether the person has had another visit after this one.
pub(super) fn was_elsewhere_since(conn: &Connection, visit: &Visit) -> Result<bool> {
    rows::one(
        conn,
        "visit",
        "select exists (
             select 1
             from visit
             where person_id = ?1 and newest = 1 and visit_id > ?2)",
        params![visit.person, visit.id],
    )
}

/// The condition that somebody has left the house at `$since` or after it, and come back by a badge.
/// Whom somebody has marked as left and then as present never was away: that was a slip.
macro_rules! was_away {
    ($person:literal, $day:literal, $since:literal) => {
        concat!(
            "exists (select 1
                     from attendance
                     where attendance.person_id = ",
            $person,
            " and day = ",
            $day,
            " and left_at >= ",
            $since,
            " and attendance.source = 'badge')"
        )
    };
}
pub(super) use was_away;

/// Says whether the person has been away from the house since this visit ended.
pub(super) fn was_away_since(conn: &Connection, visit: &Visit, day: Day) -> Result<bool> {
    rows::one(
        conn,
        "attendance",
        concat!("select ", was_away!("?1", "?2", "?3")),
        params![visit.person, day, visit.ended_at],
    )
}

/// Returns when a person's first visit since `since` began; undone ones never were.
///
/// No visit starts before the one that it hangs on, even after a clock was put back: so the chain
/// ends where one began before `since`.
pub(super) fn first_visit_at(
    conn: &Connection,
    person: PersonId,
    since: Timestamp,
) -> Result<Option<Timestamp>> {
    rows::maybe(
        conn,
        "with recursive chain (started_at, earlier_visit_id) as (
             select started_at, earlier_visit_id
             from visit
             where person_id = ?1 and newest = 1
             union all
             select visit.started_at, visit.earlier_visit_id
             from chain
             join visit on visit_id = chain.earlier_visit_id
             where chain.started_at >= ?2)
         select started_at
         from chain
         where started_at >= ?2
         order by started_at
         limit 1",
        params![person, since],
    )
}

/// Returns what is known of a person's day; none when nothing is.
pub fn attendance(conn: &Connection, person: PersonId, day: Day) -> Result<Option<Attendance>> {
    rows::maybe(
        conn,
        "select person_id, day, status, late, arrived_at, left_at, reason, source, changed_at
         from attendance
         where person_id = ?1 and day = ?2",
        params![person, day],
    )
}

/// Returns how a person stands to the house on `day`.
pub fn status_today(conn: &Connection, person: PersonId, day: Day) -> Result<Status> {
    Ok(attendance(conn, person, day)?.map_or(Status::Expected, |row| row.status))
}

/// Says whether anything is known of a person's days: a visit, or that somebody has marked or scanned
/// them. That they were missed is nothing that is known of them.
pub fn has_come(conn: &Connection, person: PersonId) -> Result<bool> {
    rows::one(
        conn,
        "person",
        "select exists (select 1 from visit where person_id = ?1 and newest = 1)
             or exists (select 1
                        from attendance
                        where person_id = ?1 and (status <> 'unreported' or source <> 'auto'))
             or exists (select 1 from badge join last_scan using (badge_id) where person_id = ?1)",
        params![person],
    )
}

/// Says whether a badge was ever held before a reader.
pub fn was_held(conn: &Connection, badge: BadgeId) -> Result<bool> {
    let sql = "select exists (select 1 from last_scan where badge_id = ?1)";
    rows::one(conn, "badge", sql, params![badge])
}

/// Returns all that a decision about a person needs, in one read.
pub fn standing(at: &impl Prepares, person: PersonId, today: &Today) -> Result<Standing> {
    let standing: Option<Standing> = rows::maybe(
        at,
        "select attendance.person_id as person_id, day, status, late, arrived_at, left_at, reason,
                attendance.source as source, changed_at,
                visit_id, visit.person_id as person_id, run_id, room_id, started_at, ended_at,
                end_reason, from_visit_id, attendance_before, reason_before
         from (select 1)
         left join attendance on attendance.person_id = ?1 and day = ?2
         left join visit on visit.person_id = ?1 and newest = 1",
        params![person, today.day],
    )?;
    let mut standing = standing.unwrap_or_default();
    let begins = today.begins();
    standing.last.take_if(|last| last.ended_at.is_some() && last.started_at < begins);
    Ok(standing)
}

/// Returns how many are in a room now.
pub fn occupancy(conn: &Connection, room: RoomId) -> Result<i64> {
    rows::one(
        conn,
        "room",
        "select count(*)
         from visit
         where room_id = ?1 and ended_at is null",
        params![room],
    )
}

/// Returns how full each room is, by name.
pub fn occupancies(conn: &Connection) -> Result<Vec<Occupancy>> {
    rows::all(
        conn,
        "select room_id, capacity,
                (select count(*)
                 from visit
                 where visit.room_id = room.room_id and ended_at is null) as count
         from room
         order by name",
        [],
    )
}

/// Returns how many members are where on `day`, the present one.
pub fn counts(conn: &Connection, day: Day) -> Result<Counts> {
    rows::one(
        conn,
        "count",
        "select (select count(*)
                 from person
                 where role = 'member' and state = 'active'
                   and not exists (select 1
                                   from attendance
                                   where attendance.person_id = person.person_id and day = ?1)
                ) as expected,
                count(*) filter (where status = 'present') as present,
                count(*) filter (where status in ('excused', 'unreported')) as absent,
                count(*) filter (where status = 'left') as left,
                count(*) filter (
                    where status = 'present'
                      and exists (select 1
                                  from visit
                                  where visit.person_id = attendance.person_id
                                    and newest = 1
                                    and ended_at is null)) as in_rooms
         from attendance
         join person using (person_id)
         where day = ?1 and role = 'member'",
        params![day],
    )
}

/// Returns a room, how full it is and what happens in it, in one read.
pub fn place(at: &impl Prepares, room: RoomId) -> Result<Option<Place>> {
    rows::maybe(
        at,
        "select run_id, started_at, room.room_id as room_id, name, capacity,
                (select count(*)
                 from visit
                 where visit.room_id = room.room_id and ended_at is null) as count
         from room
         left join run on run.room_id = room.room_id and ended_at is null
         where room.room_id = ?1",
        params![room],
    )
}

/// Returns the run that was open in a room at `at`; looks no further back than `since`.
pub fn run_at(
    conn: &Connection,
    room: RoomId,
    at: Timestamp,
    since: Timestamp,
) -> Result<Option<RunThen>> {
    rows::maybe(
        conn,
        "select run_id, started_at, ended_at
         from run
         where started_at between ?3 and ?2
           and room_id = ?1
           and (ended_at is null or ended_at > ?2)
         order by started_at desc
         limit 1",
        params![room, at, since],
    )
}

/// Returns ids as a JSON array, for `json_each`.
pub(super) fn ids(ids: impl Iterator<Item = i64>) -> String {
    format!("[{}]", ids.map(|id| id.to_string()).collect::<Vec<_>>().join(","))
}

impl FromRow for Standing {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Standing> {
        let attendance = row.joined(Attendance::COLUMNS)?;
        let last = row.joined::<Visit>(Visit::COLUMNS)?;
        Ok(Standing { newest_visit: last.as_ref().map(|last| last.id), attendance, last })
    }
}

impl FromRow for Place {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Place> {
        let run: Option<RunId> = row.next("run_id")?;
        let since: Option<Timestamp> = row.next("started_at")?;
        Ok(Place {
            room: row.next("room_id")?,
            room_name: row.next("name")?,
            capacity: row.next("capacity")?,
            count: row.next("count")?,
            run: run.zip(since),
        })
    }
}

impl FromRow for RunThen {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<RunThen> {
        Ok(RunThen {
            run: row.get("run_id")?,
            started_at: row.get("started_at")?,
            ended_at: row.get("ended_at")?,
        })
    }
}
