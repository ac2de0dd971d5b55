//! Repeats made harmless: an act with an idempotency key is done once, and its
//! answer kept in the same transaction for whoever asks again.

use rusqlite::{Connection, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Tx;
use crate::base::{Error, Result, Timestamp, text};
use crate::store::rows::{self, FromRow, Row};

/// The key of one act, as its sender chose it.
#[derive(Debug, Clone)]
pub struct Once {
    /// Whose key it is: keys of different senders never meet.
    pub principal: String,
    pub key: String,
    /// SHA-256 of method, path, query and body: the same key must mean the same act.
    pub request_hash: [u8; 32],
}

struct Kept {
    request_hash: Vec<u8>,
    answer: String,
}

/// Does `act`, unless it was done before under the same key: then returns the
/// answer of that time.
pub fn once<T: Serialize + DeserializeOwned>(
    tx: &mut Tx<'_>,
    once: &Once,
    act: impl FnOnce(&mut Tx<'_>) -> Result<T>,
) -> Result<T> {
    if let Some(answer) = answered(tx, once)? {
        return Ok(answer);
    }
    let answer = act(tx)?;
    let text = text::json(&answer)?;
    rows::run(
        tx,
        "insert into idempotency (principal, key, request_hash, answer, created_at)
         values (?1, ?2, ?3, ?4, ?5)",
        params![once.principal, once.key, once.request_hash, text, tx.now],
    )?;
    Ok(answer)
}

/// Returns the answer of that time, if the act was done under this key before.
pub fn answered<T: DeserializeOwned>(conn: &Connection, once: &Once) -> Result<Option<T>> {
    let kept: Option<Kept> = rows::maybe(
        conn,
        "select request_hash, answer
         from idempotency
         where principal = ?1 and key = ?2",
        params![once.principal, once.key],
    )?;
    let Some(kept) = kept else { return Ok(None) };
    if kept.request_hash != once.request_hash {
        return Err(Error::invalid("Idempotency-Key", "was used before with another request"));
    }
    Ok(Some(serde_json::from_str(&kept.answer).map_err(anyhow::Error::from)?))
}

/// Forgets the keys of before `moment` and returns how many there were.
pub fn prune(conn: &Connection, moment: Timestamp) -> Result<usize> {
    rows::run(conn, "delete from idempotency where created_at < ?1", params![moment])
}

impl FromRow for Kept {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Kept> {
        Ok(Kept { request_hash: row.get("request_hash")?, answer: row.get("answer")? })
    }
}
