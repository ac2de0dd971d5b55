//! Setting the house up, and changing its hours.

use rusqlite::params;

use super::model::{self, Hours, HoursChange, NewHouse};
use super::queries;
use crate::base::{Day, Error, Result, text};
use crate::live::Tx;
use crate::store::rows;

/// Makes the one house of this database, with the hours of its profile.
pub fn found(tx: &mut Tx<'_>, new: &NewHouse) -> Result<()> {
    if queries::exists(tx)? {
        return Err(Error::Gone { code: "setup.done", detail: "the house is set up".into() });
    }
    let name = text::line("house_name", &new.name, 80)?;
    let zone = model::zone(&new.zone)?;
    let hours = new.profile.hours();
    rows::run(
        tx,
        "insert into house (house_id, name, profile, zone, language, late_after, closes_at, demo,
                            created_at)
         values (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            name,
            new.profile,
            zone,
            new.language,
            hours.late_after,
            hours.closes_at,
            new.demo,
            tx.now
        ],
    )?;
    Ok(())
}

/// Changes the hours, from now on: what was closed or came late before stays so. Returns them as
/// they are then.
pub fn set_hours(tx: &mut Tx<'_>, change: HoursChange) -> Result<Hours> {
    let old = queries::house(tx)?.hours;
    let late_after = change.late_after.unwrap_or(old.late_after);
    let closes_at = change.closes_at.unwrap_or(old.closes_at);
    if late_after >= closes_at {
        // The complaint is about what was said, not about what stood there before.
        let (field, problem) = match change.closes_at {
            Some(_) => ("closes_at", format!("must be later than {late_after}")),
            None => ("late_after", format!("must be earlier than {closes_at}")),
        };
        return Err(Error::invalid(field, problem));
    }
    let since = if closes_at == old.closes_at { old.since } else { tx.now };
    rows::run(
        tx,
        "update house set late_after = ?1, closes_at = ?2, hours_since = ?3",
        params![late_after, closes_at, since],
    )?;
    Ok(Hours { late_after, closes_at, since })
}

/// Says whether the nightly clean-up of `day` is still to be done, and notes
/// that it is being done in this write.
pub fn begin_clean_up(tx: &mut Tx<'_>, day: Day) -> Result<bool> {
    let first = rows::run(
        tx,
        "update house
         set cleaned_on = ?1
         where cleaned_on is null or cleaned_on < ?1",
        params![day],
    )?;
    Ok(first > 0)
}
