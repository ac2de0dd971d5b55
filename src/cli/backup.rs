//! `daybook backup`: a copy of the database, also while the server runs.

use std::path::PathBuf;

use clap::Args;

use super::{Outcome, Place, say, say_json, show_copied};
use crate::store::{backup, directory, log};

/// Copy the database into a new file, also while the server runs
#[derive(Args)]
#[command(after_help = "Example: daybook backup /mnt/usb/daybook-2026-11-20.db\n\n\
    The copy is proven sound before it gets its name. It holds everything: keep it as safe as\n\
    the house. `daybook restore` puts it back.")]
pub struct Flags {
    /// The new file
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Print what was copied as JSON
    #[arg(long)]
    json: bool,
}

/// Makes the copy.
pub fn run(flags: &Flags) -> Outcome {
    let config = flags.place.config()?;
    directory::inspect(&config.data)?;
    let database = config.data.join(directory::DATABASE);
    log::require_own(&database)?;
    let sound = backup::make(&database, &flags.file, show_copied)?;
    if flags.json {
        return say_json(&sound);
    }
    say(format!(
        "{}: {} people, {} events, {} KiB, sound",
        flags.file.display(),
        sound.people,
        sound.events,
        sound.bytes / 1024
    ));
    Ok(())
}
