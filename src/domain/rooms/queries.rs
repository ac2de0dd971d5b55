//! Reads of rooms, groups, activities, runs and supervision.

use rusqlite::{Connection, params};

use super::model::{
    Activity, Charge, Group, Room, Run, RunFacts, Supervision, SupervisionFacts, Supervisor,
};
use crate::base::id::{ActivityId, GroupId, PersonId, RoomId, RunId, SupervisionId};
use crate::base::{Result, Timestamp};
use crate::domain::{house, people};
use crate::store::rows;

/// Returns all rooms, by name.
pub fn rooms(conn: &Connection) -> Result<Vec<Room>> {
    rows::all(
        conn,
        "select room_id, name, kind, capacity
         from room
         order by name",
        [],
    )
}

/// Returns a room.
pub fn room(conn: &Connection, room: RoomId) -> Result<Room> {
    rows::one(
        conn,
        "room",
        "select room_id, name, kind, capacity
         from room
         where room_id = ?1",
        params![room],
    )
}

/// Returns all groups, by name.
pub fn groups(conn: &Connection) -> Result<Vec<Group>> {
    rows::all(
        conn,
        "select group_id, name, kind
         from \"group\"
         order by name",
        [],
    )
}

/// Returns a group.
pub fn group(conn: &Connection, group: GroupId) -> Result<Group> {
    rows::one(
        conn,
        "group",
        "select group_id, name, kind
         from \"group\"
         where group_id = ?1",
        params![group],
    )
}

/// Returns the active members of a group, by name.
pub fn members_of(conn: &Connection, group: GroupId) -> Result<Vec<PersonId>> {
    rows::all(
        conn,
        "select person_id
         from group_member
         join person using (person_id)
         where group_id = ?1 and state = 'active'
         order by search_key, person_id",
        params![group],
    )
}

/// Returns all activities, by name.
pub fn activities(conn: &Connection) -> Result<Vec<Activity>> {
    rows::all(
        conn,
        "select activity_id, name, default_room_id
         from activity
         order by name",
        [],
    )
}

/// Returns an activity.
pub fn activity(conn: &Connection, activity: ActivityId) -> Result<Activity> {
    rows::one(
        conn,
        "activity",
        "select activity_id, name, default_room_id
         from activity
         where activity_id = ?1",
        params![activity],
    )
}

/// The query for runs, and which.
macro_rules! runs {
    ($which:literal) => {
        concat!(
            "select run_id, activity_id, activity.name as activity_name, room_id,
                    room.name as room_name, capacity, started_at, ended_at
             from run
             join activity using (activity_id)
             join room using (room_id)
             ",
            $which
        )
    };
}

/// Returns a run, open or ended.
pub fn run(conn: &Connection, run: RunId) -> Result<Run> {
    rows::one(conn, "run", runs!("where run_id = ?1"), params![run])
}

/// Returns the open run in a room.
pub fn open_run_in(conn: &Connection, room: RoomId) -> Result<Option<Run>> {
    rows::maybe(conn, runs!("where room_id = ?1 and ended_at is null"), params![room])
}

/// Returns all open runs, by room.
pub fn open_runs(conn: &Connection) -> Result<Vec<Run>> {
    rows::all(
        conn,
        runs!(
            "where ended_at is null
             order by room.name"
        ),
        [],
    )
}

/// Returns who supervises a run, or did when it ended, by name.
pub fn staff_of_run(conn: &Connection, run: RunId) -> Result<Vec<Supervisor>> {
    rows::all(
        conn,
        "select distinct person_id, display_name
         from run
         join supervision using (run_id)
         join person using (person_id)
         where run_id = ?1
           and supervision.ended_at is run.ended_at
           and state = 'active' and role in ('staff', 'admin')
         order by display_name, person_id",
        params![run],
    )
}

/// Returns who supervises the open runs, by run and name.
pub fn supervisors_now(conn: &Connection) -> Result<Vec<(RunId, Supervisor)>> {
    struct Row(RunId, Supervisor);
    impl rows::FromRow for Row {
        fn from_row(row: &rows::Row<'_>) -> rusqlite::Result<Row> {
            Ok(Row(row.get("run_id")?, Supervisor::from_row(row)?))
        }
    }
    let found: Vec<Row> = rows::all(
        conn,
        "select run_id, person_id, display_name
         from supervision
         join person using (person_id)
         where run_id is not null and ended_at is null
           and state = 'active' and role in ('staff', 'admin')
         order by run_id, display_name, person_id",
        [],
    )?;
    Ok(found.into_iter().map(|Row(run, who)| (run, who)).collect())
}

/// Returns who is responsible for a group now, substitutes included, by name.
pub fn staff_of_group(conn: &Connection, group: GroupId) -> Result<Vec<Supervisor>> {
    rows::all(
        conn,
        "select person_id, display_name
         from supervision
         join person using (person_id)
         where group_id = ?1 and ended_at is null
           and state = 'active' and role in ('staff', 'admin')
         order by display_name, person_id",
        params![group],
    )
}

/// Returns who is responsible for `charge`, as [`staff_of_run`] and
/// [`staff_of_group`] do.
pub fn staff_of(conn: &Connection, charge: Charge) -> Result<Vec<Supervisor>> {
    match charge {
        Charge::Run(run) => staff_of_run(conn, run),
        Charge::Group(group) => staff_of_group(conn, group),
    }
}

/// Returns `run` with how many are in it and who supervises it.
pub fn run_facts(conn: &Connection, run: Run) -> Result<RunFacts> {
    let staff = staff_of_run(conn, run.id)?;
    let ended = run.ended_at.is_some();
    let local = if ended { Some(house::queries::local_time(conn)?) } else { None };
    let undo_until = local.and_then(|local| run.undo_until(&local));
    Ok(RunFacts { count: count_in(conn, &run)?, run, undo_until, staff })
}

/// Visits are a later noun; this one figure of them is asked for here, since no
/// run is told without it.
fn count_in(conn: &Connection, run: &Run) -> Result<i64> {
    rows::one(
        conn,
        "run",
        "select count(*)
         from visit
         where run_id = ?1 and room_id = ?2 and ended_at is null",
        params![run.id, run.room],
    )
}

/// Says whether a person may be made responsible for others: an active one of
/// the staff or the lead.
pub fn is_staff(conn: &Connection, person: PersonId) -> Result<bool> {
    rows::one(
        conn,
        "person",
        "select exists (
             select 1
             from person
             where person_id = ?1 and role in ('staff', 'admin') and state = 'active')",
        params![person],
    )
}

/// Returns a stretch of supervision, running or ended.
pub fn supervision(conn: &Connection, supervision: SupervisionId) -> Result<Supervision> {
    rows::one(
        conn,
        "supervision",
        "select supervision_id, person_id, run_id, group_id, kind, from_at, until_at, ended_at
         from supervision
         where supervision_id = ?1",
        params![supervision],
    )
}

/// Returns what nobody has ended yet, of one person or of all.
pub fn supervisions(conn: &Connection, person: Option<PersonId>) -> Result<Vec<Supervision>> {
    rows::all(
        conn,
        "select supervision_id, person_id, run_id, group_id, kind, from_at, until_at, ended_at
         from supervision
         where ended_at is null and (?1 is null or person_id = ?1)
         order by supervision_id",
        params![person],
    )
}

/// Returns `supervision` with the names of who and what it is about.
pub fn supervision_facts(conn: &Connection, supervision: Supervision) -> Result<SupervisionFacts> {
    let name = people::queries::display_name(conn, supervision.person)?;
    Ok(SupervisionFacts {
        display_name: name.unwrap_or_default(),
        run: supervision.charge.run().map(|id| run(conn, id)).transpose()?,
        group: supervision.charge.group().map(|id| group(conn, id)).transpose()?,
        supervision,
    })
}

/// Returns what nobody has ended yet of `charge`.
pub fn supervisions_of(conn: &Connection, charge: Charge) -> Result<Vec<Supervision>> {
    rows::all(
        conn,
        "select supervision_id, person_id, run_id, group_id, kind, from_at, until_at, ended_at
         from supervision
         where ended_at is null and (run_id = ?1 or group_id = ?2)
         order by supervision_id",
        params![charge.run(), charge.group()],
    )
}

/// Returns those that ended in the moment that their run did.
pub fn supervisions_at_end(conn: &Connection, run: RunId) -> Result<Vec<Supervision>> {
    rows::all(
        conn,
        "select supervision_id, person_id, run_id, group_id, kind, from_at, until_at,
                supervision.ended_at
         from run
         join supervision using (run_id)
         where run_id = ?1 and supervision.ended_at = run.ended_at
         order by supervision_id",
        params![run],
    )
}

/// Returns those whose planned end has come and nobody has noted yet.
pub fn supervisions_due(conn: &Connection, now: Timestamp) -> Result<Vec<Supervision>> {
    rows::all(
        conn,
        "select supervision_id, person_id, run_id, group_id, kind, from_at, until_at, ended_at
         from supervision
         where ended_at is null and until_at is not null and until_at <= ?1
         order by until_at, supervision_id",
        params![now],
    )
}

/// Returns the next planned end, which [`super::commands::end_due`] waits for.
pub fn next_due(conn: &Connection) -> Result<Option<Timestamp>> {
    let offered = super::offers::next_due(conn)?;
    let held: Option<Timestamp> = rows::maybe(
        conn,
        "select until_at
         from supervision
         where ended_at is null and until_at is not null
         order by until_at
         limit 1",
        [],
    )?;
    Ok(held.into_iter().chain(offered).min())
}
