//! The first start: whoever can read the console sets the house up and becomes its admin.
//! No account and no password exist before that.

use std::time::Duration;

use rusqlite::{Connection, params};

use super::model::{NewPerson, Role};
use super::{commands, queries, rules};
use crate::base::id::PersonId;
use crate::base::{Error, Result, Timestamp, secret, text};
use crate::domain::house::{self, HoursChange, NewHouse};
use crate::live::Tx;
use crate::store::rows::{self, FromRow, Row};

/// How long a code is good.
const CODE_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// How many characters a code has: 30 to the power of 12 possibilities.
const CODE_LENGTH: usize = 12;

/// What is needed to set a house up.
#[derive(Debug, Clone)]
pub struct SetUp {
    pub code: String,
    /// Not used where the house stands already and has lost its last admin.
    pub house: NewHouse,
    /// Where they are not those of its profile.
    pub hours: HoursChange,
    pub username: String,
    pub password_hash: String,
    pub display_name: String,
}

/// Says whether the house still waits for its first admin, or for its name: an admin that the
/// console has added to no house could sign in to nothing.
pub fn needed(conn: &Connection) -> Result<bool> {
    Ok(!house::queries::exists(conn)? || !queries::has_admin(conn)?)
}

/// Makes a new code in place of any before it. Returns it as people read it aloud.
pub fn new_code(tx: &mut Tx<'_>) -> Result<String> {
    if !needed(tx)? {
        return Err(done());
    }
    let code = secret::readable(CODE_LENGTH)?;
    rows::run(
        tx,
        "insert into setup_code (setup_code_id, code_hash, expires_at)
         values (1, ?1, ?2)
         on conflict (setup_code_id) do update
         set code_hash = excluded.code_hash, expires_at = excluded.expires_at",
        params![secret::hash(&code), tx.now.plus(CODE_LIFETIME)],
    )?;
    let (first, rest) = code.split_at_checked(4).unwrap_or((&code, ""));
    let (second, third) = rest.split_at_checked(4).unwrap_or((rest, ""));
    Ok(format!("{first}-{second}-{third}"))
}

/// Makes a code if one is needed and none is good now.
pub fn code_if_due(tx: &mut Tx<'_>) -> Result<Option<String>> {
    let good: Option<Timestamp> = rows::maybe(
        tx,
        "select expires_at from setup_code where expires_at > ?1",
        params![tx.now],
    )?;
    if good.is_some() || !needed(tx)? { Ok(None) } else { new_code(tx).map(Some) }
}

/// Sets the house up and makes its first admin. The code is used up with it.
pub fn complete(tx: &mut Tx<'_>, setup: SetUp) -> Result<PersonId> {
    check(tx, &setup.code, tx.now)?;
    if !house::queries::exists(tx)? {
        house::commands::found(tx, &setup.house)?;
        house::commands::set_hours(tx, setup.hours)?;
    }
    // One field on the page: what is wrong with either part of it is said of the whole.
    let display_name = text::line("display_name", &setup.display_name, rules::NAME_MAX)?;
    let (given_name, family_name) = super::cells::divided_name(&display_name);
    let admin = NewPerson {
        display_name: Some(display_name),
        ..NewPerson::named(&given_name, &family_name, Role::Admin)
    };
    let person = commands::enrol(tx, admin)?;
    commands::open_account(tx, person, &setup.username, &setup.password_hash)?;
    rows::run(tx, "delete from setup_code", [])?;
    Ok(person)
}

/// Says why the house cannot be set up with this code, if so, without using it up.
pub fn check(conn: &Connection, code: &str, now: Timestamp) -> Result<()> {
    if !needed(conn)? {
        return Err(done());
    }
    let stored: Option<Stored> =
        rows::maybe(conn, "select code_hash, expires_at from setup_code", [])?;
    let letters = code.chars().filter(char::is_ascii_alphanumeric);
    let typed = letters.collect::<String>().to_ascii_uppercase();
    let good = stored.is_some_and(|stored| {
        stored.expires_at > now && secret::same(&stored.code_hash, &secret::hash(typed))
    });
    if good { Ok(()) } else { Err(Error::Forbidden("setup.code_wrong")) }
}

fn done() -> Error {
    Error::Gone { code: "setup.done", detail: "the house is set up; sign in".into() }
}

struct Stored {
    code_hash: Vec<u8>,
    expires_at: Timestamp,
}

impl FromRow for Stored {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Stored { code_hash: row.get("code_hash")?, expires_at: row.get("expires_at")? })
    }
}
