//! Who is online: counted from streams and requests, told only to those who may know.

use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use daybook::base::Actor;
use daybook::base::id::PersonId;
use daybook::client::{Client, SseFrame, Stream};
use daybook::domain::people::sessions;
use daybook::event::{Signal, Topic};
use daybook::heartbeat::{self, Heart};
use daybook::live::Feed;
use daybook::live::feed::{Next, Start};
use daybook::live::hub::TURNS;
use daybook::live::watch::DeviceKind;
use hyper::Method;
use serde_json::{Value, json};

use crate::callers::{ADMIN, House, next, until};

const STAFF: &str = "2 staff s2";
const MEMBER: &str = "3 member s3";

async fn open(caller: &Client, topics: &str) -> Stream {
    let path = format!("/api/v1/events?topics={topics}");
    let mut stream = caller.stream(&path, &[]).await.unwrap();
    assert_eq!(stream.status, 200);
    next(&mut stream).await.unwrap();
    stream
}

/// Reads on to the next frame of this type and returns its data.
async fn news(stream: &mut Stream, kind: &str) -> Value {
    loop {
        let frame: SseFrame = next(stream).await.unwrap();
        assert_eq!(frame.id.is_some(), frame.event.is_none(), "a signal has no place");
        if frame.event.as_deref() == Some(kind) {
            return frame.json().unwrap()["data"].clone();
        }
    }
}

/// Reads on to the next event of this type and returns its data.
async fn next_fact(stream: &mut Stream, kind: &str) -> Value {
    loop {
        let frame: SseFrame = next(stream).await.unwrap();
        if frame.event.as_deref() == Some(kind) {
            return frame.json().unwrap()["data"].clone();
        }
    }
}

fn ids(users: &Value, key: &str) -> Vec<String> {
    users.as_array().unwrap().iter().map(|u| u[key].as_str().unwrap().to_owned()).collect()
}

/// A heart whose time passes as the test says.
struct Pulse {
    heart: Heart,
    now: Instant,
}

impl Pulse {
    fn of(house: &House) -> Pulse {
        Pulse { heart: Heart::new(house.app.clone()), now: Instant::now() }
    }

    /// Beats so many seconds after the last beat.
    async fn beat_after(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.heart.beat(self.now).await.unwrap();
    }
}

#[tokio::test]
async fn colleagues_hear_of_colleagues_and_of_no_members() {
    let house = House::new().await;
    let mut pulse = Pulse::of(&house);
    let mut staff = open(&house.caller(STAFF), "staff").await;
    let mut lead = open(&house.caller(ADMIN), "lead").await;
    let member = house.caller(MEMBER);
    let _member = open(&member, "house").await;
    member.get("/api/v1/rooms").await.unwrap();
    pulse.beat_after(5).await;
    let list = news(&mut staff, "presence.list_changed").await;
    assert_eq!(
        (list["count"].as_u64(), ids(&list["users"], "user_id")),
        (Some(2), vec!["1".into(), "2".into()])
    );
    let list = news(&mut lead, "presence.list_changed").await;
    assert_eq!(ids(&list["users"], "user_id"), ["1", "2", "3"]);
    assert_eq!(
        list["users"][2],
        json!({"user_id": "3", "display_name": "Cem C.", "role": "member", "status": "online"})
    );
}

#[tokio::test]
async fn those_in_charge_of_a_run_hear_of_who_is_in_it_and_what_they_do() {
    let house = House::new().await;
    house
        .write(Actor::System, |tx| {
            tx.execute_batch(
                "insert into room (room_id, name, capacity) values (4, 'Library', 9);
                 insert into activity (activity_id, name) values (6, 'Reading');
                 insert into run (run_id, activity_id, room_id, started_at, started_by)
                 values (5, 6, 4, 0, 'system');
                 insert into supervision (person_id, run_id, kind, from_at, given_by)
                 values (2, 5, 'run', 0, 'system');
                 insert into visit (person_id, run_id, room_id, started_at, source)
                 values (3, 5, 4, 0, 'badge');",
            )?;
            Ok(())
        })
        .await
        .unwrap();
    let mut pulse = Pulse::of(&house);
    let mut staff = open(&house.caller(STAFF), "run:5").await;
    pulse.beat_after(5).await;
    let member = house.caller(MEMBER);
    let _member = open(&member, "house").await;
    member.get("/api/v1/rooms").await.unwrap();
    pulse.beat_after(5).await;
    let status = news(&mut staff, "user.status_changed").await;
    assert_eq!((&status["user_id"], &status["status"]), (&json!("3"), &json!("online")));
    let list = news(&mut staff, "presence.list_changed").await;
    assert_eq!(ids(&list["users"], "user_id"), ["3"]);
    let events = house.write(Actor::System, |tx| {
        let told = [daybook::domain::tracking::Tracking::new("page.opened")?];
        daybook::domain::tracking::commands::track(tx, PersonId(3), &told)?;
        sessions::end_all(tx, PersonId(3), None)
    });
    events.await.unwrap();
    for kind in ["activity.tracked", "account.signed_out"] {
        assert_eq!(next_fact(&mut staff, kind).await["user_id"], "3", "{kind}");
    }
}

#[tokio::test]
async fn those_in_charge_of_a_group_hear_of_its_members() {
    let house = House::new().await;
    house
        .write(Actor::System, |tx| {
            tx.execute_batch(
                "insert into \"group\" (group_id, name, kind) values (7, 'Seven', 'class');
                 insert into group_member (group_id, person_id) values (7, 3);
                 insert into supervision (person_id, group_id, kind, from_at, given_by)
                 values (2, 7, 'standing', 0, 'system');",
            )?;
            Ok(())
        })
        .await
        .unwrap();
    let mut pulse = Pulse::of(&house);
    let mut staff = open(&house.caller(STAFF), "group:7").await;
    pulse.beat_after(5).await;
    house.caller(MEMBER).get("/api/v1/rooms").await.unwrap();
    let member = open(&house.caller(MEMBER), "house").await;
    pulse.beat_after(5).await;
    let status = news(&mut staff, "user.status_changed").await;
    assert_eq!((&status["user_id"], &status["status"]), (&json!("3"), &json!("online")));
    // A second page of the same person is the same presence.
    let second = open(&house.caller(MEMBER), "house").await;
    pulse.beat_after(5).await;
    let updated = news(&mut staff, "presence.updated").await;
    assert_eq!((&updated["streams"], &updated["status"]), (&json!(2), &json!("online")));

    let online = house.caller(STAFF).get("/api/v1/online").await.unwrap().json().unwrap();
    assert_eq!(ids(&online["users"], "person_id"), ["2", "3"]);
    assert_eq!(online["users"][1]["streams"], 2);
    assert!(online["cursor"].is_string() && online["as_of"].is_string());
    drop((member, second));
    until(|| house.app.hub.streams() == 1).await;
    // Within the grace nobody has gone.
    pulse.beat_after(5).await;
    let online = house.caller(STAFF).get("/api/v1/online").await.unwrap().json().unwrap();
    assert_eq!(online["users"][1]["status"], "online");
    // Who has signed out is gone at once.
    house
        .write(Actor::System, |tx| {
            tx.execute("delete from session where person_id = 3", [])?;
            Ok(())
        })
        .await
        .unwrap();
    pulse.beat_after(5).await;
    assert_eq!(news(&mut staff, "user.status_changed").await["status"], "offline");
}

#[tokio::test]
async fn an_act_without_a_stream_counts_too_and_scope_decides_who_sees_it() {
    let house = House::new().await;
    assert_eq!(house.caller(MEMBER).get("/api/v1/rooms").await.unwrap().status, 200);
    let seen = |who: &'static str| {
        let caller = house.caller(who);
        async move {
            let online = caller.get("/api/v1/online").await.unwrap();
            let online = online.json().unwrap();
            assert_eq!(online["count"], online["users"].as_array().unwrap().len());
            ids(&online["users"], "person_id")
        }
    };
    assert_eq!(seen(ADMIN).await, ["1", "3"]);
    assert_eq!(seen(STAFF).await, ["1", "2"]);
    assert_eq!(house.caller(MEMBER).get("/api/v1/online").await.unwrap().status, 403);
}

#[tokio::test]
async fn listening_and_reading_in_the_background_are_no_acts() {
    let house = House::new().await;
    let member = house.caller(MEMBER);
    let status = async || {
        house.app.presence.look(&house.app.hub, house.app.clock.now());
        let everybody = house.app.presence.everybody();
        everybody.iter().find(|here| here.person.0 == 3).map(|here| here.status.word())
    };
    assert_eq!(status().await, None);
    let ticket = member.post("/api/v1/stream-tickets", &Value::Null).await.unwrap();
    let ticket = ticket.json().unwrap()["ticket"].as_str().unwrap().to_owned();
    let background = [("daybook-background", "1")];
    for path in ["/api/v1/rooms", "/my-place"] {
        let read = member.send(Method::GET, path, &background, "".into()).await.unwrap();
        assert_eq!(read.status, 200, "{path}");
    }
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
    member.send(Method::GET, "/api/v1/ws", &upgrade, "".into()).await.unwrap();
    assert_eq!(status().await, None);
    // Whoever holds a stream is there, and is away as long as nobody has seen more of them.
    let nobody = Client::new(house.address);
    let by_ticket = nobody.stream(&format!("/api/v1/events?ticket={ticket}"), &[]).await.unwrap();
    assert_eq!(by_ticket.status, 200);
    let _classic = member.stream("/api/sse/events", &[]).await.unwrap();
    let _stream = open(&member, "house").await;
    assert_eq!(status().await, Some("away"));

    // What is written was meant, whatever the page says; and a page is opened by somebody.
    let post = member.send(Method::POST, "/api/v1/help-requests", &background, "".into());
    assert_eq!(post.await.unwrap().status, 415);
    assert_eq!(status().await, Some("online"));
    let staff = house.caller(STAFF);
    assert_eq!(staff.get("/supervision").await.unwrap().status, 200);
    assert!(house.app.presence.everybody().iter().any(|here| here.person.0 == 2));
}

#[tokio::test]
async fn presence_says_what_kind_of_device_is_used_and_nothing_more_of_it() {
    let house = House::new().await;
    let mut pulse = Pulse::of(&house);
    let mut lead = open(&house.caller(ADMIN), "lead").await;
    pulse.beat_after(5).await;
    let agent = "Mozilla/5.0 (Linux; Android 14; SM-X200) Chrome/140.0.0.0 Safari/537.36";
    let tablet = house.caller(STAFF).with("user-agent", agent);
    let _stream = open(&tablet, "staff").await;
    pulse.beat_after(5).await;
    let mut told = news(&mut lead, "presence.updated").await;
    while told["user_id"] != "2" {
        told = news(&mut lead, "presence.updated").await;
    }
    assert_eq!((&told["device_kind"], &told["status"]), (&json!("tablet"), &json!("away")));
    assert!(!told.to_string().contains("SM-X200"), "{told}");
    // The same person takes something else in hand: the same presence, on another kind of device.
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
    let desk = house.caller(STAFF).with("user-agent", agent);
    let _other = open(&desk, "staff").await;
    desk.get("/api/v1/rooms").await.unwrap();
    pulse.beat_after(5).await;
    let mut told = news(&mut lead, "user.status_changed").await;
    while told["status"] != "online" || told["user_id"] != "2" {
        told = news(&mut lead, "user.status_changed").await;
    }
    assert_eq!(told["device_kind"], "desktop");
    let online = house.caller(ADMIN).get("/api/v1/online").await.unwrap().json().unwrap();
    assert_eq!(online["users"][1]["device_kind"], "desktop");
    assert_eq!(online["users"][0]["device_kind"], "unknown");
}

#[tokio::test]
async fn whoever_signs_in_is_there() {
    let server = crate::server::TestServer::start().await;
    let (person, _) = server.signed_in("Sam Senn", daybook::domain::people::Role::Staff).await;
    let here = server.app.presence.everybody();
    assert_eq!(here.iter().map(|here| here.person).collect::<Vec<_>>(), [person]);
}

/// Which news of presence came before a mark that is sent now.
async fn told(house: &House, stream: &mut Stream) -> Vec<String> {
    let mark = Signal { kind: "queue.changed", topics: vec![Topic::Staff], data: json!({}) };
    house.app.hub.signal(&mark, house.app.clock.now());
    let mut told = Vec::new();
    loop {
        match next(stream).await.unwrap().event.as_deref() {
            Some("queue.changed") => return told,
            Some(kind) => told.push(kind.to_owned()),
            None => (),
        }
    }
}

#[tokio::test]
async fn presence_is_told_at_once_and_then_at_most_every_five_seconds() {
    let house = House::new().await;
    let mut pulse = Pulse::of(&house);
    let staff = house.caller(STAFF);
    let mut stream = open(&staff, "staff").await;
    let all = ["presence.updated", "user.status_changed", "presence.list_changed"];
    pulse.beat_after(1).await;
    assert_eq!(told(&house, &mut stream).await, all);

    // Somebody else comes at once after, is active, and opens more pages: it waits its turn.
    let mut streams = Vec::new();
    for _ in 0..4 {
        house.caller(ADMIN).get("/api/v1/rooms").await.unwrap();
        streams.push(open(&house.caller(ADMIN), "house").await);
        pulse.beat_after(1).await;
        assert_eq!(told(&house, &mut stream).await, [""; 0]);
    }
    pulse.beat_after(1).await;
    assert_eq!(told(&house, &mut stream).await, all);

    // Nothing new is nothing told, and after a pause the next change is told at once.
    pulse.beat_after(7).await;
    assert_eq!(told(&house, &mut stream).await, [""; 0]);
    streams.push(open(&house.caller(ADMIN), "house").await);
    pulse.beat_after(1).await;
    assert_eq!(told(&house, &mut stream).await, ["presence.updated", "presence.list_changed"]);
}

/// Signs of life come also while nobody can read who is there.
#[tokio::test]
async fn a_database_that_cannot_be_read_stops_no_sign_of_life() {
    let house = House::with(|config| config.read_connections = 1).await;
    let app = &house.app;
    let mut feeds = Vec::new();
    for _ in 0..TURNS {
        let (topics, holder) = (vec![Topic::House], crate::store::holder(None, ""));
        let opened = Feed::open(&app.hub, &app.replay, topics, holder, Start::Now).await;
        feeds.push(opened.unwrap().0);
    }
    app.presence.acted(PersonId(1), DeviceKind::Desktop, app.clock.now());
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let (began, has_begun) = tokio::sync::oneshot::channel();
    let reading = app.clone();
    let only_reader = tokio::spawn(async move {
        let held = reading.read(move |_| {
            began.send(()).unwrap();
            wait.recv().unwrap();
            Ok(())
        });
        held.await
    });
    has_begun.await.unwrap();
    tokio::time::pause();
    let heart = tokio::spawn(heartbeat::run(app.clone()));
    let mut waiting: Vec<_> = feeds.iter_mut().collect();
    for _ in 0..2 * TURNS {
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
        waiting.retain_mut(|feed| {
            let next = feed.poll_next(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(Ok(Next::Frames(frames))) = next else { return true };
            !frames.iter().any(|frame| frame.is_rest())
        });
    }
    tokio::time::resume();
    assert_eq!(waiting.len(), 0, "streams without a sign of life for {} s", 2 * TURNS);
    heart.abort();
    release.send(()).unwrap();
    only_reader.await.unwrap().unwrap();
}
