//! `daybook restore`: a backup in the place of the database.

use std::path::PathBuf;

use clap::Args;

use super::{Outcome, Place, say, say_json, show_copied};
use crate::store::backup;
use crate::store::directory::Directory;

/// Put a backup in the place of the database; the server must be stopped
#[derive(Args)]
#[command(after_help = "Example: daybook restore /mnt/usb/daybook-2026-11-20.db\n\n\
    What was there is kept beside it. Everybody signs in again, and every page loads again.")]
pub struct Flags {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Print what was restored as JSON
    #[arg(long)]
    json: bool,
}

/// Puts the backup back.
pub fn run(flags: &Flags) -> Outcome {
    let config = flags.place.config()?;
    // Before anything is made: a wrong file must not leave a new house behind.
    backup::inspect(&flags.file)?;
    let directory = Directory::make(&config.data, "restore")?;
    let (sound, kept) = backup::put_back(&flags.file, &directory.database(), show_copied)?;
    if flags.json {
        return say_json(&serde_json::json!({ "restored": sound, "kept": kept }));
    }
    say(format!("restored: {} people, {} events, sound", sound.people, sound.events));
    if let Some(kept) = kept {
        say(format!("the database from before is {}", kept.display()));
    }
    Ok(())
}
