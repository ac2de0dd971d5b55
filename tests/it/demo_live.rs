//! The acceptance day as streams tell it: who hears what at every instant, what may stand on a
//! topic without persons, and a client that sleeps.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use daybook::base::Timestamp;
use daybook::client::{Client, SseFrame};
use daybook::demo::plan::Action;
use daybook::demo::time::{CLOSE, DayTime, END};
use daybook::jobs::{self, Jobs};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::demo::{DemoHouse, at};

/// A change of scope takes effect on open streams within a second; a busy machine gets some more.
const PATIENCE: Duration = Duration::from_secs(10);

/// One stream from its opening to its end.
#[derive(Default)]
struct Opened {
    /// The house's time at the opening.
    at: i64,
    topics: BTreeSet<String>,
    frames: Vec<Heard>,
}

/// One frame. A passing signal has no position.
#[derive(Clone, Debug, PartialEq)]
struct Heard {
    seq: Option<i64>,
    frame: Value,
}

/// Somebody who listens all day, and comes back whenever the stream ends.
struct Listener {
    opened: Arc<Mutex<Vec<Opened>>>,
    last_id: Arc<Mutex<Option<String>>>,
    changed: watch::Receiver<u64>,
    client: Arc<Client>,
    task: JoinHandle<()>,
}

impl Listener {
    fn start(client: Client) -> Listener {
        let (opened, last_id) = (Arc::default(), Arc::default());
        Listener::follow(Arc::new(client), opened, last_id)
    }

    fn follow(
        client: Arc<Client>,
        opened: Arc<Mutex<Vec<Opened>>>,
        last_id: Arc<Mutex<Option<String>>>,
    ) -> Listener {
        let (change, changed) = watch::channel(0);
        let task = tokio::spawn(listen(client.clone(), opened.clone(), last_id.clone(), change));
        Listener { opened, last_id, changed, client, task }
    }

    /// Stops listening; what was heard stays.
    async fn sleep(self) -> Listener {
        self.task.abort();
        let _ = self.task.await;
        Listener { task: tokio::spawn(async {}), ..self }
    }

    /// Listens on from where it stopped.
    fn wake(self) -> Listener {
        Listener::follow(self.client, self.opened, self.last_id)
    }

    async fn wait_for(&mut self, what: &str, is_there: impl Fn(&[Opened]) -> bool) {
        let opened = self.opened.clone();
        let there = self.changed.wait_for(|_| is_there(&opened.lock().unwrap()));
        let in_time = timeout(PATIENCE, there).await.is_ok();
        let topics = self.opened.lock().unwrap().last().map(|opened| opened.topics.clone());
        assert!(in_time, "waited too long for {what}; the stream has {topics:?}");
    }

    async fn wait_for_topics(&mut self, topics: &BTreeSet<String>, when: DayTime) {
        let what = format!("{topics:?} at {when}");
        self.wait_for(&what, |opened| opened.last().is_some_and(|last| last.topics == *topics))
            .await;
    }

    async fn wait_for_position(&mut self, seq: i64) {
        let heard = |opened: &[Opened]| {
            opened.iter().flat_map(|o| &o.frames).any(|f| f.seq.is_some_and(|s| s >= seq))
        };
        self.wait_for(&format!("position {seq}"), heard).await;
    }

    /// Every frame with a position, in the order of hearing.
    fn facts(&self) -> Vec<(i64, Value)> {
        let opened = self.opened.lock().unwrap();
        let frames = opened.iter().flat_map(|opened| opened.frames.clone());
        frames.filter_map(|heard| Some((heard.seq?, heard.frame))).collect()
    }
}

async fn listen(
    client: Arc<Client>,
    opened: Arc<Mutex<Vec<Opened>>>,
    last_id: Arc<Mutex<Option<String>>>,
    change: watch::Sender<u64>,
) {
    loop {
        let last = last_id.lock().unwrap().clone();
        let headers: Vec<_> = last.iter().map(|id| ("last-event-id", id.as_str())).collect();
        let Ok(mut stream) = client.stream("/api/v1/events", &headers).await else { return };
        assert_eq!(stream.status, 200);
        while let Ok(Some(frame)) = stream.next().await {
            note(&frame, &opened, &last_id);
            change.send_modify(|count| *count += 1);
        }
    }
}

fn note(frame: &SseFrame, opened: &Mutex<Vec<Opened>>, last_id: &Mutex<Option<String>>) {
    if let Some(id) = &frame.id {
        *last_id.lock().unwrap() = Some(id.clone());
    }
    let Some(data) = &frame.data else { return };
    let data: Value = serde_json::from_str(data).unwrap();
    let mut opened = opened.lock().unwrap();
    match data["type"].as_str().unwrap() {
        "stream.connected" => {
            let time = serde_json::from_value::<Timestamp>(data["data"]["server_time"].clone());
            let topics = data["data"]["topics"].as_array().unwrap().iter();
            let topics = topics.map(|topic| topic.as_str().unwrap().to_owned()).collect();
            opened.push(Opened { at: time.unwrap().0, topics, frames: Vec::new() });
        }
        "bye" => {}
        "resync" => panic!("nobody was away for so long: {data}"),
        _ => {
            let seq = frame.id.as_ref().map(|id| id.split_once('-').unwrap().1.parse().unwrap());
            opened.last_mut().unwrap().frames.push(Heard { seq, frame: data });
        }
    }
}

/// Who was responsible for what, from when to when: all that the oracle goes by.
struct Duties {
    own: BTreeSet<String>,
    stretches: Vec<(String, i64, i64)>,
    /// Whose groups are which; they do not change on this day.
    groups: HashMap<i64, Vec<String>>,
}

impl Duties {
    async fn of(demo: &DemoHouse, colleague: usize) -> Duties {
        let person = demo.stage.player().known().staff[colleague];
        let stretches = demo.server.read(move |conn| {
            let mut statement = conn.prepare(
                "select coalesce('run:' || run_id, 'group:' || group_id), from_at,
                        min(coalesce(until_at, 9e15), coalesce(ended_at, 9e15))
                 from supervision
                 where person_id = ?1",
            )?;
            let rows = statement.query_map([person], |row| {
                let end: f64 = row.get(2)?;
                Ok((row.get(0)?, row.get(1)?, end as i64))
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        });
        let groups = demo.server.read(|conn| {
            let mut statement =
                conn.prepare("select person_id, 'group:' || group_id from group_member")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut groups: HashMap<i64, Vec<String>> = HashMap::new();
            rows.collect::<rusqlite::Result<Vec<(i64, String)>>>()?
                .into_iter()
                .for_each(|(person, group)| groups.entry(person).or_default().push(group));
            Ok(groups)
        });
        let own = ["house", "display", "help", "staff", "helpers"].map(str::to_owned);
        let alone = ["inbox", "progress"].map(|what| format!("user:{person}:{what}"));
        let (stretches, groups) = (stretches.await, groups.await);
        Duties { own: own.into_iter().chain(alone).collect(), stretches, groups }
    }

    /// Says whether what a frame tells of persons is of persons in scope, whatever topic brought it.
    fn may_see(
        &self,
        frame: &Value,
        allowed: &BTreeSet<String>,
        topics: &BTreeSet<String>,
    ) -> bool {
        let data = &frame["data"];
        let id = |name: &str| data[name].as_str().map(|id| id.parse::<i64>().unwrap());
        let in_group = |person: Option<i64>| {
            let groups = person.and_then(|person| self.groups.get(&person));
            groups.is_some_and(|groups| groups.iter().any(|group| allowed.contains(group)))
        };
        let in_run = id("run_id").is_some_and(|run| allowed.contains(&format!("run:{run}")));
        let is_there = topics.iter().any(|on| on.starts_with("run:") && allowed.contains(on));
        match frame["type"].as_str().unwrap() {
            "visit.started" | "visit.ended" => in_run || in_group(id("member_id")),
            "visit.bulk_started" | "visit.bulk_ended" => {
                let members = data["member_ids"].as_array().unwrap().iter();
                let ids = members.map(|id| id.as_str().unwrap().parse::<i64>().ok());
                in_run || ids.into_iter().all(in_group)
            }
            "help.requested" | "help.updated" => {
                data["priority"] == "urgent" || is_there || in_group(id("user_id"))
            }
            kind if kind.starts_with("attendance.") => in_group(id("member_id")),
            "activity.tracked" => is_there || in_group(id("user_id")),
            "account.signed_in" | "account.signed_out" => {
                data["role"] != "member" || is_there || in_group(id("user_id"))
            }
            // Of colleagues and their work everybody who works here may know.
            kind => {
                let noun = kind.split('.').next().unwrap();
                matches!(noun, "run" | "supervision") || kind == "access.changed"
            }
        }
    }

    /// What may be heard at an instant.
    fn at(&self, when: i64) -> BTreeSet<String> {
        let now = self.stretches.iter().filter(|(_, from, end)| *from <= when && when < *end);
        self.own.iter().cloned().chain(now.map(|(topic, ..)| topic.clone())).collect()
    }

    /// The same, with those that end at this very instant: their end is heard.
    fn until(&self, when: i64) -> BTreeSet<String> {
        let ending = self.stretches.iter().filter(|(_, from, end)| *from <= when && when <= *end);
        self.own.iter().cloned().chain(ending.map(|(topic, ..)| topic.clone())).collect()
    }
}

/// A line of the log: its place, its time, and its topics.
async fn log(demo: &DemoHouse) -> Vec<(i64, i64, BTreeSet<String>)> {
    demo.server
        .read(|conn| {
            let mut statement =
                conn.prepare("select seq, at, topics from event_log order by seq")?;
            let rows = statement.query_map([], |row| {
                let topics: String = row.get(2)?;
                Ok((row.get(0)?, row.get(1)?, topics.split(' ').map(str::to_owned).collect()))
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
}

/// When anybody's responsibility changes in the plan, and when the timetable changes it.
fn changes_of_scope(demo: &DemoHouse) -> BTreeSet<DayTime> {
    let plan = demo.stage.player().plan();
    let planned = plan.actions.iter().filter(|planned| {
        matches!(
            planned.action,
            Action::StartRun(_)
                | Action::EndRun { .. }
                | Action::HandOver { .. }
                | Action::Substitute { .. }
        )
    });
    let mut times: BTreeSet<DayTime> = planned.map(|planned| planned.at).collect();
    times.extend([at("11:20"), at("11:35"), at("17:30"), CLOSE]);
    times
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_hears_their_scope_at_every_instant_and_nothing_else() {
    let mut demo = DemoHouse::open(42).await;
    // A session that does nothing but listen lasts twelve hours: all of this day from here on.
    demo.stage.catch_up(at("06:30"), |_| ()).await.unwrap();
    let timetable = Jobs::spawn(&demo.server.app);
    let username = |demo: &DemoHouse, who: usize| {
        demo.stage.player().house().staff[who].person.username.clone()
    };
    // The substitute of group 2, an early shift that hands over, a tutor without a group.
    let watched = [9, 2, 16];
    let mut listeners = Vec::new();
    for who in watched {
        listeners.push(Listener::start(demo.sign_in(&username(&demo, who)).await));
    }
    let mut stayer = Listener::start(demo.sign_in("leitung").await);
    let mut sleeper = Listener::start(demo.sign_in("leitung").await);
    let wall = format!("Bearer {}", demo.stage.player().known().wall_key);
    let wall = Listener::start(Client::new(demo.server.address).with("authorization", wall));
    for listener in listeners.iter_mut().chain([&mut stayer, &mut sleeper]) {
        listener.wait_for("the first stream", |opened| !opened.is_empty()).await;
    }

    for when in changes_of_scope(&demo) {
        demo.stage.catch_up(when, |_| ()).await.unwrap();
        if when == at("11:20") {
            sleeper = sleeper.sleep().await;
        } else if when == at("11:35") {
            sleeper = sleeper.wake();
        } else if when == at("17:30") || when == CLOSE {
            jobs::do_what_is_due(&demo.server.app).await.unwrap();
        }
        for (who, listener) in watched.into_iter().zip(&mut listeners) {
            let allowed = Duties::of(&demo, who).await.at(when.epoch_ms());
            listener.wait_for_topics(&allowed, when).await;
        }
    }
    demo.stage.catch_up(END, |_| ()).await.unwrap();

    // A last fact for everybody who works here: whoever has heard it has heard all before it.
    demo.sign_in("buero").await;
    let log = log(&demo).await;
    let end = log.iter().rev().find(|(.., topics)| topics.contains("staff")).unwrap().0;
    for (who, listener) in watched.into_iter().zip(&mut listeners) {
        listener.wait_for_position(end).await;
        check_scope(&Duties::of(&demo, who).await, listener, &log);
    }
    stayer.wait_for_position(end).await;
    sleeper.wait_for_position(end).await;
    check_sleeper(&stayer, &sleeper);
    for listener in listeners.iter().chain([&stayer, &sleeper, &wall]) {
        check_counts(listener);
    }
    assert!(wall.facts().is_empty(), "a wall hears of persons");
    timetable.stop().await;
}

/// Every frame was for the listener then, and none that was for the listener is missing.
fn check_scope(duties: &Duties, listener: &Listener, log: &[(i64, i64, BTreeSet<String>)]) {
    let mut heard = BTreeSet::new();
    let opened = listener.opened.lock().unwrap();
    for stream in opened.iter() {
        for frame in &stream.frames {
            let Some(seq) = frame.seq else { continue };
            assert!(heard.insert(seq), "{seq} came twice");
            let (_, at, topics) = log.iter().find(|line| line.0 == seq).unwrap();
            // What was replayed is judged by the moment that the stream was opened.
            let mut allowed = duties.until((*at).max(stream.at));
            allowed.retain(|topic| stream.topics.contains(topic));
            assert!(!allowed.is_disjoint(topics), "{frame:?} is not in {allowed:?}");
            assert!(duties.may_see(&frame.frame, &allowed, topics), "{frame:?} for {allowed:?}");
        }
    }
    let first = opened.first().unwrap().at;
    let missing = log.iter().find(|(seq, at, topics)| {
        let allowed = duties.at(*at);
        *at > first && !allowed.is_disjoint(topics) && !heard.contains(seq)
    });
    assert_eq!(missing, None, "never came");
    assert!(heard.len() > 50, "only {} frames", heard.len());
}

fn check_sleeper(stayer: &Listener, sleeper: &Listener) {
    let (one, other) = (stayer.facts(), sleeper.facts());
    assert_eq!(sleeper.opened.lock().unwrap().len(), 2, "the sleeper slept once");
    assert!(one.iter().map(|(seq, _)| seq).is_sorted_by(|a, b| a < b));
    // The first stream heard the second sign in.
    let from = other.first().unwrap().0;
    let one: Vec<_> = one.into_iter().filter(|(seq, _)| *seq >= from).collect();
    assert!(one.len() > 2000, "only {} facts", one.len());
    assert!(one == other, "the sleeper has heard something else");
}

/// On a topic without persons no frame names one.
fn check_counts(listener: &Listener) {
    let mut counts = 0;
    for stream in listener.opened.lock().unwrap().iter() {
        for Heard { frame, .. } in &stream.frames {
            let topic = frame["topic"].as_str().unwrap();
            if matches!(topic, "house" | "display" | "help") || topic.starts_with("room:") {
                counts += 1;
                assert!(!names_a_person(&frame["data"]), "{frame}");
            }
        }
    }
    assert!(counts > 0, "no counts came");
}

fn names_a_person(value: &Value) -> bool {
    const KEYS: [&str; 12] = [
        "member_id",
        "member_ids",
        "user_id",
        "person_id",
        "staff_ids",
        "display_name",
        "name",
        "given_name",
        "family_name",
        "username",
        "assigned_to",
        "content",
    ];
    match value {
        Value::Object(fields) => {
            fields.iter().any(|(key, value)| KEYS.contains(&key.as_str()) || names_a_person(value))
        }
        Value::Array(items) => items.iter().any(names_a_person),
        _ => false,
    }
}
