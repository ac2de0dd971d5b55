//! Wall screens: letting them read what is meant for the corridor, and no more.

use rusqlite::params;

use super::commands::NAME_MAX;
use super::keys::NewKey;
use super::model::Display;
use crate::base::id::DisplayId;
use crate::base::{Error, Result, text};
use crate::domain::people;
use crate::live::Tx;
use crate::store::rows;

/// Adds a wall screen. Returns it with its token, which is shown this once.
pub fn add(tx: &mut Tx<'_>, name: &str) -> Result<(Display, String)> {
    let name = text::line("name", name, NAME_MAX)?;
    let key = NewKey::make('W')?;
    let id = DisplayId(rows::insert(
        tx,
        "insert into display (name, key_prefix, key_hash, created_at)
         values (?1, ?2, ?3, ?4)",
        params![name, key.prefix, key.hash, tx.now],
    )?);
    people::audit::record(tx, "display.added", None, &id.session())?;
    tx.refresh();
    Ok((Display { id, name, key_prefix: key.prefix, created_at: tx.now }, key.text))
}

/// Ends a wall screen's token and its streams.
pub fn revoke(tx: &mut Tx<'_>, id: DisplayId) -> Result<()> {
    let touched = rows::run(
        tx,
        "update display
         set revoked_at = ?2
         where display_id = ?1 and revoked_at is null",
        params![id, tx.now],
    )?;
    if touched == 0 {
        return Err(Error::NotFound("display"));
    }
    tx.cut_session(&id.session(), "revoked");
    people::audit::record(tx, "display.revoked", None, &id.session())?;
    tx.refresh();
    Ok(())
}
