//! When nothing can be written for a while: a disk that takes nothing more, a database that another
//! process holds.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use daybook::base::{Actor, Error};
use daybook::client::Client;
use daybook::domain::people::Role;
use rusqlite::Connection;
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::program::Server;
use crate::store::{PASSWORD, TestStore};

const PATIENCE: Duration = Duration::from_secs(20);

/// Faults 102 and 103.
#[tokio::test]
async fn a_disk_that_takes_nothing_stops_writes_alone_and_is_said_to_be_the_cause() {
    let store = TestStore::new().await;
    store.account("Ada Amt", Role::Admin).await;
    let data = store.close();
    let mut server = serve_without_dying_of_it(data.path());
    let nobody = Client::new(server.address);
    let credentials = json!({ "username": "ada", "password": PASSWORD });
    let cookie = nobody.post("/api/v1/login", &credentials).await.unwrap().cookies();
    let admin = Client::new(server.address).with("cookie", cookie);
    let mia = json!({ "given_name": "Mia", "family_name": "Berg", "role": "member" });
    let enrol = async || admin.post("/api/v1/people", &mia).await.unwrap();

    let_grow(&server, Some(1));
    let refused = enrol().await;
    let code = refused.json().unwrap()["code"].clone();
    assert_eq!((refused.status, code), (503, json!("storage.failed")));
    until_ready_is(&nobody, 503).await;
    assert_eq!(nobody.get("/healthz").await.unwrap().status, 200);
    let people = admin.get("/api/v1/people").await.unwrap();
    assert_eq!(people.json().unwrap()["items"].as_array().unwrap().len(), 1);

    let_grow(&server, None);
    until_ready_is(&nobody, 200).await;
    assert_eq!(enrol().await.status, 201);
    server.signal(Signal::TERM);
    assert_eq!(server.process.wait().unwrap().code(), Some(0));
    let mut log = String::new();
    server.process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("commit failed") && log.contains("disk I/O error"), "{log}");
}

/// Fault 105.
#[tokio::test]
async fn a_database_that_another_process_holds_is_busy_for_all_who_wait() {
    let store = TestStore::new().await;
    // So long does the house wait for the other one, instead of 5 s.
    let wait = "pragma busy_timeout = 300";
    store.write(Actor::System, move |tx| Ok(tx.execute_batch(wait)?)).await.unwrap();
    let other = Connection::open(store.app.store.path()).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let mut writes = JoinSet::new();
    for _ in 0..20 {
        let app = store.app.clone();
        writes.spawn(async move { app.write(Actor::System, "test", |_| Ok(())).await });
    }
    while let Some(answer) = writes.join_next().await {
        let answer = answer.unwrap();
        assert!(matches!(answer, Err(Error::Busy)), "{answer:?}");
    }
    let waited = store.app.hub.metrics().commits_failed.load(Ordering::Relaxed);
    assert!(waited <= 2, "the house waited {waited} times");
    other.execute_batch("rollback").unwrap();
    store.write(Actor::System, |_| Ok(())).await.unwrap();
}

/// Starts a server to which a write beyond the limit is an error, as on a full disk, and not its end.
fn serve_without_dying_of_it(data: &std::path::Path) -> Server {
    let mut command = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_daybook");
    let serve =
        format!("trap '' XFSZ; exec {program} serve --json --listen 127.0.0.1:0 --data \"$1\"");
    command.args(["-c", &serve, "sh"]).arg(data);
    Server::logging(command, Stdio::piped())
}

/// Lets the server's files grow to so many bytes, or as they like.
fn let_grow(server: &Server, bytes: Option<u64>) {
    let limit = Rlimit { current: bytes, maximum: None };
    prlimit(Some(Pid::from_child(&server.process)), Resource::Fsize, limit).unwrap();
}

async fn until_ready_is(caller: &Client, status: u16) {
    let reached = timeout(PATIENCE, async {
        while caller.get("/readyz").await.unwrap().status != status {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    reached.await.unwrap_or_else(|_| panic!("/readyz never says {status}"));
}
