//! Keeping what pages tell.

use rusqlite::params;

use super::model::{BATCH_MAX, Tracking};
use crate::base::bounds::{AGE_MAX, AHEAD_MAX};
use crate::base::id::PersonId;
use crate::base::{Error, Result, Timestamp};
use crate::domain::people;
use crate::event::{Event, Label};
use crate::live::Tx;
use crate::store::rows;

/// Keeps a batch of actions of `person`, all or nothing, and returns how many
/// were new: one with an id that was told before is passed over.
pub fn track(tx: &mut Tx<'_>, person: PersonId, batch: &[Tracking]) -> Result<usize> {
    if batch.is_empty() || batch.len() > BATCH_MAX {
        return Err(Error::invalid("events", "must be 1 to 200 events"));
    }
    let groups = people::queries::groups_of(tx, person)?;
    let run = people::queries::run_of(tx, person)?;
    let mut fresh = 0;
    for (index, action) in batch.iter().enumerate() {
        let at = match moment(tx.now, index, action.at) {
            // Old by now, but it was told in time.
            Err(_) if was_told(tx, person, action)? => continue,
            decided => decided?,
        };
        if !keep(tx, person, action, at)? {
            continue;
        }
        fresh += 1;
        tx.emit(Event::ActivityTracked {
            user_id: person,
            event_type: Label(action.event_type.clone()),
            book_id: action.book_id.clone().map(Label),
            groups: groups.clone(),
            run,
        })?;
    }
    Ok(fresh)
}

/// Forgets the actions of before `moment` and returns how many there were.
pub fn prune(tx: &mut Tx<'_>, moment: Timestamp) -> Result<usize> {
    rows::run(tx, "delete from tracked where at < ?1", params![moment])
}

fn keep(tx: &Tx<'_>, person: PersonId, action: &Tracking, at: Timestamp) -> Result<bool> {
    let rows = rows::run(
        tx,
        "insert into tracked
             (person_id, client_id, event_type, book_id, content, context, at, received_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         on conflict (person_id, client_id) where client_id is not null do nothing",
        params![
            person,
            action.client_id,
            action.event_type,
            action.book_id,
            action.content,
            action.context,
            at,
            tx.now,
        ],
    )?;
    Ok(rows == 1)
}

fn was_told(tx: &Tx<'_>, person: PersonId, action: &Tracking) -> Result<bool> {
    rows::one(
        tx,
        "tracked action",
        "select exists (select 1
                        from tracked
                        where person_id = ?1 and client_id = ?2)",
        params![person, action.client_id],
    )
}

/// Returns when an action was, by the page's clock if that can be right.
fn moment(now: Timestamp, index: usize, told: Option<Timestamp>) -> Result<Timestamp> {
    match told {
        Some(at) if at > now.plus(AHEAD_MAX) => {
            Err(Error::invalid(format!("events[{index}].at"), "is in the future"))
        }
        Some(at) if now > at.plus(AGE_MAX) => {
            Err(Error::invalid(format!("events[{index}].at"), "is more than 72 hours ago"))
        }
        Some(at) => Ok(at.min(now)),
        None => Ok(now),
    }
}
