//! Who is responsible for a run or a group: hand-over, substitution, taking
//! over, and their ends.
//!
//! Whatever gives or takes responsibility runs inside [`rescoping`], which tells
//! those concerned and has their streams decided anew. No row is ever deleted,
//! and none is changed but to end it.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use super::commands::{named, require_open};
use super::model::{Charge, Run, Supervision, SupervisionKind};
use super::receivers::{or_close, require_receiver, require_staff, require_substitute};
use super::{offers, queries};
use crate::base::id::{GroupId, PersonId, RunId, SupervisionId};
use crate::base::{Error, Result, Timestamp};
use crate::domain::people::audit;
use crate::event::{Event, Label, Stale, Topic};
use crate::live::Tx;
use crate::store::rows;

/// How many may be responsible for one run or group; also bounds the events that name them.
pub(super) const STAFF_MAX: usize = 20;

/// Gives a charge to somebody else, who has it as long as the giver would have.
/// Without a giver it must be nobody's.
pub fn hand_over(
    tx: &mut Tx<'_>,
    charge: Charge,
    from: Option<PersonId>,
    to: PersonId,
) -> Result<Supervision> {
    end_due(tx)?;
    require_charge(tx, charge)?;
    match from {
        Some(from) => require_receiver(tx, from, to)?,
        None => require_staff(tx, "staff_id", to)?,
    }
    let held = match from {
        Some(from) => Some(require_held(tx, charge, from)?),
        None => {
            require_unsupervised(tx, charge)?;
            None
        }
    };
    let people: Vec<PersonId> = from.into_iter().chain([to]).collect();
    rescoping(tx, &people, |tx| {
        let (kind, until) = match &held {
            Some(held) => {
                end(tx, held.id, tx.now)?;
                // What the other has of it until later is not cut short.
                let own = self::held(tx, charge, to)?.and_then(|own| own.until_at);
                (held.kind, held.until_at.map(|until| own.map_or(until, |own| own.max(until))))
            }
            None => (lasting(charge), None),
        };
        let id = give(tx, to, charge, kind, until)?;
        announce(tx, "supervision.handed_over", charge, from, Some(to))?;
        queries::supervision(tx, id)
    })
}

/// Puts `by` beside an absent person, for one charge, until a time or else until
/// the house closes. The absent one keeps the charge and has nothing to ask back.
pub fn substitute(
    tx: &mut Tx<'_>,
    charge: Charge,
    absent: Option<PersonId>,
    by: PersonId,
    until: Option<Timestamp>,
) -> Result<Supervision> {
    let until = or_close(tx, until)?;
    end_due(tx)?;
    require_charge(tx, charge)?;
    require_substitute(tx, absent, by, until)?;
    if let Some(absent) = absent {
        require_held(tx, charge, absent)?;
    }
    require_no_lasting(tx, charge, by)?;
    rescoping(tx, &[by], |tx| {
        let id = give(tx, by, charge, SupervisionKind::Substitution, Some(until))?;
        announce(tx, "supervision.substituted", charge, absent, Some(by))?;
        queries::supervision(tx, id)
    })
}

/// Puts `by` beside an absent person, for everything that is theirs now.
pub fn substitute_all(
    tx: &mut Tx<'_>,
    absent: PersonId,
    by: PersonId,
    until: Option<Timestamp>,
) -> Result<Vec<Supervision>> {
    let until = or_close(tx, until)?;
    end_due(tx)?;
    require_substitute(tx, Some(absent), by, until)?;
    let mut all = Vec::new();
    for theirs in queries::supervisions(tx, Some(absent))? {
        if held(tx, theirs.charge, by)?.is_some_and(|held| held.until_at.is_none()) {
            continue;
        }
        let until = theirs.until_at.map_or(until, |end| end.min(until));
        all.push(substitute(tx, theirs.charge, Some(absent), by, Some(until))?);
    }
    if all.is_empty() {
        return Err(Error::conflict("supervision.not_held", "there is nothing to take over"));
    }
    Ok(all)
}

/// Makes `person` responsible for a run that nobody supervises.
pub fn take_over(tx: &mut Tx<'_>, run: RunId, person: PersonId) -> Result<Run> {
    end_due(tx)?;
    let charge = Charge::Run(run);
    require_open(&queries::run(tx, run)?)?;
    require_staff(tx, "staff_id", person)?;
    require_unsupervised(tx, charge)?;
    rescoping(tx, &[person], |tx| {
        give(tx, person, charge, SupervisionKind::Run, None)?;
        announce(tx, "run.taken_over", charge, None, Some(person))
    })?;
    queries::run(tx, run)
}

/// Ends somebody's responsibility without a successor.
pub fn end_supervision(tx: &mut Tx<'_>, supervision: SupervisionId) -> Result<()> {
    end_due(tx)?;
    let held = queries::supervision(tx, supervision)?;
    if held.ended_at.is_some() {
        return Err(Error::conflict("supervision.ended", "this has ended already"));
    }
    rescoping(tx, &[held.person], |tx| {
        end(tx, held.id, tx.now)?;
        announce(tx, "supervision.ended", held.charge, Some(held.person), None)
    })
}

/// Ends all that `person` is responsible for, once they no longer are of the
/// staff or of the house: nothing comes back by itself should they return.
pub fn release(tx: &mut Tx<'_>, person: PersonId) -> Result<()> {
    if queries::is_staff(tx, person)? {
        return Ok(());
    }
    offers::expire_to(tx, person)?;
    for held in queries::supervisions(tx, Some(person))? {
        end_supervision(tx, held.id)?;
    }
    Ok(())
}

/// Ends the substitutions whose time is over, and returns how many there were.
/// They count no more from that moment on; this tells those concerned.
pub fn end_due(tx: &mut Tx<'_>) -> Result<usize> {
    let due = queries::supervisions_due(tx, tx.now)?;
    for over in &due {
        rescoping(tx, &[over.person], |tx| {
            end(tx, over.id, over.until_at.unwrap_or(tx.now))?;
            announce(tx, "supervision.ended", over.charge, Some(over.person), None)
        })?;
    }
    offers::expire_due(tx)?;
    Ok(due.len())
}

/// Makes exactly `staff` responsible for a group for good. Substitutes stay.
pub fn set_group_staff(tx: &mut Tx<'_>, group: GroupId, staff: &[PersonId]) -> Result<()> {
    end_due(tx)?;
    let charge = Charge::Group(group);
    queries::group(tx, group)?;
    if staff.len() > STAFF_MAX {
        return Err(Error::invalid("staff_ids", format!("must be at most {STAFF_MAX}")));
    }
    let after: BTreeSet<PersonId> = staff.iter().copied().collect();
    for person in &after {
        require_staff(tx, "staff_ids", *person)?;
    }
    let mut standing = queries::supervisions_of(tx, charge)?;
    standing.retain(|held| held.kind == SupervisionKind::Standing);
    for held in standing.iter().filter(|held| !after.contains(&held.person)) {
        end_supervision(tx, held.id)?;
    }
    for person in after.iter().filter(|person| !standing.iter().any(|held| held.person == **person))
    {
        add_group_staff(tx, group, *person)?;
    }
    Ok(())
}

/// Makes `person` responsible for a group for good, beside those who are.
pub(super) fn add_group_staff(tx: &mut Tx<'_>, group: GroupId, person: PersonId) -> Result<()> {
    let charge = Charge::Group(group);
    rescoping(tx, &[person], |tx| {
        give(tx, person, charge, SupervisionKind::Standing, None)?;
        announce(tx, "supervision.given", charge, None, Some(person))
    })
}

/// Ends that `person` is responsible for a group for good, if they are.
pub(super) fn end_group_staff(tx: &mut Tx<'_>, group: GroupId, person: PersonId) -> Result<()> {
    match held(tx, Charge::Group(group), person)? {
        Some(held) => end_supervision(tx, held.id),
        None => Ok(()),
    }
}

/// Tells those responsible for `group` that it has other members now.
pub(super) fn members_changed(tx: &mut Tx<'_>, group: GroupId) -> Result<()> {
    for person in staff_ids(tx, Charge::Group(group))? {
        access_changed(tx, person, Vec::new(), Vec::new())?;
    }
    Ok(())
}

/// Does `act`, then tells each of `people` whose charges it changed, and has
/// their streams decided anew.
pub(super) fn rescoping<T>(
    tx: &mut Tx<'_>,
    people: &[PersonId],
    act: impl FnOnce(&mut Tx<'_>) -> Result<T>,
) -> Result<T> {
    let people: BTreeSet<PersonId> = people.iter().copied().collect();
    let mut before = Vec::new();
    for person in people {
        before.push((person, topics(tx, person)?));
    }
    let done = act(tx)?;
    for (person, before) in before {
        let after = topics(tx, person)?;
        if before != after {
            let added = after.difference(&before).copied().collect();
            let removed = before.difference(&after).copied().collect();
            access_changed(tx, person, added, removed)?;
        }
    }
    Ok(done)
}

/// Notes that `person` is responsible from now on. What they have of the same
/// charge until a time is replaced; what they have for good is kept.
pub(super) fn give(
    tx: &mut Tx<'_>,
    person: PersonId,
    charge: Charge,
    kind: SupervisionKind,
    until: Option<Timestamp>,
) -> Result<SupervisionId> {
    if let Some(held) = held(tx, charge, person)? {
        if held.until_at.is_none() {
            return Ok(held.id);
        }
        end(tx, held.id, tx.now)?;
    }
    let id = rows::insert(
        tx,
        "insert into supervision (person_id, run_id, group_id, kind, from_at, until_at, given_by)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![person, charge.run(), charge.group(), kind, tx.now, until, tx.by],
    )?;
    Ok(SupervisionId(id))
}

/// Ends everybody's responsibility for `charge` at `at`.
pub(super) fn end_all(tx: &mut Tx<'_>, charge: Charge, at: Timestamp) -> Result<()> {
    for held in queries::supervisions_of(tx, charge)? {
        end(tx, held.id, held.until_at.map_or(at, |until| until.min(at)))?;
    }
    Ok(())
}

/// Returns who is responsible for `charge`.
pub(super) fn staff_ids(conn: &Connection, charge: Charge) -> Result<Vec<PersonId>> {
    Ok(queries::staff_of(conn, charge)?.into_iter().map(|who| who.id).collect())
}

/// Refuses a substitute who has the charge for good.
pub(super) fn require_no_lasting(conn: &Connection, charge: Charge, by: PersonId) -> Result<()> {
    if held(conn, charge, by)?.is_some_and(|held| held.until_at.is_none()) {
        return Err(Error::conflict("supervision.held", "this person is responsible already"));
    }
    Ok(())
}

pub(super) fn require_charge(conn: &Connection, charge: Charge) -> Result<()> {
    match charge {
        Charge::Run(run) => require_open(&named("run_id", queries::run(conn, run))?),
        Charge::Group(group) => named("group_id", queries::group(conn, group)).map(drop),
    }
}

pub(super) fn require_held(
    conn: &Connection,
    charge: Charge,
    person: PersonId,
) -> Result<Supervision> {
    held(conn, charge, person)?.ok_or_else(|| {
        Error::conflict("supervision.not_held", "this person is not responsible for it")
    })
}

fn require_unsupervised(conn: &Connection, charge: Charge) -> Result<()> {
    if queries::staff_of(conn, charge)?.is_empty() {
        Ok(())
    } else {
        Err(Error::conflict("supervision.held", "somebody is responsible for it"))
    }
}

fn held(conn: &Connection, charge: Charge, person: PersonId) -> Result<Option<Supervision>> {
    let all = queries::supervisions_of(conn, charge)?;
    Ok(all.into_iter().find(|held| held.person == person))
}

/// The kind of responsibility that has no planned end.
fn lasting(charge: Charge) -> SupervisionKind {
    match charge {
        Charge::Run(_) => SupervisionKind::Run,
        Charge::Group(_) => SupervisionKind::Standing,
    }
}

fn end(tx: &mut Tx<'_>, supervision: SupervisionId, at: Timestamp) -> Result<()> {
    rows::run(
        tx,
        "update supervision
         set ended_at = ?2
         where supervision_id = ?1",
        params![supervision, at],
    )?;
    offers::expire_of(tx, supervision)
}

/// Tells that the responsibility for `charge` has changed, and keeps account of
/// it: whoever has it sees persons.
fn announce(
    tx: &mut Tx<'_>,
    act: &'static str,
    charge: Charge,
    from: Option<PersonId>,
    to: Option<PersonId>,
) -> Result<()> {
    let detail = match from {
        Some(from) => format!("{} from person:{from}", charge.topic()),
        None => charge.topic().to_string(),
    };
    audit::record(tx, act, to.or(from), &detail)?;
    let staff_ids = staff_ids(tx, charge)?;
    tx.emit(Event::SupervisionChanged { charge, staff_ids: staff_ids.clone(), from, to })?;
    let Charge::Run(run) = charge else { return Ok(()) };
    let run = queries::run(tx, run)?;
    tx.emit(Event::RunUpdated {
        run_id: run.id,
        activity_id: run.activity,
        activity_name: Label(run.activity_name),
        room_id: run.room,
        staff_ids,
    })?;
    tx.stale(Stale::Room(run.room));
    Ok(())
}

fn access_changed(
    tx: &mut Tx<'_>,
    user_id: PersonId,
    added: Vec<Topic>,
    removed: Vec<Topic>,
) -> Result<()> {
    tx.emit(Event::AccessChanged { user_id, added, removed })?;
    tx.cut(user_id, "access_changed");
    Ok(())
}

/// The topics of what nobody has ended yet of `person`.
fn topics(conn: &Connection, person: PersonId) -> Result<BTreeSet<Topic>> {
    let all = queries::supervisions(conn, Some(person))?;
    Ok(all.into_iter().map(|held| held.charge.topic()).collect())
}
