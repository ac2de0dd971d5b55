//! Lists: the attendance of a day, a person's visits, scans to be looked at.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::model::{EndReason, Source, Status, Today};
use super::queries;
use super::scan::Why;
use crate::base::id::{DeviceId, PersonId, RoomId, RunId, ScanReviewId, VisitId};
use crate::base::page::{Page, Paging, Place};
use crate::base::{Day, Error, Result, Timestamp};
use crate::domain::people::{self, Role, audit};
use crate::domain::rooms::Scope;
use crate::live::Tx;
use crate::store::rows::{self, FromRow, Row};

/// How a member stands to the house on a day.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DayOf {
    pub member_id: PersonId,
    pub display_name: String,
    #[schema(inline)]
    pub status: Status,
    pub late: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrived_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A visit in a person's history.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PastVisit {
    pub visit_id: VisitId,
    pub run_id: RunId,
    pub activity_name: String,
    pub room_id: RoomId,
    pub room_name: String,
    pub started_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub end_reason: Option<EndReason>,
    #[schema(inline)]
    pub source: Source,
}

/// A visit as it is after an act by hand.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Stay {
    pub visit_id: VisitId,
    pub run_id: RunId,
    pub member_id: PersonId,
    pub display_name: String,
    pub started_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub end_reason: Option<EndReason>,
    /// Where the start of this visit has transferred the member from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transferred_from: Option<Origin>,
    /// Until when what happened last can be undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo_until: Option<Timestamp>,
}

/// Where a transfer came from.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Origin {
    pub run_id: RunId,
    pub room_name: String,
}

/// A scan that a person must look at.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Review {
    pub id: ScanReviewId,
    pub scan_id: String,
    pub device_id: DeviceId,
    pub device_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member_id: Option<PersonId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The last four characters of the tag.
    pub tag_suffix: String,
    #[schema(inline)]
    pub why: Why,
    /// When the badge was held, as well as we know.
    pub scanned_at: Timestamp,
    pub received_at: Timestamp,
}

/// Returns the attendance of `day`, by name: of all for lead and office; staff
/// see today's of those in their scope. One more than a page, if there is one.
pub fn attendance(
    conn: &Connection,
    scope: &Scope,
    day: Option<Day>,
    paging: &Paging,
) -> Result<(Day, Vec<DayOf>)> {
    let today = Today::at(conn, scope.at)?.day;
    let day = day.unwrap_or(today);
    let knows_all = matches!(scope.role, Role::Admin | Role::Office);
    if !knows_all && day != today {
        return Err(Error::Forbidden("attendance.other_day"));
    }
    let (groups, runs) = (scope.groups.iter(), scope.runs.iter());
    let found = rows::all(
        conn,
        "select person.person_id, display_name, status, coalesce(late, 0) as late, arrived_at, left_at,
                reason
         from person
         left join attendance on attendance.person_id = person.person_id and day = ?1
         where role = 'member'
           and (state = 'active' or status is not null)
           and (?2
                or person.person_id in (select person_id
                                        from group_member
                                        where group_id in (select value from json_each(?3)))
                or person.person_id in (select person_id
                                        from visit
                                        where ended_at is null
                                          and run_id in (select value from json_each(?4))))
         order by search_key, person.person_id
         limit ?5 offset ?6",
        params![
            day,
            knows_all,
            queries::ids(groups.map(|id| id.0)),
            queries::ids(runs.map(|id| id.0)),
            paging.limit()? + 1,
            paging.offset()?
        ],
    )?;
    Ok((day, found))
}

/// Returns a person's visits that began at `since` or later, the newest first.
/// Visits that were undone never were.
pub fn history(
    conn: &Connection,
    person: PersonId,
    since: Timestamp,
    paging: &Paging,
) -> Result<Page<PastVisit>> {
    let last = paging.last()?;
    let found = rows::all(
        conn,
        "with recursive chain (visit_id, started_at, earlier_visit_id) as (
             select visit_id, started_at, earlier_visit_id
             from visit
             where person_id = ?1 and newest = 1
             union all
             select visit.visit_id, visit.started_at, visit.earlier_visit_id
             from chain
             join visit on visit.visit_id = chain.earlier_visit_id
             -- None starts before the one that it hangs on, even after a clock was put back.
             where chain.started_at >= ?2)
         select visit_id, run_id, activity.name as activity_name, visit.room_id,
                room.name as room_name, visit.started_at, visit.ended_at, end_reason, source
         from chain
         join visit using (visit_id)
         join run using (run_id)
         join activity using (activity_id)
         join room on room.room_id = visit.room_id
         where visit.started_at >= ?2
           and (?3 is null or (visit.started_at, visit_id) < (?3, ?4))
         order by visit.started_at desc, visit_id desc
         limit ?5",
        params![
            person,
            since,
            last.map(|last| last.at),
            last.map(|last| last.id),
            paging.limit()? + 1
        ],
    )?;
    let place = |visit: &PastVisit| Place { at: visit.started_at, id: visit.visit_id.0 };
    Page::in_time(found, paging, place)
}

/// Returns somebody else's visits and leaves a line in the audit: to the lead
/// all that are kept, to staff today's of those in their scope.
pub fn look_up_history(
    tx: &mut Tx<'_>,
    scope: &Scope,
    person: PersonId,
    since: Option<Timestamp>,
    paging: &Paging,
) -> Result<Page<PastVisit>> {
    scope.require(tx, person)?;
    people::queries::find(tx, person)?;
    let since = since.unwrap_or(Timestamp(0));
    let since = match scope.role {
        Role::Admin => since,
        _ => since.max(Today::at(tx, tx.now)?.begins()),
    };
    audit::record(tx, "visits.read", Some(person), "")?;
    history(tx, person, since, paging)
}

/// Returns a visit as it is now.
pub fn stay(conn: &Connection, visit: VisitId, now: Timestamp) -> Result<Stay> {
    let mut stay: Stay = rows::one(
        conn,
        "visit",
        "select visit.visit_id, visit.run_id, visit.person_id, display_name, visit.started_at,
                visit.ended_at, visit.end_reason, earlier.run_id as from_run_id,
                room.name as from_room_name
         from visit
         join person using (person_id)
         left join visit as earlier on earlier.visit_id = visit.from_visit_id
         left join room on room.room_id = earlier.room_id
         where visit.visit_id = ?1",
        params![visit],
    )?;
    let can_be_undone = matches!(stay.end_reason, None | Some(EndReason::Left));
    let happened_at = stay.ended_at.unwrap_or(stay.started_at);
    let today = Today::at(conn, now)?;
    let until = super::snapshots::undo_until(&today, happened_at, now);
    stay.undo_until = until.filter(|_| can_be_undone);
    Ok(stay)
}

/// Returns the scans that nobody has looked at yet, the oldest first.
pub fn reviews(conn: &Connection, paging: &Paging) -> Result<Page<Review>> {
    let last = paging.last()?;
    let found = rows::all(
        conn,
        "select scan_review_id, scan_id, device_id, device.name as device_name, person_id,
                display_name, tag, why, scanned_at, received_at
         from scan_review
         join scan using (device_id, scan_id)
         join device using (device_id)
         left join person using (person_id)
         where reviewed_at is null
           and (?1 is null or (scan_review.created_at, scan_review_id) > (?1, ?2))
         order by scan_review.created_at, scan_review_id
         limit ?3",
        params![last.map(|last| last.at), last.map(|last| last.id), paging.limit()? + 1],
    )?;
    // A scan is put on the list in the write that takes it in.
    Page::in_time(found, paging, |review: &Review| Place {
        at: review.received_at,
        id: review.id.0,
    })
}

/// Notes that somebody has looked at a scan. The second one changes nothing.
pub fn mark_reviewed(tx: &mut Tx<'_>, review: ScanReviewId) -> Result<()> {
    rows::one::<i64>(
        tx,
        "scan",
        "select scan_review_id
         from scan_review
         where scan_review_id = ?1",
        params![review],
    )?;
    rows::run(
        tx,
        "update scan_review
         set reviewed_at = ?2, reviewed_by = ?3
         where scan_review_id = ?1 and reviewed_at is null",
        params![review, tx.now, tx.by],
    )?;
    Ok(())
}

impl FromRow for DayOf {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<DayOf> {
        let status = row.get::<Option<Status>>("status")?.unwrap_or(Status::Expected);
        Ok(DayOf {
            member_id: row.get("person_id")?,
            display_name: row.get("display_name")?,
            status,
            late: row.get("late")?,
            arrived_at: row.get("arrived_at")?,
            left_at: row.get::<Option<_>>("left_at")?.filter(|_| status == Status::Left),
            reason: row.get("reason")?,
        })
    }
}

impl FromRow for PastVisit {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<PastVisit> {
        Ok(PastVisit {
            visit_id: row.get("visit_id")?,
            run_id: row.get("run_id")?,
            activity_name: row.get("activity_name")?,
            room_id: row.get("room_id")?,
            room_name: row.get("room_name")?,
            started_at: row.get("started_at")?,
            ended_at: row.get("ended_at")?,
            end_reason: row.get("end_reason")?,
            source: row.get("source")?,
        })
    }
}

impl FromRow for Stay {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Stay> {
        let from: Option<RunId> = row.get("from_run_id")?;
        let room: Option<String> = row.get("from_room_name")?;
        Ok(Stay {
            visit_id: row.get("visit_id")?,
            run_id: row.get("run_id")?,
            member_id: row.get("person_id")?,
            display_name: row.get("display_name")?,
            started_at: row.get("started_at")?,
            ended_at: row.get("ended_at")?,
            end_reason: row.get("end_reason")?,
            transferred_from: from
                .zip(room)
                .map(|(run_id, room_name)| Origin { run_id, room_name }),
            undo_until: None,
        })
    }
}

impl FromRow for Review {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Review> {
        let tag: String = row.get("tag")?;
        Ok(Review {
            id: row.get("scan_review_id")?,
            scan_id: row.get("scan_id")?,
            device_id: row.get("device_id")?,
            device_name: row.get("device_name")?,
            member_id: row.get("person_id")?,
            display_name: row.get("display_name")?,
            tag_suffix: people::rules::tag_suffix(&tag).to_owned(),
            why: row.get("why")?,
            scanned_at: row.get("scanned_at")?,
            received_at: row.get("received_at")?,
        })
    }
}
