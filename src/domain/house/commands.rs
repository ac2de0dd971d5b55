//! Setting the house up.

use rusqlite::params;

use super::model::{self, NewHouse};
use super::queries;
use crate::base::{Day, Error, Result, text};
use crate::live::Tx;
use crate::store::rows;

/// Makes the one house of this database.
pub fn found(tx: &mut Tx<'_>, new: &NewHouse) -> Result<()> {
    if queries::exists(tx)? {
        return Err(Error::Gone { code: "setup.done", detail: "the house is set up".into() });
    }
    let name = text::line("house_name", &new.name, 80)?;
    let zone = model::zone(&new.zone)?;
    rows::run(
        tx,
        "insert into house (house_id, name, profile, zone, language, demo, created_at)
         values (1, ?1, ?2, ?3, ?4, ?5, ?6)",
        params![name, new.profile, zone, new.language, new.demo, tx.now],
    )?;
    Ok(())
}

/// Sets after how many minutes of the local day an arrival is late, and when the day is closed.
pub fn set_hours(tx: &mut Tx<'_>, late_after: i64, closes_at: i64) -> Result<()> {
    for (field, minutes) in [("late_after", late_after), ("closes_at", closes_at)] {
        if !(0..24 * 60).contains(&minutes) {
            return Err(Error::invalid(field, "must be minutes of one day"));
        }
    }
    rows::run(
        tx,
        "update house set late_after = ?1, closes_at = ?2",
        params![late_after, closes_at],
    )?;
    Ok(())
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
