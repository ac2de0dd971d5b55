//! Who looked at what, and who changed what: lines that are only ever added. Each is sealed
//! over the one before it, so that a line taken out or altered later shows.

use rusqlite::{Connection, params};
use serde::Serialize;

use crate::base::id::PersonId;
use crate::base::{Error, Result, Timestamp, secret};
use crate::live::Tx;
use crate::store::rows::{self, FromRow, Row};

/// How long the name of an act may be.
const ACT_MAX: usize = 64;

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

/// Which lines are looked for. What is not said does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Whom they are about.
    pub about: Option<PersonId>,
    act: Option<String>,
    pub since: Option<Timestamp>,
}

impl Filter {
    /// Checks the act, a dotted word: a look at the audit is a line of it, and says it again.
    pub fn new(
        about: Option<PersonId>,
        act: Option<String>,
        since: Option<Timestamp>,
    ) -> Result<Filter> {
        let is_word = |act: &str| {
            (1..=ACT_MAX).contains(&act.len())
                && act.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'.' | b'_'))
        };
        match act {
            Some(act) if !is_word(&act) => Err(Error::invalid("act", "must be a dotted word")),
            act => Ok(Filter { about, act, since }),
        }
    }
}

/// A line as it is looked at.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = AuditEntry)]
pub struct Entry {
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String)]
    pub id: i64,
    pub at: Timestamp,
    /// Who: `person:7`, `device:3`, `system`.
    pub by: String,
    /// The name of the person who did it; null for others, and for whoever is not known any more.
    pub by_name: Option<String>,
    /// A dotted word, such as `contacts.read`.
    pub act: String,
    /// Whom it was about.
    pub person_id: Option<PersonId>,
    /// The name of that person; null for whoever is not known any more.
    pub display_name: Option<String>,
    /// Ids and closed words that tell more.
    pub detail: String,
}

/// Notes that somebody looks at these lines.
pub fn record_look(tx: &mut Tx<'_>, filter: &Filter) -> Result<()> {
    record(tx, "audit.read", filter.about, filter.act.as_deref().unwrap_or_default())
}

/// Returns lines of before the line `before`, the newest first.
pub fn entries(conn: &Connection, filter: &Filter, before: i64, limit: u32) -> Result<Vec<Entry>> {
    rows::all(
        conn,
        "select audit_id, at, by, doer.display_name as by_name, act,
                audit.person_id, nullif(person.display_name, '') as display_name, detail
         from audit
         left join person on person.person_id = audit.person_id
         left join person as doer
             on by glob 'person:*' and doer.person_id = cast(substr(by, 8) as integer)
         where audit_id < ?1
           and (?2 is null or audit.person_id = ?2)
           and (?3 is null or act = ?3)
           and (?4 is null or at >= ?4)
         order by audit_id desc
         limit ?5",
        params![before, filter.about, filter.act, filter.since, limit],
    )
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

impl FromRow for Entry {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Entry {
            id: row.get("audit_id")?,
            at: row.get("at")?,
            by: row.get("by")?,
            by_name: row.get("by_name")?,
            act: row.get("act")?,
            person_id: row.get("person_id")?,
            display_name: row.get("display_name")?,
            detail: row.get("detail")?,
        })
    }
}

/// Ids are text to whoever reads them.
fn as_text<S: serde::Serializer>(id: &i64, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.collect_str(id)
}
