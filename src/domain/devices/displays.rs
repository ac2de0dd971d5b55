//! Wall screens: letting them read what is meant for the corridor, and no more.

use rusqlite::{Connection, params};

use super::commands::NAME_MAX;
use super::keys::NewKey;
use super::model::Display;
use super::pairing::{self, Pairings};
use crate::base::id::DisplayId;
use crate::base::{Error, Result, text};
use crate::domain::people;
use crate::live::Tx;
use crate::store::rows;

/// Adds a wall screen. Returns it with its token, which is shown this once.
pub fn add(tx: &mut Tx<'_>, name: &str) -> Result<(Display, String)> {
    let name = text::line("name", name, NAME_MAX)?;
    let key = NewKey::make('W')?;
    let display = let_in(tx, name, key.prefix, &key.hash)?;
    Ok((display, key.text))
}

/// Adds the wall screen that shows these digits; the token that it keeps is good from now on.
pub fn pair(tx: &mut Tx<'_>, waiting: &Pairings, digits: &str, name: &str) -> Result<Display> {
    let name = text::line("name", name, NAME_MAX)?;
    let screen = waiting.showing(digits, tx.now)?;
    // The list of those that wait learns of it after the commit; till then the table alone knows.
    if is_known(tx, &screen.prefix)? {
        return Err(pairing::not_shown());
    }
    let_in(tx, name, screen.prefix, &screen.hash)
}

fn is_known(conn: &Connection, prefix: &str) -> Result<bool> {
    rows::one(
        conn,
        "display",
        "select exists (
             select 1
             from display
             where key_prefix = ?1)",
        params![prefix],
    )
}

fn let_in(tx: &mut Tx<'_>, name: String, prefix: String, hash: &[u8]) -> Result<Display> {
    let id = DisplayId(rows::insert(
        tx,
        "insert into display (name, key_prefix, key_hash, created_at)
         values (?1, ?2, ?3, ?4)",
        params![name, prefix, hash, tx.now],
    )?);
    people::audit::record(tx, "display.added", None, &id.session())?;
    tx.refresh();
    Ok(Display { id, name, key_prefix: prefix, created_at: tx.now })
}

/// Returns the wall screens whose tokens still hold.
pub fn open_ones(conn: &Connection) -> Result<Vec<DisplayId>> {
    rows::all(conn, "select display_id from display where revoked_at is null", [])
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
