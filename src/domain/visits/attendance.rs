//! The two ways in which attendance changes by itself: somebody arrives, somebody leaves.
//!
//! Changes by a person's judgement (excused, unreported, a slip put right) are
//! in [`super::marking`].

use rusqlite::params;

use super::model::{Attendance, Member, Source, Status, Today};
use super::standings;
use crate::base::id::PersonId;
use crate::base::{Result, Timestamp};
use crate::domain::people::audit;
use crate::event::{Event, Stale};
use crate::live::Tx;
use crate::store::rows;

/// Notes that somebody is in the house since `at`. Who comes back keeps the
/// first arrival of the day, and whether that was late. A reason was that of an
/// absence or of leaving, and goes with it.
pub(super) fn arrive(
    tx: &mut Tx<'_>,
    today: &Today,
    member: &Member,
    before: Option<&Attendance>,
    at: Timestamp,
    source: Source,
) -> Result<()> {
    end_absence(tx, today, member, before)?;
    let first = before.filter(|row| row.status == Status::Left);
    let first = first.and_then(|row| Some((row.arrived_at?, row.late)));
    let (arrived_at, late) = first.unwrap_or_else(|| (at, at > today.late_after()));
    rows::run(
        &standings::changing(tx, member.id),
        "insert into attendance (person_id, day, status, late, arrived_at, source, changed_at)
         values (?1, ?2, 'present', ?3, ?4, ?5, ?6)
         on conflict (person_id, day) do update
         set status = 'present', late = excluded.late, arrived_at = excluded.arrived_at,
             source = excluded.source, reason = null, changed_at = excluded.changed_at",
        params![member.id, today.day, late, arrived_at, source, changed_at(tx, at, source)],
    )?;
    let Some(groups) = &member.groups else { return Ok(()) };
    tx.stale(Stale::Counts);
    tx.emit(Event::AttendanceCheckedIn {
        member_id: member.id,
        at,
        late,
        source: source.word(),
        groups: groups.clone(),
    })
}

/// Notes that somebody has left the house at `at`. Whoever calls this has ended
/// their visit.
pub(super) fn leave(
    tx: &mut Tx<'_>,
    today: &Today,
    member: &Member,
    at: Timestamp,
    source: Source,
    reason: &'static str,
) -> Result<()> {
    // Who leaves without having come is no longer missing, but nobody knows when they came.
    rows::run(
        &standings::changing(tx, member.id),
        "insert into attendance (person_id, day, status, left_at, source, changed_at)
         values (?1, ?2, 'left', ?3, ?4, ?5)
         on conflict (person_id, day) do update
         set status = 'left', left_at = excluded.left_at,
             reason = case when status in ('excused', 'unreported') then null else reason end,
             source = excluded.source, changed_at = excluded.changed_at",
        params![member.id, today.day, at, source, changed_at(tx, at, source)],
    )?;
    let Some(groups) = &member.groups else { return Ok(()) };
    tx.stale(Stale::Counts);
    tx.emit(Event::AttendanceCheckedOut {
        member_id: member.id,
        at,
        source: source.word(),
        reason,
        groups: groups.clone(),
    })
}

/// Leaves a line that an absence which somebody had noted is over: of it and its reason the record
/// shows nothing more. One that the clock had found is told by the events alone.
pub(super) fn end_absence(
    tx: &mut Tx<'_>,
    today: &Today,
    member: &Member,
    before: Option<&Attendance>,
) -> Result<()> {
    let noted = before.filter(|row| row.source == Some(Source::Manual));
    match noted.map(|row| row.status) {
        Some(status @ (Status::Excused | Status::Unreported)) => {
            let detail = format!("{} {}", today.day, status.word());
            audit::record(tx, "attendance.absence_ended", Some(member.id), &detail)
        }
        _ => Ok(()),
    }
}

/// Leaves a line that somebody has noted by hand how a member stands to the house.
pub(super) fn record_mark(
    tx: &mut Tx<'_>,
    today: &Today,
    member: PersonId,
    status: Status,
) -> Result<()> {
    let detail = format!("{} {}", today.day, status.word());
    audit::record(tx, "attendance.marked", Some(member), &detail)
}

/// Notes that it was still so at `at`: nothing changes, but what is older than
/// this is not news any more.
pub(super) fn confirm(tx: &Tx<'_>, today: &Today, person: PersonId, at: Timestamp) -> Result<()> {
    rows::run(
        &standings::changing(tx, person),
        "update attendance
         set changed_at = max(changed_at, ?3)
         where person_id = ?1 and day = ?2",
        params![person, today.day, at],
    )?;
    Ok(())
}

/// Notes that an arrival never was: what was known before it is known again,
/// `reason` with it.
pub(super) fn restore(
    tx: &mut Tx<'_>,
    today: &Today,
    member: &Member,
    before: Status,
    reason: Option<&str>,
) -> Result<()> {
    match before {
        Status::Expected | Status::Present => rows::run(
            tx,
            "delete from attendance
             where person_id = ?1 and day = ?2",
            params![member.id, today.day],
        )?,
        Status::Left => rows::run(
            tx,
            "update attendance
             set status = 'left', source = 'manual', reason = ?4, changed_at = ?3,
                 arrived_at = case when arrived_at <= left_at then arrived_at end,
                 late = case when arrived_at <= left_at then late else 0 end
             where person_id = ?1 and day = ?2",
            params![member.id, today.day, tx.now, reason],
        )?,
        Status::Excused | Status::Unreported => rows::run(
            tx,
            "update attendance
             set status = ?4, late = 0, arrived_at = null, source = 'manual', reason = ?5,
                 changed_at = ?3
             where person_id = ?1 and day = ?2",
            params![member.id, today.day, tx.now, before, reason],
        )?,
    };
    tx.stale(Stale::Counts);
    tx.emit(Event::AttendanceMarked {
        member_id: member.id,
        status: before.word(),
        groups: member.groups.clone().unwrap_or_default(),
    })
}

/// What a person decides holds from the moment of the decision, whatever
/// moment it is about: a scan of before does not change it.
pub(super) fn changed_at(tx: &Tx<'_>, at: Timestamp, source: Source) -> Timestamp {
    if source == Source::Manual { at.max(tx.now) } else { at }
}
