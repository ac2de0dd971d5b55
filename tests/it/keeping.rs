//! Keeping the data: made, opened, upgraded, backed up, put back; and a command beside the server.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use daybook::app::App;
use daybook::base::id::DeviceId;
use daybook::base::{Actor, Clock};
use daybook::config::Config;
use daybook::domain::people::Role;
use daybook::event::{Event, Label, Topic};
use daybook::live::Feed;
use daybook::live::feed::{Next, Start};
use daybook::store::directory::DATABASE;
use daybook::store::{SCHEMA, Store, backup, upgrade};
use rusqlite::Connection;
use tokio::time::timeout;

use crate::store::TestStore;

/// How long a write may take at the most while a backup is made: a second, and what a busy machine
/// adds.
const WRITTEN: Duration = Duration::from_secs(3);

async fn emit(app: &App, number: i64) {
    app.write(Actor::System, "test", move |tx| {
        tx.emit(Event::ScanUnknown {
            device_id: DeviceId(number),
            tag_suffix: Label("0000".to_owned()),
        })
    })
    .await
    .unwrap();
}

/// Every table and index, without comments and spaces.
fn shape(conn: &Connection) -> Vec<String> {
    let mut statement = conn
        .prepare("select sql from sqlite_schema where sql is not null order by type, name")
        .unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let bare = |sql: String| {
        let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default().to_owned());
        lines.collect::<Vec<_>>().join(" ").split_whitespace().collect::<String>()
    };
    rows.map(|sql| bare(sql.unwrap())).collect()
}

#[test]
fn the_schema_is_the_sum_of_the_upgrade_steps() {
    let (now, mut stepped) =
        (Connection::open_in_memory().unwrap(), Connection::open_in_memory().unwrap());
    now.execute_batch(SCHEMA).unwrap();
    upgrade::apply(&mut stepped, upgrade::STEPS, 0).unwrap();
    let (now, stepped) = (shape(&now), shape(&stepped));
    let missing: Vec<_> = now.iter().filter(|sql| !stepped.contains(sql)).collect();
    let left_over: Vec<_> = stepped.iter().filter(|sql| !now.contains(sql)).collect();
    assert!(
        missing.is_empty() && left_over.is_empty(),
        "schema.sql has {missing:#?}, the steps make {left_over:#?}: add a step in \
         src/store/upgrade (until the first release, change 0001_first.sql)"
    );
}

/// Fault 109.
#[test]
fn an_upgrade_is_done_whole_or_not_at_all() {
    let mut conn = Connection::open_in_memory().unwrap();
    upgrade::apply(&mut conn, &["create table a (n integer)"], 0).unwrap();
    conn.execute("insert into a values (7)", []).unwrap();
    let steps = ["", "alter table a add column m integer", "create table b (n); nonsense"];
    assert!(upgrade::apply(&mut conn, &steps, 1).is_err());
    let version = |conn: &Connection| {
        conn.query_row("pragma user_version", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!((version(&conn), shape(&conn).len()), (1, 1));
    upgrade::apply(&mut conn, steps.get(..2).unwrap(), 1).unwrap();
    let row: (i64, Option<i64>) =
        conn.query_row("select n, m from a", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!((version(&conn), row), (2, (7, None)));
}

/// Fault 109: who goes back to the copy loses nothing of what came before this upgrade.
#[tokio::test]
async fn the_copy_before_an_upgrade_is_of_its_moment() {
    let store = TestStore::new().await;
    for number in 0..2 {
        emit(&store.app, number).await;
        let copy = upgrade::keep_a_copy(store.app.store.path()).unwrap();
        assert_eq!(backup::inspect(&copy).unwrap().events, number + 1);
    }
}

/// Fault 107.
#[tokio::test]
async fn a_backup_holds_what_was_committed_and_is_for_its_owner_alone() {
    let store = TestStore::new().await;
    for number in 0..20 {
        emit(&store.app, number).await;
    }
    let to = store.dir.path().join("copy.db");
    let sound = backup::make(store.app.store.path(), &to, |_, _| ()).unwrap();
    assert_eq!((sound.events, sound.schema), (20, upgrade::SCHEMA_VERSION));
    assert_eq!(fs::metadata(&to).unwrap().mode() & 0o777, 0o600);
    let other = store.dir.path().join("other.db");
    fs::write(store.dir.path().join("other.db.part"), "what a killed backup had copied").unwrap();
    assert_eq!(backup::make(store.app.store.path(), &other, |_, _| ()).unwrap().events, 20);
    let again = backup::make(store.app.store.path(), &to, |_, _| ()).unwrap_err();
    assert!(again.to_string().ends_with("is there already"), "{again}");
    let foreign = store.dir.path().join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("create table a (n)").unwrap();
    let foreign = backup::make(&foreign, &store.dir.path().join("no.db"), |_, _| ()).unwrap_err();
    assert!(format!("{foreign:#}").ends_with("foreign.db: is not a database of Daybook"));
}

/// Fault 107.
#[tokio::test]
async fn a_backup_made_during_writes_is_sound_and_stops_nobody() {
    let store = TestStore::new().await;
    let (app, acknowledged) = (store.app.clone(), Arc::new(AtomicI64::new(0)));
    let (tell, mut told) = tokio::sync::mpsc::channel::<()>(1);
    let (answered, mut some) = tokio::sync::mpsc::channel::<()>(1);
    let count = acknowledged.clone();
    let writes = tokio::spawn(async move {
        // Until the copy has been made; each write is answered meanwhile.
        while told.try_recv().is_err() {
            let number = count.load(Ordering::SeqCst);
            timeout(WRITTEN, emit(&app, number)).await.expect("no writer waits for a backup");
            if count.fetch_add(1, Ordering::SeqCst) == 20 {
                answered.send(()).await.unwrap();
            }
        }
    });
    some.recv().await.unwrap();
    let before = acknowledged.load(Ordering::SeqCst);
    let (path, to) = (store.app.store.path().to_owned(), store.dir.path().join("copy.db"));
    let copied =
        tokio::task::spawn_blocking(move || backup::make(&path, &to, |_, _| ()).unwrap()).await;
    tell.send(()).await.unwrap();
    writes.await.unwrap();
    let (events, after) = (copied.unwrap().events, acknowledged.load(Ordering::SeqCst));
    assert!((before..=after).contains(&events), "{before} {events} {after}");
}

/// Faults 44 and 108.
#[tokio::test]
async fn a_restored_house_begins_a_new_life_and_keeps_the_old_one_beside_it() {
    let store = TestStore::new().await;
    emit(&store.app, 1).await;
    store.account("Ada Amt", Role::Admin).await;
    let session = "insert into session (session_hash, public_id, person_id, created_at,
                                        last_seen_at, expires_at)
                   select x'01', 's1', person_id, 0, 0, 0 from account";
    store.write(Actor::System, move |tx| Ok(tx.execute_batch(session)?)).await.unwrap();
    let copy = store.dir.path().join("copy.db");
    backup::make(store.app.store.path(), &copy, |_, _| ()).unwrap();
    let epoch = store.app.store.epoch().clone();

    let other = tempfile::tempdir().unwrap();
    let database = other.path().join(DATABASE);
    fs::write(&database, "what was there").unwrap();
    let mut shown = Vec::new();
    let progress = |done, all| shown.push((done, all));
    let (sound, kept) = backup::put_back(&copy, &database, progress).unwrap();
    assert!(shown.last().is_some_and(|(done, all)| done == all && *all > 0), "{shown:?}");
    assert_eq!(sound.events, 1);
    assert_eq!(fs::read_to_string(kept.unwrap()).unwrap(), "what was there");
    let restored = Store::open(&database, 1).unwrap();
    assert_ne!(*restored.epoch(), epoch);
    let sessions = "select count(*) from session";
    let count = |conn: &Connection| Ok(conn.query_row(sessions, [], |row| row.get::<_, i64>(0))?);
    assert_eq!(restored.read(count).await.unwrap(), 0);
    assert_eq!(fs::metadata(&database).unwrap().mode() & 0o777, 0o600);
}

/// Faults 106 and 108.
#[tokio::test]
async fn the_log_of_a_lost_database_does_not_get_into_another_one() {
    let store = TestStore::new().await;
    let copy = store.dir.path().join("copy.db");
    backup::make(store.app.store.path(), &copy, |_, _| ()).unwrap();
    emit(&store.app, 1).await;
    // What a killed server leaves, its database file taken away.
    let other = tempfile::tempdir().unwrap();
    let database = other.path().join(DATABASE);
    let beside = |end: &str| other.path().join(format!("{DATABASE}{end}"));
    fs::copy(store.app.store.log_path(), beside("-wal")).unwrap();
    assert!(fs::metadata(beside("-wal")).unwrap().len() > 0);
    let (sound, kept) = backup::put_back(&copy, &database, |_, _| ()).unwrap();
    assert_eq!((sound.events, kept), (0, None));
    assert_eq!(backup::inspect(&database).unwrap().events, 0);
    assert!(beside(".before-restore-1-wal").exists());
    // Nor into a new one.
    fs::rename(beside(".before-restore-1-wal"), beside("-wal")).unwrap();
    fs::remove_file(&database).unwrap();
    Store::create(&database).unwrap();
    assert_eq!(backup::inspect(&database).unwrap().events, 0);
    assert!(beside(".before-restore-1-wal").exists());
}

/// Fault 108.
#[test]
fn what_is_no_backup_of_ours_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("backup.db"), dir.path().join(DATABASE));
    Store::create(&to).unwrap();
    let before = fs::read(&to).unwrap();
    let refused = |says: &str| {
        let error = format!("{:#}", backup::put_back(&from, &to, |_, _| ()).unwrap_err());
        assert!(error.contains(says), "{error}");
        assert_eq!(fs::read(&to).unwrap(), before);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1 + usize::from(from.exists()));
    };
    refused("backup.db: No such file or directory");
    fs::create_dir(&from).unwrap();
    refused("backup.db: is no file");
    fs::remove_dir(&from).unwrap();
    fs::write(&from, "garbage, garbage, garbage").unwrap();
    refused("file is not a database");
    fs::set_permissions(&from, fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read it all the same.
    if fs::read(&from).is_err() {
        refused("backup.db: Permission denied");
    }
    fs::remove_file(&from).unwrap();
    Connection::open(&from).unwrap().execute_batch("create table a (n)").unwrap();
    refused("is not a database of Daybook");
    fs::remove_file(&from).unwrap();
    Store::create(&from).unwrap();
    let conn = Connection::open(&from).unwrap();
    conn.execute_batch("pragma journal_mode = delete; pragma user_version = 999").unwrap();
    drop(conn);
    refused("is of a newer Daybook (schema 999");
    // A page in the middle, overwritten.
    Connection::open(&from).unwrap().execute_batch("pragma user_version = 1").unwrap();
    let mut bytes = fs::read(&from).unwrap();
    bytes[4096 * 3..4096 * 4].fill(0x5a);
    fs::write(&from, bytes).unwrap();
    refused("is damaged");
}

/// Fault 106.
#[test]
fn a_lost_or_foreign_database_is_never_replaced_by_an_empty_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(DATABASE);
    let refused = |says: &str| {
        let error = Store::open(&path, 1).map(drop).unwrap_err();
        assert!(format!("{error:#}").contains(says), "{error:#}");
    };
    refused("'daybook init' makes one, 'daybook restore' brings one back");
    assert!(!path.exists());
    fs::write(&path, "").unwrap();
    refused("is empty; 'daybook restore' brings a backup back");
    fs::write(&path, [0x5a; 8192]).unwrap();
    refused("'daybook restore' brings a backup back");
    fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("create table a (n)").unwrap();
    refused("it is not a database of Daybook");
    fs::remove_file(&path).unwrap();
    Store::create(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("pragma user_version = 999").unwrap();
    refused("is of a newer Daybook (schema 999");
}

#[test]
fn a_database_from_before_the_first_release_is_refused_in_words() {
    for (table, change) in [
        ("setup_code", "drop table setup_code"),
        ("house", "alter table house drop column late_after"),
        ("house", "alter table house add column motto text"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(DATABASE);
        Store::create(&path).unwrap();
        let also_here = "create table notes_of_a_visitor (n)";
        Connection::open(&path).unwrap().execute_batch(also_here).unwrap();
        drop(Store::open(&path, 1).unwrap());
        Connection::open(&path).unwrap().execute_batch(change).unwrap();
        let opened = Store::open(&path, 1).map(drop).unwrap_err();
        let restored =
            backup::put_back(&path, &dir.path().join("other.db"), |_, _| ()).unwrap_err();
        for error in [opened, restored] {
            let told = format!("{error:#}");
            assert!(told.starts_with(&path.display().to_string()), "{told}");
            assert!(told.contains(&format!("the table '{table}' is missing or")), "{told}");
            assert!(told.ends_with("with 'daybook init' in an empty directory"), "{told}");
        }
        assert!(!dir.path().join("other.db").exists());
    }
}

#[test]
fn a_new_database_is_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let path = dir.path().join(DATABASE);
    Store::create(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    assert!(Store::create(&path).is_err());
}

#[tokio::test]
async fn what_a_command_writes_beside_the_server_is_heard_with_the_next_commit() {
    let store = TestStore::new().await;
    let holder = crate::store::holder(None, "");
    let topics = vec![Topic::Devices];
    let server = &store.app;
    let (mut feed, _) =
        Feed::open(&server.hub, &server.replay, topics, holder, Start::Now).await.unwrap();
    emit(server, 1).await;
    let (command, _threads) = App::open(config(store.dir.path()), Clock::System).unwrap();
    emit(&command, 2).await;
    emit(server, 3).await;
    emit(&command, 4).await;
    server.write(Actor::System, "test", |_| Ok(())).await.unwrap();

    let mut heard = Vec::new();
    while heard.len() < 4 {
        let Next::Frames(frames) = feed.next().await.unwrap() else { panic!("the feed ended") };
        for frame in frames {
            let json: serde_json::Value = serde_json::from_slice(&frame.json()).unwrap();
            heard.push(json["data"]["device_id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(heard, ["1", "2", "3", "4"]);
}

fn config(data: &Path) -> Config {
    Config::of(data).unwrap()
}

/// To delete a row SQLite looks for those that name it: by an index, or through the whole table.
#[tokio::test]
async fn whatever_names_a_row_that_may_be_deleted_is_found_by_an_index() {
    let store = TestStore::new().await;
    let deleted = deleted_tables();
    assert!(deleted.contains("scan") && deleted.contains("badge"), "{deleted:?}");
    let scanned: Vec<String> = store
        .read(move |conn| {
            let mut keys = conn.prepare(
                "select child.name, key.\"table\", key.id, group_concat(key.\"from\")
                 from sqlite_schema as child
                 join pragma_foreign_key_list(child.name) as key
                 where child.type = 'table'
                 group by child.name, key.id",
            )?;
            let keys = keys.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(3)?)))?;
            let mut scanned = Vec::new();
            for (child, parent, columns) in
                keys.collect::<rusqlite::Result<Vec<(String, String, String)>>>()?
            {
                let equal = columns.split(',').map(|column| format!("{column} = 1"));
                let equal = equal.collect::<Vec<_>>().join(" and ");
                let sql = format!("explain query plan select 1 from \"{child}\" where {equal}");
                let plan: String = conn.query_row(&sql, [], |row| row.get(3))?;
                if deleted.contains(&parent) && plan.starts_with("SCAN") {
                    scanned.push(format!("{child} ({columns})"));
                }
            }
            Ok(scanned)
        })
        .await;
    assert_eq!(scanned, Vec::<String>::new());
}

/// The tables from which a noun deletes.
fn deleted_tables() -> BTreeSet<String> {
    let mut tables = BTreeSet::new();
    let mut folders = vec![PathBuf::from("src/domain")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(path).unwrap();
            let after = text.split("delete from ").skip(1);
            let word = |rest: &str| {
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
            };
            tables.extend(after.map(word));
        }
    }
    tables
}
