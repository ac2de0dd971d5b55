//! Plays a planned day on a running house, through the same doors as everybody else: badge readers
//! post their scans with their keys, members and staff sign in and send commands. Every command
//! carries an idempotency key made of its place in the plan, so that a day played twice is one day.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};

use super::house::{House, PASSWORD};
use super::places::staff;
use super::plan::{Absence, Action, Plan, Planned, Question, Scan, Step, Who};
use super::seed::Known;
use super::time::DayTime;
use crate::base::Timestamp;
use crate::client::{Answer, Client};

/// How many scans a reader sends in one batch at the most.
const BATCH_MAX: usize = 100;

/// Plays the actions of a plan.
#[derive(Debug)]
pub struct Player {
    house: Arc<House>,
    plan: Plan,
    known: Known,
    readers: Vec<Client>,
    /// All browsers share one connection: a hundred kept ones would be most of the demo's memory.
    browser: Client,
    /// The cookies of those who are signed in.
    sessions: HashMap<Who, String>,
    /// The server's ids of the runs that were started, by their number.
    runs: HashMap<usize, String>,
    /// The server's ids of the requests that were made, by their number.
    requests: HashMap<usize, String>,
}

impl Player {
    /// Returns a player of this plan on the house at `address`.
    pub fn new(house: Arc<House>, plan: Plan, known: Known, address: SocketAddr) -> Player {
        let reader =
            |key: &String| Client::new(address).with("authorization", format!("Bearer {key}"));
        let readers = known.devices.iter().map(|device| reader(&device.key)).collect();
        let browser = Client::new(address);
        let (sessions, runs, requests) = (HashMap::new(), HashMap::new(), HashMap::new());
        Player { house, plan, known, readers, browser, sessions, runs, requests }
    }

    /// Returns the plan that is played.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns the invented house that the plan is of.
    pub fn house(&self) -> &House {
        &self.house
    }

    /// Returns what the server calls the persons and things of the house.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// Returns the server's id of a run that was started, by its number in the plan.
    pub fn run_id(&self, number: usize) -> Option<&str> {
        self.runs.get(&number).map(String::as_str)
    }

    /// Returns how many of the actions from `place` on belong to one batch: scans that one reader
    /// sends at one moment; anything else goes by itself.
    pub fn batch_at(&self, place: usize) -> usize {
        let rest = self.plan.actions.iter().skip(place);
        let key = |planned: &Planned| match &planned.action {
            Action::Scan(scan) => Some((planned.at, scan.device)),
            _ => None,
        };
        let Some(first) = self.plan.actions.get(place).and_then(key) else { return 1 };
        rest.take_while(|planned| key(planned) == Some(first)).take(BATCH_MAX).count()
    }

    /// Plays `count` actions from `place` on, at the moment `now` of the house's clock.
    pub async fn play(&mut self, place: usize, count: usize, now: DayTime) -> Result<()> {
        let actions: Vec<Planned> =
            self.plan.actions.iter().skip(place).take(count).cloned().collect();
        let scans: Vec<Scan> = actions
            .iter()
            .filter_map(|planned| match &planned.action {
                Action::Scan(scan) => Some(scan.clone()),
                _ => None,
            })
            .collect();
        if let Some(first) = scans.first() {
            return self.scan(first.device, &scans, now).await.map(drop);
        }
        for (offset, planned) in actions.into_iter().enumerate() {
            let key = format!("demo-{}", place.saturating_add(offset));
            let at = planned.at;
            self.act(planned.action, &key)
                .await
                .with_context(|| format!("what was planned for {at}"))?;
        }
        Ok(())
    }

    /// Sends scans as one reader, and returns what the server says to each.
    pub async fn scan(&self, device: usize, scans: &[Scan], now: DayTime) -> Result<Vec<Value>> {
        let scans: Vec<Value> = scans
            .iter()
            .map(|scan| {
                let mut body = json!({
                    "scan_id": scan.scan_id,
                    "tag": scan.tag,
                    // A reader knows how long ago it was, even where its clock is wrong.
                    "age_ms": (now.ms() - scan.tapped_at.ms()).max(0),
                    "seq": scan.seq,
                    "intent": "auto",
                });
                if let (Some(room), Some(fields)) = (scan.room, body.as_object_mut()) {
                    let room = self.known.rooms.get(room).map(ToString::to_string);
                    fields.insert("room_id".to_owned(), json!(room));
                }
                body
            })
            .collect();
        let reader = self.readers.get(device).context("no such reader")?;
        let body = json!({ "boot_id": "demo", "scans": scans });
        let answer = post(reader, "/api/v1/device/scans", &[], &body).await?;
        let results = answer.get("results").and_then(Value::as_array).cloned();
        results.context("no results")
    }

    /// Lets a reader say that it is well.
    pub async fn beat(&self, device: usize, now: DayTime) -> Result<()> {
        let reader = self.readers.get(device).context("no such reader")?;
        let body = json!({
            "boot_id": "demo",
            "firmware": super::seed::FIRMWARE,
            "uptime_s": (now.ms() / 1000).max(0),
            "queue_depth": 0,
            "oldest_age_s": 0,
            "rssi": -58,
            "free_heap": 148_000,
            "device_time": Timestamp(now.epoch_ms()),
            "last_seq": 0,
        });
        post(reader, "/api/v1/device/heartbeat", &[], &body).await.map(drop)
    }

    async fn act(&mut self, action: Action, key: &str) -> Result<()> {
        match action {
            Action::Scan(_) => Ok(()),
            Action::StartRun(run) => self.start_run(run, key).await,
            Action::EndRun { run, by } => {
                let id = self.runs.get(&run).context("the run was never started")?;
                let path = format!("/api/v1/runs/{id}/end");
                self.command(Who::Staff(by), key, &path, &json!({})).await.map(drop)
            }
            Action::HandOver { run, by, to } => {
                let run_id = self.runs.get(&run).context("the run was never started")?;
                let staff_id = self.known.staff.get(to);
                let body = json!({ "staff_id": staff_id, "run_id": run_id, "kind": "hand_over" });
                let offers = "/api/v1/supervision-offers";
                let offer = self.command(Who::Staff(by), key, offers, &body).await?;
                let offer = offer.get("id").and_then(Value::as_str).context("no offer")?;
                let accept = format!("{offers}/{offer}/accept");
                self.command(Who::Staff(to), key, &accept, &json!({})).await.map(drop)
            }
            Action::Substitute { care, to, until } => {
                let body = json!({
                    "staff_id": self.known.staff.get(to),
                    "group_id": self.known.care_group(care),
                    "kind": "substitution",
                    "until": Timestamp(until.epoch_ms()),
                });
                let lead = Who::Staff(staff::LEAD);
                self.command(lead, key, "/api/v1/supervisions", &body).await.map(drop)
            }
            Action::Mark(absence) => self.mark(&absence, key).await,
            Action::SignIn(who) => self.sign_in(who).await,
            Action::SignOut(who) => {
                let done = self.command(who, key, "/api/v1/logout", &json!({})).await.map(drop);
                self.sessions.remove(&who);
                done
            }
            Action::Ask(question) => self.ask(&question, key).await,
            Action::Answer { request, by, step } => self.answer(request, by, step, key).await,
            Action::Track { member, events } => {
                let events: Vec<Value> = (0..)
                    .zip(events)
                    .map(
                        |(turn, kind)| json!({ "event_type": kind, "id": format!("{key}.{turn}") }),
                    )
                    .collect();
                let body = json!({ "events": events });
                self.command(Who::Member(member), key, "/api/v1/activity", &body).await.map(drop)
            }
        }
    }

    async fn sign_in(&mut self, who: Who) -> Result<()> {
        let person = match who {
            Who::Member(member) => self.house.members.get(member).map(|m| &m.person),
            Who::Staff(colleague) => self.house.staff.get(colleague).map(|c| &c.person),
        };
        let username = person.map(|person| person.username.as_str());
        let body = json!({ "username": username, "password": PASSWORD });
        let answer = send(&self.browser, "/api/v1/login", &[], &body).await?;
        let cookies = answer.cookies();
        expect(answer)?;
        self.sessions.insert(who, cookies);
        Ok(())
    }

    async fn start_run(&mut self, number: usize, key: &str) -> Result<()> {
        let run = self.plan.runs.get(number).context("no such run")?;
        let staff: Vec<_> = run.staff.iter().filter_map(|who| self.known.staff.get(*who)).collect();
        let body = json!({
            "activity_id": self.known.activities.get(run.activity),
            "room_id": self.known.rooms.get(run.room),
            "staff_ids": staff,
        });
        let by = Who::Staff(run.staff.first().copied().unwrap_or_default());
        let answer = self.command(by, key, "/api/v1/runs", &body).await?;
        self.runs.insert(number, id_of(&answer)?);
        Ok(())
    }

    async fn mark(&mut self, absence: &Absence, key: &str) -> Result<()> {
        let member = self.known.members.get(absence.member).context("no such member")?;
        let body = match absence.reason {
            Some(reason) => json!({ "status": "excused", "reason": reason }),
            None => json!({ "status": "unreported" }),
        };
        let path = format!("/api/v1/attendance/{member}");
        self.command(Who::Staff(staff::OFFICE), key, &path, &body).await.map(drop)
    }

    async fn ask(&mut self, question: &Question, key: &str) -> Result<()> {
        let mut body = json!({
            "content": question.content,
            "priority": if question.urgent { "urgent" } else { "normal" },
        });
        let room = question.room.and_then(|room| self.known.rooms.get(room));
        if let (Some(room), Some(fields)) = (room, body.as_object_mut()) {
            fields.insert("room_id".to_owned(), json!(room));
        }
        let by = Who::Member(question.member);
        let answer = self.command(by, key, "/api/v1/help-requests", &body).await?;
        self.requests.insert(question.request, id_of(&answer)?);
        Ok(())
    }

    async fn answer(&mut self, request: usize, by: Who, step: Step, key: &str) -> Result<()> {
        let id = self.requests.get(&request).context("nobody has asked")?;
        let (verb, body) = match step {
            Step::Claim => ("claim", json!({})),
            Step::Release => ("release", json!({})),
            Step::Hold => ("hold", json!({})),
            Step::Resolve => ("resolve", json!({ "response": "Gemeinsam gelöst." })),
            Step::Cancel => ("cancel", json!({})),
        };
        let path = format!("/api/v1/help-requests/{id}/{verb}");
        self.command(by, key, &path, &body).await.map(drop)
    }

    async fn command(&self, by: Who, key: &str, path: &str, body: &Value) -> Result<Value> {
        let cookie = self.sessions.get(&by).with_context(|| format!("{by:?} is not signed in"))?;
        let headers = [("idempotency-key", key), ("cookie", cookie.as_str())];
        post(&self.browser, path, &headers, body).await
    }
}

/// Posts a body and returns the answer's, if the server did what it was asked.
async fn post(
    client: &Client,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Result<Value> {
    let answer = send(client, path, headers, body).await;
    answer.and_then(expect).with_context(|| path.to_owned())
}

/// Posts a body; once more, if the kept connection was closed in that very moment. All that is
/// sent here does no harm when it comes twice.
async fn send(
    client: &Client,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Result<Answer> {
    let mut all = vec![("content-type", "application/json")];
    all.extend_from_slice(headers);
    let body = Bytes::from(body.to_string());
    match client.send(Method::POST, path, &all, body.clone()).await {
        Ok(answer) => Ok(answer),
        Err(_) => client.send(Method::POST, path, &all, body).await,
    }
}

/// Returns the answer's body if the server did what it was asked.
fn expect(answer: Answer) -> Result<Value> {
    if (200..300).contains(&answer.status) {
        return answer.json();
    }
    bail!("the server answers {}: {}", answer.status, String::from_utf8_lossy(&answer.body))
}

fn id_of(answer: &Value) -> Result<String> {
    answer.get("id").and_then(Value::as_str).map(str::to_owned).context("an answer without an id")
}
