//! The data directory: it belongs to one user alone, and has one master at a time. Beside a
//! server, which is a master, small commands may write too: the database keeps them apart, and
//! the server hears of their events by the log.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::{backup, upgrade};

/// The database's name in its directory.
pub const DATABASE: &str = "daybook.db";

/// The name of the file that the master holds locked; what it does stands in it.
const LOCK: &str = "lock";

/// What the lock says while a server runs.
pub const SERVE: &str = "serve";

/// The name of the file that says how the directory's owner reaches the running server.
const OPERATOR: &str = "operator";

/// How the owner of a data directory reaches the server that runs on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    pub address: SocketAddr,
    pub key: String,
}

/// A directory that is ours, until this is dropped.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Locked as long as it is open, also when the process is killed. None beside a server.
    lock: Option<File>,
}

impl Directory {
    /// Makes the directory, if it is not there, for this user alone, and becomes its master.
    pub fn make(path: &Path, work: &str) -> Result<Directory> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("{}: cannot be made", path.display()))?;
        Directory::open(path, work)
    }

    /// Checks the directory, closes it to other users, and becomes its master, to do `work`.
    pub fn open(path: &Path, work: &str) -> Result<Directory> {
        match Directory::take(path, work)? {
            Some(lock) => Ok(Directory { path: path.to_owned(), lock: Some(lock) }),
            None => bail!("{}: another Daybook is running on this data", path.display()),
        }
    }

    /// Like [`Directory::open`], but goes on beside a running server.
    pub fn join(path: &Path, work: &str) -> Result<Directory> {
        let lock = Directory::take(path, work)?;
        if lock.is_none() {
            let master = fs::read_to_string(path.join(LOCK)).unwrap_or_default();
            ensure!(master == SERVE, "{}: wait for 'daybook {master}' to end", path.display());
            // This program would upgrade the tables under an older server.
            let schema = backup::glance(&path.join(DATABASE))?.schema;
            ensure!(
                schema == upgrade::SCHEMA_VERSION,
                "{}: the running server is of another version; restart it first",
                path.display()
            );
        }
        Ok(Directory { path: path.to_owned(), lock })
    }

    /// Returns what the master of the directory does at the moment, if there is one.
    pub fn master(path: &Path) -> Result<Option<String>> {
        let file = path.join(LOCK);
        let Ok(lock) = File::open(&file) else { return Ok(None) };
        match lock.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(fs::read_to_string(&file)?)),
            Err(TryLockError::Error(e)) => Err(e).with_context(|| file.display().to_string()),
        }
    }

    /// Leaves word for the directory's owner, and for nobody else.
    pub fn leave_contact(&self, contact: &Contact) -> std::io::Result<()> {
        let file = self.path.join(OPERATOR);
        let mut file =
            File::options().create(true).truncate(true).write(true).mode(0o600).open(file)?;
        write!(file, "{} {}", contact.address, contact.key)
    }

    /// Returns how to reach the server that runs on the directory, or ran there last.
    pub fn contact(path: &Path) -> Option<Contact> {
        let text = fs::read_to_string(path.join(OPERATOR)).ok()?;
        let (address, key) = text.split_once(' ')?;
        Some(Contact { address: address.parse().ok()?, key: key.to_owned() })
    }

    /// Returns where the server listens that this is used beside; none when there is no such.
    pub fn served_at(&self) -> Option<SocketAddr> {
        let beside = self.lock.is_none();
        beside.then(|| Directory::contact(&self.path)).flatten().map(|contact| contact.address)
    }

    /// Takes the lock; none when another process has it.
    fn take(path: &Path, work: &str) -> Result<Option<File>> {
        inspect(path)?;
        let file = path.join(LOCK);
        let mut lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&file)
            .with_context(|| format!("{}: cannot be written", file.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(e)) => {
                return Err(e).with_context(|| format!("{}: cannot be locked", file.display()));
            }
        }
        lock.set_len(0)
            .and_then(|()| lock.write_all(work.as_bytes()))
            .with_context(|| format!("{}: cannot be written", file.display()))?;
        Ok(Some(lock))
    }

    /// Returns where the directory is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns where the database is, or will be.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }
}

/// Checks that the directory is there and ours, and takes from others what they may do in it.
pub fn inspect(path: &Path) -> Result<()> {
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            bail!("{shown}: no such directory; 'daybook init' makes it")
        }
        Err(e) => return Err(e).with_context(|| shown.to_string()),
    };
    ensure!(metadata.is_dir(), "{shown}: is not a directory");
    let us = fs::metadata("/proc/self").context("/proc/self")?.uid();
    ensure!(
        metadata.uid() == us,
        "{shown}: belongs to user {}, this is user {us}; run it as the owner",
        metadata.uid()
    );
    if metadata.mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o700))
            .with_context(|| format!("{shown}: is open to other users and cannot be closed"))?;
        tracing::warn!(path = %shown, "the data directory was open to other users; it is closed now");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fault 97.
    #[test]
    fn a_directory_is_made_for_its_owner_alone_and_closed_again_when_it_was_opened() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("house");
        let mode = || fs::metadata(&path).unwrap().mode() & 0o777;
        drop(Directory::make(&path, "init").unwrap());
        assert_eq!(mode(), 0o700);
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        drop(Directory::open(&path, "init").unwrap());
        assert_eq!(mode(), 0o700);
    }

    /// Fault 98.
    #[test]
    fn a_second_master_is_refused_until_the_first_is_gone() {
        let outer = tempfile::tempdir().unwrap();
        let first = Directory::open(outer.path(), SERVE).unwrap();
        let refused = Directory::open(outer.path(), SERVE).unwrap_err().to_string();
        assert!(refused.ends_with("another Daybook is running on this data"), "{refused}");
        drop(first);
        Directory::open(outer.path(), SERVE).unwrap();
    }

    #[test]
    fn a_small_command_goes_on_beside_a_server_but_not_beside_a_restore() {
        let outer = tempfile::tempdir().unwrap();
        let server = Directory::open(outer.path(), SERVE).unwrap();
        crate::store::Store::create(&server.database()).unwrap();
        Directory::join(outer.path(), "people import").unwrap();
        drop(server);
        let _restore = Directory::open(outer.path(), "restore").unwrap();
        let refused = Directory::join(outer.path(), "people import").unwrap_err().to_string();
        assert!(refused.ends_with("wait for 'daybook restore' to end"), "{refused}");
    }

    /// Fault 95.
    #[test]
    fn a_missing_directory_is_named_with_the_command_that_makes_it() {
        let refused = Directory::open(Path::new("/nowhere/house"), SERVE).unwrap_err().to_string();
        assert_eq!(refused, "/nowhere/house: no such directory; 'daybook init' makes it");
    }
}
