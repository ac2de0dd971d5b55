//! Whom the rows of a file mean: somebody who is known, or somebody new.
//!
//! A number decides; then a badge or a group that a namesake has; then the name, if nobody else
//! has it. Where two could be meant it is a complaint: a guess would give one child's badge to
//! another, and a double would be looked for in an alarm.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, params};

use crate::base::Result;
use crate::base::id::{GroupId, PersonId};
use crate::domain::people::import::{Entry, GroupKind};
use crate::domain::people::model::{Role, display_name};
use crate::domain::people::table::Fault;
use crate::domain::people::{self, Person, rules};
use crate::store::rows::{self, FromRow, Row};

/// Whom one row means, None for somebody new; or why that cannot be said.
type Meant = std::result::Result<Option<Person>, Fault>;

/// Returns whom each row means, in their order.
pub(super) fn meant(conn: &Connection, entries: &[Entry], heading: &str) -> Result<Vec<Meant>> {
    let numbers = entries.iter().filter_map(|entry| entry.number.as_deref()).collect();
    let (taken, names) = (HashMap::new(), HashMap::new());
    let mut file = File { conn, heading, numbers, taken, names };
    let mut found = Vec::new();
    for entry in entries {
        found.push(file.by_number(entry)?);
    }
    let mut choices = Vec::new();
    for (entry, known) in entries.iter().zip(found) {
        choices.push(match known {
            Some(person) => Choice::Decided(Ok(Some(person))),
            None => file.by_badge_or_group(entry)?,
        });
    }
    let mut meant = Vec::new();
    for (entry, choice) in entries.iter().zip(choices) {
        meant.push(match choice {
            Choice::Decided(meant) => meant,
            Choice::ByName(namesakes) => file.by_name(entry, namesakes),
        });
    }
    Ok(meant)
}

/// What the rows of a file have said so far.
struct File<'a> {
    conn: &'a Connection,
    /// Of the column with the name.
    heading: &'a str,
    /// All that stand in it.
    numbers: BTreeSet<&'a str>,
    /// Who is meant by a badge or a group, and in which row.
    taken: HashMap<PersonId, u32>,
    /// How many rows without a number that is known bear a name.
    names: HashMap<String, u32>,
}

enum Choice {
    Decided(Meant),
    /// Only the name is left to go by, once it is known whom other rows mean.
    ByName(Vec<Person>),
}

impl File<'_> {
    fn by_number(&mut self, entry: &Entry) -> Result<Option<Person>> {
        let known = match &entry.number {
            Some(number) => people::queries::by_number(self.conn, number)?,
            None => None,
        };
        if known.is_none() {
            *self.names.entry(name_key(entry)).or_default() += 1;
        }
        Ok(known)
    }

    fn by_badge_or_group(&mut self, entry: &Entry) -> Result<Choice> {
        let mut namesakes =
            people::queries::by_name(self.conn, &entry.given_name, &entry.family_name)?;
        // Whoever has another number is somebody else, and so is whom another row's number names.
        namesakes.retain(|person| match &person.number {
            Some(number) => entry.number.is_none() && !self.numbers.contains(number.as_str()),
            None => true,
        });
        if let Some(bearer) = self.bearer(entry, &namesakes)? {
            return Ok(self.certain(entry, bearer));
        }
        let role = entry.role.unwrap_or(Role::Member);
        let (alike, others): (Vec<Person>, Vec<Person>) =
            namesakes.into_iter().partition(|person| works(person.role) == works(role));
        if entry.role.is_none() && alike.is_empty() && !others.is_empty() {
            let problem = "somebody of this name works here; fill in the role";
            return Ok(Choice::Decided(Err(self.unclear(entry, "import.role_missing", problem))));
        }
        let mut likely = Vec::new();
        for person in &alike {
            likely.push((self.shared_groups(entry, person)?, person.clone()));
        }
        let most = likely.iter().map(|(shared, _)| *shared).max().unwrap_or(0).max(1);
        likely.retain(|(shared, _)| *shared == most);
        match likely.pop() {
            None => Ok(Choice::ByName(alike)),
            Some((_, person)) if likely.is_empty() => Ok(self.certain(entry, person)),
            Some(_) => Ok(Choice::Decided(Err(self.several(entry)))),
        }
    }

    /// Decides by the name alone, which must then be of one person in the house and in the file.
    fn by_name(&self, entry: &Entry, namesakes: Vec<Person>) -> Meant {
        let is_alone = namesakes.len() == 1 && self.names.get(&name_key(entry)) == Some(&1);
        let known = !namesakes.is_empty();
        let mut free = namesakes.into_iter().filter(|person| !self.taken.contains_key(&person.id));
        match free.next() {
            Some(person) if is_alone => Ok(Some(person)),
            Some(_) => Err(self.several(entry)),
            // All of that name are meant by rows with their groups; this one is of others.
            None if !known || !entry.groups.is_empty() => Ok(None),
            None => Err(self.several(entry)),
        }
    }

    /// Returns whose badge the row names, of those of its name.
    fn bearer(&self, entry: &Entry, namesakes: &[Person]) -> Result<Option<Person>> {
        for (tag, _) in &entry.badges {
            if let Some(badge) = people::queries::badge_by_tag(self.conn, tag)?
                && let Some(person) = namesakes.iter().find(|person| person.id == badge.person)
            {
                return Ok(Some(person.clone()));
            }
        }
        Ok(None)
    }

    /// Counts the groups that the row and the person have in common; to have none is one, too.
    fn shared_groups(&self, entry: &Entry, person: &Person) -> Result<usize> {
        let present = memberships(self.conn, person.id, person.role)?;
        if present.is_empty() && entry.groups.is_empty() {
            return Ok(1);
        }
        let named: BTreeSet<&str> = entry.groups.iter().map(|(_, name)| name.as_str()).collect();
        let held: BTreeSet<&str> = present.iter().map(|group| group.name.as_str()).collect();
        Ok(named.intersection(&held).count())
    }

    fn certain(&mut self, entry: &Entry, person: Person) -> Choice {
        let first = *self.taken.entry(person.id).or_insert(entry.at.row);
        if first == entry.at.row {
            return Choice::Decided(Ok(Some(person)));
        }
        let problem = format!("means the same person as row {first}");
        Choice::Decided(Err(self.unclear(entry, "import.person_twice", &problem)))
    }

    fn several(&self, entry: &Entry) -> Fault {
        let problem = "several people could be meant; give each a number";
        self.unclear(entry, "import.person_ambiguous", problem)
    }

    fn unclear(&self, entry: &Entry, code: &'static str, problem: &str) -> Fault {
        entry.at.fault(self.heading, &name_of(entry), code, problem)
    }
}

/// Returns the name that a row gives.
fn name_of(entry: &Entry) -> String {
    display_name(&entry.given_name, &entry.family_name)
}

fn name_key(entry: &Entry) -> String {
    let name = rules::search_key(&format!("{} {}", entry.given_name, entry.family_name));
    format!("{name} {}", works(entry.role.unwrap_or(Role::Member)))
}

/// Says whether this is one of those who work here: among them a role may change by a file.
fn works(role: Role) -> bool {
    role != Role::Member
}

/// A group that a person is a member of, or responsible for.
pub(super) struct Membership {
    pub(super) id: GroupId,
    pub(super) name: String,
    kind: GroupKind,
    is_member: bool,
}

impl Membership {
    /// Says whether a file that names other groups of these kinds ends it. Nobody's
    /// responsibility ends by a file.
    pub(super) fn leaves(&self, kinds: &BTreeSet<GroupKind>) -> bool {
        self.is_member && kinds.contains(&self.kind)
    }
}

impl FromRow for Membership {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Membership> {
        Ok(Membership {
            id: row.get("group_id")?,
            name: row.get("name")?,
            kind: row.get("kind")?,
            is_member: row.get("is_member")?,
        })
    }
}

/// Returns the groups that a person of this role has: a member is in them, who works here is
/// responsible for them.
pub(super) fn memberships(
    conn: &Connection,
    person: PersonId,
    role: Role,
) -> Result<Vec<Membership>> {
    rows::all(
        conn,
        "select group_id, name, kind, 1 as is_member
         from group_member
         join \"group\" using (group_id)
         where person_id = ?1 and not ?2
         union all
         select group_id, name, \"group\".kind, 0
         from supervision
         join \"group\" using (group_id)
         where person_id = ?1 and ?2 and supervision.kind = 'standing' and ended_at is null",
        params![person, works(role)],
    )
}
