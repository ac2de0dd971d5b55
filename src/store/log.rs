//! The write-ahead log beside a database: SQLite takes it into whatever file has the name.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Where a database's header says how it is written, and what stands there as long as it has a log.
const WRITTEN_AT: u64 = 18;
const BY_LOG: u8 = 2;

/// Returns where the log of the database at `path` is.
pub fn of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// Refuses the log of another database. A backup is written without one and says so in its header;
/// where one was copied over the database of a house that was killed, the log of that one still
/// stands there, and its pages would come among those of the backup.
///
/// To be asked before this process has the database open: who closes a file gives up all locks
/// that its process holds on it.
pub fn require_own(path: &Path) -> Result<()> {
    let log = of(path);
    // The log first: who begins one has changed the header before.
    if fs::metadata(&log).map_or(true, |found| found.len() == 0) {
        return Ok(());
    }
    let mut written = [0];
    let shown = || path.display().to_string();
    let file = File::open(path).with_context(shown)?;
    file.read_exact_at(&mut written, WRITTEN_AT).with_context(shown)?;
    ensure!(
        written == [BY_LOG],
        "{} is the log of another database; was a backup copied here by hand? 'daybook restore' \
         puts one in its place, and sets the log aside",
        log.display()
    );
    Ok(())
}
