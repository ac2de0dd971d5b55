//! Every event of the catalogue is sent by a real action over HTTP, and heard on a stream.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use daybook::base::Timestamp;
use daybook::base::id::RoomId;
use daybook::client::{Client, Stream};
use daybook::domain::people::{Role, online};
use daybook::event::{Event, Stale, Topic};
use daybook::live::presence::{Change, Here, Status};
use daybook::live::watch::DeviceKind;
use daybook::{heartbeat, jobs};
use hyper::Method;
use serde_json::{Value, json};

use crate::devices::reader;
use crate::papers;
use crate::server::TestServer;
use crate::wire::without_ids;

/// The signals: passing state, told without a place in the log.
const SIGNALS: [&str; 6] = [
    "house.counts_changed",
    "room.occupancy_changed",
    "queue.changed",
    "presence.list_changed",
    "presence.updated",
    "user.status_changed",
];

/// How long the last of them may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Sends a request that must succeed, and returns its answer.
async fn ask(client: &Client, method: Method, path: &str, body: Value) -> Value {
    let path = format!("/api/v1{path}");
    let answer = client.json(method.clone(), &path, &body).await.unwrap();
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert!((200..300).contains(&answer.status), "{method} {path}: {} {text}", answer.status);
    answer.json().unwrap()
}

async fn post(client: &Client, path: &str, body: Value) -> Value {
    ask(client, Method::POST, path, body).await
}

fn id(answer: &Value) -> &str {
    answer["id"].as_str().unwrap()
}

/// Those who act.
pub struct House {
    pub server: TestServer,
    pub lead: Client,
    pub tina: (String, Client),
    kai: (String, Client),
    mia: (String, Client),
    ben: String,
    room: String,
    run: String,
}

impl House {
    pub async fn new() -> House {
        let server = TestServer::start().await;
        let (_, lead) = server.signed_in("Lea Leitung", Role::Admin).await;
        let (tina_id, tina) = server.signed_in("Tina Lehrer", Role::Staff).await;
        let (kai_id, kai) = server.signed_in("Kai Kollege", Role::Staff).await;
        let (mia_id, mia) = server.signed_in("Mia Mohn", Role::Member).await;
        let ben = server.person("Ben Birke", Role::Member).await.to_string();
        server.person("Zoe Zander", Role::Member).await;
        let (tina, mia) = ((tina_id.to_string(), tina), (mia_id.to_string(), mia));
        let kai = (kai_id.to_string(), kai);
        House { server, lead, tina, kai, mia, ben, room: String::new(), run: String::new() }
    }

    /// Lets a morning pass in which every event and every signal happens.
    pub async fn live_through(&mut self) {
        self.open_a_run().await;
        self.scan_badges().await;
        self.end_and_start_a_visit().await;
        self.hand_over_end_and_reopen().await;
        self.ask_for_help_and_leave().await;
        self.let_time_pass().await;
    }

    async fn open_a_run(&mut self) {
        let room = post(&self.lead, "/rooms", json!({ "name": "Library", "capacity": 9 })).await;
        let activity = post(&self.lead, "/activities", json!({ "name": "Reading" })).await;
        let group = post(&self.lead, "/groups", json!({ "name": "2a", "kind": "class" })).await;
        let of_group = |what: &str| format!("/groups/{}/{what}", id(&group));
        let members = json!({ "member_ids": [self.mia.0, self.ben] });
        ask(&self.lead, Method::PUT, &of_group("members"), members).await;
        let staff = json!({ "staff_ids": [self.tina.0] });
        ask(&self.lead, Method::PUT, &of_group("staff"), staff).await;
        let run = json!({
            "activity_id": id(&activity), "room_id": id(&room), "staff_ids": [self.tina.0],
        });
        let run = post(&self.tina.1, "/runs", run).await;
        (self.room, self.run) = (id(&room).to_owned(), id(&run).to_owned());
    }

    async fn scan_badges(&self) {
        let tag = json!({ "tag": "DEB0A1A1" });
        post(&self.lead, &format!("/people/{}/badges", self.mia.0), tag).await;
        let new = json!({ "name": "Library", "mode": "room", "room_id": self.room });
        let library = reader(&self.server, new).await.client;
        let scans = json!({ "boot_id": "b1", "scans": [
            { "scan_id": "S1", "tag": "DEB0A1A1", "age_ms": 0, "seq": 1, "intent": "auto" },
            { "scan_id": "S2", "tag": "DEB0FFFF", "age_ms": 0, "seq": 2, "intent": "auto" },
            { "scan_id": "S3", "tag": "DEB0A1A1", "scanned_at": "2031-01-01T00:00:00Z", "seq": 3,
              "intent": "auto" },
        ]});
        post(&library, "/device/scans", scans).await;
    }

    async fn end_and_start_a_visit(&self) {
        let path = format!("/api/v1/runs/{}", self.run);
        let run = self.tina.1.get(&path).await.unwrap().json().unwrap();
        let visit = run["here"][0]["visit_id"].as_str().unwrap_or_else(|| panic!("{run}"));
        post(&self.tina.1, &format!("/visits/{visit}/end"), json!({})).await;
        let again = json!({ "member_id": self.mia.0, "run_id": self.run });
        post(&self.tina.1, "/visits", again).await;
        let sick = json!({ "status": "excused", "reason": "sick" });
        post(&self.tina.1, &format!("/attendance/{}", self.ben), sick).await;
    }

    async fn hand_over_end_and_reopen(&self) {
        let hand_over = json!({ "staff_id": self.kai.0, "run_id": self.run, "kind": "hand_over" });
        let offer = post(&self.tina.1, "/supervision-offers", hand_over).await;
        post(&self.kai.1, &format!("/supervision-offers/{}/accept", id(&offer)), json!({})).await;
        post(&self.lead, &format!("/runs/{}/end", self.run), json!({})).await;
        post(&self.lead, &format!("/runs/{}/reopen", self.run), json!({})).await;
    }

    async fn ask_for_help_and_leave(&self) {
        let help = post(&self.mia.1, "/help-requests", json!({ "content": "Laterne?" })).await;
        post(&self.mia.1, &format!("/help-requests/{}/cancel", id(&help)), json!({})).await;
        let action = json!({ "events": [{ "event_type": "page.opened" }] });
        post(&self.mia.1, "/activity", action).await;
        post(&self.lead, &format!("/attendance/{}", self.mia.0), json!({ "status": "left" })).await;
        post(&self.mia.1, "/logout", json!({})).await;
    }

    /// Lets the timetable find somebody missing and the reader silent.
    async fn let_time_pass(&self) {
        self.server.advance(Duration::from_secs(11 * 60));
        jobs::do_what_is_due(&self.server.app).await.unwrap();
    }
}

/// Reads until every one of `wanted` has been heard, and returns the fields of each, those inside
/// lists too.
async fn hear(
    stream: &mut Stream,
    mut wanted: BTreeSet<&str>,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut fields: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let listening = async {
        while !wanted.is_empty() {
            let frame = stream.next().await.unwrap().expect("the stream goes on");
            let Some(kind) = frame.event.clone() else { continue };
            wanted.remove(&*kind);
            names(&frame.json().unwrap()["data"], fields.entry(kind).or_default());
        }
    };
    let heard = tokio::time::timeout(PATIENCE, listening).await;
    assert!(heard.is_ok(), "never heard: {wanted:?}");
    fields
}

/// Adds the names of the fields in `data`.
fn names(data: &Value, found: &mut BTreeSet<String>) {
    for (name, value) in data.as_object().into_iter().flatten() {
        found.insert(name.clone());
        value.as_array().into_iter().flatten().for_each(|one| names(one, found));
    }
}

#[tokio::test]
async fn every_event_and_signal_is_sent_by_a_real_action_and_heard() {
    let mut house = House::new().await;
    let app = &house.server.app;
    let timetable = jobs::Jobs::spawn(app);
    let heart = tokio::spawn(heartbeat::run(app.clone()));
    let beginning = format!("/api/v1/events?after={}-0", app.store.epoch());
    let mut of_lead = house.lead.stream(&beginning, &[]).await.unwrap();

    house.live_through().await;

    // What concerns one account alone, nobody else hears, the lead neither.
    let mut wanted: BTreeSet<_> = Event::KINDS.into_iter().chain(SIGNALS).collect();
    wanted.remove("access.changed");
    let heard = hear(&mut of_lead, wanted).await;
    // Events are held against the paper by their types (wire.rs), what passes by what was sent.
    let paper = papers::described();
    for signal in SIGNALS {
        assert_eq!(heard[signal], paper[signal].fields, "{signal}");
    }
    let mut of_tina = house.tina.1.stream(&beginning, &[]).await.unwrap();
    hear(&mut of_tina, ["access.changed"].into()).await;

    timetable.stop().await;
    heart.abort();
}

/// Who hears of events is held against the paper in wire.rs.
#[tokio::test]
async fn the_paper_describes_who_hears_every_signal() {
    let mut house = House::new().await;
    house.open_a_run().await;
    let visit = json!({ "member_id": house.mia.0, "run_id": house.run });
    post(&house.tina.1, "/visits", visit).await;
    let here = [&house.tina.0, &house.mia.0].map(|id| Here {
        person: id.parse().unwrap(),
        status: Status::Online,
        streams: 1,
        device: DeviceKind::Unknown,
        last_seen_at: Timestamp(0),
    });
    let known = house.server.read(move |conn| online::known(conn, &here)).await;
    let audience: BTreeSet<Topic> = known.iter().flat_map(|who| who.audience.clone()).collect();
    let news = known
        .iter()
        .flat_map(|who| online::news(who, &Change { was: Status::Offline, here: who.here }));
    let told = news.chain(online::lists(&known, &audience)).map(|one| (one.kind, one.topics));
    let figures = [
        ("house.counts_changed", Stale::Counts),
        ("room.occupancy_changed", Stale::Room(RoomId(1))),
        ("queue.changed", Stale::Queue),
    ];
    let figures = figures.map(|(kind, figure)| (kind, figure.topics()));
    let mut heard: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (kind, topics) in told.chain(figures) {
        let topics = topics.iter().map(|topic| without_ids(&topic.to_string()));
        heard.entry(kind).or_default().extend(topics);
    }
    let paper = papers::described();
    let described = SIGNALS.map(|kind| (kind, paper[kind].topics.clone()));
    assert_eq!(heard, BTreeMap::from(described));
}
