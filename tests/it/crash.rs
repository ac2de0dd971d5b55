//! The real program, killed and stopped in the middle of its work: what it had acknowledged is
//! there, once, and streams go on where they were.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use daybook::base::Actor;
use daybook::client::Client;
use daybook::domain::people::Role;
use daybook::store::directory::DATABASE;
use rusqlite::Connection;
use rustix::process::Signal;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::program::{Server, daybook};
use crate::store::{PASSWORD, TestStore};

const ROUNDS: u64 = 20;
const POSTERS: usize = 8;
const READERS: usize = 3;
/// More rooms than are used; each write starts the one run of its room.
const ROOMS: i64 = 20_000;
const STAFF: i64 = 50;
const PATIENCE: Duration = Duration::from_secs(30);

/// A data directory with an admin, staff and many rooms.
async fn furnished() -> tempfile::TempDir {
    let store = TestStore::new().await;
    store.account("Ada Amt", Role::Admin).await;
    let furnish = format!(
        "insert into activity (activity_id, name) values (1, 'Chess');
         with recursive n(i) as (select 1 union all select i + 1 from n where i < {ROOMS})
         insert into room (room_id, name, capacity) select i, 'Room ' || i, 9 from n;
         with recursive n(i) as (select 101 union all select i + 1 from n where i < 100 + {STAFF})
         insert into person (person_id, given_name, family_name, display_name, search_key, role,
                             created_at)
         select i, 'S', i, 'S ' || i, 's', 'staff', 0 from n;"
    );
    store.write(Actor::System, move |tx| Ok(tx.execute_batch(&furnish)?)).await.unwrap();
    store.close()
}

fn start(data: &Path, listen: &str) -> Server {
    Server::of(daybook(data, &["serve", "--json", "--listen", listen]))
}

/// Signs the admin in and returns the cookie, and the position that all readers start from.
async fn sign_in(address: SocketAddr) -> (String, String) {
    let credentials = json!({ "username": "ada", "password": PASSWORD });
    let answer = Client::new(address).post("/api/v1/login", &credentials).await.unwrap();
    assert_eq!(answer.status, 200);
    let cookie = answer.cookies();
    let caller = Client::new(address).with("cookie", cookie.clone());
    let snapshot = caller.get("/api/v1/online").await.unwrap().json().unwrap();
    (cookie, snapshot["cursor"].as_str().unwrap().to_owned())
}

/// Callers that start one run after the other for as long as there is a server.
struct Posters {
    /// The runs that were acknowledged, by their rooms.
    acknowledged: Arc<Mutex<BTreeMap<i64, String>>>,
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Posters {
    fn start(caller: impl Fn() -> Client, next_room: &Arc<AtomicI64>) -> Posters {
        let (acknowledged, stop) = (Arc::default(), Arc::default());
        let mut posters = Posters { acknowledged, stop, tasks: Vec::new() };
        for _ in 0..POSTERS {
            let (acknowledged, stop) = (posters.acknowledged.clone(), posters.stop.clone());
            let (caller, next_room) = (caller(), next_room.clone());
            posters.tasks.push(tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let room = next_room.fetch_add(1, Ordering::Relaxed);
                    let staff = (101 + room % STAFF).to_string();
                    let body =
                        json!({ "activity_id": "1", "room_id": room.to_string(), "staff_ids": [staff] });
                    let Ok(answer) = caller.post("/api/v1/runs", &body).await else { return };
                    assert!(matches!(answer.status, 201 | 503), "{}", answer.status);
                    if answer.status == 201 {
                        let run = answer.json().unwrap()["id"].as_str().unwrap().to_owned();
                        acknowledged.lock().unwrap().insert(room, run);
                    }
                }
            }));
        }
        posters
    }

    fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    async fn end(self) -> BTreeMap<i64, String> {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        std::mem::take(&mut *self.acknowledged.lock().unwrap())
    }
}

/// A reader that comes back whenever it is cut; it keeps what it heard, and why it was told to go.
struct Reader {
    heard: Arc<Mutex<Vec<(i64, i64)>>>,
    byes: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Reader {
    fn start(caller: Client, after: &str) -> Reader {
        let (heard, byes) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<Vec<_>>>::default());
        let (kept, kept_byes) = (heard.clone(), byes.clone());
        let mut last = after.to_owned();
        let task = tokio::spawn(async move {
            loop {
                let headers = [("last-event-id", last.as_str())];
                let stream = caller.stream("/api/v1/events?topics=staff", &headers).await;
                let Ok(mut stream) = stream else {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                };
                while let Ok(Some(frame)) = stream.next().await {
                    assert_ne!(frame.event.as_deref(), Some("resync"));
                    if frame.event.as_deref() == Some("bye") {
                        let reason = frame.json().unwrap()["data"]["reason"].to_string();
                        kept_byes.lock().unwrap().push(reason);
                    }
                    if frame.event.as_deref() == Some("run.started") {
                        let (_, place) = frame.id.as_deref().unwrap().rsplit_once('-').unwrap();
                        let room = frame.json().unwrap()["data"]["room_id"].clone();
                        let room = room.as_str().unwrap().parse().unwrap();
                        kept.lock().unwrap().push((place.parse().unwrap(), room));
                    }
                    last = frame.id.unwrap_or(last);
                }
            }
        });
        Reader { heard, byes, task }
    }
}

/// What the database holds: the runs by room, and the runs' events in order, as (place, room).
fn stored(data: &Path) -> (BTreeMap<i64, String>, Vec<(i64, i64)>) {
    let conn = Connection::open(data.join(DATABASE)).unwrap();
    let sound: String = conn.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let loose = conn.prepare("pragma foreign_key_check").unwrap().exists([]).unwrap();
    assert!(!loose, "a row refers to nothing");
    let mut rows = conn.prepare("select room_id, run_id from run").unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.to_string())));
    let rows: Vec<(i64, String)> = rows.unwrap().map(Result::unwrap).collect();
    let runs: BTreeMap<_, _> = rows.iter().cloned().collect();
    assert_eq!(runs.len(), rows.len(), "a room has two runs");
    let mut log = conn
        .prepare(
            "select seq, cast(data ->> 'room_id' as integer)
             from event_log
             where type = 'run.started'
             order by seq",
        )
        .unwrap();
    let log = log.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    (runs, log.unwrap().map(Result::unwrap).collect())
}

/// Faults 44, 69, 89 and 110.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_twenty_times_under_load_nothing_acknowledged_is_lost_and_streams_go_on() {
    let data = furnished().await;
    let server = start(data.path(), "127.0.0.1:0");
    let address = server.address;
    let (cookie, cursor) = sign_in(address).await;
    let caller = || Client::new(address).with("cookie", cookie.clone());
    let readers: Vec<_> = (0..READERS).map(|_| Reader::start(caller(), &cursor)).collect();
    let next_room = Arc::new(AtomicI64::new(1));
    let mut acknowledged = BTreeMap::new();
    let mut server = Some(server);
    for round in 0..ROUNDS {
        let mut running = server.take().unwrap_or_else(|| start(data.path(), &address.to_string()));
        let posters = Posters::start(caller, &next_room);
        // Killed at another moment in every round, always in the middle of work.
        until(|| posters.count() > 5).await;
        tokio::time::sleep(Duration::from_millis(round * 7919 % 150)).await;
        running.process.kill().unwrap();
        assert_eq!(running.process.wait().unwrap().signal(), Some(9));
        acknowledged.extend(posters.end().await);
        let (runs, _) = stored(data.path());
        for (room, run) in &acknowledged {
            assert_eq!(runs.get(room), Some(run), "round {round}: room {room}");
        }
    }
    let running = start(data.path(), &address.to_string());
    let (runs, log) = stored(data.path());
    assert!(acknowledged.len() > 20 * 5, "{}", acknowledged.len());
    // One event for each run, acknowledged or not, and none for anything else.
    let announced: BTreeSet<i64> = log.iter().map(|(_, room)| *room).collect();
    assert_eq!((announced.len(), log.len()), (runs.len(), runs.len()));
    assert!(announced.iter().eq(runs.keys()));
    for reader in readers {
        until(|| reader.heard.lock().unwrap().len() >= log.len()).await;
        assert_eq!(*reader.heard.lock().unwrap(), log);
        reader.task.abort();
    }
    drop(running);
}

/// Faults 69 and 111.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_under_load_it_says_goodbye_keeps_what_it_acknowledged_and_exits_in_time() {
    let data = furnished().await;
    let mut server = start(data.path(), "127.0.0.1:0");
    let address = server.address;
    let (cookie, cursor) = sign_in(address).await;
    let caller = || Client::new(address).with("cookie", cookie.clone());
    let readers: Vec<_> = (0..20).map(|_| Reader::start(caller(), &cursor)).collect();
    let next_room = Arc::new(AtomicI64::new(1));
    let posters = Posters::start(caller, &next_room);
    until(|| posters.count() > 100).await;
    until(|| readers.iter().all(|reader| !reader.heard.lock().unwrap().is_empty())).await;
    let begun = Instant::now();
    server.signal(Signal::TERM);
    let code = timeout(PATIENCE, async {
        loop {
            if let Some(status) = server.process.try_wait().unwrap() {
                return status.code();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert_eq!(code.await.expect("it ends"), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let acknowledged = posters.end().await;
    let (runs, log) = stored(data.path());
    for (room, run) in &acknowledged {
        assert_eq!(runs.get(room), Some(run), "room {room}");
    }
    for reader in readers {
        assert_eq!(*reader.byes.lock().unwrap(), ["\"shutdown\""]);
        let heard = reader.heard.lock().unwrap().clone();
        assert_eq!(heard, log[..heard.len()]);
        reader.task.abort();
    }
    // The write-ahead log has gone into the database file.
    assert!(!data.path().join(format!("{DATABASE}-wal")).exists());
}

/// Fault 112.
#[tokio::test]
async fn with_few_descriptors_it_refuses_callers_and_recovers_when_they_go() {
    let data = furnished().await;
    let mut command = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_daybook");
    let serve =
        format!("ulimit -n 56; exec {program} serve --json --listen 127.0.0.1:0 --data \"$1\"");
    command.args(["-c", &serve, "sh"]).arg(data.path());
    let mut server = Server::of(command);
    let ask = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let (mut callers, mut served, mut refused) = (Vec::new(), 0, 0);
    // Who was answered and says nothing more is sent away after a while: on a slow machine there is
    // room again for some of those who come last.
    while refused <= 20 && served < 400 {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(ask).await.unwrap();
        let mut answer = vec![0; 64];
        let read = timeout(PATIENCE, socket.read(&mut answer)).await.expect("an answer");
        match read {
            Ok(read) if answer[..read].starts_with(b"HTTP/1.1 200") => served += 1,
            Ok(read) if answer[..read].starts_with(b"HTTP/1.1 503") => refused += 1,
            // The refusal may be lost with the connection.
            _ => refused += 1,
        }
        callers.push(socket);
    }
    assert!(served > 3 && refused > 20, "{served} served, {refused} refused");
    drop(callers);
    let (cookie, _) = timeout(PATIENCE, async {
        loop {
            let alive = Client::new(server.address).get("/readyz").await;
            if alive.is_ok_and(|answer| answer.status == 200) {
                return sign_in(server.address).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("it recovers");
    assert!(!cookie.is_empty());
    assert!(server.process.try_wait().unwrap().is_none(), "it lives");
}

/// Waits until `level` is so.
async fn until(level: impl Fn() -> bool) {
    let reached = timeout(PATIENCE, async {
        while !level() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    reached.await.expect("reached in time");
}
