//! Visits by hand: start, end, undo; and the end and reopening of a run, which
//! take everybody in it along.

use super::model::{EndReason, Member, Source, Standing, Status, Today, Visit};
use super::{attendance, bulk, queries, stays};
use crate::base::id::{PersonId, RunId, VisitId};
use crate::base::{Error, Result, Timestamp};
use crate::domain::house;
use crate::domain::people::{self, Role};
use crate::domain::rooms::{self, Run, Scope};
use crate::live::Tx;

/// What the end of a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunEnd {
    /// How many visits ended with it.
    pub ended_visits: usize,
    /// Until when it can be reopened; never, once its day is closed.
    pub undo_until: Option<Timestamp>,
}

/// Starts a visit by hand. Who supervises a run may bring anybody into it who is
/// in the house, and whoever is in their scope in any case.
pub fn start(tx: &mut Tx<'_>, scope: &Scope, member: PersonId, run: RunId) -> Result<VisitId> {
    scope.require_run(tx, run)?;
    let run = rooms::queries::run(tx, run)?;
    require_member(tx, member)?;
    let today = Today::now(tx)?;
    let standing = queries::standing(tx, member, &today)?;
    if !standing.is_present() && !scope.sees(tx, member)? {
        return Err(Error::conflict("visit.not_present", "the member is not in the house"));
    }
    require_open(tx, &today, &run)?;
    if standing.visit().is_some_and(|visit| visit.run == run.id) {
        return Err(Error::conflict("visit.already_in", "the member is in this run"));
    }
    require_room(tx, &run)?;
    // A visit never starts before its run, whatever the clock did.
    let at = now_for(tx, &standing).max(run.started_at);
    let member = Member::load(tx, member)?;
    if !standing.is_present() {
        attendance::record_mark(tx, &today, member.id, Status::Present)?;
    }
    stays::enter(tx, &today, &member, &standing, (run.id, run.room), at, Source::Manual)
}

/// Ends a visit by hand; the member stays in the house.
pub fn end(tx: &mut Tx<'_>, scope: &Scope, visit: VisitId) -> Result<()> {
    let visit = in_scope(tx, scope, visit)?;
    if visit.ended_at.is_some() {
        return Err(Error::conflict("visit.ended", "this visit has ended"));
    }
    let at = tx.now.max(visit.started_at);
    let member = Member::load(tx, visit.person)?;
    stays::end(tx, &member, &visit, at, EndReason::Left, Source::Manual)
}

/// Takes back what happened last to a visit, within five minutes and its day: an end, or
/// a start together with what the start had changed.
pub fn undo(tx: &mut Tx<'_>, scope: &Scope, visit: VisitId) -> Result<()> {
    let visit = in_scope(tx, scope, visit)?;
    let happened_at = visit.ended_at.unwrap_or(visit.started_at);
    let too_late = tx.now > Today::now(tx)?.undo_until(happened_at);
    match visit.end_reason {
        Some(EndReason::Undone) => {
            Err(Error::conflict("visit.undone", "this visit has been undone already"))
        }
        Some(EndReason::RunEnded) => Err(Error::conflict("visit.run_ended", "its run has ended")),
        Some(EndReason::DayClosed) => Err(undo_too_late()),
        None | Some(EndReason::Left | EndReason::Transferred) if too_late => Err(undo_too_late()),
        Some(EndReason::Transferred) => Err(elsewhere()),
        Some(EndReason::Left) => undo_end(tx, &visit),
        None => undo_start(tx, &visit),
    }
}

/// Takes somebody who ceases to belong to the house out of it, room and all: no badge of theirs
/// will. Who is not in it stays as they are.
pub fn depart(tx: &mut Tx<'_>, person: PersonId) -> Result<()> {
    let today = Today::now(tx)?;
    let standing = queries::standing(tx, person, &today)?;
    if !standing.is_present() && standing.visit().is_none() {
        return Ok(());
    }
    let role = people::queries::find(tx, person)?.role;
    let who = Member::of_role(tx, person, role)?;
    let at = now_for(tx, &standing);
    stays::go_home(tx, &today, &who, &standing, at, Source::Manual)
}

/// Ends the visit of somebody who will be no member any more, if one is open: who works here stays
/// in no run. They are in the house as before.
pub fn leave_run(tx: &mut Tx<'_>, person: PersonId) -> Result<()> {
    let standing = queries::standing(tx, person, &Today::now(tx)?)?;
    let Some(visit) = standing.visit() else { return Ok(()) };
    let at = now_for(tx, &standing);
    let member = Member::load(tx, person)?;
    stays::end(tx, &member, visit, at, EndReason::Left, Source::Manual)
}

/// Ends a run with every visit in it. Who may do so is decided by the caller.
pub fn end_run(tx: &mut Tx<'_>, run: RunId, reason: &'static str) -> Result<RunEnd> {
    let open = rooms::queries::run(tx, run)?;
    // Told while those who supervise it still hear of it.
    let ended_visits = bulk::end_all(tx, &open, tx.now, EndReason::RunEnded)?;
    let run = rooms::commands::mark_ended(tx, run, reason)?;
    let undo_until = run.undo_until(&house::queries::local_time_known(tx)?);
    Ok(RunEnd { ended_visits, undo_until })
}

/// Takes an ended run up again with those who were in it and are nowhere else
/// since. Who may do so is decided by the caller.
pub fn reopen_run(tx: &mut Tx<'_>, run: RunId) -> Result<Run> {
    let today = Today::now(tx)?;
    let ended = rooms::queries::run(tx, run)?;
    let run = rooms::commands::mark_reopened(tx, run)?;
    if let Some(ended_at) = ended.ended_at {
        bulk::restore(tx, &run, ended_at, today.day)?;
    }
    Ok(run)
}

/// Refuses everybody who is not an active member, as if there were no such person.
pub(super) fn require_member(tx: &Tx<'_>, member: PersonId) -> Result<()> {
    let person = people::queries::find(tx, member)?;
    let here = person.state == people::model::PersonState::Active;
    if here && person.role == Role::Member { Ok(()) } else { Err(Error::NotFound("person")) }
}

/// The moment of an act by hand: now, but never before what is known already.
pub(super) fn now_for(tx: &Tx<'_>, standing: &Standing) -> Timestamp {
    let known = standing.newest().max(standing.last_ended_at());
    known.map_or(tx.now, |known| known.max(tx.now))
}

/// Returns a visit, if its run or its member is in the scope.
fn in_scope(tx: &Tx<'_>, scope: &Scope, visit: VisitId) -> Result<Visit> {
    let visit = queries::visit(tx, visit)?;
    if scope.sees(tx, visit.person)? {
        return Ok(visit);
    }
    match scope.require_run(tx, visit.run) {
        Ok(()) => Ok(visit),
        Err(Error::Forbidden(_)) => Err(Error::NotFound("visit")),
        Err(other) => Err(other),
    }
}

fn undo_end(tx: &mut Tx<'_>, visit: &Visit) -> Result<()> {
    require_member(tx, visit.person)?;
    let run = rooms::queries::run(tx, visit.run)?;
    let today = Today::now(tx)?;
    require_open(tx, &today, &run)?;
    let standing = queries::standing(tx, visit.person, &today)?;
    if !standing.is_present()
        || queries::was_elsewhere_since(tx, visit)?
        || queries::was_away_since(tx, visit, today.day)?
    {
        return Err(elsewhere());
    }
    require_room(tx, &run)?;
    let member = Member::load(tx, visit.person)?;
    stays::reopen(tx, &member, visit)
}

fn undo_start(tx: &mut Tx<'_>, visit: &Visit) -> Result<()> {
    let today = Today::at(tx, visit.started_at)?;
    let member = Member::load(tx, visit.person)?;
    let at = tx.now.max(visit.started_at);
    stays::take_back(tx, &member, visit, at)?;
    if let Some(before) = visit.attendance_before {
        // Who was seen in the house since, at its door perhaps, has come all the same.
        let known = queries::attendance(tx, visit.person, today.day)?;
        if known.is_some_and(|row| row.changed_at > Some(visit.started_at)) {
            return Ok(());
        }
        attendance::record_mark(tx, &today, visit.person, before)?;
        return attendance::restore(tx, &today, &member, before, visit.reason_before.as_deref());
    }
    let Some(from) = visit.from else { return Ok(()) };
    let from = queries::visit(tx, from)?;
    let run_is_open = rooms::queries::run(tx, from.run)?.ended_at.is_none();
    let by_this =
        (from.end_reason, from.ended_at) == (Some(EndReason::Transferred), Some(visit.started_at));
    // A full room does not matter: the member never left it.
    if run_is_open && by_this { stays::reopen(tx, &member, &from) } else { Ok(()) }
}

/// Refuses a run that has ended, be it with its day and not noted yet.
fn require_open(tx: &Tx<'_>, today: &Today, run: &Run) -> Result<()> {
    if run.ended_at.is_none() && tx.now < today.close_after(run.started_at) {
        return Ok(());
    }
    Err(Error::conflict("visit.run_ended", "its run has ended"))
}

fn require_room(tx: &Tx<'_>, run: &Run) -> Result<()> {
    if queries::occupancy(tx, run.room)? < run.capacity {
        return Ok(());
    }
    Err(Error::conflict("visit.room_full", "the room is full"))
}

fn elsewhere() -> Error {
    Error::conflict("visit.elsewhere", "the member is elsewhere since")
}

fn undo_too_late() -> Error {
    Error::conflict("visit.undo_too_late", "this happened too long ago")
}
