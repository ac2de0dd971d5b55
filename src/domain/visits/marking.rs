//! Attendance by a person's judgement: somebody calls in sick, was forgotten at
//! the door, or was marked by mistake. Each change leaves a line in the audit.

use rusqlite::params;

use super::model::{Attendance, EndReason, Member, Source, Standing, Status, Today, Visit};
use super::{attendance, commands, queries, stays};
use crate::base::id::PersonId;
use crate::base::{Error, Result, Timestamp, text};
use crate::domain::people::{self, Role};
use crate::domain::rooms::Scope;
use crate::event::{Event, Stale};
use crate::live::Tx;
use crate::store::rows;

/// How long a reason may be: a word or two, no history of an illness.
pub const REASON_MAX: usize = 200;

/// What somebody notes about a member's day.
#[derive(Debug, Clone)]
pub struct Mark {
    /// `expected` takes an absence back.
    pub status: Status,
    pub reason: Option<String>,
    /// When the member came or left, if not just now.
    pub at: Option<Timestamp>,
}

/// Notes how a member stands to the house today. Lead and office may do so for
/// all, staff for those in their scope. Who has been in a run today was here.
pub fn mark(tx: &mut Tx<'_>, scope: &Scope, id: PersonId, mark: &Mark) -> Result<Attendance> {
    if scope.role != Role::Office {
        scope.require(tx, id)?;
    }
    let today = Today::now(tx)?;
    let standing = queries::standing(tx, id, &today)?;
    require_markable(tx, id, &standing, mark.status)?;
    let reason =
        mark.reason.as_deref().map(|reason| text::optional_line("reason", reason, REASON_MAX));
    let reason = reason.transpose()?.filter(|reason| !reason.is_empty());
    let first_visit = queries::first_visit_at(tx, id, today.begins())?;
    let was_here = mark.status.is_in_or_left();
    if first_visit.is_some() && !was_here {
        let detail = "the member has been in a run today";
        return Err(Error::conflict("attendance.has_visits", detail));
    }
    let at = moment(tx, &today, &standing, first_visit, mark)?;
    let member = Member::load(tx, id)?;
    match mark.status {
        Status::Present => present(tx, &today, &member, &standing, at)?,
        Status::Left => left(tx, &today, &member, &standing, at)?,
        Status::Expected => expected(tx, &today, &member, &standing)?,
        Status::Excused | Status::Unreported => {
            absent(tx, &today, &member, mark.status)?;
        }
    }
    if mark.status != Status::Expected {
        rows::run(
            tx,
            "update attendance
             set reason = ?3
             where person_id = ?1 and day = ?2",
            params![id, today.day, reason],
        )?;
    }
    attendance::record_mark(tx, &today, id, mark.status)?;
    let now = queries::attendance(tx, id, today.day)?;
    Ok(now.unwrap_or_else(|| Attendance::expected(id, today.day)))
}

/// Refuses everybody who is not an active member. A former one who is in the house may be signed
/// out: older versions let people cease to belong to it without leaving it.
fn require_markable(tx: &Tx<'_>, id: PersonId, standing: &Standing, status: Status) -> Result<()> {
    let goes = status == Status::Left && standing.is_present();
    if goes && people::queries::find(tx, id)?.role == Role::Member {
        return Ok(());
    }
    commands::require_member(tx, id)
}

/// Checks the moment that a mark is about; none means just now.
fn moment(
    tx: &Tx<'_>,
    today: &Today,
    standing: &Standing,
    first_visit: Option<Timestamp>,
    mark: &Mark,
) -> Result<Option<Timestamp>> {
    let Some(at) = mark.at else { return Ok(None) };
    let row = standing.attendance.as_ref();
    let before = |known: Option<Timestamp>| known.is_some_and(|known| at < known);
    let problem = match mark.status {
        Status::Expected | Status::Excused | Status::Unreported => "is for coming and leaving only",
        Status::Present | Status::Left if at > tx.now => "must not be in the future",
        Status::Present | Status::Left if !today.holds(at) => "must be today",
        Status::Present if before(row.and_then(|row| row.left_at)) => "is before the member left",
        Status::Present if standing.is_present() && first_visit.is_some_and(|first| at > first) => {
            "is after the member was in a run"
        }
        Status::Left if before(standing.known_until()) => "is before something known of the member",
        Status::Present | Status::Left => return Ok(Some(at)),
    };
    Err(Error::invalid("at", problem))
}

fn present(
    tx: &mut Tx<'_>,
    today: &Today,
    member: &Member,
    standing: &Standing,
    at: Option<Timestamp>,
) -> Result<()> {
    let before = standing.attendance.as_ref();
    if !standing.is_present() {
        let at = at.unwrap_or_else(|| commands::now_for(tx, standing));
        return attendance::arrive(tx, today, member, before, at, Source::Manual);
    }
    let Some(at) = at else { return Ok(()) };
    rows::run(
        tx,
        "update attendance
         set arrived_at = ?3, late = ?4, source = 'manual', changed_at = ?5
         where person_id = ?1 and day = ?2",
        params![member.id, today.day, at, at > today.late_after(), commands::now_for(tx, standing)],
    )?;
    tell(tx, member, Status::Present)
}

fn left(
    tx: &mut Tx<'_>,
    today: &Today,
    member: &Member,
    standing: &Standing,
    at: Option<Timestamp>,
) -> Result<()> {
    if standing.status() != Status::Left {
        let at = at.unwrap_or_else(|| commands::now_for(tx, standing));
        return stays::go_home(tx, today, member, standing, at, Source::Manual);
    }
    let Some(at) = at else { return Ok(()) };
    let outlasts = |visit: &&Visit| visit.ended_at.is_some_and(|ended| ended > at);
    if let Some(visit) = standing.visit_of_leaving().filter(outlasts) {
        stays::end(tx, member, visit, at, EndReason::Left, Source::Manual)?;
    }
    rows::run(
        tx,
        "update attendance
         set left_at = ?3, source = 'manual', changed_at = ?4
         where person_id = ?1 and day = ?2",
        params![member.id, today.day, at, commands::now_for(tx, standing)],
    )?;
    tell(tx, member, Status::Left)
}

fn absent(tx: &mut Tx<'_>, today: &Today, member: &Member, status: Status) -> Result<()> {
    rows::run(
        tx,
        "insert into attendance (person_id, day, status, source, changed_at)
         values (?1, ?2, ?3, 'manual', ?4)
         on conflict (person_id, day) do update
         set status = excluded.status, late = 0, arrived_at = null, left_at = null,
             source = excluded.source, changed_at = excluded.changed_at",
        params![member.id, today.day, status, tx.now],
    )?;
    tell(tx, member, status)
}

fn expected(tx: &mut Tx<'_>, today: &Today, member: &Member, standing: &Standing) -> Result<()> {
    if standing.attendance.is_none() {
        return Ok(());
    }
    attendance::restore(tx, today, member, Status::Expected, None)
}

fn tell(tx: &mut Tx<'_>, member: &Member, status: Status) -> Result<()> {
    tx.stale(Stale::Counts);
    tx.emit(Event::AttendanceMarked {
        member_id: member.id,
        status: status.word(),
        groups: member.groups.clone().unwrap_or_default(),
    })
}
