//! What files of people have changed, kept as long as it may be undone.
//!
//! Of each person whom a file has made or changed it is kept how they were before and after: what
//! somebody has changed since is told from what the file has. Names are in it, so that it goes with
//! the undo, or else in the night after the time for one is over.

use std::collections::BTreeSet;
use std::time::Duration;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::namesakes::memberships;
use super::roster::Report;
use crate::base::id::{GroupId, ImportId, PersonId};
use crate::base::{Result, Timestamp, text};
use crate::domain::people::model::{BadgeState, Contact};
use crate::domain::people::{self, Person};
use crate::live::Tx;
use crate::store::rows::{self, FromRow, Row};

/// How long an import may be undone: a wrong list shows when the children come, at the latest on the
/// next day.
pub const UNDO_FOR: Duration = Duration::from_hours(24);

/// A file that was taken over and can be taken back.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Import {
    pub id: ImportId,
    pub at: Timestamp,
    /// Who took it over: `person:7`, or `system` for the command line.
    pub by: String,
    /// The name of the person who did it; null for the command line.
    pub by_name: Option<String>,
    /// How many it has made.
    pub new: i64,
    /// How many it has changed.
    pub changed: i64,
    pub undo_until: Timestamp,
}

impl FromRow for Import {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Import> {
        let at: Timestamp = row.get("at")?;
        Ok(Import {
            id: row.get("import_id")?,
            at,
            by: row.get("by")?,
            by_name: row.get("by_name")?,
            new: row.get("new")?,
            changed: row.get("changed")?,
            undo_until: at.plus(UNDO_FOR),
        })
    }
}

/// Returns the imports that may be undone, the newest first: it is the one to be undone next.
pub fn undoable(conn: &Connection, now: Timestamp) -> Result<Vec<Import>> {
    rows::all(
        conn,
        "select import_id, at, by, nullif(display_name, '') as by_name, new, changed
         from import
         left join person on by glob 'person:*' and person_id = cast(substr(by, 8) as integer)
         where undone_at is null and at >= ?1
         order by import_id desc",
        params![now.minus(UNDO_FOR)],
    )
}

/// Forgets what was kept of imports that can be undone no more, and returns how many there were.
pub fn prune(tx: &mut Tx<'_>) -> Result<usize> {
    rows::run(tx, "delete from import where at < ?1", params![tx.now.minus(UNDO_FOR)])
}

/// How somebody is, as far as a file can change it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Portrait {
    pub(super) person: Person,
    /// Tags, each with whether it opens anything.
    pub(super) badges: Vec<(String, BadgeState)>,
    pub(super) contacts: Vec<Contact>,
    /// The groups that a member is in, or that somebody who works here is responsible for.
    pub(super) groups: BTreeSet<GroupId>,
}

impl Portrait {
    /// Returns how somebody is now.
    pub(super) fn of(conn: &Connection, id: PersonId) -> Result<Portrait> {
        let person = people::queries::find(conn, id)?;
        let badges = people::queries::badges_of(conn, id)?.into_iter();
        let groups = memberships(conn, id, person.role)?.into_iter();
        Ok(Portrait {
            badges: badges.map(|badge| (badge.tag, badge.state)).collect(),
            contacts: people::queries::contacts_of(conn, id)?,
            groups: groups.map(|group| group.id).collect(),
            person,
        })
    }
}

/// What one import has done so far.
#[derive(Debug, Default)]
pub(super) struct Record {
    people: Vec<(PersonId, Option<Portrait>)>,
    groups: Vec<GroupId>,
}

impl Record {
    /// Notes somebody, with how they were before; None if the file has made them.
    pub(super) fn person(&mut self, id: PersonId, before: Option<Portrait>) {
        self.people.push((id, before));
    }

    /// Notes a group that the file has made.
    pub(super) fn group(&mut self, id: GroupId) {
        self.groups.push(id);
    }

    /// Keeps all of it for an undo; None if nothing was changed.
    pub(super) fn keep(self, tx: &mut Tx<'_>, report: &Report) -> Result<Option<ImportId>> {
        if self.people.is_empty() {
            return Ok(None);
        }
        let count = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
        let id = ImportId(rows::insert(
            tx,
            "insert into import (at, by, new, changed)
             values (?1, ?2, ?3, ?4)",
            params![tx.now, tx.by, count(report.new), count(report.changed)],
        )?);
        for (person, before) in self.people {
            let before = before.as_ref().map(text::json).transpose()?;
            let after = text::json(&Portrait::of(tx, person)?)?;
            rows::run(
                tx,
                "insert into import_person (import_id, person_id, before, after)
                 values (?1, ?2, ?3, ?4)",
                params![id, person, before, after],
            )?;
        }
        for group in self.groups {
            let sql = "insert into import_group (import_id, group_id) values (?1, ?2)";
            rows::run(tx, sql, params![id, group])?;
        }
        Ok(Some(id))
    }
}
