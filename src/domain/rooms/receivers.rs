//! Who may be given a charge, and until when.

use std::time::Duration;

use rusqlite::Connection;

use super::queries;
use crate::base::id::PersonId;
use crate::base::{Error, Result, Timestamp};
use crate::domain::house;
use crate::live::Tx;

/// How long a substitution may last: longer than any leave, shorter than a slip of the keys.
const SUBSTITUTION_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Refuses a person who cannot be made responsible for others.
pub(super) fn require_staff(
    conn: &Connection,
    field: &'static str,
    person: PersonId,
) -> Result<()> {
    if queries::is_staff(conn, person)? {
        Ok(())
    } else {
        Err(Error::invalid(field, format!("{person} is not of the staff")))
    }
}

/// Refuses a hand-over to who may not have it, or to oneself.
pub(super) fn require_receiver(conn: &Connection, from: PersonId, to: PersonId) -> Result<()> {
    require_staff(conn, "staff_id", to)?;
    if from == to {
        return Err(Error::invalid("staff_id", "is the one who hands over"));
    }
    Ok(())
}

/// Returns `until`, or when the house closes.
pub(super) fn or_close(tx: &Tx<'_>, until: Option<Timestamp>) -> Result<Timestamp> {
    let close = || Ok(house::queries::house(tx)?.next_close(tx.now));
    until.map_or_else(close, Ok)
}

/// Returns `until`, or when the house closes, of a charge whose giver has it until `own`: nobody
/// gives more than they have.
pub(super) fn within(
    tx: &Tx<'_>,
    until: Option<Timestamp>,
    own: Option<Timestamp>,
) -> Result<Timestamp> {
    let wished = or_close(tx, until)?;
    match own {
        Some(own) if until.is_some() && wished > own => {
            Err(Error::invalid("until", "is after the giver's own end"))
        }
        Some(own) => Ok(wished.min(own)),
        None => Ok(wished),
    }
}

/// Refuses a substitute who may not have it, or not until then.
pub(super) fn require_substitute(
    tx: &Tx<'_>,
    absent: Option<PersonId>,
    by: PersonId,
    until: Timestamp,
) -> Result<()> {
    require_staff(tx, "staff_id", by)?;
    if absent == Some(by) {
        return Err(Error::invalid("staff_id", "is the one who is absent"));
    }
    if until <= tx.now || until > tx.now.plus(SUBSTITUTION_MAX) {
        return Err(Error::invalid("until", "must be in the future, within a year"));
    }
    Ok(())
}
