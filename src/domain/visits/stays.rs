//! The ways into and out of a run, for one member: by badge and by hand alike.

use rusqlite::params;

use super::model::{EndReason, Member, Source, Standing, Today, Visit};
use super::{attendance, places};
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
    if let Some(old) = from {
        end(tx, member, old, at, EndReason::Transferred, source)?;
    }
    let id = rows::insert(
        tx,
        "insert into visit (person_id, run_id, room_id, started_at, source, from_visit_id,
                            attendance_before, reason_before, earlier_visit_id)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            member.id,
            run,
            room,
            at,
            source,
            from.map(|visit| visit.id),
            before,
            reason,
            standing.newest_visit,
        ],
    )?;
    note_newest(tx, member, standing.newest_visit, VisitId(id))?;
    places::count(tx, room, 1);
    tx.emit(Event::VisitStarted {
        visit_id: VisitId(id),
        run_id: run,
        room_id: room,
        member_id: member.id,
        from_room_id: from.map(|visit| visit.room),
        source: source.word(),
        at,
        groups: member.groups.clone().unwrap_or_default(),
    })?;
    Ok(VisitId(id))
}

/// Notes a member's newest visit in the place of the one before.
fn note_newest(
    tx: &Tx<'_>,
    member: &Member,
    before: Option<VisitId>,
    newest: VisitId,
) -> Result<()> {
    let sql = if before.is_some() {
        "update last_visit
         set visit_id = ?2
         where person_id = ?1"
    } else {
        "insert into last_visit (person_id, visit_id)
         values (?1, ?2)"
    };
    rows::run(tx, sql, params![member.id, newest])?;
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
    rows::run(
        tx,
        "update visit
         set ended_at = ?2, end_reason = ?3
         where visit_id = ?1",
        params![visit.id, at, reason],
    )?;
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
    rows::run(tx, "delete from last_visit where person_id = ?1", params![member.id])?;
    rows::run(
        tx,
        "insert into last_visit (person_id, visit_id)
         select person_id, earlier_visit_id
         from visit
         where visit_id = ?1 and earlier_visit_id is not null",
        params![visit.id],
    )?;
    Ok(())
}

/// Opens an ended visit again, as if it had never ended.
pub(super) fn reopen(tx: &mut Tx<'_>, member: &Member, visit: &Visit) -> Result<()> {
    rows::run(
        tx,
        "update visit
         set ended_at = null, end_reason = null
         where visit_id = ?1",
        params![visit.id],
    )?;
    places::count(tx, visit.room, 1);
    tx.emit(Event::VisitStarted {
        visit_id: visit.id,
        run_id: visit.run,
        room_id: visit.room,
        member_id: member.id,
        from_room_id: None,
        source: Source::Manual.word(),
        at: visit.started_at,
        groups: member.groups.clone().unwrap_or_default(),
    })
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
