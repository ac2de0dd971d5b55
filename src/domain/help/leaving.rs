//! What takes somebody out of the house, for the day or for good, with all that follows from it for
//! what is open of them.
//!
//! It stands here because `help` is the last of the nouns that have something open of a person.
//! Whatever may set somebody inactive or change a role, or send somebody home, calls this, and not
//! the command of `people` or `visits` alone.

use super::commands;
use crate::base::Result;
use crate::base::id::{ImportId, PersonId};
use crate::domain::devices::model::Scanner;
use crate::domain::people::import::Import;
use crate::domain::people::model::{PersonChange, PersonState};
use crate::domain::people::{self, Role};
use crate::domain::rooms::Scope;
use crate::domain::rooms::roster::{self, Report};
use crate::domain::rooms::undoing::{self, Above, Undone};
use crate::domain::visits::marking::{self, Mark};
use crate::domain::visits::scan::{self, Outcome, Scan, ScanResult};
use crate::domain::visits::{Attendance, Status};
use crate::domain::{rooms, visits};
use crate::live::Tx;

/// Decides the scans of one call, as [`scan::scan_all`] does. Who goes home with one waits for help
/// no longer.
pub fn scan_all(tx: &mut Tx<'_>, scanner: &Scanner, scans: &[Scan]) -> Result<Vec<ScanResult>> {
    let results = scan::scan_all(tx, scanner, scans)?;
    if results.iter().any(|result| result.outcome == Outcome::LeftHouse) {
        commands::cancel_left_behind(tx)?;
    }
    Ok(results)
}

/// Notes how a member stands to the house today, as [`marking::mark`] does. Who has gone home waits
/// for help no longer.
pub fn mark(tx: &mut Tx<'_>, scope: &Scope, id: PersonId, mark: &Mark) -> Result<Attendance> {
    let marked = marking::mark(tx, scope, id, mark)?;
    if marked.status == Status::Left {
        commands::cancel_left_behind(tx)?;
    }
    Ok(marked)
}

/// Changes a person. Who ceases to belong to the house leaves it at once, if they are in it, and
/// waits for no help: afterwards no badge and no page would let them do either. Who is a member no
/// more is in no run and in no group and waits for no help, but stays in the house. Whom somebody
/// helped who helps no more waits for somebody else. Nothing of it comes back by itself.
pub fn change(tx: &mut Tx<'_>, id: PersonId, change: PersonChange) -> Result<()> {
    let before = people::queries::find(tx, id)?;
    let role = change.role.unwrap_or(before.role);
    // Also of who is inactive already: older versions let them stay in the house.
    let leaves_house = change.state == Some(PersonState::Inactive);
    if leaves_house || !matches!(role, Role::Admin | Role::Staff) {
        commands::release_all_of(tx, id)?;
    }
    if leaves_house || role != Role::Member {
        // The request first, so that those hear of its end who are in charge where the member is.
        commands::cancel_open(tx, id)?;
    }
    if leaves_house {
        visits::commands::depart(tx, id)?;
    } else if role != Role::Member {
        visits::commands::leave_run(tx, id)?;
    }
    people::commands::change(tx, id, change)?;
    rooms::commands::leave_groups(tx, id)?;
    rooms::commands::release(tx, id)
}

/// Takes a file of people over, all or nothing: what it changes has the same consequences.
pub fn take_over(tx: &mut Tx<'_>, import: Import) -> Result<Report> {
    roster::take_over(tx, import, change)
}

/// Undoes the newest import of a file, all or nothing: what that changes has the same consequences.
pub fn undo_import(tx: &mut Tx<'_>, id: ImportId) -> Result<Undone> {
    let above = Above {
        change,
        has_come: visits::queries::has_come,
        was_held: visits::queries::was_held,
        forget_missing: visits::day::forget_missing,
    };
    undoing::undo(tx, id, above)
}
