//! Who no longer belongs to the house is not in it either: what is open of them ends with it.

use daybook::base::Actor;
use daybook::base::id::PersonId;
use daybook::client::Client;
use daybook::domain::people;
use daybook::domain::people::model::{PersonChange, PersonState};
use daybook::domain::visits::scan::{Code, Outcome};
use daybook::domain::visits::{Counts, Status, queries};
use daybook::live::Tx;
use hyper::Method;
use serde_json::{Value, json};

use crate::scene::{BEN, EVA, MIA, Scene, ZOE};

async fn get(client: &Client, path: &str) -> Value {
    let answer = client.get(&format!("/api/v1{path}")).await.unwrap();
    assert_eq!(answer.status, 200, "{path}");
    answer.json().unwrap()
}

async fn set_state(lead: &Client, person: PersonId, state: &str) -> Value {
    let path = format!("/api/v1/people/{person}");
    let answer = lead.json(Method::PATCH, &path, &json!({ "state": state })).await.unwrap();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    answer.json().unwrap()
}

async fn set_role(lead: &Client, person: PersonId, role: &str) {
    let path = format!("/api/v1/people/{person}");
    let answer = lead.json(Method::PATCH, &path, &json!({ "role": role })).await.unwrap();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
}

/// Asks for urgent help, has `helper` take it and perhaps lay it aside, and returns its id.
async fn in_hand(member: &Client, helper: &Client, hold: bool) -> Value {
    let words = json!({ "content": "Laterne?", "priority": "urgent" });
    let asked = member.post("/api/v1/help-requests", &words).await.unwrap();
    let id = asked.json().unwrap()["id"].clone();
    for act in ["claim", "hold"].into_iter().take(1 + usize::from(hold)) {
        let path = format!("/api/v1/help-requests/{}/{act}", id.as_str().unwrap());
        assert_eq!(helper.post(&path, &json!({})).await.unwrap().status, 200, "{act}");
    }
    id
}

/// The open requests as the lead sees them: id, status and who has it in hand.
async fn queue(lead: &Client) -> Vec<(Value, Value, Value)> {
    let list = get(lead, "/help-requests").await;
    let items = list["items"].as_array().unwrap().iter();
    let row = |item: &Value| {
        (item["id"].clone(), item["status"].clone(), item["assigned_to"]["id"].clone())
    };
    items.map(row).collect()
}

/// Marks somebody's attendance, and returns the status of the answer.
async fn mark(client: &Client, person: PersonId, status: &str) -> u16 {
    let path = format!("/api/v1/attendance/{person}");
    client.post(&path, &json!({ "status": status })).await.unwrap().status
}

/// How somebody stands in the list of the day.
async fn listed(client: &Client, person: PersonId) -> Value {
    let list = get(client, "/attendance").await;
    let mut items = list["items"].as_array().unwrap().iter();
    items.find(|item| item["member_id"] == json!(person)).unwrap()["status"].clone()
}

async fn inside(scene: &Scene) -> i64 {
    let rooms = scene.read(queries::occupancies).await;
    rooms.iter().map(|room| room.count).sum()
}

/// Sets somebody inactive as it was done before it ended what is open of them.
async fn set_inactive_as_before(scene: &Scene, person: PersonId) {
    let change = PersonChange { state: Some(PersonState::Inactive), ..PersonChange::default() };
    let set = move |tx: &mut Tx<'_>| people::commands::change(tx, person, change).map(drop);
    scene.write(Actor::System, set).await.unwrap();
}

#[tokio::test]
async fn a_member_who_no_longer_belongs_to_the_house_leaves_room_house_and_queue() {
    let scene = Scene::new().await;
    let run = scene.run(scene.library, &[scene.otto]).await;
    let [lead, otto, mia] = scene.signed_in([scene.lead, scene.otto, scene.mia]).await;
    // She asked before she went where she is: who is in charge there hears of both.
    scene.tap(&scene.door, MIA).await;
    let asked = mia.post("/api/v1/help-requests", &json!({ "content": "Laterne?" })).await.unwrap();
    let asked = asked.json().unwrap();
    scene.pass(60);
    assert_eq!(scene.tap(&scene.library_reader, MIA).await.outcome, Outcome::CheckedIn);
    scene.pass(60);
    assert_eq!(get(&otto, "/help-requests").await["items"].as_array().unwrap().len(), 1);

    let changed = set_state(&lead, scene.mia, "inactive").await;
    assert_eq!(changed["status"], "not_present");
    let counts = Counts { expected: 2, left: 1, ..Counts::default() };
    assert_eq!((scene.counts().await, inside(&scene).await), (counts, 0));
    let board = get(&lead, "/board").await;
    assert_eq!((&board["counts"]["present"], &board["counts"]["left"]), (&json!(0), &json!(1)));
    assert_eq!(listed(&lead, scene.mia).await, "left");
    assert_eq!(get(&otto, &format!("/runs/{run}")).await["here"], json!([]));
    assert_eq!(get(&lead, "/help-requests").await["items"], json!([]));
    assert_eq!(get(&lead, "/help-requests/places").await["items"], json!([]));
    let (left_at, source) = (scene.now(), "manual");
    let ended = &scene.events("visit.ended").await[0];
    assert!(ended.0.contains(&format!("run:{run}")), "{}", ended.0);
    assert_eq!((&ended.1["reason"], &ended.1["source"]), (&json!("left"), &json!(source)));
    let gone = &scene.events("attendance.checked_out").await[0];
    assert!(gone.0.contains(&format!("group:{}", scene.blue)), "{}", gone.0);
    assert_eq!((&gone.1["at"], &gone.1["source"]), (&json!(left_at), &json!(source)));
    let told = &scene.events("help.updated").await[0];
    assert!(told.0.contains(&format!("run:{run}")), "{}", told.0);
    assert_eq!((&told.1["id"], &told.1["status"]), (&asked["id"], &json!("cancelled")));

    // Neither again nor back: nothing ends twice, and nothing opens again by itself.
    scene.pass(60);
    set_state(&lead, scene.mia, "inactive").await;
    assert_eq!(scene.tap(&scene.exit, MIA).await.code, Some(Code::MemberInactive));
    set_state(&lead, scene.mia, "active").await;
    assert_eq!((scene.status(scene.mia).await, inside(&scene).await), (Status::Left, 0));
    assert_eq!(scene.events("visit.ended").await.len(), 1);
    assert_eq!(scene.events("attendance.checked_out").await.len(), 1);
    assert_eq!(scene.events("help.updated").await.len(), 1);
    scene.check().await;
    // Her place is free, and she may have it again.
    scene.pass(60);
    for (tag, inside) in [(BEN, 1), (MIA, 2)] {
        let entered = scene.tap(&scene.library_reader, tag).await;
        assert_eq!(entered.occupancy.map(|room| room.count), Some(inside));
    }
    assert_eq!(scene.tap(&scene.library_reader, ZOE).await.code, Some(Code::RoomFull));
    scene.check().await;
}

#[tokio::test]
async fn who_was_not_in_the_house_stays_as_they_were() {
    let scene = Scene::new().await;
    let [lead] = scene.signed_in([scene.lead]).await;
    scene.mark(scene.office, scene.ben, Status::Excused).await.unwrap();
    set_state(&lead, scene.ben, "inactive").await;
    set_state(&lead, scene.zoe, "inactive").await;
    assert_eq!(scene.status(scene.ben).await, Status::Excused);
    assert_eq!(scene.status(scene.zoe).await, Status::Expected);
    assert_eq!(scene.events("attendance.checked_out").await.len(), 0);
}

#[tokio::test]
async fn staff_who_no_longer_belong_to_the_house_have_left_it_and_nobody_is_told() {
    let scene = Scene::new().await;
    let [lead] = scene.signed_in([scene.lead]).await;
    assert_eq!(scene.tap(&scene.door, EVA).await.outcome, Outcome::StaffIn);
    scene.pass(60);
    assert_eq!(set_state(&lead, scene.eva, "inactive").await["status"], "not_present");
    assert_eq!(scene.status(scene.eva).await, Status::Left);
    let by_hand = "select count(*) from attendance where status = 'left' and source = 'manual'";
    assert_eq!(scene.number(by_hand).await, 1);
    assert_eq!(scene.events("attendance.checked_out").await.len(), 0);
    scene.check().await;
}

#[tokio::test]
async fn a_change_that_is_refused_takes_nobody_out() {
    let scene = Scene::new().await;
    let [lead] = scene.signed_in([scene.lead]).await;
    scene.tap(&scene.door, MIA).await;
    let nameless = json!({ "state": "inactive", "display_name": "" });
    let path = format!("/api/v1/people/{}", scene.mia);
    assert_eq!(lead.json(Method::PATCH, &path, &nameless).await.unwrap().status, 422);
    assert_eq!(scene.status(scene.mia).await, Status::Present);
    assert_eq!(scene.events("attendance.checked_out").await.len(), 0);
}

#[tokio::test]
async fn who_was_set_inactive_in_the_house_before_can_be_signed_out() {
    let scene = Scene::new().await;
    scene.run(scene.gym, &[scene.otto]).await;
    let [lead, office, otto] = scene.signed_in([scene.lead, scene.office, scene.otto]).await;
    for (tag, member) in [(MIA, scene.mia), (BEN, scene.ben), (ZOE, scene.zoe)] {
        scene.tap(&scene.gym_reader, tag).await;
        set_inactive_as_before(&scene, member).await;
    }
    scene.pass(60);
    assert_eq!(inside(&scene).await, 3);
    // Nothing else can be said of them, and once only.
    for (client, member) in [(&office, scene.mia), (&otto, scene.ben)] {
        for status in ["present", "excused", "expected"] {
            assert_eq!(mark(client, member, status).await, 404, "{status}");
        }
        assert_eq!(mark(client, member, "left").await, 200);
        assert_eq!(mark(client, member, "left").await, 404);
        assert_eq!(listed(&lead, member).await, "left");
    }
    // To set it once more does the same.
    set_state(&lead, scene.zoe, "inactive").await;
    assert_eq!(listed(&lead, scene.zoe).await, "left");
    assert_eq!(inside(&scene).await, 0);
    assert_eq!(scene.events("visit.ended").await.len(), 3);

    // Who works here, and who is not there, is nobody to be signed out.
    scene.tap(&scene.door, EVA).await;
    set_inactive_as_before(&scene, scene.eva).await;
    assert_eq!(mark(&office, scene.eva, "left").await, 404);
    let ida = scene.member("Ida Ilm", "DEB0D4D4").await;
    set_inactive_as_before(&scene, ida).await;
    assert_eq!(mark(&office, ida, "left").await, 404);
}

#[tokio::test]
async fn whom_somebody_helped_who_is_gone_waits_in_the_queue_again() {
    let scene = Scene::new().await;
    let staff = [scene.lead, scene.eva, scene.otto];
    let [lead, eva, otto] = scene.signed_in(staff).await;
    let [mia, ben, zoe] = scene.signed_in([scene.mia, scene.ben, scene.zoe]).await;
    let first = in_hand(&mia, &eva, false).await;
    scene.pass(60);
    let held = in_hand(&ben, &eva, true).await;
    let others = in_hand(&zoe, &otto, false).await;
    let before = scene.events("help.updated").await.len();

    set_state(&lead, scene.eva, "inactive").await;
    // What was on hold comes back to the front, as after a release by hand.
    let (pending, nobody) = (json!("pending"), Value::Null);
    let waits = |id: &Value| (id.clone(), pending.clone(), nobody.clone());
    let in_hand = (others.clone(), json!("assigned"), json!(scene.otto));
    assert_eq!(queue(&lead).await, [waits(&held), waits(&first), in_hand]);
    let told = scene.events("help.updated").await.split_off(before);
    assert_eq!(told.len(), 2);
    for (topics, data) in told {
        assert_eq!((&data["status"], &data["assigned_to"]), (&pending, &nobody));
        assert!(topics.contains("helpers"), "{topics}");
    }
    let taken = format!("/api/v1/help-requests/{}/claim", first.as_str().unwrap());
    assert_eq!(otto.post(&taken, &json!({})).await.unwrap().status, 200);

    // Nor does the office help; to lead is to help still.
    set_role(&lead, scene.otto, "admin").await;
    assert_eq!(queue(&lead).await.iter().filter(|row| row.1 == json!("assigned")).count(), 2);
    set_role(&lead, scene.otto, "office").await;
    assert_eq!(queue(&lead).await, [waits(&held), waits(&first), waits(&others)]);
    set_state(&lead, scene.eva, "active").await;
    assert_eq!(queue(&lead).await[0], waits(&held));
}

#[tokio::test]
async fn a_file_that_takes_a_role_away_ends_the_help_too() {
    let scene = Scene::new().await;
    let [lead, otto, mia] = scene.signed_in([scene.lead, scene.otto, scene.mia]).await;
    let asked = in_hand(&mia, &otto, false).await;
    let file = "Vorname;Nachname;Rolle\nOtto;Ohm;Büro\n";
    let headers = [("content-type", "text/csv")];
    let done =
        lead.send(Method::POST, "/api/v1/people/import", &headers, file.into()).await.unwrap();
    assert_eq!(done.json().unwrap()["changed"], 1);
    assert_eq!(queue(&lead).await, [(asked, json!("pending"), Value::Null)]);
}

#[tokio::test]
async fn a_member_who_begins_to_work_here_is_in_no_run_any_more_but_in_the_house() {
    let scene = Scene::new().await;
    let run = scene.run(scene.library, &[scene.otto]).await;
    let [lead, otto, mia] = scene.signed_in([scene.lead, scene.otto, scene.mia]).await;
    for tag in [MIA, BEN] {
        scene.tap(&scene.library_reader, tag).await;
    }
    mia.post("/api/v1/help-requests", &json!({ "content": "Laterne?" })).await.unwrap();
    let visit = scene.visit_of(scene.mia).await;
    scene.pass(60);

    set_role(&lead, scene.mia, "staff").await;
    assert_eq!((inside(&scene).await, scene.status(scene.mia).await), (1, Status::Present));
    assert_eq!(get(&otto, &format!("/runs/{run}")).await["here"].as_array().unwrap().len(), 1);
    assert_eq!(queue(&lead).await, []);
    let ended = &scene.events("visit.ended").await[0];
    assert!(ended.0.contains(&format!("run:{run}")), "{}", ended.0);
    assert_eq!((&ended.1["reason"], &ended.1["at"]), (&json!("left"), &json!(scene.now())));
    assert_eq!(scene.events("attendance.checked_out").await.len(), 0);
    scene.check().await;

    // Nothing brings the visit back: neither undoing nor opening the run again.
    assert!(scene.undo(scene.otto, visit).await.is_err());
    assert_eq!(scene.end_run(run).await, 1);
    set_role(&lead, scene.ben, "staff").await;
    let reopen = format!("/api/v1/runs/{run}/reopen");
    assert_eq!(otto.post(&reopen, &json!({})).await.unwrap().status, 200);
    assert_eq!(inside(&scene).await, 0);
    scene.check().await;
}

#[tokio::test]
async fn a_member_who_begins_to_work_here_is_in_no_group_any_more() {
    let scene = Scene::new().await;
    let [lead, eva] = scene.signed_in([scene.lead, scene.eva]).await;
    let group = format!("/groups/{}", scene.blue);
    assert_eq!(get(&eva, &group).await["expected"].as_array().unwrap().len(), 2);
    let before = scene.events("access.changed").await.len();
    set_role(&lead, scene.ben, "staff").await;
    let page = get(&eva, &group).await;
    assert_eq!(page["expected"].as_array().unwrap().len(), 1, "{page}");
    assert_eq!(page["expected"][0]["member_id"], json!(scene.mia));
    // It is told to Ben, and to Eva, who sees others than before.
    let told = scene.events("access.changed").await.split_off(before);
    let topics: Vec<_> = told.iter().map(|(topics, _)| topics.clone()).collect();
    assert_eq!(topics, [scene.ben, scene.eva].map(|person| format!("user:{person}:inbox")));
}
