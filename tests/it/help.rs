//! Help requests: the queue's rules, and who may do what.

use std::collections::BTreeSet;
use std::time::Duration;

use daybook::base::id::{HelpRequestId, PersonId, RunId};
use daybook::base::{Actor, Error, Result};
use daybook::domain::help::queries::Filter;
use daybook::domain::help::{self, Ask, Help, Priority, Status};
use daybook::domain::people::Role;
use daybook::domain::rooms::scope;
use daybook::domain::visits;
use daybook::event::Topic;
use daybook::live::Tx;
use serde_json::{Value, json};

use crate::fixture::{self, Fixture};
use crate::scene::Scene;
use crate::store::TestStore;

pub async fn ask(store: &TestStore, member: PersonId, priority: Priority) -> Result<Help> {
    store
        .write(Actor::Person(member), move |tx| {
            help::commands::ask(tx, member, &Ask::new("Laterne?", Some(priority))?)
        })
        .await
}

/// Runs a command of the staff as `staff`.
pub async fn act(
    store: &TestStore,
    staff: PersonId,
    command: impl FnOnce(&mut Tx<'_>, &scope::Scope) -> Result<Help> + Send + 'static,
) -> Result<Help> {
    store
        .write(Actor::Person(staff), move |tx| {
            let scope = fixture::scope_of(tx, staff)?;
            command(tx, &scope)
        })
        .await
}

/// The members in the queue as `staff` sees it, in order.
pub async fn queue(store: &TestStore, staff: PersonId) -> Vec<PersonId> {
    store
        .read(move |conn| {
            let scope = fixture::scope_of(conn, staff)?;
            let list = help::queries::list(conn, &scope, Filter::Open)?;
            Ok(list.into_iter().map(|help| help.member_id).collect())
        })
        .await
}

fn claim(id: HelpRequestId) -> impl FnOnce(&mut Tx<'_>, &scope::Scope) -> Result<Help> {
    move |tx, scope| help::commands::claim(tx, scope, id)
}

pub fn code(result: Result<Help>) -> String {
    result.expect_err("it must be refused").code().into_owned()
}

#[tokio::test]
async fn urgent_requests_come_first_then_those_back_from_hold_then_the_oldest() {
    let store = TestStore::new().await;
    let Fixture { teacher, members, .. } = fixture::class(&store, 4).await;
    let [a, b, c, d] = members[..] else { panic!("four members") };
    let first = ask(&store, a, Priority::Normal).await.unwrap();
    assert_eq!(first.position, Some(1));
    for (member, priority) in [(b, Priority::Normal), (c, Priority::Normal), (d, Priority::Urgent)]
    {
        store.advance(Duration::from_secs(60));
        ask(&store, member, priority).await.unwrap();
    }
    assert_eq!(queue(&store, teacher).await, [d, a, b, c]);

    let third = store.read(move |conn| help::queries::open_of(conn, c)).await.unwrap().id;
    act(&store, teacher, claim(third)).await.unwrap();
    act(&store, teacher, move |tx, scope| help::commands::hold(tx, scope, third)).await.unwrap();
    act(&store, teacher, move |tx, scope| help::commands::release(tx, scope, third)).await.unwrap();
    assert_eq!(queue(&store, teacher).await, [d, c, a, b]);
}

#[tokio::test]
async fn a_member_has_one_open_request_and_may_ask_again_when_it_is_done() {
    let store = TestStore::new().await;
    let Fixture { teacher, members, .. } = fixture::class(&store, 1).await;
    let one = ask(&store, members[0], Priority::Normal).await.unwrap();
    assert_eq!(code(ask(&store, members[0], Priority::Normal).await), "help.already_open");

    let id = one.id;
    let done = act(&store, teacher, move |tx, scope| {
        help::commands::resolve(tx, scope, id, Some("a lamp"))
    });
    let done = done.await.unwrap();
    assert_eq!((done.status, done.response.as_deref()), (Status::Resolved, Some("a lamp")));
    assert_eq!(done.assigned_to.unwrap().id, teacher);
    ask(&store, members[0], Priority::Normal).await.unwrap();
}

#[tokio::test]
async fn only_one_helper_gets_a_request_and_the_other_hears_who_has_it() {
    let store = TestStore::new().await;
    let Fixture { teacher, colleague, members, .. } = fixture::class(&store, 1).await;
    let id = ask(&store, members[0], Priority::Urgent).await.unwrap().id;
    let (one, two) =
        tokio::join!(act(&store, teacher, claim(id)), act(&store, colleague, claim(id)));
    assert!(one.is_ok() != two.is_ok());
    let winner = if one.is_ok() { teacher } else { colleague };
    let Err(Error::Conflict { code, details, .. }) = one.and(two) else { panic!("no conflict") };
    assert_eq!(code, "help.already_claimed");
    assert_eq!(details.unwrap()["assigned_to"]["id"], winner.to_string());
    // A double tap of the winner does no harm.
    assert_eq!(act(&store, winner, claim(id)).await.unwrap().rev, 2);
}

#[tokio::test]
async fn staff_see_and_claim_the_requests_of_their_own_and_urgent_ones_of_all() {
    let store = TestStore::new().await;
    let Fixture { teacher, colleague, members, .. } = fixture::class(&store, 2).await;
    let normal = ask(&store, members[0], Priority::Normal).await.unwrap();
    assert_eq!(queue(&store, teacher).await, [members[0]]);
    assert_eq!(queue(&store, colleague).await, []);
    assert_eq!(code(act(&store, colleague, claim(normal.id)).await), "help_request.not_found");
    ask(&store, members[1], Priority::Urgent).await.unwrap();
    assert_eq!(queue(&store, colleague).await, [members[1]]);
}

#[tokio::test]
async fn a_request_made_in_a_run_is_seen_by_those_who_supervise_it() {
    let store = TestStore::new().await;
    let fixture = fixture::class(&store, 1).await;
    let (member, colleague) = (fixture.members[0], fixture.colleague);
    let run: RunId = fixture::run_with(&store, colleague, &[member]).await;
    let help = ask(&store, member, Priority::Normal).await.unwrap();
    assert!(help.room_id.is_some(), "the room is that of the open visit");
    assert_eq!(queue(&store, colleague).await, [member]);
    let topics: String = store
        .read(|conn| {
            let sql = "select topics from event_log where type = 'help.requested'";
            Ok(conn.query_row(sql, [], |row| row.get(0))?)
        })
        .await;
    assert!(topics.split(' ').any(|topic| topic == format!("run:{run}")), "{topics}");
}

#[tokio::test]
async fn the_owner_may_edit_and_cancel_and_nobody_else() {
    let store = TestStore::new().await;
    let Fixture { members, .. } = fixture::class(&store, 2).await;
    let id = ask(&store, members[0], Priority::Normal).await.unwrap().id;
    let other = members[1];
    let refused =
        store.write(Actor::Person(other), move |tx| help::commands::cancel(tx, other, id)).await;
    assert_eq!(code(refused), "help_request.not_found");

    let owner = members[0];
    let change = help::Edit { priority: Some(Priority::Urgent), ..help::Edit::default() };
    let edited = store
        .write(Actor::Person(owner), move |tx| help::commands::edit(tx, owner, id, &change))
        .await
        .unwrap();
    assert_eq!((edited.priority, edited.content.as_str()), (Priority::Urgent, "Laterne?"));
    let told = store.log().await.len();
    let change = help::Edit { priority: Some(Priority::Urgent), ..help::Edit::default() };
    let repeated = store
        .write(Actor::Person(owner), move |tx| help::commands::edit(tx, owner, id, &change))
        .await
        .unwrap();
    assert_eq!((repeated.rev, store.log().await.len()), (edited.rev, told), "nothing has changed");
    store
        .write(Actor::Person(owner), move |tx| help::commands::cancel(tx, owner, id))
        .await
        .unwrap();
    let again =
        store.write(Actor::Person(owner), move |tx| help::commands::cancel(tx, owner, id)).await;
    assert_eq!(code(again), "help.closed");
}

#[tokio::test]
async fn the_log_holds_no_word_of_a_request() {
    let store = TestStore::new().await;
    let Fixture { members, .. } = fixture::class(&store, 1).await;
    ask(&store, members[0], Priority::Normal).await.unwrap();
    let leaks = store.number("select count(*) from event_log where data like '%Laterne%'").await;
    assert_eq!(leaks, 0);
}

#[tokio::test]
async fn a_member_reads_the_answer_for_the_rest_of_the_day() {
    let scene = Scene::new().await;
    let [eva, mia] = scene.signed_in([scene.eva, scene.mia]).await;
    let mine = async || {
        let answer = mia.get("/api/v1/help-requests/mine").await.unwrap().json().unwrap();
        answer["request"].clone()
    };
    let ask = async || {
        let asked = mia.post("/api/v1/help-requests", &json!({ "content": "Laterne?" })).await;
        asked.unwrap().json().unwrap()["id"].as_str().unwrap().to_owned()
    };
    assert_eq!(mine().await, Value::Null);
    let id = ask().await;
    let path = format!("/api/v1/help-requests/{id}/resolve");
    let resolved = eva.post(&path, &json!({ "response": "a lamp" })).await.unwrap();
    assert_eq!(resolved.status, 200);
    let over = mine().await;
    assert_eq!((&over["id"], &over["status"]), (&json!(id), &json!("resolved")));
    assert_eq!(over["response"], "a lamp");

    // The newest counts; one that was taken back says nothing.
    let second = ask().await;
    assert_eq!((&mine().await["id"], &mine().await["status"]), (&json!(second), &json!("pending")));
    let path = format!("/api/v1/help-requests/{second}/cancel");
    assert_eq!(mia.post(&path, &json!({})).await.unwrap().status, 200);
    assert_eq!(mine().await, Value::Null);

    let third = ask().await;
    let path = format!("/api/v1/help-requests/{third}/resolve");
    assert_eq!(eva.post(&path, &json!({})).await.unwrap().status, 200);
    // Until midnight where the house stands: it is ten o'clock.
    for (hours, there) in [(11, true), (4, false)] {
        scene.pass(hours * 3600);
        let [mia] = scene.signed_in([scene.mia]).await;
        let answer = mia.get("/api/v1/help-requests/mine").await.unwrap().json().unwrap();
        assert_eq!(answer["request"].is_object(), there, "{answer}");
    }
}

/// Those of `staff` who see the request now.
async fn seers(store: &TestStore, staff: &[PersonId], id: HelpRequestId) -> BTreeSet<PersonId> {
    let staff = staff.to_vec();
    store
        .read(move |conn| {
            let help = help::queries::request(conn, id)?;
            let mut seers = BTreeSet::new();
            for person in staff {
                if help.seen_by(&fixture::scope_of(conn, person)?) {
                    seers.insert(person);
                }
            }
            Ok(seers)
        })
        .await
}

/// Those of `staff` who hear the newest event.
async fn hearers(store: &TestStore, staff: &[PersonId]) -> BTreeSet<PersonId> {
    let staff = staff.to_vec();
    store
        .read(move |conn| {
            let sql = "select topics from event_log where type glob 'help.*'
                       order by seq desc limit 1";
            let topics: String = conn.query_row(sql, [], |row| row.get(0))?;
            let topics: Vec<Topic> = topics.split(' ').map(|t| t.parse().unwrap()).collect();
            let mut hearers = BTreeSet::new();
            for person in staff {
                let own = fixture::scope_of(conn, person)?.topics();
                if own.iter().any(|topic| topics.contains(topic)) {
                    hearers.insert(person);
                }
            }
            Ok(hearers)
        })
        .await
}

#[tokio::test]
async fn news_of_a_request_reach_exactly_those_who_saw_it_or_see_it_now() {
    let store = TestStore::new().await;
    let Fixture { teacher, colleague, members, .. } = fixture::class(&store, 1).await;
    let member = members[0];
    let there = store.person("Ria Raum", Role::Staff).await;
    let helper = store.person("Hans Helfer", Role::Staff).await;
    let outside = store.person("Olaf Ohne", Role::Staff).await;
    let lead = store.person("Ada Amt", Role::Admin).await;
    // May see how many wait, not who: it hears of none, urgent or not.
    let office = store.person("Oda Ort", Role::Office).await;
    fixture::run_with(&store, colleague, &members).await;
    let next = fixture::run(&store, "Music", there).await;
    let staff = [teacher, colleague, there, helper, outside];
    let all = [teacher, colleague, there, helper, outside, office];

    let id = ask(&store, member, Priority::Urgent).await.unwrap().id;
    assert_eq!(hearers(&store, &all).await, BTreeSet::from(staff));
    act(&store, helper, claim(id)).await.unwrap();
    // The member goes to another room: those there see it too from now on.
    act(&store, lead, move |tx, scope| {
        visits::commands::start(tx, scope, member, next)?;
        help::queries::request(tx, id)
    })
    .await
    .unwrap();

    let edit = |priority| {
        let change = help::Edit { priority: Some(priority), ..help::Edit::default() };
        store.write(Actor::Person(member), move |tx| help::commands::edit(tx, member, id, &change))
    };
    let mut seen = seers(&store, &all, id).await;
    for step in 0..5 {
        match step {
            // Out of sight of the staff at large, not of who has it in hand.
            0 => edit(Priority::Normal).await,
            1 => act(&store, helper, move |tx, scope| help::commands::hold(tx, scope, id)).await,
            // The helper gives it away, and with it the sight of it.
            2 => act(&store, helper, move |tx, scope| help::commands::release(tx, scope, id)).await,
            3 => act(&store, there, claim(id)).await,
            _ => {
                let done = move |tx: &mut Tx<'_>, scope: &scope::Scope| {
                    help::commands::resolve(tx, scope, id, None)
                };
                act(&store, there, done).await
            }
        }
        .unwrap();
        let now = seers(&store, &all, id).await;
        let concerned: BTreeSet<_> = seen.union(&now).copied().collect();
        assert_eq!(hearers(&store, &all).await, concerned, "step {step}");
        seen = now;
    }
    assert_eq!(seen, BTreeSet::from([teacher, colleague, there]));
}

#[tokio::test]
async fn a_text_may_have_2000_characters_and_not_one_more() {
    let scene = Scene::new().await;
    let [mia] = scene.signed_in([scene.mia]).await;
    let ask = async |length: usize| {
        let body = json!({ "content": "ü".repeat(length) });
        mia.post("/api/v1/help-requests", &body).await.unwrap()
    };
    let refused = ask(2001).await;
    assert_eq!((refused.status, &refused.json().unwrap()["field"]), (422, &json!("content")));
    assert_eq!(scene.number("select count(*) from help_request").await, 0);
    assert_eq!(ask(2000).await.status, 201);
    assert_eq!(scene.number("select length(content) from help_request").await, 2000);
}

#[tokio::test]
async fn a_body_that_is_no_utf_8_is_refused_and_leaves_nothing() {
    let scene = Scene::new().await;
    let [mia] = scene.signed_in([scene.mia]).await;
    let kind = [("content-type", "application/json")];
    for body in [&b"{\"content\": \"L\xe4mpchen\"}"[..], b"{\"content\": \"\xc3\"}"] {
        let (path, body) = ("/api/v1/help-requests", body.to_vec().into());
        let answer = mia.send(hyper::Method::POST, path, &kind, body).await.unwrap();
        assert_eq!(answer.status, 400);
    }
    assert_eq!(scene.number("select count(*) from help_request").await, 0);
    assert!(!scene.log().await.iter().any(|kind| kind.starts_with("help.")));
}

#[tokio::test]
async fn how_many_wait_is_counted_in_ones_own_list_and_in_all_its_pages() {
    let scene = Scene::new().await;
    let [lead, eva, otto] = scene.signed_in([scene.lead, scene.eva, scene.otto]).await;
    for (member, priority) in [
        (scene.mia, Priority::Normal),
        (scene.ben, Priority::Normal),
        (scene.zoe, Priority::Urgent),
    ] {
        ask(&scene, member, priority).await.unwrap();
    }
    let waiting = async |client: &daybook::client::Client| {
        let path = "/api/v1/help-requests?limit=1";
        client.get(path).await.unwrap().json().unwrap()["waiting"].as_u64()
    };
    let three = [waiting(&lead).await, waiting(&eva).await, waiting(&otto).await];
    assert_eq!(three, [Some(3), Some(3), Some(1)]);
}

#[tokio::test]
async fn where_nobody_was_helped_today_there_is_no_usual_wait() {
    let scene = Scene::new().await;
    let [lead, eva, mia] = scene.signed_in([scene.lead, scene.eva, scene.mia]).await;
    let waits = async || {
        let board = lead.get("/api/v1/board").await.unwrap().json().unwrap();
        let queue = eva.get("/api/v1/help-requests").await.unwrap().json().unwrap();
        [board["help"]["median_wait_s"].clone(), queue["median_wait_s"].clone()]
    };
    let asked = mia.post("/api/v1/help-requests", &json!({ "content": "Laterne?" })).await;
    let id = asked.unwrap().json().unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(waits().await, [Value::Null, Value::Null]);
    scene.pass(30);
    let claim = format!("/api/v1/help-requests/{id}/claim");
    assert_eq!(eva.post(&claim, &json!({})).await.unwrap().status, 200);
    assert_eq!(waits().await, [json!(30), json!(30)]);
}

#[tokio::test]
async fn who_changes_a_request_or_takes_it_back_reads_how_long_it_has_waited() {
    let scene = Scene::new().await;
    let [mia] = scene.signed_in([scene.mia]).await;
    let id = ask(&scene, scene.mia, Priority::Normal).await.unwrap().id;
    scene.pass(30);
    let (path, urgent) = (format!("/api/v1/help-requests/{id}"), json!({ "priority": "urgent" }));
    let edited = mia.json(hyper::Method::PATCH, &path, &urgent).await.unwrap().json().unwrap();
    let cancelled = mia.post(&format!("{path}/cancel"), &json!({})).await.unwrap().json().unwrap();
    assert_eq!([&edited["wait_s"], &cancelled["wait_s"]], [&json!(30), &json!(30)]);
}
