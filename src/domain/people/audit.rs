//! Who looked at what, and who changed what: lines that are only ever added. Each is sealed
//! over the one before it, so that a line taken out or altered later shows.

use rusqlite::{Connection, params};

use crate::base::id::PersonId;
use crate::base::{Result, Timestamp, secret};
use crate::live::Tx;
use crate::store::rows::{self, FromRow, Row};

/// Adds a line. `detail` holds ids and closed words, never names.
pub fn record(
    tx: &mut Tx<'_>,
    act: &'static str,
    about: Option<PersonId>,
    detail: &str,
) -> Result<()> {
    let before: Option<Line> = rows::maybe(
        tx,
        "select audit_id, at, by, act, person_id, detail, seal
         from audit
         order by audit_id desc limit 1",
        [],
    )?;
    let line = Line {
        id: before.as_ref().map_or(1, |line| line.id + 1),
        at: tx.now,
        by: tx.by.to_string(),
        act: act.to_owned(),
        about,
        detail: detail.to_owned(),
        seal: Vec::new(),
    };
    let seal = line.seal_after(before.as_ref().map_or(&[], |line| &line.seal));
    rows::run(
        tx,
        "insert into audit (audit_id, at, by, act, person_id, detail, seal)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![line.id, line.at, line.by, line.act, line.about, line.detail, seal],
    )?;
    Ok(())
}

/// Forgets the lines of before `moment` and returns how many there were.
pub fn prune(conn: &Connection, moment: Timestamp) -> Result<usize> {
    rows::run(conn, "delete from audit where at < ?1", params![moment])
}

/// Returns the first line whose seal does not fit, if there is one.
pub fn broken_seal(conn: &Connection) -> Result<Option<i64>> {
    let lines: Vec<Line> = rows::all(
        conn,
        "select audit_id, at, by, act, person_id, detail, seal from audit order by audit_id",
        [],
    )?;
    // The oldest lines expire: the first that is left is the beginning.
    let pairs = lines.iter().zip(lines.iter().skip(1));
    let broken = pairs.map(|(before, line)| (line, line.seal_after(&before.seal)));
    Ok(broken.into_iter().find(|(line, seal)| line.seal != seal).map(|(line, _)| line.id))
}

/// One line as it is sealed.
struct Line {
    id: i64,
    at: Timestamp,
    by: String,
    act: String,
    about: Option<PersonId>,
    detail: String,
    seal: Vec<u8>,
}

impl Line {
    fn seal_after(&self, before: &[u8]) -> [u8; 32] {
        let about = self.about.map_or(0, |person| person.0);
        let text = [
            &secret::hex(before),
            &self.id.to_string(),
            &self.at.0.to_string(),
            &self.by,
            &self.act,
            &about.to_string(),
            &self.detail,
        ];
        secret::hash(text.map(String::as_str).join("\n"))
    }
}

impl FromRow for Line {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Line {
            id: row.get("audit_id")?,
            at: row.get("at")?,
            by: row.get("by")?,
            act: row.get("act")?,
            about: row.get("person_id")?,
            detail: row.get("detail")?,
            seal: row.get("seal")?,
        })
    }
}
