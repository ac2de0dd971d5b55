//! Sessions: that a browser has signed in, as whom, and until when.
//!
//! The browser holds a random id; the table holds its SHA-256, which opens nothing. A session
//! ends 12 hours after it was last used, and 7 days after it began in any case. Its end also
//! ends its streams.

use std::collections::HashSet;
use std::time::Duration;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::model::Role;
use super::queries;
use crate::base::id::{GroupId, PersonId, RunId};
use crate::base::{Error, Result, Timestamp, secret};
use crate::event::Event;
use crate::live::Tx;
use crate::store::rows::{self, FromRow, Row};

/// How long a session lasts without being used.
pub const IDLE: Duration = Duration::from_secs(12 * 3600);

/// How long a session lasts at the most.
pub const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// How exactly we know when a session was used last; a write for each request would be dear.
pub const TOUCH_EVERY: Duration = Duration::from_secs(5 * 60);

/// How many sessions an account holds at the most, even if a program signs in for each request;
/// the one used least recently makes room.
const SESSIONS_MAX: usize = 500;

/// How many characters the name of a browser has at the most.
const DEVICE_MAX: usize = 80;

/// The hash by which a session is found.
pub type SessionHash = [u8; 32];

/// What is needed to open a session.
#[derive(Debug, Clone)]
pub struct NewSession {
    pub hash: SessionHash,
    pub person: PersonId,
    /// The browser in a few words.
    pub device: String,
}

/// Who is behind a session that is open now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub person: PersonId,
    pub role: Role,
    pub public_id: String,
    pub last_seen_at: Timestamp,
}

impl FromRow for Holder {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Holder {
            person: row.get("person_id")?,
            role: row.get("role")?,
            public_id: row.get("public_id")?,
            last_seen_at: row.get("last_seen_at")?,
        })
    }
}

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub public_id: String,
    pub device: String,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
}

impl FromRow for Session {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Session {
            public_id: row.get("public_id")?,
            device: row.get("device")?,
            created_at: row.get("created_at")?,
            last_seen_at: row.get("last_seen_at")?,
        })
    }
}

/// The query for who is behind the session that `$which` names, with parameters from the third on:
/// one that is open after the first two, of an account that may be used.
macro_rules! holder_of {
    ($which:literal) => {
        concat!(
            "select person_id, role, public_id, last_seen_at
             from session
             join account using (person_id)
             join person using (person_id)
             where expires_at > ?1 and last_seen_at > ?2 and not disabled and state = 'active'
               and ",
            $which
        )
    };
}

/// Returns who is behind a session, if it is open at `now` and its account may be used.
pub fn holder(conn: &Connection, hash: &SessionHash, now: Timestamp) -> Result<Option<Holder>> {
    rows::maybe(conn, holder_of!("session_hash = ?3"), params![now, now.minus(IDLE), hash])
}

/// Returns who is behind the session of `person` with this public id, under the same conditions.
pub fn named(
    conn: &Connection,
    person: PersonId,
    public_id: &str,
    now: Timestamp,
) -> Result<Option<Holder>> {
    rows::maybe(
        conn,
        holder_of!("person_id = ?3 and public_id = ?4"),
        params![now, now.minus(IDLE), person, public_id],
    )
}

/// Returns a person's open sessions, the one used last first.
pub fn of(conn: &Connection, person: PersonId, now: Timestamp) -> Result<Vec<Session>> {
    rows::all(
        conn,
        "select public_id, device, created_at, last_seen_at
         from session
         where person_id = ?1 and expires_at > ?2 and last_seen_at > ?3
         order by last_seen_at desc, created_at desc, public_id",
        params![person, now, now.minus(IDLE)],
    )
}

/// Returns the public ids of all sessions that have not ended yet.
pub fn open_ones(conn: &Connection) -> Result<HashSet<String>> {
    Ok(HashSet::from_iter(rows::all::<String>(conn, "select public_id from session", [])?))
}

/// Opens a session and says that its person has signed in. Returns its public id.
pub fn open(tx: &mut Tx<'_>, new: NewSession) -> Result<String> {
    // The account may have been closed since the password was compared.
    let enabled: Option<bool> = rows::maybe(
        tx,
        "select not disabled and state = 'active'
         from account
         join person using (person_id)
         where person_id = ?1",
        params![new.person],
    )?;
    if enabled != Some(true) {
        return Err(Error::LoginFailed);
    }
    make_room(tx, new.person)?;
    let public_id = secret::hex(&secret::random::<12>()?);
    let device: String = new.device.chars().take(DEVICE_MAX).collect();
    rows::run(
        tx,
        "insert into session (session_hash, public_id, person_id, device,
                              created_at, last_seen_at, expires_at)
         values (?1, ?2, ?3, ?4, ?5, ?5, ?6)",
        params![new.hash, public_id, new.person, device, tx.now, tx.now.plus(LIFETIME)],
    )?;
    let (role, groups, run) = audience(tx, new.person)?;
    tx.emit(Event::AccountSignedIn { user_id: new.person, role, groups, run })?;
    Ok(public_id)
}

fn make_room(tx: &mut Tx<'_>, person: PersonId) -> Result<()> {
    let sessions = of(tx, person, tx.now)?;
    for session in sessions.into_iter().skip(SESSIONS_MAX - 1) {
        end(tx, person, &session.public_id)?;
    }
    Ok(())
}

/// Notes that a session was used.
pub fn touch(tx: &mut Tx<'_>, public_id: &str) -> Result<()> {
    rows::run(
        tx,
        "update session set last_seen_at = ?2 where public_id = ?1 and last_seen_at < ?2",
        params![public_id, tx.now],
    )?;
    Ok(())
}

/// Ends the session with this hash, if there is one.
pub fn end_by_hash(tx: &mut Tx<'_>, hash: &SessionHash) -> Result<()> {
    let ended: Option<Ended> = rows::maybe(
        tx,
        "delete from session where session_hash = ?1 returning public_id, person_id",
        params![hash],
    )?;
    ended.map_or(Ok(()), |ended| announce(tx, &ended, "signed_out"))
}

/// Ends one of a person's own sessions.
pub fn end(tx: &mut Tx<'_>, person: PersonId, public_id: &str) -> Result<()> {
    let ended: Option<Ended> = rows::maybe(
        tx,
        "delete from session
         where public_id = ?2 and person_id = ?1
         returning public_id, person_id",
        params![person, public_id],
    )?;
    announce(tx, &ended.ok_or(Error::NotFound("session"))?, "session_ended")
}

/// Ends all sessions of a person except the one to be kept.
pub fn end_all(tx: &mut Tx<'_>, person: PersonId, kept: Option<&str>) -> Result<()> {
    let ended: Vec<Ended> = rows::all(
        tx,
        "delete from session
         where person_id = ?1 and public_id is not ?2
         returning public_id, person_id",
        params![person, kept],
    )?;
    ended.iter().try_for_each(|ended| announce(tx, ended, "session_ended"))
}

/// Says whether the time of a session is over, which [`end_expired`] is to end.
pub fn any_expired(conn: &Connection, now: Timestamp) -> Result<bool> {
    rows::one(
        conn,
        "session",
        "select exists (select 1
                        from session
                        where expires_at <= ?1 or last_seen_at <= ?2)",
        params![now, now.minus(IDLE)],
    )
}

/// Ends the sessions whose time is over. Returns how many those were.
pub fn end_expired(tx: &mut Tx<'_>) -> Result<usize> {
    let ended: Vec<Ended> = rows::all(
        tx,
        "delete from session
         where expires_at <= ?1 or last_seen_at <= ?2
         returning public_id, person_id",
        params![tx.now, tx.now.minus(IDLE)],
    )?;
    ended.iter().try_for_each(|ended| announce(tx, ended, "session_expired"))?;
    Ok(ended.len())
}

struct Ended {
    public_id: String,
    person: PersonId,
}

impl FromRow for Ended {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Ended { public_id: row.get("public_id")?, person: row.get("person_id")? })
    }
}

fn announce(tx: &mut Tx<'_>, ended: &Ended, reason: &'static str) -> Result<()> {
    tx.cut_session(&ended.public_id, reason);
    let (role, groups, run) = audience(tx, ended.person)?;
    tx.emit(Event::AccountSignedOut { user_id: ended.person, role, groups, run })
}

/// Returns what decides who hears of a sign-in: the role, and of a member the groups and the run,
/// since whoever is in charge of it now does.
fn audience(
    conn: &Connection,
    person: PersonId,
) -> Result<(&'static str, Vec<GroupId>, Option<RunId>)> {
    let role: Role =
        rows::one(conn, "person", "select role from person where person_id = ?1", params![person])?;
    let (groups, run) = match role {
        Role::Member => (queries::groups_of(conn, person)?, queries::run_of(conn, person)?),
        Role::Admin | Role::Office | Role::Staff => (Vec::new(), None),
    };
    Ok((role.word(), groups, run))
}

impl FromRow for Role {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        row.only()
    }
}
