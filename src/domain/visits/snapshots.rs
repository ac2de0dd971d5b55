//! What pages begin with: who is in a run, where the members of a group are.
//!
//! Each is one query, however many people are in it. Who may look is decided by
//! the caller's scope, before.

use rusqlite::{Connection, params};
use serde::Serialize;

use super::model::{EndReason, Status, Today};
use super::queries::{self, was_away};
use crate::base::id::{GroupId, PersonId, RoomId, RunId, VisitId};
use crate::base::{Result, Timestamp};
use crate::domain::people::Role;
use crate::domain::rooms::{Run, Scope};
use crate::store::rows::{self, FromRow, Row};

/// How many of those who have left a run are shown; the newest.
const GONE_MAX: u32 = 200;

/// Who is in a run, who could be, who was.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct InRun {
    pub here: Vec<Here>,
    /// Members of the groups that its staff are in charge of, expected or in the house.
    pub expected: Vec<Awaited>,
    /// Who has left, the newest first.
    pub left: Vec<Gone>,
}

/// A member in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Here {
    pub visit_id: VisitId,
    pub member_id: PersonId,
    pub display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_name: Option<String>,
    pub started_at: Timestamp,
    /// Until when the start can be undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo_until: Option<Timestamp>,
}

/// A member who may still come into a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Awaited {
    pub member_id: PersonId,
    pub display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_name: Option<String>,
    #[schema(inline)]
    pub status: Status,
    /// Where the member is now, if the caller may know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_name: Option<String>,
}

/// A member who has left a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Gone {
    pub visit_id: VisitId,
    pub member_id: PersonId,
    pub display_name: String,
    pub ended_at: Timestamp,
    #[schema(inline)]
    pub reason: EndReason,
    /// Whether the member is in the house, has been in no other run since, and has not been away.
    #[serde(skip)]
    is_nowhere_else: bool,
    /// Until when the end can be undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo_until: Option<Timestamp>,
}

/// Where the members of a group are.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct InGroup {
    /// In a run.
    pub here: Vec<Placed>,
    /// In the house, but in no run; for the office, in the house.
    pub on_the_way: Vec<OnTheWay>,
    pub expected: Vec<Named>,
    pub absent: Vec<Absent>,
    pub left: Vec<LeftHouse>,
}

/// A member in a run, seen from the group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Placed {
    pub member_id: PersonId,
    pub display_name: String,
    pub room_id: RoomId,
    pub room_name: String,
    pub run_id: RunId,
    pub visit_id: VisitId,
    pub since: Timestamp,
}

/// A member who is in the house, but in no run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OnTheWay {
    pub member_id: PersonId,
    pub display_name: String,
    pub since: Timestamp,
}

/// A member by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Named {
    pub member_id: PersonId,
    pub display_name: String,
}

/// A member who does not come today, or is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Absent {
    pub member_id: PersonId,
    pub display_name: String,
    #[schema(inline)]
    pub status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A member who has left the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LeftHouse {
    pub member_id: PersonId,
    pub display_name: String,
    pub at: Timestamp,
}

/// One member of a group, before it is put into its list.
struct Standing {
    member: PersonId,
    name: String,
    status: Option<Status>,
    reason: Option<String>,
    arrived_at: Option<Timestamp>,
    left_at: Option<Timestamp>,
    last_ended_at: Option<Timestamp>,
    visit: Option<(VisitId, RunId, RoomId, String, Timestamp)>,
}

impl Standing {
    /// Returns what the office knows of it: not where somebody is, nor since when.
    fn without_place(self) -> Standing {
        Standing { visit: None, last_ended_at: None, ..self }
    }
}

/// Returns who is in `run`, who could be and who was, as `scope` may see it.
pub fn in_run(conn: &Connection, scope: &Scope, run: &Run) -> Result<InRun> {
    let today = Today::at(conn, scope.at)?;
    let mut here: Vec<Here> = rows::all(
        conn,
        "select visit_id, person_id, display_name, started_at,
                (select name
                 from group_member
                 join \"group\" using (group_id)
                 where group_member.person_id = visit.person_id
                 order by kind = 'class', name
                 limit 1) as group_name
         from visit
         join person using (person_id)
         where run_id = ?1 and room_id = ?2 and ended_at is null
         order by search_key, person_id",
        params![run.id, run.room],
    )?;
    for member in &mut here {
        member.undo_until = undo_until(&today, member.started_at, scope.at);
    }
    let mut left = gone(conn, run, &today)?;
    for member in &mut left {
        let can_come_back = run.ended_at.is_none() && member.is_nowhere_else;
        let by_itself = can_come_back && member.reason == EndReason::Left;
        member.undo_until = undo_until(&today, member.ended_at, scope.at).filter(|_| by_itself);
    }
    Ok(InRun { here, expected: awaited(conn, scope, run, &today)?, left })
}

/// Returns who was in `run` and is not, the last first. Visits are not found by their run: an index
/// for that would be written by each scan. So each person's are followed back from the newest, as
/// far as the run goes back, and those of the days before are never read.
fn gone(conn: &Connection, run: &Run, today: &Today) -> Result<Vec<Gone>> {
    let sql = concat!(
        "with recursive since (visit_id, earlier_visit_id, person_id, run_id) as (
             select visit_id, earlier_visit_id, person_id, run_id
             from visit
             where newest = 1 and started_at >= ?3
             union all
             select visit.visit_id, visit.earlier_visit_id, visit.person_id, visit.run_id
             from since
             join visit on visit.visit_id = since.earlier_visit_id
             where started_at >= ?3)
         select visit_id, person_id, display_name, ended_at, end_reason,
                newest = 1
                and exists (select 1
                            from attendance
                            where attendance.person_id = visit.person_id
                              and day = ?4
                              and status = 'present')
                and not ",
        was_away!("visit.person_id", "?4", "visit.ended_at"),
        " as is_nowhere_else
         from visit
         join person using (person_id)
         where ended_at is not null
           and visit_id in (select max(visit_id)
                            from since
                            where run_id = ?1
                            group by person_id)
         order by ended_at desc, visit_id desc
         limit ?2"
    );
    rows::all(conn, sql, params![run.id, GONE_MAX, run.started_at, today.day])
}

/// Members of the groups that the run's staff are in charge of.
fn awaited(conn: &Connection, scope: &Scope, run: &Run, today: &Today) -> Result<Vec<Awaited>> {
    let knows_all = scope.role == Role::Admin;
    rows::all(
        conn,
        "with charge as (
             select distinct of_group.group_id
             from supervision as of_run
             join supervision as of_group using (person_id)
             where of_run.run_id = ?1
               and of_run.ended_at is null
               and (of_run.until_at is null or of_run.until_at > ?3)
               and of_group.group_id is not null
               and of_group.ended_at is null
               and (of_group.until_at is null or of_group.until_at > ?3))
         select person.person_id, display_name, min(\"group\".name) as group_name, status,
                max(case
                    when ?4 or group_id in (select value from json_each(?5)) then room.name
                    end) as room_name
         from charge
         join \"group\" using (group_id)
         join group_member using (group_id)
         join person using (person_id)
         left join attendance on attendance.person_id = person.person_id and day = ?2
         left join visit on visit.person_id = person.person_id
                        and visit.newest = 1
                        and visit.ended_at is null
         left join room on room.room_id = visit.room_id
         where state = 'active'
           and visit.run_id is not ?1
           and (status is null or status = 'present')
         group by person.person_id
         order by search_key, person.person_id",
        params![
            run.id,
            today.day,
            scope.at,
            knows_all,
            queries::ids(scope.groups.iter().map(|id| id.0))
        ],
    )
}

/// Returns where the members of `group` are.
pub fn in_group(conn: &Connection, scope: &Scope, group: GroupId) -> Result<InGroup> {
    let today = Today::at(conn, scope.at)?;
    let members: Vec<Standing> = rows::all(
        conn,
        "select person.person_id, display_name, status, reason, arrived_at, left_at,
                visit_id, run_id, visit.room_id, room.name as room_name, started_at,
                (select ended_at
                 from visit as last
                 where last.person_id = person.person_id
                   and newest = 1
                   and started_at >= ?3) as last_ended_at
         from group_member
         join person using (person_id)
         left join attendance on attendance.person_id = person.person_id and day = ?2
         left join visit on visit.person_id = person.person_id
                        and visit.newest = 1
                        and visit.ended_at is null
         left join room on room.room_id = visit.room_id
         where group_id = ?1 and state = 'active'
         order by search_key, person.person_id",
        params![group, today.day, today.begins()],
    )?;
    let mut lists = InGroup::default();
    for member in members {
        let member = if scope.role == Role::Office { member.without_place() } else { member };
        lists.put(member, scope.at);
    }
    Ok(lists)
}

impl InGroup {
    fn put(&mut self, member: Standing, now: Timestamp) {
        let (member_id, display_name) = (member.member, member.name);
        match (member.status, member.visit) {
            (Some(Status::Present), Some((visit_id, run_id, room_id, room_name, since))) => {
                self.here.push(Placed {
                    member_id,
                    display_name,
                    room_id,
                    room_name,
                    run_id,
                    visit_id,
                    since,
                });
            }
            (Some(Status::Present), None) => {
                let since = member.arrived_at.max(member.last_ended_at).unwrap_or(now);
                self.on_the_way.push(OnTheWay { member_id, display_name, since });
            }
            (Some(Status::Left), _) => {
                let at = member.left_at.unwrap_or(now);
                self.left.push(LeftHouse { member_id, display_name, at });
            }
            (Some(status @ (Status::Excused | Status::Unreported)), _) => {
                let reason = member.reason;
                self.absent.push(Absent { member_id, display_name, status, reason });
            }
            (None | Some(Status::Expected), _) => {
                self.expected.push(Named { member_id, display_name });
            }
        }
    }
}

/// Until when something of `at` can be undone; none when it is too late.
pub(super) fn undo_until(today: &Today, at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    Some(today.undo_until(at)).filter(|until| now <= *until)
}

impl FromRow for Here {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Here> {
        Ok(Here {
            visit_id: row.get("visit_id")?,
            member_id: row.get("person_id")?,
            display_name: row.get("display_name")?,
            group_name: row.get("group_name")?,
            started_at: row.get("started_at")?,
            undo_until: None,
        })
    }
}

impl FromRow for Awaited {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Awaited> {
        Ok(Awaited {
            member_id: row.get("person_id")?,
            display_name: row.get("display_name")?,
            group_name: row.get("group_name")?,
            status: row.get::<Option<Status>>("status")?.unwrap_or(Status::Expected),
            room_name: row.get("room_name")?,
        })
    }
}

impl FromRow for Gone {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Gone> {
        Ok(Gone {
            visit_id: row.get("visit_id")?,
            member_id: row.get("person_id")?,
            display_name: row.get("display_name")?,
            ended_at: row.get("ended_at")?,
            reason: row.get("end_reason")?,
            is_nowhere_else: row.get("is_nowhere_else")?,
            undo_until: None,
        })
    }
}

impl FromRow for Standing {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Standing> {
        let visit = match row.get("visit_id")? {
            None => None,
            Some(id) => Some((
                id,
                row.get("run_id")?,
                row.get("room_id")?,
                row.get("room_name")?,
                row.get("started_at")?,
            )),
        };
        Ok(Standing {
            member: row.get("person_id")?,
            name: row.get("display_name")?,
            status: row.get("status")?,
            reason: row.get("reason")?,
            arrived_at: row.get("arrived_at")?,
            left_at: row.get("left_at")?,
            last_ended_at: row.get("last_ended_at")?,
            visit,
        })
    }
}
