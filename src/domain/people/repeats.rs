//! What earlier rows of a file have named already.

use std::collections::HashMap;

use super::import::Entry;
use super::model::Role;
use super::rules;
use super::table::Fault;

/// Where a badge, a number or a person was met first.
#[derive(Debug, Default)]
pub struct Repeats {
    seen: HashMap<String, u32>,
}

impl Repeats {
    /// Complains of what a row names again. A number or a badge stands once; so does whoever has
    /// no number, unless it is a member of another class or group.
    pub fn complaints(&mut self, entry: &Entry, number: &str, name: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (tag, heading) in &entry.badges {
            let twice = self.again(&format!("badge {tag}"), entry.at.row);
            faults.extend(twice.map(|first| {
                let problem = told("badge", first);
                entry.at.fault(heading, tag, "import.badge_twice", problem)
            }));
        }
        if let Some(value) = &entry.number {
            let twice = self.again(&format!("number {value}"), entry.at.row);
            faults.extend(twice.map(|first| {
                let problem = told("number", first);
                entry.at.fault(number, value, "import.number_twice", problem)
            }));
        }
        let person = person(entry);
        let (alone, numbered) = (format!("person {person}"), format!("numbered {person}"));
        // Two numbers are two people; a row without one may be either of them.
        let (mine, other) =
            if entry.number.is_some() { (numbered, alone) } else { (alone, numbered) };
        let again = self.again(&mine, entry.at.row).filter(|_| entry.number.is_none());
        if let Some(first) = again.or_else(|| self.seen.get(&other).copied()) {
            let whole = format!("{} {}", entry.given_name, entry.family_name);
            let problem = told("person", first);
            faults.push(entry.at.fault(name, whole.trim(), "import.person_twice", problem));
        }
        faults
    }

    /// Returns the row that had this before, if any.
    fn again(&mut self, key: &str, row: u32) -> Option<u32> {
        let first = *self.seen.entry(key.to_owned()).or_insert(row);
        (first != row).then_some(first)
    }
}

/// Returns what tells people without a number apart inside a file: who works here may be named
/// with several groups, and is one person all the same.
fn person(entry: &Entry) -> String {
    let name = rules::search_key(&format!("{} {}", entry.given_name, entry.family_name));
    match entry.role.unwrap_or(Role::Member) {
        Role::Member => format!("{name} {:?}", entry.groups).to_lowercase(),
        _ => format!("{name} works here"),
    }
}

fn told(what: &str, first: u32) -> String {
    format!("the same {what} stands in row {first} already")
}
