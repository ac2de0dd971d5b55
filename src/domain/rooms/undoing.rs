//! Undoing the import of a file, all or nothing: everything is as if it had never been taken over,
//! but for what has come of it or was changed since.
//!
//! Whom the file made is gone, unless something is known of them since: they are inactive then.
//! Whom it changed is as before, but for what somebody has changed since. Only the newest import
//! can be undone, so that what one found is what the one before has left.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::imports::{Portrait, UNDO_FOR};
use super::roster::Change;
use super::{commands, queries, supervising};
use crate::base::id::{BadgeId, GroupId, ImportId, PersonId};
use crate::base::{Actor, Error, Result, Timestamp};
use crate::domain::people::model::{Contact, PersonChange, PersonState};
use crate::domain::people::{self, Role, audit};
use crate::live::Tx;
use crate::store::rows::{self, FromRow, Row};

/// What an undo has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Undone {
    /// Of the import.
    pub id: ImportId,
    /// How many whom the file made are gone.
    pub gone: i64,
    /// How many whom the file made are inactive, since something is known of them by now: an account,
    /// a visit, a contact that somebody has noted.
    pub inactive: i64,
    /// How many whom the file changed are as they were before.
    pub restored: i64,
    /// How many stay as they are, in part at least: somebody has changed the same since, or a card of
    /// the file was held before a reader.
    pub kept: i64,
}

/// What nouns above this one know of people, and do with them.
#[derive(Clone, Copy)]
pub struct Above {
    /// Changes a person, with all that follows.
    pub change: Change,
    /// Says whether somebody has ever been in the house, by any record.
    pub has_come: fn(&Connection, PersonId) -> Result<bool>,
    /// Says whether a badge was ever held before a reader.
    pub was_held: fn(&Connection, BadgeId) -> Result<bool>,
    /// Forgets that somebody was missing.
    pub forget_missing: fn(&mut Tx<'_>, PersonId) -> Result<()>,
}

/// Undoes the newest import. What was undone already is not undone again: the answer is the same.
pub fn undo(tx: &mut Tx<'_>, id: ImportId, above: Above) -> Result<Undone> {
    let import: Kept = rows::one(
        tx,
        "import",
        "select import_id, at, undone_at, gone, inactive, restored, kept,
                (select max(import_id) from import where undone_at is null) as newest
         from import
         where import_id = ?1",
        params![id],
    )?;
    if let Some(undone) = import.undone {
        return Ok(undone);
    }
    if tx.now > import.at.plus(UNDO_FOR) {
        let problem = "this import is too long ago";
        return Err(Error::conflict("import.undo_too_late", problem));
    }
    if import.newest != Some(id) {
        let problem = "a newer import must be undone first";
        return Err(Error::conflict("import.not_newest", problem));
    }
    let mut undoing = Undoing {
        above,
        undone: Undone { id, gone: 0, inactive: 0, restored: 0, kept: 0 },
        groups: BTreeSet::new(),
    };
    undoing.people(tx)?;
    undoing.groups(tx)?;
    undoing.note(tx)?;
    Ok(undoing.undone)
}

/// What is kept of an import.
struct Kept {
    at: Timestamp,
    undone: Option<Undone>,
    /// The newest that was not undone.
    newest: Option<ImportId>,
}

impl FromRow for Kept {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Kept> {
        let undone_at: Option<Timestamp> = row.get("undone_at")?;
        let undone = match undone_at {
            None => None,
            Some(_) => Some(Undone {
                id: row.get("import_id")?,
                gone: row.get("gone")?,
                inactive: row.get("inactive")?,
                restored: row.get("restored")?,
                kept: row.get("kept")?,
            }),
        };
        Ok(Kept { at: row.get("at")?, undone, newest: row.get("newest")? })
    }
}

/// Somebody whom the file has made or changed.
struct Touched {
    person: PersonId,
    before: Option<String>,
    after: String,
}

impl FromRow for Touched {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Touched> {
        Ok(Touched {
            person: row.get("person_id")?,
            before: row.get("before")?,
            after: row.get("after")?,
        })
    }
}

struct Undoing {
    above: Above,
    undone: Undone,
    /// Groups that have other members now.
    groups: BTreeSet<GroupId>,
}

impl Undoing {
    fn people(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let touched: Vec<Touched> = rows::all(
            tx,
            "select person_id, before, after
             from import_person
             join person using (person_id)
             where import_id = ?1 and state <> 'erased'
             order by person_id",
            params![self.undone.id],
        )?;
        for Touched { person, before, after } in touched {
            let after = portrait(&after)?;
            match before {
                None => self.take_back(tx, person, &after)?,
                Some(before) => self.restore(tx, person, &portrait(&before)?, &after)?,
            }
        }
        Ok(())
    }

    /// Takes somebody back whom the file made.
    fn take_back(&mut self, tx: &mut Tx<'_>, id: PersonId, after: &Portrait) -> Result<()> {
        // Nobody takes away what they stand on.
        if tx.by == Actor::Person(id) {
            self.undone.kept += 1;
            return Ok(());
        }
        let now = Portrait::of(tx, id)?;
        let is_known =
            people::queries::account(tx, id)?.is_some() || (self.above.has_come)(tx, id)?;
        if now == *after && !is_known {
            self.undone.gone += 1;
            self.set_groups(tx, id, &BTreeSet::new())?;
            (self.above.forget_missing)(tx, id)?;
            return people::commands::unenrol(tx, id);
        }
        self.undone.inactive += 1;
        if now.person.state == PersonState::Inactive {
            return Ok(());
        }
        let change = PersonChange { state: Some(PersonState::Inactive), ..PersonChange::default() };
        (self.above.change)(tx, id, change)
    }

    /// Makes somebody what they were before the file, but for what was changed since.
    fn restore(
        &mut self,
        tx: &mut Tx<'_>,
        id: PersonId,
        before: &Portrait,
        after: &Portrait,
    ) -> Result<()> {
        let now = Portrait::of(tx, id)?;
        let mut back = Back::default();
        let change = back.change(before, after, &now);
        let groups = back.of(&before.groups, &after.groups, &now.groups);
        if let Some(change) = change {
            (self.above.change)(tx, id, change)?;
        }
        if let Some(groups) = groups {
            self.set_groups(tx, id, &groups)?;
        }
        self.badges(tx, id, before, after, &mut back)?;
        contacts(tx, before, after, &now, &mut back)?;
        self.undone.restored += i64::from(back.restored);
        self.undone.kept += i64::from(back.kept);
        Ok(())
    }

    /// Takes the badges of the file back, but for those that were used or blocked.
    fn badges(
        &self,
        tx: &mut Tx<'_>,
        id: PersonId,
        before: &Portrait,
        after: &Portrait,
        back: &mut Back,
    ) -> Result<()> {
        for badge in people::queries::badges_of(tx, id)? {
            let handed_out = (badge.tag.clone(), badge.state);
            if before.badges.iter().any(|(tag, _)| *tag == badge.tag)
                || !after.badges.iter().any(|(tag, _)| *tag == badge.tag)
            {
                continue;
            }
            if !after.badges.contains(&handed_out) || (self.above.was_held)(tx, badge.id)? {
                back.kept = true;
                continue;
            }
            people::commands::take_back_badge(tx, badge.id)?;
            back.restored = true;
        }
        Ok(())
    }

    /// Makes these the groups of somebody: a member is in them, who works here is responsible.
    fn set_groups(
        &mut self,
        tx: &mut Tx<'_>,
        id: PersonId,
        wanted: &BTreeSet<GroupId>,
    ) -> Result<()> {
        let present = Portrait::of(tx, id)?;
        let is_member = present.person.role == Role::Member;
        for group in present.groups.difference(wanted).copied() {
            if is_member {
                commands::leave_group(tx, group, id)?;
                self.groups.insert(group);
            } else {
                supervising::end_group_staff(tx, group, id)?;
            }
        }
        for group in wanted.difference(&present.groups).copied() {
            if is_member {
                commands::join_group(tx, group, id)?;
                self.groups.insert(group);
            } else if queries::is_staff(tx, id)? {
                supervising::add_group_staff(tx, group, id)?;
            }
        }
        Ok(())
    }

    /// Tells who is responsible of other members, and takes the groups back that the file made.
    fn groups(&self, tx: &mut Tx<'_>) -> Result<()> {
        for group in &self.groups {
            supervising::members_changed(tx, *group)?;
        }
        let sql = "select group_id from import_group where import_id = ?1";
        let made: Vec<GroupId> = rows::all(tx, sql, params![self.undone.id])?;
        for group in made {
            commands::remove_group(tx, group)?;
        }
        Ok(())
    }

    /// Keeps what was done, and forgets how everybody was.
    fn note(&self, tx: &mut Tx<'_>) -> Result<()> {
        let Undone { id, gone, inactive, restored, kept } = self.undone;
        rows::run(tx, "delete from import_person where import_id = ?1", params![id])?;
        rows::run(tx, "delete from import_group where import_id = ?1", params![id])?;
        rows::run(
            tx,
            "update import
             set undone_at = ?2, gone = ?3, inactive = ?4, restored = ?5, kept = ?6
             where import_id = ?1",
            params![id, tx.now, gone, inactive, restored, kept],
        )?;
        let counts = format!("gone:{gone} inactive:{inactive} restored:{restored} kept:{kept}");
        audit::record(tx, "people.import_undone", None, &format!("import:{id} {counts}"))
    }
}

fn portrait(text: &str) -> Result<Portrait> {
    Ok(serde_json::from_str(text).map_err(anyhow::Error::from)?)
}

/// Gives the contacts that the file noted or changed back what they were.
fn contacts(
    tx: &mut Tx<'_>,
    before: &Portrait,
    after: &Portrait,
    now: &Portrait,
    back: &mut Back,
) -> Result<()> {
    let find = |portrait: &Portrait, contact: &Contact| {
        portrait.contacts.iter().find(|other| other.id == contact.id).cloned()
    };
    for noted in &after.contacts {
        let (old, present) = (find(before, noted), find(now, noted));
        if old.as_ref() == Some(noted) || present.is_none() {
            continue;
        }
        if present.as_ref() != Some(noted) {
            back.kept |= present != old;
            continue;
        }
        match old {
            Some(old) => people::commands::change_contact(tx, &old)?,
            None => people::commands::remove_contact(tx, noted.id)?,
        }
        back.restored = true;
    }
    Ok(())
}

/// What goes back to what it was of one person, and whether something does not.
#[derive(Default)]
struct Back {
    restored: bool,
    kept: bool,
}

impl Back {
    /// Returns what stood there before the file, if the file has changed it and nobody since.
    fn of<T: PartialEq + Clone>(&mut self, before: &T, after: &T, now: &T) -> Option<T> {
        if before == after || before == now {
            return None;
        }
        if after != now {
            self.kept = true;
            return None;
        }
        self.restored = true;
        Some(before.clone())
    }

    fn change(
        &mut self,
        before: &Portrait,
        after: &Portrait,
        now: &Portrait,
    ) -> Option<PersonChange> {
        let (before, after, now) = (&before.person, &after.person, &now.person);
        let shown = self.of(&before.display_name, &after.display_name, &now.display_name);
        let change = PersonChange {
            number: self.of(&before.number, &after.number, &now.number),
            given_name: self.of(&before.given_name, &after.given_name, &now.given_name),
            family_name: self.of(&before.family_name, &after.family_name, &now.family_name),
            // Always said: it does not follow the name where the file had not made it do so.
            display_name: shown.or_else(|| Some(now.display_name.clone())),
            role: self.of(&before.role, &after.role, &now.role),
            language: self.of(&before.language, &after.language, &now.language),
            state: self.of(&before.state, &after.state, &now.state),
        };
        self.restored.then_some(change)
    }
}
