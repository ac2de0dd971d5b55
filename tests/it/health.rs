//! How the server is: the same figures as Prometheus text, as JSON and in words, and in all of them
//! a client that does not read.

use std::fs::File;
use std::net::SocketAddr;
use std::process::Stdio;

use daybook::base::id::DeviceId;
use daybook::base::{Actor, Error};
use daybook::client::Client;
use daybook::domain::people::Role;
use daybook::event::{Event, Label};
use daybook::live::Tx;
use daybook::live::metrics::Ending;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use crate::callers::{ADMIN, CALLER, House, events, until};
use crate::program::{Server, daybook};
use crate::store::{PASSWORD, TestStore};

/// More than the kernel and the ring keep for one reader.
const EVENTS: i64 = 3000;
const WRITES: i64 = 30;

/// Asks for something and never reads a word of the answer.
async fn ask_and_sleep(address: SocketAddr, head: String) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let mut socket = socket.connect(address).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    socket
}

async fn ask_to_hear(house: &House, path: &str, more: &str) -> TcpStream {
    let before = house.app.hub.streams();
    let head = format!(
        "GET {path}?topics=devices HTTP/1.1\r\nhost: localhost\r\n{CALLER}: {ADMIN}\r\n{more}\r\n"
    );
    let socket = ask_and_sleep(house.address, head).await;
    until(|| house.app.hub.streams() == before + 1).await;
    socket
}

/// Something that is long for its kind.
fn emit_long(tx: &mut Tx<'_>, number: i64) -> daybook::base::Result<()> {
    let tag_suffix = Label("x".repeat(2000));
    tx.emit(Event::ScanUnknown { device_id: DeviceId(number), tag_suffix })
}

/// Lets so much happen in few commits.
async fn fill(house: &House) {
    for number in 0..WRITES {
        let numbers = number * EVENTS / WRITES..(number + 1) * EVENTS / WRITES;
        let write = move |tx: &mut Tx<'_>| numbers.into_iter().try_for_each(|n| emit_long(tx, n));
        house.write(Actor::System, write).await.unwrap();
    }
}

async fn report(house: &House) -> Value {
    let answer = house.caller(ADMIN).get("/api/v1/health").await.unwrap();
    assert_eq!(answer.status, 200);
    answer.json().unwrap()
}

async fn figure(house: &House, name: &str) -> f64 {
    let answer = house.caller(ADMIN).get("/metrics").await.unwrap();
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("daybook_{name} ")));
    line.unwrap_or_else(|| panic!("no {name}: {text}")).parse().unwrap()
}

fn codes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_is_named_in_figures_and_in_words() {
    let house = House::new().await;
    let at_rest = report(&house).await;
    assert_eq!(at_rest["status"], "ok");
    assert_eq!(codes(&at_rest), ["connections.open", "streams.open", "writer.open"]);

    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\norigin: http://localhost\r\n";
    let asleep = [
        ask_to_hear(&house, "/api/v1/events", "").await,
        ask_to_hear(&house, "/api/sse/events", "").await,
        ask_to_hear(&house, "/api/v1/ws", upgrade).await,
    ];
    let (mut awake, _) = house.stream("?topics=devices", &[]).await;
    let awake = tokio::spawn(async move {
        events(&mut awake, EVENTS as usize).await;
        awake
    });
    fill(&house).await;
    let awake = awake.await.unwrap();

    let told = report(&house).await;
    assert_eq!(told["status"], "warn");
    let slowest = told["streams"]["slowest"].as_array().unwrap();
    let kinds: Vec<_> = slowest.iter().map(|slow| slow["kind"].as_str().unwrap()).collect();
    // What is not heard by its name in the classic words waits for nobody.
    assert_eq!(kinds.len(), 2, "{told}");
    assert!(kinds.contains(&"sse") && kinds.contains(&"websocket"), "{told}");
    for slow in slowest {
        assert_eq!((&slow["person_id"], &slow["session_id"]), (&json!("1"), &json!("s1")));
        assert_eq!(slow["since"], "2026-11-20T09:00:00.000Z");
        assert!(slow["lag_events"].as_u64().unwrap() > 2000, "{slow}");
        assert!(slow["waiting_bytes"].as_u64().unwrap() > 2_000_000, "{slow}");
    }
    let texts = told["findings"].to_string();
    assert_eq!(texts.matches("person 1 is slow: the ").count(), 2, "{texts}");
    let lag = told["streams"]["lag_events"].as_f64().unwrap();
    assert_eq!(figure(&house, "stream_lag_events").await, lag);
    assert!(figure(&house, "stream_waiting_bytes").await > 2e6);
    for (kind, open) in [("sse", 2.0), ("classic_sse", 1.0), ("websocket", 1.0)] {
        assert_eq!(figure(&house, &format!("streams_by_kind{{kind=\"{kind}\"}}")).await, open);
    }

    drop(asleep);
    until(|| house.app.hub.streams() == 1).await;
    assert_eq!(report(&house).await["streams"]["slowest"], json!([]));
    drop(awake);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_figure_is_fed_by_what_it_counts() {
    let house = House::with(|config| {
        config.streams_per_person = 2;
        config.stream_stall_s = 1;
    })
    .await;
    let start = house.app.hub.head();
    let asleep = ask_to_hear(&house, "/api/v1/events", "").await;
    fill(&house).await;
    until(|| house.app.hub.metrics().endings(Ending::Stalled) == 1).await;
    drop(asleep);
    let headers = [("last-event-id", &*start.to_string())];
    let (mut from_log, _) = house.stream("?topics=devices", &headers).await;
    assert_eq!(events(&mut from_log, EVENTS as usize).await.len(), EVENTS as usize);
    let (mut lost, _) = house.stream("?topics=devices", &[("last-event-id", "x")]).await;
    assert_eq!(house.caller(ADMIN).get("/api/v1/events").await.unwrap().status, 503);
    house
        .write(Actor::System, |tx| {
            tx.cut_session("s1", "signed_out");
            Ok(())
        })
        .await
        .unwrap();
    while crate::callers::next(&mut lost).await.is_some() {}

    assert_eq!(figure(&house, "stream_cuts_total{reason=\"stalled\"}").await, 1.0);
    until(|| house.app.hub.metrics().endings(Ending::Rights) == 2).await;
    assert_eq!(figure(&house, "stream_cuts_total{reason=\"rights\"}").await, 2.0);
    assert_eq!(figure(&house, "streams_refused_total").await, 1.0);
    assert_eq!(figure(&house, "resyncs_total").await, 1.0);
    assert!(figure(&house, "deliveries_total").await >= EVENTS as f64);
    assert!(figure(&house, "replayed_total").await > 100.0);
    assert!(figure(&house, "replay_rows_total").await > 100.0);
    let writes = figure(&house, "writes_total").await;
    assert!(writes >= WRITES as f64);
    for name in ["commit_writes", "commit_seconds"] {
        let commits = figure(&house, &format!("{name}_count")).await;
        assert!(commits > 0.0 && commits <= writes, "{name}: {commits} of {writes}");
        assert_eq!(figure(&house, &format!("{name}_bucket{{le=\"+Inf\"}}")).await, commits);
    }
    assert_eq!(figure(&house, "commit_writes_sum").await, writes);
    assert!(figure(&house, "commit_seconds_sum").await > 0.0);
    assert_eq!(figure(&house, "write_queue").await, 0.0);
    let report = report(&house).await;
    let told = report["findings"].to_string();
    let of_streams = |name: &str| report["streams"][name].as_u64().unwrap();
    for says in [
        format!("{} frames were delivered", of_streams("deliveries")),
        format!("{} rows of the log were read", of_streams("replay_rows")),
    ] {
        assert!(told.contains(&says), "{says}: {told}");
    }
    assert!(told.contains("the server ended 1 stalled, 2 rights, and 1 were refused"), "{told}");
}

#[tokio::test]
async fn a_write_that_fails_by_itself_is_none_that_was_committed() {
    let house = House::new().await;
    let before = figure(&house, "writes_total").await;
    for planned in [true, true, false, true] {
        let write = move |_: &mut Tx<'_>| match planned {
            true => Err(Error::conflict("test.planned", "planned")),
            false => Ok(()),
        };
        assert_eq!(house.write(Actor::System, write).await.is_err(), planned);
    }
    assert_eq!(figure(&house, "writes_total").await - before, 1.0);
    assert_eq!(report(&house).await["writer"]["writes"].as_f64().unwrap() - before, 1.0);
}

/// Signs Ada in and opens a stream of hers that she never reads.
async fn sign_in_and_sleep(address: SocketAddr, after: &str) -> TcpStream {
    let credentials = json!({ "username": "ada", "password": PASSWORD });
    let signed_in = Client::new(address).post("/api/v1/login", &credentials).await.unwrap();
    let head = format!(
        "GET /api/v1/events?topics=devices&after={after} HTTP/1.1\r\nhost: {address}\r\n\
         cookie: {}\r\n\r\n",
        signed_in.cookies()
    );
    ask_and_sleep(address, head).await
}

#[tokio::test]
async fn check_asks_the_running_server_and_says_which_client_is_slow() {
    let store = TestStore::of_today().await;
    let person = store.account("Ada Amt", Role::Admin).await;
    let after = store.app.hub.head();
    let write = |tx: &mut Tx<'_>| (0..EVENTS).try_for_each(|number| emit_long(tx, number));
    store.write(Actor::System, write).await.unwrap();
    let data = store.close();
    let server = Server::of(daybook(data.path(), &["serve", "--json", "--listen", "127.0.0.1:0"]));
    let check = || {
        let checked = daybook(data.path(), &["check", "--json"]).output().unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
        serde_json::from_slice::<Vec<Value>>(&checked.stdout).unwrap()
    };
    let about = |found: &[Value], what: &str, state: &str| {
        let about = found.iter().filter(|one| one["what"] == what && one["state"] == state);
        about.map(|one| one["says"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let well = check();
    assert_eq!(about(&well, "streams", "warn"), [""; 0]);
    assert!(about(&well, "streams", "ok")[0].starts_with("0 of 10000 streams are open;"));
    // The server writes a little by itself.
    assert!(about(&well, "writer", "ok")[0].contains(" of 1024 writes wait;"), "{well:?}");

    let asleep = sign_in_and_sleep(server.address, &after.to_string()).await;
    let slow = loop {
        let slow = about(&check(), "streams", "warn");
        if !slow.is_empty() {
            break slow;
        }
    };
    assert!(slow[0].starts_with(&format!("person {person} is slow: the sse stream")), "{slow:?}");
    drop((asleep, server));
    let gone = check();
    assert_eq!(about(&gone, "server", "warn"), ["is not running"]);

    // Once it is cut, the log says who it was, by ids alone.
    let told = data.path().join("told.log");
    let serve = ["serve", "--json", "--listen", "127.0.0.1:0", "--set", "stream_stall_s=1"];
    let log = Stdio::from(File::create(&told).unwrap());
    let server = Server::logging(daybook(data.path(), &serve), log);
    let _asleep = sign_in_and_sleep(server.address, &after.to_string()).await;
    let cut = || {
        let told = std::fs::read_to_string(&told).unwrap();
        told.lines().find(|line| line.contains("takes too little")).map(str::to_owned)
    };
    until(|| cut().is_some()).await;
    let cut = cut().unwrap();
    for says in [&format!("person.id={person} "), "kind=\"sse\"", "lag_events=", "session.id="] {
        assert!(cut.contains(says), "{says}: {cut}");
    }
    // A session's id is of hex digits, as her name is.
    let mut words = cut.split(' ').filter(|word| !word.starts_with("session.id="));
    assert!(words.all(|word| !word.to_lowercase().contains("ada")), "{cut}");
}

#[tokio::test]
async fn the_key_of_the_data_directory_opens_health_and_nothing_else() {
    let house = House::new().await;
    let with =
        |key: &str| Client::new(house.address).with("authorization", format!("Bearer {key}"));
    let owner = with(house.app.operator.reveal());
    // Not from this machine itself, as far as the server knows.
    let owner = owner.with("x-forwarded-for", "203.0.113.9");
    for (path, status) in [
        ("/api/v1/health", 200),
        ("/metrics", 200),
        ("/api/v1/me", 403),
        ("/api/v1/people", 403),
        ("/api/v1/board", 403),
        ("/api/v1/events", 403),
    ] {
        assert_eq!(owner.get(path).await.unwrap().status, status, "{path}");
    }
    assert_eq!(with("0123456789abcdef").get("/api/v1/health").await.unwrap().status, 401);
}
