//! Copies of the database: made while it is in use, proven sound, and put back.

use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{Access, access};

use super::upgrade::{self, SCHEMA_VERSION};
use super::{APPLICATION_ID, log};
use crate::base::secret;

/// How many pages are copied between two looks at the progress.
const PAGES_PER_STEP: i32 = 1024;

/// What the files are called beyond a database's name that are its log, and itself, as the last.
const FILES: [&str; 4] = ["-journal", "-wal", "-shm", ""];

/// What is known of a sound database.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub struct Sound {
    pub schema: i64,
    pub people: i64,
    pub events: i64,
    /// When the newest event happened, in milliseconds since 1970.
    pub newest_event_at: Option<i64>,
    pub bytes: u64,
}

/// Copies the database at `from` to the new file `to`, with everything that was committed when
/// this began. Writers go on meanwhile. `progress` hears how many of how many pages are done.
pub fn make(from: &Path, to: &Path, progress: impl FnMut(i32, i32)) -> Result<Sound> {
    ensure!(!to.exists(), "{}: is there already", to.display());
    // Before it is copied: what is wrong with it is said of it, and not of the copy.
    glance(from)?;
    let source = open_to_read(from)?;
    let part = sibling(to, "part");
    // A backup that was killed may have left one.
    remove_with_log(&part)?;
    copy(&source, &part, progress)
        .and_then(|()| inspect(&part))
        .and_then(|sound| {
            fs::rename(&part, to)?;
            sync_directory(to)?;
            Ok(sound)
        })
        .inspect_err(|_| drop(fs::remove_file(&part)))
        .with_context(|| format!("{}: no backup was made", to.display()))
}

/// Puts the backup `from` in the place of the database `to`; the caller holds the directory's
/// lock. What was there is kept beside it, and returned. The database begins a new life: every
/// client loads again, and everybody signs in again, since sessions that were ended after the
/// backup would otherwise be open once more. `progress` hears how many of how many pages are done.
pub fn put_back(
    from: &Path,
    to: &Path,
    progress: impl FnMut(i32, i32),
) -> Result<(Sound, Option<PathBuf>)> {
    log::require_own(from)?;
    let schema = inspect(from)?.schema;
    upgrade::require_tables(&open_to_read(from)?, schema)
        .with_context(|| from.display().to_string())?;
    let fresh = sibling(to, "restored");
    remove_with_log(&fresh)?;
    let sound = copy(&open_to_read(from)?, &fresh, progress)
        .and_then(|()| renew(&fresh))
        .and_then(|()| inspect(&fresh))
        .inspect_err(|_| drop(remove_with_log(&fresh)))?;
    Ok((sound, put_in_place(&fresh, to)?))
}

/// Gives a whole database its name. What was there is kept beside it, and returned.
pub(super) fn put_in_place(fresh: &Path, to: &Path) -> Result<Option<PathBuf>> {
    let kept = set_aside(to)?;
    fs::rename(fresh, to).with_context(|| to.display().to_string())?;
    sync_directory(to)?;
    Ok(kept)
}

/// Proves that the file is a whole database of Daybook that this program knows, page by page.
pub fn inspect(path: &Path) -> Result<Sound> {
    let sound = glance(path)?;
    let (shown, conn) = (path.display(), open_to_read(path)?);
    let integrity: String = conn.query_row("pragma integrity_check(1)", [], |row| row.get(0))?;
    ensure!(integrity == "ok", "{shown}: is damaged: {integrity}");
    let orphans: i64 =
        conn.query_row("select count(*) from pragma_foreign_key_check", [], |row| row.get(0))?;
    ensure!(orphans == 0, "{shown}: is damaged: {orphans} rows point at nothing");
    Ok(sound)
}

/// Looks whether the file is a database of Daybook that this program knows, and what is in it.
pub fn glance(path: &Path) -> Result<Sound> {
    let shown = path.display();
    let conn = open_to_read(path)?;
    let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    let application = number("pragma application_id").with_context(|| shown.to_string())?;
    ensure!(application == APPLICATION_ID, "{shown}: is not a database of Daybook");
    let schema = number("pragma user_version")?;
    ensure!(
        (1..=SCHEMA_VERSION).contains(&schema),
        "{shown}: is of a newer Daybook (schema {schema}, this one knows {SCHEMA_VERSION})"
    );
    let damaged = || format!("{shown}: is damaged");
    Ok(Sound {
        schema,
        people: number("select count(*) from person").with_context(damaged)?,
        events: number("select count(*) from event_log").with_context(damaged)?,
        newest_event_at: conn
            .query_row("select max(at) from event_log", [], |row| row.get(0))
            .with_context(damaged)?,
        bytes: fs::metadata(path)?.len(),
    })
}

/// Opens the database so that nothing in it can change.
pub fn open_to_read(path: &Path) -> Result<Connection> {
    // SQLite says only that it cannot, and not why: a backup in somebody's home, for instance.
    let shown = || path.display().to_string();
    let found = fs::metadata(path).with_context(shown)?;
    ensure!(found.is_file(), "{}: is no file", shown());
    access(path, Access::READ_OK).with_context(shown)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).with_context(shown)
}

/// Copies a database into a new file that only its owner may read.
fn copy(from: &Connection, to: &Path, mut progress: impl FnMut(i32, i32)) -> Result<()> {
    File::options().create_new(true).write(true).mode(0o600).open(to)?;
    let mut target = Connection::open(to)?;
    // An open transaction keeps the copy at one moment; without it the copy would begin anew at
    // every write of the server.
    let moment = from.unchecked_transaction()?;
    moment.query_row("select count(*) from sqlite_schema", [], |_| Ok(()))?;
    let backup = Backup::new(&moment, &mut target)?;
    loop {
        let step = backup.step(PAGES_PER_STEP)?;
        let at = backup.progress();
        progress(at.pagecount - at.remaining, at.pagecount);
        match step {
            StepResult::More => {}
            StepResult::Done => break,
            StepResult::Busy | StepResult::Locked => bail!("the database is locked"),
            _ => bail!("the copy stopped half-way"),
        }
    }
    drop(backup);
    // One file, without a log beside it.
    target.execute_batch("pragma journal_mode = delete")?;
    drop(target);
    File::open(to)?.sync_all()?;
    Ok(())
}

/// Gives a restored database its new epoch, and ends the sessions in it.
fn renew(path: &Path) -> Result<()> {
    let conn = Connection::open(path)?;
    conn.execute("update epoch set epoch = ?1", [secret::hex(&secret::random::<4>()?)])?;
    conn.execute("delete from session", [])?;
    Ok(())
}

/// Moves a database out of the way, with its log, or the log alone that a lost one has left: SQLite
/// would take what stands there into the next database of the name.
fn set_aside(path: &Path) -> Result<Option<PathBuf>> {
    let free = (1..1000).map(|n| sibling(path, &format!("before-restore-{n}")));
    let is_free = |aside: &PathBuf| FILES.iter().all(|end| !with_end(aside, end).exists());
    let aside = free.into_iter().find(is_free).context("too many databases set aside")?;
    for end in FILES {
        let (from, to) = (with_end(path, end), with_end(&aside, end));
        if from.exists() {
            fs::rename(&from, &to).with_context(|| from.display().to_string())?;
        }
    }
    Ok(aside.exists().then_some(aside))
}

pub(super) fn remove_with_log(path: &Path) -> Result<()> {
    for end in FILES {
        let path = with_end(path, end);
        if path.exists() {
            fs::remove_file(&path).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}

fn sync_directory(path: &Path) -> Result<()> {
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

pub(super) fn sibling(path: &Path, end: &str) -> PathBuf {
    with_end(path, &format!(".{end}"))
}

pub(super) fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}
