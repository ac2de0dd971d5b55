//! How people stand to the house, as the writer remembers it from one scan to the next. Each scan
//! asks for it, and whoever has come is scanned again on the way.

use std::collections::HashMap;

use super::model::{Standing, Today};
use super::queries;
use crate::base::id::PersonId;
use crate::base::{Day, Result};
use crate::live::Tx;
use crate::live::memo::Tables;
use crate::store::ready::Prepares;

/// Those who were asked for, of one day.
#[derive(Default)]
struct Standings {
    day: Option<Day>,
    of: HashMap<PersonId, Standing>,
}

/// Where it stands. With another zone a day begins at another moment.
const FROM: Tables = &["attendance", "visit", "house"];

/// Returns how `person` stands, as [`queries::standing`] does.
pub(super) fn standing(tx: &Tx<'_>, person: PersonId, today: &Today) -> Result<Standing> {
    let known = tx.known(FROM, |all: &mut Standings| {
        all.of.get(&person).filter(|_| all.day == Some(today.day)).cloned()
    });
    if let Some(known) = known {
        debug_assert_eq!(known, queries::standing(tx, person, today)?, "what is remembered holds");
        return Ok(known);
    }
    let standing = queries::standing(tx, person, today)?;
    remember(tx, person, today, || standing.clone());
    Ok(standing)
}

/// Notes how `person` stands from now on, after all that has changed it was written.
pub(super) fn remember(
    tx: &Tx<'_>,
    person: PersonId,
    today: &Today,
    now: impl FnOnce() -> Standing,
) {
    tx.known(FROM, |all: &mut Standings| {
        if all.day != Some(today.day) {
            *all = Standings { day: Some(today.day), of: HashMap::new() };
        }
        all.of.insert(person, now());
    });
}

/// Returns where to run a statement that changes how `person` stands, and nobody else.
pub(super) fn changing<'t>(tx: &'t Tx<'_>, person: PersonId) -> impl Prepares + 't {
    tx.known(FROM, |all: &mut Standings| drop(all.of.remove(&person)));
    tx.sparing::<Standings>()
}
