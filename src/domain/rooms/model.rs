//! What rooms, groups, activities, runs and supervision are.

use std::time::Duration;

use crate::base::Timestamp;
use crate::base::id::{ActivityId, GroupId, PersonId, RoomId, RunId, SupervisionId};
use crate::domain::house::model::LocalTime;
pub use crate::event::Charge;
use crate::store::rows::{FromRow, Row};
use crate::words;

/// How long an ended run can be taken up again.
pub const UNDO_TIME: Duration = Duration::from_secs(5 * 60);

words! {
    /// What kind of place a room is: in a foyer or a yard people pass, in a room they stay.
    RoomKind { Room = "room", Foyer = "foyer", Yard = "yard" }
}

words! {
    /// What a group is to its house.
    GroupKind { Class = "class", Care = "care", Ward = "ward" }
}

words! {
    /// Why somebody is responsible: for good, for one run, or in somebody's place until a time.
    SupervisionKind { Standing = "standing", Run = "run", Substitution = "substitution" }
}

/// A physical room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    pub id: RoomId,
    pub name: String,
    pub kind: RoomKind,
    pub capacity: i64,
}

/// What is needed to make a room.
#[derive(Debug, Clone)]
pub struct NewRoom {
    pub name: String,
    pub kind: RoomKind,
    pub capacity: i64,
}

/// What is to change of a room; none leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct RoomChange {
    pub name: Option<String>,
    pub kind: Option<RoomKind>,
    pub capacity: Option<i64>,
}

/// A standing group of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub id: GroupId,
    pub name: String,
    pub kind: GroupKind,
}

/// What is needed to make a group.
#[derive(Debug, Clone)]
pub struct NewGroup {
    pub name: String,
    pub kind: GroupKind,
}

/// What can be offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    pub id: ActivityId,
    pub name: String,
    /// Where it usually is.
    pub default_room: Option<RoomId>,
}

/// What is needed to make an activity.
#[derive(Debug, Clone)]
pub struct NewActivity {
    pub name: String,
    pub default_room: Option<RoomId>,
}

/// One occurrence of an activity, in one room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub id: RunId,
    pub activity: ActivityId,
    pub activity_name: String,
    pub room: RoomId,
    pub room_name: String,
    /// How many the room takes.
    pub capacity: i64,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// What is needed to start a run.
#[derive(Debug, Clone)]
pub struct NewRun {
    pub activity: ActivityId,
    pub room: RoomId,
    /// Who is responsible for it; at least one.
    pub staff: Vec<PersonId>,
}

impl Run {
    /// Returns until when an ended run can be taken up again: within its own day, so that nobody takes
    /// up what the close of the day has ended.
    pub fn undo_until(&self, LocalTime { zone, hours }: &LocalTime) -> Option<Timestamp> {
        let closes = hours.close_after(self.started_at, zone);
        let ended_at = self.ended_at.filter(|at| *at < closes)?;
        Some(ended_at.plus(UNDO_TIME).min(closes.minus(Duration::from_millis(1))))
    }
}

/// A run with what is told of it beside its own row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFacts {
    pub run: Run,
    /// How many are in it now.
    pub count: i64,
    /// Until when it can be taken up again, once it has ended.
    pub undo_until: Option<Timestamp>,
    /// Who supervises it, or did when it ended.
    pub staff: Vec<Supervisor>,
}

/// Somebody who is responsible for a run or a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supervisor {
    pub id: PersonId,
    pub display_name: String,
}

/// A stretch of responsibility of one person for one run or group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supervision {
    pub id: SupervisionId,
    pub person: PersonId,
    pub charge: Charge,
    pub kind: SupervisionKind,
    pub from_at: Timestamp,
    /// When it ends by itself; substitutions only.
    pub until_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// A stretch of responsibility with the names of who and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupervisionFacts {
    pub supervision: Supervision,
    pub display_name: String,
    pub run: Option<Run>,
    pub group: Option<Group>,
}

impl FromRow for Room {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Room> {
        Ok(Room {
            id: row.get("room_id")?,
            name: row.get("name")?,
            kind: row.get("kind")?,
            capacity: row.get("capacity")?,
        })
    }
}

impl FromRow for Group {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Group> {
        Ok(Group { id: row.get("group_id")?, name: row.get("name")?, kind: row.get("kind")? })
    }
}

impl FromRow for Activity {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Activity> {
        Ok(Activity {
            id: row.get("activity_id")?,
            name: row.get("name")?,
            default_room: row.get("default_room_id")?,
        })
    }
}

impl FromRow for Run {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Run> {
        Ok(Run {
            id: row.get("run_id")?,
            activity: row.get("activity_id")?,
            activity_name: row.get("activity_name")?,
            room: row.get("room_id")?,
            room_name: row.get("room_name")?,
            capacity: row.get("capacity")?,
            started_at: row.get("started_at")?,
            ended_at: row.get("ended_at")?,
        })
    }
}

impl FromRow for Supervisor {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Supervisor> {
        Ok(Supervisor { id: row.get("person_id")?, display_name: row.get("display_name")? })
    }
}

impl FromRow for Charge {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Charge> {
        // The table holds exactly one of the two.
        match row.get("run_id")? {
            Some(run) => Ok(Charge::Run(run)),
            None => row.get("group_id").map(Charge::Group),
        }
    }
}

impl FromRow for Supervision {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Supervision> {
        Ok(Supervision {
            id: row.get("supervision_id")?,
            person: row.get("person_id")?,
            charge: Charge::from_row(row)?,
            kind: row.get("kind")?,
            from_at: row.get("from_at")?,
            until_at: row.get("until_at")?,
            ended_at: row.get("ended_at")?,
        })
    }
}
