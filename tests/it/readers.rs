//! Badge readers over HTTP: scans, taps, and what a kiosk needs a PIN for.

use std::time::Duration;

use daybook::base::id::{ActivityId, PersonId, RoomId};
use daybook::base::{Actor, Timestamp};
use daybook::client::{Answer, Client};
use daybook::domain::people::Role;
use daybook::domain::rooms::{self, NewRun, RoomKind, model};
use daybook::live::Tx;
use hyper::Method;
use serde_json::{Value, json};

use crate::devices::{TestReader, heard, reader};
use crate::server::TestServer;
use crate::store::{PASSWORD, START};

const MIA: &str = "DEB0A1A1";
const HOUR: Duration = Duration::from_secs(3600);

/// A server with a room, in which a run is open.
struct Site {
    server: TestServer,
    room: RoomId,
    activity: ActivityId,
    eva: PersonId,
}

impl Site {
    async fn new() -> Site {
        let server = TestServer::start().await;
        let eva = server.account("Eva Engel", Role::Staff).await;
        crate::scene::badge(&server, eva, "DEB0E5E5").await;
        let (room, activity) = server
            .write(Actor::System, |tx| {
                let (name, kind) = ("Library".to_owned(), RoomKind::Room);
                let room =
                    rooms::commands::new_room(tx, &model::NewRoom { name, kind, capacity: 500 })?;
                let name = "Reading".to_owned();
                let new = model::NewActivity { name, default_room: None };
                Ok((room, rooms::commands::new_activity(tx, &new)?))
            })
            .await
            .unwrap();
        Site { server, room, activity, eva }
    }

    async fn run(&self) {
        let new = NewRun { activity: self.activity, room: self.room, staff: vec![self.eva] };
        let start = move |tx: &mut Tx<'_>| rooms::commands::start_run(tx, &new);
        self.server.write(Actor::System, start).await.unwrap();
    }

    async fn room_reader(&self) -> TestReader {
        let new = json!({ "name": "Library", "mode": "room", "room_id": self.room });
        reader(&self.server, new).await
    }

    async fn door(&self) -> TestReader {
        reader(&self.server, json!({ "name": "Door", "mode": "door_in" })).await
    }

    async fn kept(&self) -> i64 {
        self.server.number("select count(*) from scan").await
    }
}

fn scan(id: &str, tag: &str) -> Value {
    json!({ "scan_id": id, "tag": tag, "age_ms": 0, "seq": 1, "intent": "auto" })
}

async fn send(client: &Client, scans: Vec<Value>) -> Answer {
    let body = json!({ "boot_id": "b1", "scans": scans });
    client.post("/api/v1/device/scans", &body).await.unwrap()
}

async fn results(client: &Client, scans: Vec<Value>) -> Vec<Value> {
    let answer = send(client, scans).await;
    let body = answer.json().unwrap();
    assert_eq!(answer.status, 200, "{body}");
    assert!(body["server_time"].is_string());
    body["results"].as_array().unwrap().clone()
}

fn outcomes(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["outcome"].as_str().unwrap()).collect()
}

fn problem(answer: &Answer) -> (u16, String) {
    let body = answer.json().unwrap();
    (answer.status, body["field"].as_str().or(body["code"].as_str()).unwrap().to_owned())
}

// Fault 82.
#[tokio::test]
async fn a_scan_is_decided_once_however_often_and_in_parallel_it_is_sent() {
    let site = Site::new().await;
    site.run().await;
    site.server.member("Mia Mohn", MIA).await;
    let library = site.room_reader().await;
    // In any writing of the number.
    let first = results(&library.client, vec![scan("S1", "de:b0:a1:a1")]).await;
    assert_eq!(outcomes(&first), ["checked_in"]);
    let occupancy = json!({ "room_id": site.room, "count": 1, "capacity": 500 });
    assert_eq!(first[0]["occupancy"], occupancy);
    assert_eq!(first[0]["display"]["tone"], "ok");

    // The answer was lost, and the reader sends again, later and all at once.
    site.server.advance(Duration::from_secs(30));
    let again = (0..8).map(|_| {
        let client = crate::devices::with_key(&site.server, &library.key);
        tokio::spawn(async move { results(&client, vec![scan("S1", MIA)]).await })
    });
    for answer in again.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap(), first);
    }
    assert_eq!((site.kept().await, site.server.number("select count(*) from visit").await), (1, 1));

    // Twice in one call is once, too.
    let both = vec![scan("S2", MIA), scan("S2", MIA)];
    let out = results(&library.client, both).await;
    assert_eq!(outcomes(&out), ["checked_out", "checked_out"]);
    assert_eq!(site.kept().await, 2);
}

// Fault 83.
#[tokio::test]
async fn one_bad_item_refuses_the_whole_call_and_is_named() {
    let site = Site::new().await;
    let door = site.door().await;
    let with = |field: &str, value: Value| {
        let mut scan = scan("S9", MIA);
        scan[field] = value;
        scan
    };
    for (bad, status, field) in [
        (with("tag", json!("")), 422, "scans[2].tag"),
        (with("tag", json!("x".repeat(41))), 422, "scans[2].tag"),
        (with("tag", json!(7)), 400, "scans[2].tag"),
        (with("scan_id", json!("")), 422, "scans[2].scan_id"),
        (with("scan_id", json!("x".repeat(65))), 422, "scans[2].scan_id"),
        (with("scan_id", json!("a b")), 422, "scans[2].scan_id"),
        (with("age_ms", json!(-1)), 422, "scans[2].age_ms"),
        (with("age_ms", json!(3.5)), 400, "scans[2].age_ms"),
        (with("age_ms", Value::Null), 422, "scans[2].age_ms"),
        (with("scanned_at", json!("2026-11-20T10:00:00")), 400, "scans[2].scanned_at"),
        (with("intent", json!("sideways")), 400, "scans[2].intent"),
        (with("role", json!("admin")), 400, "scans[2].role"),
    ] {
        let scans = vec![scan("S1", MIA), scan("S2", "DEB0B2B2"), bad.clone()];
        let answer = send(&door.client, scans).await;
        assert_eq!(problem(&answer), (status, field.to_owned()), "{bad}");
    }
    for count in [0, 101] {
        let scans = (0..count).map(|n| scan(&format!("S{n}"), MIA)).collect();
        assert_eq!(problem(&send(&door.client, scans).await), (422, "scans".to_owned()));
    }
    let long = vec![with("tag", json!("x".repeat(2_000_000)))];
    assert_eq!(send(&door.client, long).await.status, 413);
    assert_eq!(site.kept().await, 0);
}

// Faults 84 and 85.
#[tokio::test]
async fn a_wrong_clock_is_learned_and_what_cannot_be_true_is_put_before_a_person() {
    let site = Site::new().await;
    site.server.member("Mia Mohn", MIA).await;
    site.server.member("Ben Blau", "DEB0B2B2").await;
    let door = site.door().await;
    let (_, lead) = site.server.signed_in("Lea Lang", Role::Admin).await;
    let mut stream = lead.stream("/api/v1/events?topics=devices", &[]).await.unwrap();
    let said = |id: &str, tag: &str, at: &str| json!({ "scan_id": id, "tag": tag, "scanned_at": at, "seq": 1, "intent": "auto" });
    let heartbeat = json!({
        "boot_id": "b1", "firmware": "1.0.0", "uptime_s": 1, "queue_depth": 0,
        "device_time": START.plus(HOUR)
    });
    let beat = door.client.post("/api/v1/device/heartbeat", &heartbeat).await.unwrap();
    assert_eq!(beat.status, 200);
    let ahead = START.plus(HOUR).to_string();
    let decided = results(&door.client, vec![said("S1", MIA, &ahead)]).await;
    assert_eq!(outcomes(&decided), ["checked_in"]);
    let at = site.server.number("select scanned_at from scan where scan_id = 'S1'").await;
    assert_eq!(at, START.0);

    for (id, at, why) in
        [("S2", "2099-01-01T00:00:00Z", "future"), ("S3", "1970-01-01T00:00:00Z", "too_old")]
    {
        let decided = results(&door.client, vec![said(id, "DEB0B2B2", at)]).await;
        assert_eq!(outcomes(&decided), ["needs_review"]);
        let told = heard(&mut stream, "scan.needs_review").await;
        assert_eq!((&told["scan_id"], &told["why"]), (&json!(id), &json!(why)));
    }
    let decided = results(&door.client, vec![scan("S4", "DEB0FFFF")]).await;
    assert_eq!(outcomes(&decided), ["unknown_tag"]);
    let told = heard(&mut stream, "scan.unknown").await;
    assert_eq!(told, json!({ "device_id": door.id, "tag_suffix": "FFFF" }));
    let present = "select count(*) from attendance where status = 'present'";
    assert_eq!(site.server.number(present).await, 1);
}

// Fault 84.
#[tokio::test]
async fn a_reader_that_was_cut_off_uploads_two_thousand_scans_at_once() {
    let site = Site::new().await;
    site.run().await;
    site.server.advance(HOUR);
    for n in 0..50 {
        site.server.member(&format!("Kid Nr{n}"), &format!("DEB0{n:04X}")).await;
    }
    let library = site.room_reader().await;
    for call in 0..20 {
        let scans = (0..100).map(|n| {
            let (tap, badge) = (call * 100 + n, n % 50);
            let mut scan = scan(&format!("S{tap}"), &format!("DEB0{badge:04X}"));
            scan["age_ms"] = json!((2000 - tap) * 1000);
            scan["seq"] = json!(tap);
            scan
        });
        let decided = results(&library.client, scans.collect()).await;
        assert_eq!(decided.len(), 100);
    }
    assert_eq!(site.kept().await, 2000);
    assert_eq!(site.server.number("select count(*) from visit where ended_at is null").await, 0);
    assert_eq!(site.server.number("select count(*) from visit").await, 1000);
}

// Fault 88.
#[tokio::test]
async fn a_reader_that_floods_is_told_to_wait_and_nobody_else_is() {
    let site = Site::new().await;
    let (flooding, calm) = (site.door().await, site.door().await);
    let flood = || (0..100).map(|n| scan(&format!("S{n}"), MIA)).collect::<Vec<_>>();
    let mut last = send(&flooding.client, flood()).await;
    for _ in 0..40 {
        last = send(&flooding.client, flood()).await;
        if last.status != 200 {
            break;
        }
    }
    assert_eq!(problem(&last), (429, "device.too_many".to_owned()));
    let wait: u32 = last.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(results(&calm.client, vec![scan("S1", MIA)]).await.len(), 1);
    // Its heartbeat is not a scan: it stays online.
    let heartbeat = json!({ "boot_id": "b1", "firmware": "1", "uptime_s": 1, "queue_depth": 100 });
    let beat = flooding.client.post("/api/v1/device/heartbeat", &heartbeat).await.unwrap();
    assert_eq!(beat.status, 200);
}

#[tokio::test]
async fn a_simple_reader_posts_a_number_in_the_way_it_can() {
    let site = Site::new().await;
    site.server.member("Mia Mohn", MIA).await;
    let door = site.door().await;
    let form = [("content-type", "application/x-www-form-urlencoded"), ("accept", "text/plain")];
    let path = "/api/v1/device/tap";
    let body = "uid=DE-B0-A1-A1&reader=3".into();
    let plain = door.client.send(Method::POST, path, &form, body).await.unwrap();
    let text = String::from_utf8(plain.body.to_vec()).unwrap();
    assert_eq!((plain.status, text.as_str()), (200, "Hallo Mia!\nSchön, dass du da bist.\n"));
    assert_eq!(plain.headers["content-type"], "text/plain; charset=utf-8");

    // Held a little too long: the same tap.
    site.server.advance(Duration::from_millis(1000));
    let twice = door.client.post(path, &json!({ "tag_id": MIA })).await.unwrap().json().unwrap();
    assert_eq!(outcomes(twice["results"].as_array().unwrap()), ["duplicate"]);
    site.server.advance(Duration::from_secs(5));
    let query = format!("{path}?tag={MIA}");
    let third = door.client.send(Method::POST, &query, &[], Default::default()).await.unwrap();
    let third = third.json().unwrap();
    assert_eq!(outcomes(third["results"].as_array().unwrap()), ["already_in"]);

    let none = door.client.send(Method::POST, path, &[], Default::default()).await.unwrap();
    assert_eq!(problem(&none), (422, "tag".to_owned()));
    let kind = [("content-type", "text/csv")];
    let other = door.client.send(Method::POST, path, &kind, MIA.into()).await.unwrap();
    assert_eq!(other.status, 415);
    // One badge by two names is one badge, two badges are none.
    let said = async |query: &str, body: Value| {
        let path = format!("{path}{query}");
        door.client.post(&path, &body).await.unwrap()
    };
    let same = said("?tag_id=deb0a1a1", json!({ "tag": MIA, "uid": "DE:B0:A1:A1" })).await;
    assert_eq!(same.status, 200);
    let scans = "select count(*) from scan";
    let before = site.server.number(scans).await;
    for (query, body, field) in [
        ("", json!({ "tag": MIA, "uid": "DEB0FFFF" }), "uid"),
        ("", json!({ "tag": MIA, "tag_id": "DEB0FFFF" }), "tag_id"),
        ("?tag=DEB0FFFF", json!({ "uid": MIA }), "tag"),
        ("", json!({ "tag": MIA, "uid": "?" }), "uid"),
    ] {
        assert_eq!(problem(&said(query, body).await), (422, field.to_owned()), "{query} {field}");
    }
    assert_eq!(site.server.number(scans).await, before);
    // Nothing that changes anything answers to GET.
    assert_eq!(door.client.get(&query).await.unwrap().status, 405);
}

#[tokio::test]
async fn the_order_of_a_readers_bytes_is_learned_from_the_first_known_badge() {
    let site = Site::new().await;
    site.server.member("Mia Mohn", "04A1B2C3").await;
    site.server.member("Ben Blau", "C3B2A105").await;
    let door = site.door().await;
    // Sent backwards: C3 B2 A1 04.
    let scans = vec![scan("S1", "FFFFFF04"), scan("S2", "C3B2A104"), scan("S3", "05A1B2C3")];
    let decided = results(&door.client, scans).await;
    assert_eq!(outcomes(&decided), ["unknown_tag", "checked_in", "checked_in"]);
    // It stays so: the reverse of somebody's number is nobody's.
    let decided = results(&door.client, vec![scan("S4", "04A1B2C3")]).await;
    assert_eq!(outcomes(&decided), ["unknown_tag"]);
    let learned = "select count(*) from device where tag_order = 'reversed'";
    assert_eq!(site.server.number(learned).await, 1);
}

#[tokio::test]
async fn a_clock_that_is_a_year_off_is_corrected_by_the_heartbeat() {
    let site = Site::new().await;
    site.server.member("Mia Mohn", MIA).await;
    let door = site.door().await;
    let (year, age) = (HOUR * 24 * 365, Duration::from_secs(5));
    let told = |id: &str, at: Timestamp| json!({ "scan_id": id, "tag": MIA, "scanned_at": at, "intent": "in" });
    for (id, clock) in [("S1", START.minus(year)), ("S2", START.plus(year))] {
        // Until the reader says what its clock shows, its times are not to be believed.
        let scan = told(&format!("{id}a"), clock.minus(age));
        assert_eq!(outcomes(&results(&door.client, vec![scan]).await), ["needs_review"]);
        let beat = json!({ "boot_id": "b1", "firmware": "1.0.0", "uptime_s": 60,
            "queue_depth": 0, "device_time": clock });
        let beat = door.client.post("/api/v1/device/heartbeat", &beat).await.unwrap();
        assert_eq!(beat.status, 200);
        let decided = results(&door.client, vec![told(&format!("{id}b"), clock.minus(age))]).await;
        assert_ne!(outcomes(&decided), ["needs_review"], "{decided:?}");
        let arrived = site.server.number("select arrived_at from attendance").await;
        assert_eq!(Timestamp(arrived), START.minus(age));
    }
}

#[tokio::test]
async fn at_a_kiosk_a_badge_and_a_pin_start_and_end_a_run() {
    let site = Site::new().await;
    let eva = site.server.sign_in("eva").await;
    let put = async |body: Value| eva.json(Method::PUT, "/api/v1/me/pin", &body).await.unwrap();
    let easy = put(json!({ "pin": "1234", "password": PASSWORD })).await;
    assert_eq!(problem(&easy), (422, "pin".to_owned()));
    let guessed = put(json!({ "pin": "2580", "password": "not hers at all" })).await;
    assert_eq!(problem(&guessed), (403, "password.wrong".to_owned()));
    assert_eq!(put(json!({ "pin": "2580", "password": PASSWORD })).await.status, 204);

    let new = json!({ "name": "Library", "mode": "kiosk", "room_id": site.room });
    let kiosk = reader(&site.server, new).await;
    let path = "/api/v1/device/privileged";
    let act = async |tag: &str, pin: &str, action: &str| {
        let body = json!({
            "tag": tag, "pin": pin, "action": action, "activity_id": site.activity
        });
        kiosk.client.post(path, &body).await.unwrap()
    };
    let started = act("DEB0E5E5", "2580", "start_run").await.json().unwrap();
    assert_eq!(
        (&started["activity_name"], &started["room_name"]),
        (&json!("Reading"), &json!("Library"))
    );
    let taken = act("DEB0E5E5", "2580", "start_run").await;
    assert_eq!(taken.status, 409);
    let ended = act("DEB0E5E5", "2580", "end_run").await.json().unwrap();
    assert_eq!((&ended["run_id"], &ended["ended_visits"]), (&started["run_id"], &json!(0)));

    // No badge, a member's badge and a wrong PIN are one answer.
    site.server.member("Mia Mohn", MIA).await;
    for (tag, pin) in [("DEB0FFFF", "2580"), (MIA, "2580"), ("DEB0E5E5", "2581")] {
        let refused = act(tag, pin, "start_run").await;
        assert_eq!(problem(&refused), (403, "pin.wrong".to_owned()), "{tag}");
    }
    for _ in 0..4 {
        act("DEB0E5E5", "0852", "start_run").await;
    }
    let locked = act("DEB0E5E5", "2580", "start_run").await;
    assert_eq!(problem(&locked), (429, "pin.locked".to_owned()));
    assert_eq!(locked.headers["retry-after"], "901");
    site.server.advance(Duration::from_secs(15 * 60));
    assert_eq!(act("DEB0E5E5", "2580", "start_run").await.status, 200);
    let lines = "select count(*) from audit where act in ('pin.set', 'pin.wrong', 'pin.locked')";
    assert_eq!(site.server.number(lines).await, 6);
    let acted = "select count(*) from audit where act = 'kiosk.acted' and by = 'person:1'";
    assert_eq!(site.server.number(acted).await, 3);
}

#[tokio::test]
async fn of_two_calls_at_once_with_a_new_key_the_second_rolls_nothing() {
    let site = Site::new().await;
    let door = site.door().await.id;
    // The first has settled it.
    let settle = move |tx: &mut Tx<'_>| daybook::domain::devices::commands::settle_key(tx, door);
    site.server.write(Actor::Device(door), settle).await.unwrap();
    let lines = "select count(*) from audit where act = 'device.key_rolled'";
    assert_eq!(site.server.number(lines).await, 0);
}
