//! Reads of people.

use rusqlite::{Connection, params};

use crate::base::Result;
use crate::base::id::PersonId;
use crate::store::rows;

/// Returns the name that boards and frames show; none for an unknown person.
pub fn display_name(conn: &Connection, person: PersonId) -> Result<Option<String>> {
    rows::maybe(
        conn,
        "select display_name
         from person
         where person_id = ?1",
        params![person],
    )
}
