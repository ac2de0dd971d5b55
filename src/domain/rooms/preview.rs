//! What a row of a file says otherwise than it is known, and how that is told before it is done.

use serde::Serialize;

use crate::base::id::PersonId;
use crate::domain::people::Person;
use crate::domain::people::import::Entry;
use crate::domain::people::model::{PersonChange, PersonState, display_name};

/// How many rows are told; who has seen as many knows which list it is.
pub(super) const ROWS_TOLD: usize = 500;

/// Whom a row would make or change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ImportRow)]
pub struct Preview {
    /// The row as a spreadsheet counts it.
    pub row: u32,
    /// The name that stands there.
    pub name: String,
    /// Whom it would change; null for somebody new.
    pub person_id: Option<PersonId>,
    /// What it would change, such as `family_name` or `groups`; empty for somebody new.
    pub changes: Vec<&'static str>,
}

impl Preview {
    pub(super) fn new(
        entry: &Entry,
        person: Option<PersonId>,
        changes: Vec<&'static str>,
    ) -> Preview {
        let changes = if person.is_some() { changes } else { Vec::new() };
        let name = display_name(&entry.given_name, &entry.family_name);
        Preview { row: entry.at.row, name, person_id: person, changes }
    }
}

/// Returns what the row says otherwise than it is known.
pub(super) fn difference(person: &Person, entry: &Entry) -> Option<PersonChange> {
    let other = |new: &str, old: &str| (new != old).then(|| new.to_owned());
    let change = PersonChange {
        number: (entry.number.is_some() && entry.number != person.number)
            .then(|| entry.number.clone()),
        given_name: other(&entry.given_name, &person.given_name),
        family_name: other(&entry.family_name, &person.family_name),
        display_name: entry.display_name.clone().filter(|name| *name != person.display_name),
        role: entry.role.filter(|role| *role != person.role),
        language: (entry.language.is_some() && entry.language != person.language)
            .then_some(entry.language),
        state: (person.state != PersonState::Active).then_some(PersonState::Active),
    };
    (!fields(&change).is_empty()).then_some(change)
}

/// Returns which fields a change changes.
pub(super) fn fields(change: &PersonChange) -> Vec<&'static str> {
    let fields = [
        ("number", change.number.is_some()),
        ("given_name", change.given_name.is_some()),
        ("family_name", change.family_name.is_some()),
        ("display_name", change.display_name.is_some()),
        ("role", change.role.is_some()),
        ("language", change.language.is_some()),
        ("state", change.state.is_some()),
    ];
    fields.into_iter().filter(|(_, is_so)| *is_so).map(|(word, _)| word).collect()
}
