//! Many visits ended or restored at once, and told in as few events: one for
//! those of the run, one for each group with its own members only.

use rusqlite::{Connection, params};

use super::model::EndReason;
use super::queries;
use crate::base::id::{GroupId, PersonId, RunId};
use crate::base::{Day, Result, Timestamp};
use crate::domain::rooms::Run;
use crate::event::{BulkAudience, Event, Stale};
use crate::live::Tx;
use crate::store::rows::{self, FromRow, Row};

/// How many members one event names at the most; more get a second one.
const IDS_MAX: usize = 500;

/// Which way they all went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

struct Membership {
    group: GroupId,
    person: PersonId,
}

/// Ends every open visit of a run and returns how many there were.
pub(super) fn end_all(
    tx: &mut Tx<'_>,
    run: &Run,
    at: Timestamp,
    reason: EndReason,
) -> Result<usize> {
    // A visit never ends before it starts, whatever the clock did.
    let people: Vec<PersonId> = rows::all(
        tx,
        "update visit
         set ended_at = max(?2, started_at), end_reason = ?3
         where run_id = ?1 and room_id = ?4 and ended_at is null
         returning person_id",
        params![run.id, at, reason, run.room],
    )?;
    tell(tx, run, &people, Way::Out, reason.word())?;
    Ok(people.len())
}

/// Opens again the visits that the end of a run at `ended_at` has ended, except
/// of those who are elsewhere or have left the house since, be it that they came back, or are
/// members no more.
pub(super) fn restore(tx: &mut Tx<'_>, run: &Run, ended_at: Timestamp, day: Day) -> Result<usize> {
    let people: Vec<PersonId> = rows::all(
        tx,
        "update visit
         set ended_at = null, end_reason = null
         where newest = 1
           and run_id = ?1
           and end_reason = 'run_ended'
           and ended_at >= ?2
           and exists (select 1
                       from attendance
                       where attendance.person_id = visit.person_id
                         and day = ?3
                         and status = 'present'
                         and (left_at is null or left_at < ?2))
           and person_id in (select person_id from person where role = 'member')
         returning person_id",
        params![run.id, ended_at, day],
    )?;
    tell(tx, run, &people, Way::In, "run_reopened")?;
    Ok(people.len())
}

fn tell(
    tx: &mut Tx<'_>,
    run: &Run,
    people: &[PersonId],
    way: Way,
    reason: &'static str,
) -> Result<()> {
    if people.is_empty() {
        return Ok(());
    }
    tx.stale(Stale::Counts);
    tx.stale(Stale::Room(run.room));
    tell_audience(tx, run.id, people, way, reason, BulkAudience::Run)?;
    let memberships = memberships(tx, people)?;
    for group in memberships.chunk_by(|one, next| one.group == next.group) {
        let Some(Membership { group: id, .. }) = group.first() else { continue };
        let people: Vec<PersonId> = group.iter().map(|member| member.person).collect();
        tell_audience(tx, run.id, &people, way, reason, BulkAudience::Group(*id))?;
    }
    Ok(())
}

fn tell_audience(
    tx: &mut Tx<'_>,
    run_id: RunId,
    people: &[PersonId],
    way: Way,
    reason: &'static str,
    audience: BulkAudience,
) -> Result<()> {
    for some in people.chunks(IDS_MAX) {
        let (count, member_ids) = (some.len(), some.to_vec());
        tx.emit(match way {
            Way::In => Event::VisitBulkStarted { run_id, count, member_ids, reason, audience },
            Way::Out => Event::VisitBulkEnded { run_id, count, member_ids, reason, audience },
        })?;
    }
    Ok(())
}

/// The groups of `people`, group by group.
fn memberships(conn: &Connection, people: &[PersonId]) -> Result<Vec<Membership>> {
    rows::all(
        conn,
        "select group_id, person_id
         from json_each(?1)
         join group_member on person_id = value
         order by group_id, person_id",
        params![queries::ids(people.iter().map(|id| id.0))],
    )
}

impl FromRow for Membership {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Membership> {
        Ok(Membership { group: row.get("group_id")?, person: row.get("person_id")? })
    }
}
