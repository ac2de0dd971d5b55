//! Taking over a file of people: persons, badges, contacts and groups, all or nothing.
//!
//! Whom a row means is decided in `namesakes`, so that a file that is taken over again
//! changes nothing. What a row does not say stays as it is, and nobody is taken away.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, params};
use serde::Serialize;

use super::imports::{Portrait, Record, UNDO_FOR};
use super::namesakes::{self, Membership, memberships};
use super::preview::{self, Preview, ROWS_TOLD};
use super::{commands, supervising};
use crate::base::id::{GroupId, ImportId, PersonId};
use crate::base::{Result, Timestamp};
use crate::domain::people::columns::Taken;
use crate::domain::people::import::{Entry, GroupKind, Import};
use crate::domain::people::model::{Contact, NewContact, NewPerson, PersonChange, Role};
use crate::domain::people::table::Fault;
use crate::domain::people::{self, Person, rules};
use crate::live::Tx;
use crate::store::rows;

/// What taking a file over does, would do, or why it does nothing.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Report {
    /// Whether it was only asked what would happen.
    pub dry_run: bool,
    /// Whether the file was taken over; never in part.
    pub imported: bool,
    /// How many rows name somebody new.
    pub new: usize,
    /// How many rows change what is known of somebody.
    pub changed: usize,
    /// How many rows say what is known already.
    pub same: usize,
    /// Columns that were not read.
    pub ignored: Vec<String>,
    /// What each column is taken for; empty once the file was taken over.
    pub columns: Vec<Taken>,
    /// The first 500 rows that make or change somebody; empty once the file was taken over.
    pub rows: Vec<Preview>,
    pub errors: Vec<Fault>,
    /// Names the import, for an undo; null if nothing was changed.
    pub import_id: Option<ImportId>,
    /// How long it may be undone.
    pub undo_until: Option<Timestamp>,
}

/// What one row does.
#[derive(Debug, Default, Clone)]
struct Step {
    /// Whom it is about; somebody new if None.
    person: Option<PersonId>,
    change: Option<PersonChange>,
    badges: Vec<String>,
    contacts: Vec<NewContact>,
    contact_changes: Vec<Contact>,
    /// The names of the groups to be in, if they are not those of now.
    groups: Option<Vec<(GroupKind, String)>>,
}

/// Says what taking the file over would do.
pub fn plan(conn: &Connection, import: Import) -> Result<Report> {
    Ok(planned(conn, import)?.0)
}

/// How a person is changed, with all that follows from it in nouns above this one.
pub type Change = fn(&mut Tx<'_>, PersonId, PersonChange) -> Result<()>;

/// Takes the file over, unless there is anything to complain of.
pub fn take_over(tx: &mut Tx<'_>, import: Import, change: Change) -> Result<Report> {
    let (mut report, steps) = planned(tx, import)?;
    report.dry_run = false;
    if !report.errors.is_empty() {
        return Ok(report);
    }
    let mut groups = Groups::default();
    let mut record = Record::default();
    for (entry, step) in steps.into_iter().filter(|(_, step)| !step.says_nothing_new()) {
        let before = step.person.map(|person| Portrait::of(tx, person)).transpose()?;
        let person = perform(tx, &mut groups, entry, step, change)?;
        record.person(person, before);
    }
    for group in groups.changed {
        supervising::members_changed(tx, group)?;
    }
    groups.made.into_iter().for_each(|group| record.group(group));
    report.import_id = record.keep(tx, &report)?;
    report.undo_until = report.import_id.map(|_| tx.now.plus(UNDO_FOR));
    let mut detail = format!("new:{} changed:{} same:{}", report.new, report.changed, report.same);
    if let Some(id) = report.import_id {
        detail.push_str(&format!(" import:{id}"));
    }
    people::audit::record(tx, "people.imported", None, &detail)?;
    report.imported = true;
    // Their examples and names are what stands in the file: it is not needed any more.
    (report.columns, report.rows) = (Vec::new(), Vec::new());
    Ok(report)
}

fn planned(conn: &Connection, import: Import) -> Result<(Report, Vec<(Entry, Step)>)> {
    let mut report = Report {
        dry_run: true,
        ignored: import.ignored,
        columns: import.columns,
        errors: import.faults,
        ..Report::default()
    };
    let mut steps = Vec::new();
    let mut entries = import.entries;
    spell_groups(conn, &mut entries)?;
    let meant = namesakes::meant(conn, &entries, &import.name_heading)?;
    for (entry, meant) in entries.into_iter().zip(meant) {
        let decided = match meant {
            Err(fault) => Err(vec![fault]),
            Ok(person) => decide(conn, &entry, person)?,
        };
        match decided {
            Err(faults) => report.errors.extend(faults),
            Ok(step) => {
                match &step {
                    Step { person: None, .. } => report.new += 1,
                    step if step.says_nothing_new() => report.same += 1,
                    _ => report.changed += 1,
                }
                if !step.says_nothing_new() && report.rows.len() < ROWS_TOLD {
                    report.rows.push(step.told(&entry));
                }
                steps.push((entry, step));
            }
        }
    }
    Ok((report, steps))
}

/// Writes each group as the house does, or as the file did first: `3B` of one list and `3b` of
/// another are one class.
fn spell_groups(conn: &Connection, entries: &mut [Entry]) -> Result<()> {
    let known: Vec<String> = rows::all(conn, "select name from \"group\" order by group_id", [])?;
    let mut spelling = HashMap::new();
    for name in &known {
        spelling.entry(name.to_lowercase()).or_insert_with(|| name.clone());
    }
    for entry in entries {
        for (_, name) in entry.groups.iter_mut().filter(|(_, name)| !known.contains(name)) {
            let spelled = spelling.entry(name.to_lowercase()).or_insert_with(|| name.clone());
            name.clone_from(spelled);
        }
    }
    Ok(())
}

impl Step {
    fn told(&self, entry: &Entry) -> Preview {
        let mut changes = self.change.as_ref().map(preview::fields).unwrap_or_default();
        let more = [
            ("badge", !self.badges.is_empty()),
            ("contact", !self.contacts.is_empty() || !self.contact_changes.is_empty()),
            ("groups", self.groups.is_some()),
        ];
        changes.extend(more.into_iter().filter(|(_, is_so)| *is_so).map(|(word, _)| word));
        Preview::new(entry, self.person, changes)
    }

    fn says_nothing_new(&self) -> bool {
        self.person.is_some()
            && self.change.is_none()
            && self.badges.is_empty()
            && self.contacts.is_empty()
            && self.contact_changes.is_empty()
            && self.groups.is_none()
    }
}

/// Decides what a row does for the person it means, or says all that forbids it.
fn decide(
    conn: &Connection,
    entry: &Entry,
    person: Option<Person>,
) -> Result<Result<Step, Vec<Fault>>> {
    let faults = complaints(conn, entry, person.as_ref())?;
    if faults.is_empty() { step(conn, entry, person).map(Ok) } else { Ok(Err(faults)) }
}

/// Says what of a row the house does not allow for the person it means.
fn complaints(conn: &Connection, entry: &Entry, person: Option<&Person>) -> Result<Vec<Fault>> {
    let mut faults = Vec::new();
    for (tag, heading) in &entry.badges {
        let badge = people::queries::badge_by_tag(conn, tag)?;
        if badge.is_some_and(|badge| Some(badge.person) != person.map(|person| person.id)) {
            let problem = "this badge is handed out to somebody else";
            faults.push(entry.at.fault(heading, tag, "import.badge_taken", problem));
        }
    }
    if role_after(entry, person) == Role::Office
        && let Some((_, name)) = entry.groups.first()
    {
        let problem = "the office has no groups; leave the cell empty or import as staff";
        let heading = &entry.group_heading;
        faults.push(entry.at.fault(heading, name, "import.office_group", problem));
    }
    let is_admin = person.is_some_and(|person| person.role == Role::Admin);
    if entry.role.is_some_and(|role| (role == Role::Admin) != is_admin) {
        let problem = if is_admin {
            "this person is an admin; change the role by hand"
        } else {
            "no file makes an admin; import as staff, then change the role by hand"
        };
        let (text, heading) = &entry.role_cell;
        faults.push(entry.at.fault(heading, text, "import.role_admin", problem));
    }
    Ok(faults)
}

/// The role that the person of a row has afterwards.
fn role_after(entry: &Entry, person: Option<&Person>) -> Role {
    entry.role.or(person.map(|person| person.role)).unwrap_or(Role::Member)
}

fn step(conn: &Connection, entry: &Entry, person: Option<Person>) -> Result<Step> {
    let role = role_after(entry, person.as_ref());
    let mut step = Step { person: person.as_ref().map(|person| person.id), ..Step::default() };
    for (tag, _) in &entry.badges {
        if people::queries::badge_by_tag(conn, tag)?.is_none() {
            step.badges.push(tag.clone());
        }
    }
    let Some(person) = person else {
        step.contacts.clone_from(&entry.contacts);
        step.groups = (!entry.groups.is_empty()).then(|| entry.groups.clone());
        return Ok(step);
    };
    step.change = preview::difference(&person, entry);
    for new in &entry.contacts {
        contact_step(&mut step, people::queries::contacts_of(conn, person.id)?, new);
    }
    let named: BTreeSet<&str> = entry.groups.iter().map(|(_, name)| name.as_str()).collect();
    let kinds: BTreeSet<GroupKind> = entry.groups.iter().map(|(kind, _)| *kind).collect();
    // With another role the groups of now are theirs no more.
    let present = memberships(conn, person.id, role)?;
    let to_leave =
        |group: &Membership| group.leaves(&kinds) && !named.contains(group.name.as_str());
    let all_in = named.iter().all(|name| present.iter().any(|group| group.name == *name));
    if !all_in || present.iter().any(to_leave) {
        step.groups = Some(entry.groups.clone());
    }
    Ok(step)
}

/// Adds to the step what the row says of one contact.
fn contact_step(step: &mut Step, known: Vec<Contact>, new: &NewContact) {
    let key = rules::search_key(&new.name);
    let Some(old) = known.into_iter().find(|old| rules::search_key(&old.name) == key) else {
        step.contacts.push(new.clone());
        return;
    };
    let either =
        |new: &str, old: &str| if new.is_empty() { old.to_owned() } else { new.to_owned() };
    let changed = Contact {
        phone: either(&new.phone, &old.phone),
        relation: either(&new.relation, &old.relation),
        may_fetch: new.may_fetch.unwrap_or(old.may_fetch),
        emergency: new.emergency.unwrap_or(old.emergency),
        ..old.clone()
    };
    if changed != old {
        step.contact_changes.push(changed);
    }
}

fn perform(
    tx: &mut Tx<'_>,
    groups: &mut Groups,
    entry: Entry,
    step: Step,
    change: Change,
) -> Result<PersonId> {
    let person = match step.person {
        Some(person) => person,
        None => people::commands::enrol(
            tx,
            NewPerson {
                number: entry.number,
                given_name: entry.given_name,
                family_name: entry.family_name,
                display_name: entry.display_name,
                role: entry.role.unwrap_or(Role::Member),
                language: entry.language,
            },
        )?,
    };
    if let Some(changed) = step.change {
        change(tx, person, changed)?;
    }
    for tag in &step.badges {
        people::commands::hand_out_badge(tx, person, tag)?;
    }
    for contact in &step.contacts {
        people::commands::add_contact(tx, person, contact)?;
    }
    for contact in &step.contact_changes {
        people::commands::change_contact(tx, contact)?;
    }
    if let Some(named) = step.groups {
        join(tx, groups, person, &named)?;
    }
    Ok(person)
}

/// Makes a member one of the named groups, and of no other of the same kinds; makes staff
/// responsible for them.
fn join(
    tx: &mut Tx<'_>,
    groups: &mut Groups,
    person: PersonId,
    named: &[(GroupKind, String)],
) -> Result<()> {
    let role = people::queries::find(tx, person)?.role;
    let kinds: BTreeSet<GroupKind> = named.iter().map(|(kind, _)| *kind).collect();
    let present = memberships(tx, person, role)?;
    for group in &present {
        if group.leaves(&kinds) && named.iter().all(|(_, name)| *name != group.name) {
            commands::leave_group(tx, group.id, person)?;
            groups.changed.insert(group.id);
        }
    }
    for (kind, name) in named {
        let group = groups.find_or_make(tx, *kind, name)?;
        if present.iter().any(|held| held.id == group) {
            continue;
        }
        if role.works_here() {
            supervising::add_group_staff(tx, group, person)?;
            continue;
        }
        commands::join_group(tx, group, person)?;
        groups.changed.insert(group);
    }
    Ok(())
}

/// The groups that the file has named so far.
#[derive(Default)]
struct Groups {
    by_name: HashMap<String, GroupId>,
    /// Those that have other members now.
    changed: BTreeSet<GroupId>,
    /// Those that the house did not have.
    made: Vec<GroupId>,
}

impl Groups {
    fn find_or_make(&mut self, tx: &mut Tx<'_>, kind: GroupKind, name: &str) -> Result<GroupId> {
        if let Some(group) = self.by_name.get(name) {
            return Ok(*group);
        }
        let sql = "select group_id from \"group\" where name = ?1";
        let group = match rows::maybe(tx, sql, params![name])? {
            Some(group) => group,
            None => {
                let sql = "insert into \"group\" (name, kind) values (?1, ?2)";
                let id = GroupId(rows::insert(tx, sql, params![name, kind])?);
                people::audit::record(tx, "group.added", None, &format!("group:{id}"))?;
                self.made.push(id);
                id
            }
        };
        self.by_name.insert(name.to_owned(), group);
        Ok(group)
    }
}
