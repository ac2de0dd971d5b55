//! What attendance, a visit and an occupied room are.

use std::time::Duration;

use jiff::tz::TimeZone;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::base::id::{GroupId, PersonId, RoomId, RunId, VisitId};
use crate::base::{Day, Result, Timestamp};
use crate::domain::house::model::LocalTime;
use crate::domain::house::{self, Hours};
use crate::domain::people::{self, Role};
use crate::live::Tx;
use crate::store::rows::{FromRow, Row};
use crate::words;

/// How long a start or an end by hand can be undone: long enough to see the slip, too short to
/// rewrite the day.
const UNDO_TIME: Duration = Duration::from_secs(5 * 60);

words! {
    /// How a member stands to the house today. `expected` has no row: nothing is known yet.
    Status {
        Expected = "expected",
        Present = "present",
        Left = "left",
        Excused = "excused",
        Unreported = "unreported",
    }
}

impl Status {
    /// Says whether the member was in the house today.
    pub fn is_in_or_left(self) -> bool {
        matches!(self, Status::Present | Status::Left)
    }
}

words! {
    /// How the house came to know.
    Source { Badge = "badge", Manual = "manual", Auto = "auto" }
}

words! {
    /// Why a visit ended.
    EndReason {
        Left = "left",
        Transferred = "transferred",
        RunEnded = "run_ended",
        DayClosed = "day_closed",
        Undone = "undone",
    }
}

/// What is known of one person's day in the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Attendance {
    pub member_id: PersonId,
    pub day: Day,
    #[schema(inline)]
    pub status: Status,
    pub late: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrived_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip)]
    pub(super) source: Option<Source>,
    #[serde(skip)]
    pub(super) changed_at: Option<Timestamp>,
}

impl Attendance {
    /// How many columns it is read from.
    pub(super) const COLUMNS: usize = 9;

    /// Returns the day of a member of whom nothing is known yet.
    pub(super) fn expected(member_id: PersonId, day: Day) -> Attendance {
        Attendance {
            member_id,
            day,
            status: Status::Expected,
            late: false,
            arrived_at: None,
            left_at: None,
            reason: None,
            source: None,
            changed_at: None,
        }
    }
}

/// A stay of a member in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    pub id: VisitId,
    pub person: PersonId,
    pub run: RunId,
    pub room: RoomId,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub end_reason: Option<EndReason>,
    /// The visit that this one ended by a transfer.
    pub from: Option<VisitId>,
    /// What this visit's start turned into present; none when the person was present.
    pub attendance_before: Option<Status>,
    /// The reason that stood with that.
    pub reason_before: Option<String>,
}

impl Visit {
    /// How many columns it is read from.
    pub(super) const COLUMNS: usize = 10;

    /// Says whether a scan of before its end may still tell what became of it.
    fn is_open_to_news(&self) -> bool {
        matches!(self.end_reason, None | Some(EndReason::RunEnded))
    }
}

/// How full a room is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Occupancy {
    pub room_id: RoomId,
    pub count: i64,
    pub capacity: i64,
}

/// How many members are where. `present` is always `in_rooms` + `in_transit`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Counts {
    /// Not arrived yet, and not reported absent.
    pub expected: i64,
    /// In the house now.
    pub present: i64,
    /// In a run now.
    pub in_rooms: i64,
    /// In the house, but in no run.
    pub in_transit: i64,
    /// Excused or unreported.
    pub absent: i64,
    /// Gone home for today.
    pub left: i64,
}

/// What is known of a person right now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The visit before the next one, of whatever day.
    pub newest_visit: Option<VisitId>,
    pub attendance: Option<Attendance>,
    /// The open visit or, without one, the last one of the day.
    pub last: Option<Visit>,
}

impl Standing {
    /// Returns the status of the day.
    pub fn status(&self) -> Status {
        self.attendance.as_ref().map_or(Status::Expected, |row| row.status)
    }

    /// Says whether the person is in the house.
    pub fn is_present(&self) -> bool {
        self.status() == Status::Present
    }

    /// Returns the visit that is open now.
    pub fn visit(&self) -> Option<&Visit> {
        self.last.as_ref().filter(|visit| visit.ended_at.is_none())
    }

    /// Returns the visit that was open at `at`. The end of a run ends the visits
    /// in it, but says nothing of where each of them went: until then, what the
    /// person did is yet to be heard of.
    pub fn visit_at(&self, at: Timestamp) -> Option<&Visit> {
        let lasted = |visit: &&Visit| visit.ended_at.is_none_or(|end| at < end);
        self.last.as_ref().filter(|visit| visit.is_open_to_news()).filter(lasted)
    }

    /// Returns when the last visit ended.
    pub fn last_ended_at(&self) -> Option<Timestamp> {
        self.last.as_ref().and_then(|visit| visit.ended_at)
    }

    /// Returns until when the person is known to have been in the house, whatever was noted of their
    /// leaving it: that may have been noted late.
    pub fn known_until(&self) -> Option<Timestamp> {
        let Some(row) = self.attendance.as_ref() else { return self.last_news() };
        let by_badge = self.is_present() && row.source == Some(Source::Badge);
        let seen = row.arrived_at.max(row.changed_at.filter(|_| by_badge));
        let visit = self.visit_of_leaving().map(|visit| visit.started_at);
        seen.max(visit.or_else(|| self.last_news()))
    }

    /// Returns the last visit, if only the person's leaving the house or the house itself has ended
    /// it: who turns out to have left earlier has ended it with that.
    pub fn visit_of_leaving(&self) -> Option<&Visit> {
        let left_at = self.attendance.as_ref().and_then(|row| row.left_at);
        self.last.as_ref().filter(|visit| match visit.end_reason {
            Some(EndReason::Left) => left_at.is_some() && visit.ended_at == left_at,
            Some(EndReason::DayClosed) => !self.is_present(),
            _ => visit.is_open_to_news(),
        })
    }

    /// Returns when the newest thing that is known of the person happened. That
    /// nobody came until the timetable looked, or that a run ended around them,
    /// is no news of the person.
    pub fn newest(&self) -> Option<Timestamp> {
        let row = self.attendance.as_ref();
        let known =
            row.filter(|row| (row.status, row.source) != (Status::Unreported, Some(Source::Auto)));
        known.and_then(|row| row.changed_at).max(self.last_news())
    }

    /// When the last visit began or, by the person's doing, ended.
    fn last_news(&self) -> Option<Timestamp> {
        self.last.as_ref().map(|visit| match visit.ended_at {
            Some(end) if !visit.is_open_to_news() => end,
            _ => visit.started_at,
        })
    }
}

/// The hours of the house on one day, in its own zone.
#[derive(Debug, Clone)]
pub struct Today {
    pub day: Day,
    zone: TimeZone,
    hours: Hours,
}

impl Today {
    /// Returns the day of the house that `moment` falls on.
    pub fn at(conn: &Connection, moment: Timestamp) -> Result<Today> {
        Ok(Today::in_house(house::queries::local_time(conn)?, moment))
    }

    /// Returns the day of the house that it is in a write.
    pub(super) fn now(tx: &Tx<'_>) -> Result<Today> {
        Ok(Today::in_house(house::queries::local_time_known(tx)?, tx.now))
    }

    fn in_house(LocalTime { zone, hours }: LocalTime, moment: Timestamp) -> Today {
        Today { day: moment.day(&zone), zone, hours }
    }

    /// Returns the day that `at` falls on, with the same hours.
    pub fn on(&self, at: Timestamp) -> Today {
        self.of_day(at.day(&self.zone))
    }

    /// Returns another day, with the same hours.
    pub fn of_day(&self, day: Day) -> Today {
        Today { day, ..self.clone() }
    }

    /// Says whether `at` is on this day.
    pub fn holds(&self, at: Timestamp) -> bool {
        at.day(&self.zone) == self.day
    }

    /// Returns local midnight, when the day begins.
    pub fn begins(&self) -> Timestamp {
        self.day.at_minute(0, &self.zone)
    }

    /// Returns when all that began at `since` is closed.
    pub fn close_after(&self, since: Timestamp) -> Timestamp {
        self.hours.close_after(since, &self.zone)
    }

    /// Returns until when something of `at` can be undone: within its own day, so that nobody takes
    /// back what the close of the day has ended.
    pub fn undo_until(&self, at: Timestamp) -> Timestamp {
        let before_close = self.close_after(at).minus(Duration::from_millis(1));
        at.plus(UNDO_TIME).min(before_close)
    }

    /// Returns the moment after which an arrival is late.
    pub fn late_after(&self) -> Timestamp {
        self.day.at_minute(self.hours.late_after.minutes(), &self.zone)
    }

    /// Returns when the house closes.
    pub fn closes(&self) -> Timestamp {
        self.hours.closes_on(self.day, &self.zone)
    }

    /// Returns the last moment at which everything was closed, seen from `now`:
    /// closing time, or midnight while it is still to come.
    pub fn last_close(&self, now: Timestamp) -> Timestamp {
        if now >= self.closes() { self.closes() } else { self.begins() }
    }

    /// Returns the minutes since local midnight at `at`.
    pub fn minute(&self, at: Timestamp) -> i64 {
        at.minute_of_day(&self.zone)
    }
}

/// A member of whom something is told, with those who hear of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub id: PersonId,
    /// None of somebody who works here: their coming and going is told to nobody.
    pub groups: Option<Vec<GroupId>>,
}

impl Member {
    /// Returns the member with the groups that they are in.
    pub fn load(conn: &Connection, id: PersonId) -> Result<Member> {
        Ok(Member { id, groups: Some(people::queries::groups_of(conn, id)?) })
    }

    /// Returns somebody of this role.
    pub fn of_role(conn: &Connection, id: PersonId, role: Role) -> Result<Member> {
        match role {
            Role::Member => Member::load(conn, id),
            Role::Admin | Role::Office | Role::Staff => Ok(Member { id, groups: None }),
        }
    }
}

impl FromRow for Attendance {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Attendance> {
        let (member_id, day, status) =
            (row.next("person_id")?, row.next("day")?, row.next("status")?);
        Ok(Attendance {
            member_id,
            day,
            status,
            late: row.next("late")?,
            arrived_at: row.next("arrived_at")?,
            left_at: row.next::<Option<_>>("left_at")?.filter(|_| status == Status::Left),
            reason: row.next("reason")?,
            source: Some(row.next("source")?),
            changed_at: Some(row.next("changed_at")?),
        })
    }
}

impl FromRow for Visit {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Visit> {
        Ok(Visit {
            id: row.next("visit_id")?,
            person: row.next("person_id")?,
            run: row.next("run_id")?,
            room: row.next("room_id")?,
            started_at: row.next("started_at")?,
            ended_at: row.next("ended_at")?,
            end_reason: row.next("end_reason")?,
            from: row.next("from_visit_id")?,
            attendance_before: row.next("attendance_before")?,
            reason_before: row.next("reason_before")?,
        })
    }
}

impl FromRow for Occupancy {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Occupancy> {
        Ok(Occupancy {
            room_id: row.get("room_id")?,
            count: row.get("count")?,
            capacity: row.get("capacity")?,
        })
    }
}

impl FromRow for Counts {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Counts> {
        let (present, in_rooms) = (row.get("present")?, row.get("in_rooms")?);
        Ok(Counts {
            expected: row.get("expected")?,
            present,
            in_rooms,
            in_transit: present - in_rooms,
            absent: row.get("absent")?,
            left: row.get("left")?,
        })
    }
}
