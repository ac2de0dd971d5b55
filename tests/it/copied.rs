//! Files that somebody copied into the data directory by hand.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use daybook::base::Actor;
use daybook::base::id::DeviceId;
use daybook::event::{Event, Label};
use daybook::store::directory::DATABASE;
use daybook::store::{Store, backup, log};

use crate::store::TestStore;

async fn scan(store: &TestStore, number: i64) {
    let scanned =
        Event::ScanUnknown { device_id: DeviceId(number), tag_suffix: Label("0000".to_owned()) };
    store.write(Actor::System, move |tx| tx.emit(scanned)).await.unwrap();
}

/// A directory with a database and a log, as a killed server leaves them.
fn left(database: &Path, log_of: &TestStore) -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join(DATABASE);
    fs::copy(database, &path).unwrap();
    fs::copy(log_of.app.store.log_path(), log::of(&path)).unwrap();
    data
}

/// Fault 97: as after `sudo cp`.
#[test]
fn a_file_that_another_user_left_is_named() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join(DATABASE);
    Store::create(&path).unwrap();
    for file in [log::of(&path), path.clone()] {
        File::options().append(true).create(true).open(&file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
        // Root may write it all the same.
        if File::options().append(true).open(&file).is_err() {
            let refused = format!("{:#}", Store::open(&path, 1).map(drop).unwrap_err());
            let says = format!("{}: cannot be written by this user", file.display());
            assert!(refused.starts_with(&says), "{refused}");
        }
    }
}

/// Fault 106: of a log that was cut or damaged what was whole before counts, and nothing after it.
#[tokio::test]
async fn a_log_that_was_cut_or_damaged_gives_what_stands_whole_in_it() {
    let store = TestStore::new().await;
    for number in 0..40 {
        scan(&store, number).await;
    }
    let log = fs::read(store.app.store.log_path()).unwrap();
    let half = log.len() / 2;
    let mut flipped = log.clone();
    flipped[half] ^= 1;
    let mut events = Vec::new();
    for log in [&log[..], &log[..log.len() - 1], &flipped, &log[..half], &log[..16], &[7; 9000]] {
        let data = left(store.app.store.path(), &store);
        let path = data.path().join(DATABASE);
        fs::write(log::of(&path), log).unwrap();
        drop(Store::open(&path, 1).unwrap());
        events.push(backup::inspect(&path).unwrap().events);
    }
    assert_eq!((events[0], events[1]), (40, 39));
    assert!(events.is_sorted_by(|more, less| more >= less), "{events:?}");
    assert!((1..39).contains(&events[2]) && events[4] == events[5], "{events:?}");
}

/// Fault 106.
#[tokio::test]
async fn a_backup_is_not_opened_with_the_log_of_the_database_that_it_was_copied_over() {
    let store = TestStore::new().await;
    let copy = store.dir.path().join("copy.db");
    backup::make(store.app.store.path(), &copy, |_, _| ()).unwrap();
    for number in 0..200 {
        scan(&store, number).await;
    }
    // With its own log a killed house has everything.
    let killed = left(store.app.store.path(), &store);
    drop(Store::open(&killed.path().join(DATABASE), 1).unwrap());
    assert_eq!(backup::inspect(&killed.path().join(DATABASE)).unwrap().events, 200);

    let mixed = left(&copy, &store);
    let path = mixed.path().join(DATABASE);
    let log = fs::read(log::of(&path)).unwrap();
    let refused = format!("{:#}", Store::open(&path, 1).map(drop).unwrap_err());
    assert!(refused.contains("'daybook restore' brings a backup back"), "{refused}");
    assert!(refused.contains("daybook.db-wal is the log of another database"), "{refused}");
    assert!(backup::put_back(&path, &mixed.path().join("other.db"), |_, _| ()).is_err());
    assert_eq!(fs::read(log::of(&path)).unwrap(), log);
    assert_eq!(fs::read(&path).unwrap(), fs::read(&copy).unwrap());

    backup::put_back(&copy, &path, |_, _| ()).unwrap();
    drop(Store::open(&path, 1).unwrap());
    assert_eq!(backup::inspect(&path).unwrap().events, 0);
}
