//! Reads of attendance, visits and rooms that decisions and figures rest on.
//!
//! What pages show is in [`super::snapshots`].

use rusqlite::{Connection, params};

use super::model::{Attendance, Counts, Occupancy, Standing, Status, Today, Visit};
use super::scan::Scan;
use crate::base::id::{DeviceId, PersonId, RoomId, RunId, VisitId};
use crate::base::{Day, Result, Timestamp};
use crate::domain::people::Role;
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

/// Whose badge it is, as far as a scan must know.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    pub person: PersonId,
    pub role: Role,
    pub given_name: String,
    pub display_name: String,
    pub badge_active: bool,
    /// Whether the person belongs to the house.
    pub active: bool,
}

/// A scan that was decided before.
#[derive(Debug, Clone)]
pub(super) struct Earlier {
    pub scan_id: String,
    pub tag: String,
    pub person: Option<PersonId>,
    /// The answer that was given, as JSON.
    pub result: String,
}

/// Returns a person's visit that is open now.
pub fn open_visit(conn: &Connection, person: PersonId) -> Result<Option<Visit>> {
    rows::maybe(
        conn,
        "select visit_id, person_id, run_id, room_id, started_at, ended_at, end_reason,
                from_visit_id, attendance_before, reason_before
         from visit
         where person_id = ?1 and ended_at is null",
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
             from last_visit
             where person_id = ?1 and visit_id > ?2)",
        params![visit.person, visit.id],
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
             from last_visit
             join visit using (visit_id)
             where last_visit.person_id = ?1
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
        "select status, person_id, day, late, arrived_at, left_at, reason, source, changed_at
         from attendance
         where person_id = ?1 and day = ?2",
        params![person, day],
    )
}

/// Returns how a person stands to the house on `day`.
pub fn status_today(conn: &Connection, person: PersonId, day: Day) -> Result<Status> {
    Ok(attendance(conn, person, day)?.map_or(Status::Expected, |row| row.status))
}

/// Returns all that a decision about a person needs, in one read.
pub fn standing(conn: &Connection, person: PersonId, today: &Today) -> Result<Standing> {
    let standing = rows::maybe(
        conn,
        "select status, ?1 as person_id, ?2 as day, late, arrived_at, left_at, reason,
                attendance.source as source, changed_at,
                visit_id, run_id, room_id, started_at, ended_at, end_reason, from_visit_id,
                attendance_before, reason_before
         from (select 1)
         left join attendance on attendance.person_id = ?1 and day = ?2
         left join visit on visit_id = (select visit_id from last_visit where person_id = ?1)
                        and (ended_at is null or started_at >= ?3)",
        params![person, today.day, today.begins()],
    )?;
    Ok(standing.unwrap_or_default())
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
                                    and ended_at is null)) as in_rooms
         from attendance
         join person using (person_id)
         where day = ?1 and role = 'member'",
        params![day],
    )
}

/// Returns a room, how full it is and what happens in it, in one read.
pub fn place(conn: &Connection, room: RoomId) -> Result<Option<Place>> {
    rows::maybe(
        conn,
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

/// Returns who a tag belongs to, in one read.
pub(super) fn holder(conn: &Connection, tag: &str) -> Result<Option<Holder>> {
    rows::maybe(
        conn,
        "select person_id, role, given_name, display_name, badge.state = 'active' as badge_active,
                person.state = 'active' as active
         from badge
         join person using (person_id)
         where tag = ?1",
        params![tag],
    )
}

/// Returns the scan that makes this one a repeat (the same id) or, else, the
/// second of a double tap: the last one of its tag, at the same reader.
pub(super) fn scan_before(
    conn: &Connection,
    device: DeviceId,
    scan: &Scan,
    at: Timestamp,
    within_ms: i64,
) -> Result<Option<Earlier>> {
    rows::maybe(
        conn,
        "select scan_id, tag, person_id, result
         from scan
         where device_id = ?1 and scan_id = ?2
         union all
         select scan_id, scan.tag, person_id, result
         from last_scan
         join scan using (scan_number)
         where last_scan.tag = ?3 and device_id = ?1 and scanned_at between ?4 and ?5
         limit 1",
        params![
            device,
            scan.scan_id,
            scan.tag,
            at.0.saturating_sub(within_ms),
            at.0.saturating_add(within_ms)
        ],
    )
}

/// Returns ids as a JSON array, for `json_each`.
pub(super) fn ids(ids: impl Iterator<Item = i64>) -> String {
    format!("[{}]", ids.map(|id| id.to_string()).collect::<Vec<_>>().join(","))
}

impl FromRow for Holder {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Holder> {
        Ok(Holder {
            person: row.get("person_id")?,
            role: row.get("role")?,
            given_name: row.get("given_name")?,
            display_name: row.get("display_name")?,
            badge_active: row.get("badge_active")?,
            active: row.get("active")?,
        })
    }
}

impl FromRow for Earlier {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Earlier> {
        Ok(Earlier {
            scan_id: row.get("scan_id")?,
            tag: row.get("tag")?,
            person: row.get("person_id")?,
            result: row.get("result")?,
        })
    }
}

impl FromRow for Standing {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Standing> {
        let attendance = match row.get::<Option<Status>>("status")? {
            Some(_) => Some(Attendance::from_row(row)?),
            None => None,
        };
        let last = match row.get::<Option<VisitId>>("visit_id")? {
            Some(_) => Some(Visit::from_row(row)?),
            None => None,
        };
        Ok(Standing { attendance, last })
    }
}

impl FromRow for Place {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Place> {
        let run: Option<RunId> = row.get("run_id")?;
        let since: Option<Timestamp> = row.get("started_at")?;
        Ok(Place {
            room: row.get("room_id")?,
            room_name: row.get("name")?,
            capacity: row.get("capacity")?,
            count: row.get("count")?,
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
