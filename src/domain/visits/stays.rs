//! The ways into and out of a run, for one member: by badge and by hand alike.

use rusqlite::params;

use super::model::{EndReason, Member, Source, Standing, Today, Visit};
use super::{attendance, places, standings};
use crate::base::id::{RoomId, RunId, VisitId};
use crate::base::{Result, Timestamp};
use crate::event::Event;
use crate::live::Tx;
use crate::store::rows;

/// Starts a visit. Who was in another run is transferred, who was not in the
/// house has arrived.
pub(super) fn enter(
    tx: &mut Tx<'_>,
    today: &Today,
    member: &Member,
    standing: &Standing,
    (run, room): (RunId, RoomId),
    at: Timestamp,
    source: Source,
) -> Result<VisitId> {
    let before = (!standing.is_present()).then(|| standing.status());
    let reason = before.and(standing.attendance.as_ref()).and_then(|row| row.reason.as_deref());
    if before.is_some() {
        attendance::arrive(tx, today, member, standing.attendance.as_ref(), at, source)?;
    }
    let from = standing.visit_at(at);
    match (from, standing.newest_visit) {
        (Some(old), _) => end(tx, member, old, at, EndReason::Transferred, source)?,
        (None, Some(old)) => supersede(tx, member, old)?,
        (None, None) => (),
    }
    let earlier = standing.newest_visit;
    let id = rows::insert(
        &standings::changing(tx, member.id),
        "insert into visit (person_id, run_id, room_id, started_at, source, from_visit_id,
                            attendance_before, reason_before, earlier_visit_id)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![member.id, run, room, at, source, from.map(|old| old.id), before, reason, earlier],
    )?;
    let visit = Visit {
        id: VisitId(id),
        person: member.id,
        run,
        room,
        started_at: at,
        ended_at: None,
        end_reason: None,
        from: from.map(|old| old.id),
        attendance_before: before,
        reason_before: reason.map(str::to_owned),
    };
    places::count(tx, room, 1);
    tell_started(tx, member, &visit, from.map(|old| old.room), source)?;
    if before.is_none() {
        standings::remember(tx, member.id, today, || Standing {
            newest_visit: Some(visit.id),
            attendance: standing.attendance.clone(),
            last: Some(visit.clone()),
        });
    }
    Ok(visit.id)
}

fn tell_started(
    tx: &mut Tx<'_>,
    member: &Member,
    visit: &Visit,
    from_room: Option<RoomId>,
    source: Source,
) -> Result<()> {
    tx.emit(Event::VisitStarted {
        visit_id: visit.id,
        run_id: visit.run,
        room_id: visit.room,
        member_id: member.id,
        from_room_id: from_room,
        source: source.word(),
        at: visit.started_at,
        groups: member.groups.clone().unwrap_or_default(),
    })
}

/// Notes that an ended visit is no longer its member's newest.
fn supersede(tx: &Tx<'_>, member: &Member, visit: VisitId) -> Result<()> {
    rows::run(
        &standings::changing(tx, member.id),
        "update visit
         set newest = 0
         where visit_id = ?1",
        params![visit],
    )?;
    Ok(())
}

/// Ends a visit; the member stays in the house. One that the end of its run has
/// ended ends earlier, when it becomes known that the member went before.
pub(super) fn end(
    tx: &mut Tx<'_>,
    member: &Member,
    visit: &Visit,
    at: Timestamp,
    reason: EndReason,
    source: Source,
) -> Result<()> {
    // Who is transferred has another visit at once; what was undone never was. To set the mark to
    // what it is would write the index's entry anew.
    let sql = if matches!(reason, EndReason::Transferred | EndReason::Undone) {
        "update visit
         set ended_at = ?2, end_reason = ?3, newest = 0
         where visit_id = ?1"
    } else {
        "update visit
         set ended_at = ?2, end_reason = ?3
         where visit_id = ?1"
    };
    rows::run(&standings::changing(tx, member.id), sql, params![visit.id, at, reason])?;
    places::count(tx, visit.room, -i64::from(visit.ended_at.is_none()));
    tx.emit(Event::VisitEnded {
        visit_id: visit.id,
        run_id: visit.run,
        room_id: visit.room,
        member_id: member.id,
        reason: reason.word(),
        source: source.word(),
        at,
        groups: member.groups.clone().unwrap_or_default(),
    })
}

/// Takes back the start of a member's newest visit, as if it had never been.
pub(super) fn take_back(
    tx: &mut Tx<'_>,
    member: &Member,
    visit: &Visit,
    at: Timestamp,
) -> Result<()> {
    end(tx, member, visit, at, EndReason::Undone, Source::Manual)?;
    rows::run(
        &standings::changing(tx, member.id),
        "update visit
         set newest = 1
         where visit_id = (select earlier_visit_id from visit where visit_id = ?1)",
        params![visit.id],
    )?;
    Ok(())
}

/// Opens an ended visit again, as if it had never ended.
pub(super) fn reopen(tx: &mut Tx<'_>, member: &Member, visit: &Visit) -> Result<()> {
    rows::run(
        &standings::changing(tx, member.id),
        "update visit
         set ended_at = null, end_reason = null
         where visit_id = ?1",
        params![visit.id],
    )?;
    places::count(tx, visit.room, 1);
    tell_started(tx, member, visit, None, Source::Manual)
}

/// Ends the visit that was open at `at`, if there was one, and notes that the
/// member has left the house.
pub(super) fn go_home(
    tx: &mut Tx<'_>,
    today: &Today,
    member: &Member,
    standing: &Standing,
    at: Timestamp,
    source: Source,
) -> Result<()> {
    if let Some(visit) = standing.visit_at(at) {
        end(tx, member, visit, at, EndReason::Left, source)?;
    }
    attendance::end_absence(tx, today, member, standing.attendance.as_ref())?;
    attendance::leave(tx, today, member, at, source, "left")
}
