//! PINs: what somebody types at a kiosk, beside a badge, before it does more
//! than a badge may.
//!
//! The number of a badge is no secret, so a badge alone never ends a run. Five
//! wrong PINs in a row lock it for a quarter of an hour. An attempt is counted
//! before it is judged: guesses made at the same time are as many as they are.

use std::time::Duration;

use rusqlite::params;

use super::audit;
use crate::base::id::PersonId;
use crate::base::{Error, Result, Timestamp};
use crate::live::Tx;
use crate::store::rows::{self, FromRow, Row};

/// How many wrong PINs in a row lock it.
const WRONG_MAX: i64 = 5;

/// For how long.
const LOCKED: Duration = Duration::from_secs(15 * 60);

/// Refuses a new PIN that is no PIN, or one of those that are tried first.
pub fn check(pin: &str) -> Result<()> {
    let digits = pin.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || !(4..=8).contains(&pin.len()) {
        return Err(Error::invalid("pin", "must have 4 to 8 digits"));
    }
    let steps = |step: i16| {
        let pairs = pin.bytes().zip(pin.bytes().skip(1));
        pairs.into_iter().all(|(left, right)| i16::from(right) - i16::from(left) == step)
    };
    if [-1, 0, 1].into_iter().any(steps) {
        return Err(Error::invalid("pin", "is too easily guessed"));
    }
    Ok(())
}

/// Sets a person's PIN to the one with this hash.
pub fn set(tx: &mut Tx<'_>, person: PersonId, hash: &str) -> Result<()> {
    let touched = rows::run(
        tx,
        "update account
         set pin_hash = ?2, pin_wrong = 0, pin_locked_until = null
         where person_id = ?1",
        params![person, hash],
    )?;
    if touched == 0 {
        return Err(Error::NotFound("account"));
    }
    audit::record(tx, "pin.set", Some(person), "")
}

/// Counts an attempt, and returns the hash that it is to be judged by; none when
/// there is no PIN to be right about.
pub fn attempt(tx: &mut Tx<'_>, person: PersonId) -> Result<Option<String>> {
    let Some(kept) = kept(tx, person)? else { return Ok(None) };
    // One that would last longer was set by a clock that has been set back since.
    let holds = |until: &Timestamp| tx.now < *until && *until <= tx.now.plus(LOCKED);
    if let Some(until) = kept.locked_until.filter(holds) {
        let left = until.seconds_since(tx.now) + 1;
        let retry_after_s = u32::try_from(left).unwrap_or(u32::MAX);
        return Err(Error::TooMany { code: "pin.locked", retry_after_s });
    }
    // A lock that is over is forgotten, and so are the guesses before it.
    let before = if kept.locked_until.is_some() { 0 } else { kept.wrong };
    let locked_until = (before + 1 >= WRONG_MAX).then(|| tx.now.plus(LOCKED));
    rows::run(
        tx,
        "update account
         set pin_wrong = ?2, pin_locked_until = ?3
         where person_id = ?1",
        params![person, before + 1, locked_until],
    )?;
    Ok(kept.hash)
}

/// Takes one attempt off the count: it could not be judged. If it was the one that locked the
/// PIN, it locks nothing.
pub fn not_judged(tx: &mut Tx<'_>, person: PersonId) -> Result<()> {
    rows::run(
        tx,
        "update account
         set pin_wrong = max(pin_wrong - 1, 0), pin_locked_until = null
         where person_id = ?1",
        params![person],
    )?;
    Ok(())
}

/// Takes the attempts off the count: the last one was right.
pub fn was_right(tx: &mut Tx<'_>, person: PersonId) -> Result<()> {
    rows::run(
        tx,
        "update account
         set pin_wrong = 0, pin_locked_until = null
         where person_id = ?1",
        params![person],
    )?;
    Ok(())
}

/// Notes that an attempt was wrong, and whether it locked the PIN.
pub fn was_wrong(tx: &mut Tx<'_>, person: PersonId) -> Result<()> {
    let locked = kept(tx, person)?.is_some_and(|kept| kept.locked_until.is_some());
    audit::record(tx, if locked { "pin.locked" } else { "pin.wrong" }, Some(person), "")
}

struct Kept {
    hash: Option<String>,
    wrong: i64,
    locked_until: Option<Timestamp>,
}

fn kept(tx: &Tx<'_>, person: PersonId) -> Result<Option<Kept>> {
    rows::maybe(
        tx,
        "select pin_hash, pin_wrong, pin_locked_until
         from account
         where person_id = ?1 and not disabled",
        params![person],
    )
}

impl FromRow for Kept {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Kept> {
        Ok(Kept {
            hash: row.get("pin_hash")?,
            wrong: row.get("pin_wrong")?,
            locked_until: row.get("pin_locked_until")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_pin_has_digits_that_are_not_tried_first() {
        for good in ["2580", "1357", "00000001", "1233"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", "123", "1234", "4321", "0000", "77777777", "123456789", "12a4", "١٢٣٥"]
        {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
