//! People: enrolled, found, changed; their accounts, badges and contacts.

use daybook::base::Actor;
use daybook::base::id::{GroupId, PersonId};
use daybook::client::{Answer, Client};
use daybook::domain::people::{self, Role, audit};
use daybook::live::Tx;
use daybook::store::rows;
use hyper::Method;
use rusqlite::params;
use serde_json::{Value, json};

use crate::server::TestServer;
use crate::store::{PASSWORD, TestStore};

fn code(answer: &Answer) -> String {
    answer.json().unwrap()["code"].as_str().unwrap_or_default().to_owned()
}

async fn get(client: &Client, path: &str) -> (u16, Value) {
    let answer = client.get(path).await.unwrap();
    (answer.status, answer.json().unwrap())
}

async fn send(client: &Client, method: Method, path: &str, body: Value) -> Answer {
    client.json(method, path, &body).await.unwrap()
}

/// A number that was given to the wrong person is free for the right one.
#[tokio::test]
async fn null_empties_what_a_person_may_be_without_and_what_is_missing_stays() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let ben = server.person("Ben Bach", Role::Member).await;
    let mia = server.person("Mia Mai", Role::Member).await;
    let change = async |of: PersonId, body: Value| {
        let path = format!("/api/v1/people/{of}");
        let changed = send(&admin, Method::PATCH, &path, body).await;
        let told = changed.json().unwrap();
        (changed.status, told["number"].clone(), told["language"].clone())
    };
    let both = json!({ "number": "7", "language": "en" });
    assert_eq!(change(ben, both).await, (200, json!("7"), json!("en")));
    let renamed = change(ben, json!({ "given_name": "Benno" })).await;
    assert_eq!(renamed, (200, json!("7"), json!("en")));
    let none = json!({ "number": null, "language": null });
    assert_eq!(change(ben, none).await, (200, Value::Null, Value::Null));
    assert_eq!(change(mia, json!({ "number": "7" })).await.1, "7");
}

/// A class with these members, and somebody responsible for it.
async fn group(store: &TestStore, members: &[PersonId], staff: PersonId) -> GroupId {
    let members = members.to_vec();
    let make = move |tx: &mut Tx<'_>| {
        let group =
            rows::insert(tx, "insert into \"group\" (name, kind) values ('1a', 'class')", [])?;
        for member in members {
            rows::run(tx, "insert into group_member values (?1, ?2)", params![group, member])?;
        }
        rows::run(
            tx,
            "insert into supervision (person_id, group_id, kind, from_at, given_by)
             values (?1, ?2, 'standing', ?3, 'system')",
            params![staff, group, tx.now],
        )?;
        Ok(GroupId(group))
    };
    store.write(Actor::System, make).await.unwrap()
}

#[tokio::test]
async fn a_person_is_enrolled_found_by_either_spelling_and_changed() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let body =
        json!({ "given_name": "Jörg", "family_name": "Müller", "role": "member", "number": "7" });
    let made = send(&admin, Method::POST, "/api/v1/people", body.clone()).await;
    assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
    let jorg = made.json().unwrap();
    assert_eq!(
        (&jorg["display_name"], &jorg["status"]),
        (&json!("Jörg Müller"), &json!("not_present"))
    );
    let again = send(&admin, Method::POST, "/api/v1/people", body).await;
    assert_eq!((again.status, code(&again)), (409, "person.number_taken".to_owned()));
    for q in ["mull", "Mueller+jo", "JOERG", "m%C3%BCll"] {
        let (_, found) = get(&admin, &format!("/api/v1/people?q={q}")).await;
        assert_eq!(found["items"][0]["id"], jorg["id"], "{q}");
    }
    for q in ["uller", "mull+anna", "%25", "_"] {
        let (_, found) = get(&admin, &format!("/api/v1/people?q={q}&role=member")).await;
        let hits = found["items"].as_array().unwrap().len();
        assert_eq!(hits, usize::from(matches!(q, "%25" | "_")), "{q}");
    }
    let path = format!("/api/v1/people/{}", jorg["id"].as_str().unwrap());
    let changed = send(&admin, Method::PATCH, &path, json!({ "family_name": "Maier" })).await;
    assert_eq!(changed.json().unwrap()["display_name"], "Jörg Maier");
    assert_eq!(get(&admin, "/api/v1/people?q=mull").await.1["items"], json!([]));
    let wrong = send(&admin, Method::PATCH, &path, json!({ "is_admin": true })).await;
    assert_eq!((wrong.status, &wrong.json().unwrap()["field"]), (400, &json!("is_admin")));
}

#[tokio::test]
async fn a_list_comes_in_pages() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    for name in ["Ada A", "Bob B", "Cem C", "Dia D", "Eli E"] {
        server.person(name, Role::Member).await;
    }
    let mut names = Vec::new();
    let mut path = "/api/v1/people?role=member&limit=2".to_owned();
    loop {
        let (_, page) = get(&admin, &path).await;
        let items = page["items"].as_array().unwrap();
        names.extend(items.iter().map(|p| p["display_name"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/people?role=member&limit=2&cursor={cursor}");
    }
    assert_eq!(names, ["Ada A", "Bob B", "Cem C", "Dia D", "Eli E"]);
    for wrong in ["limit=0", "limit=501", "limit=x", "cursor=x", "sort=name"] {
        let (status, _) = get(&admin, &format!("/api/v1/people?{wrong}")).await;
        assert!(matches!(status, 400 | 422), "{wrong}: {status}");
    }
}

/// What a clerk needs to see at a glance, and nobody else may.
#[tokio::test]
async fn the_list_tells_the_office_number_language_and_how_many_badges_are_valid() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let (_, office) = server.signed_in("Olaf Amt", Role::Office).await;
    let (ada, staff) = server.signed_in("Ada Krause", Role::Staff).await;
    let mia = server.member("Mia Berg", "04A1B2C3").await;
    group(&server, &[mia], ada).await;
    let path = format!("/api/v1/people/{mia}");
    let known = json!({ "number": "7", "language": "en" });
    assert_eq!(send(&admin, Method::PATCH, &path, known).await.status, 200);
    let listed = async |who: &Client| get(who, "/api/v1/people?q=berg").await.1["items"][0].clone();
    for who in [&admin, &office] {
        let row = listed(who).await;
        let file = (&row["number"], &row["language"], &row["badge_count"]);
        assert_eq!(file, (&json!("7"), &json!("en"), &json!(1)), "{row}");
    }
    let row = listed(&staff).await;
    assert_eq!(row["role"], "member");
    assert!(["number", "language", "badge_count"].iter().all(|it| row.get(it).is_none()), "{row}");
    let (_, shown) = get(&office, &path).await;
    let badge = format!("/api/v1/badges/{}/block", shown["badges"][0]["id"].as_str().unwrap());
    assert_eq!(send(&office, Method::POST, &badge, json!({})).await.status, 200);
    assert_eq!(listed(&office).await["badge_count"], 0);
}

#[tokio::test]
async fn who_belonged_to_the_house_once_is_listed_for_lead_and_office_alone() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let (_, office) = server.signed_in("Olaf Amt", Role::Office).await;
    let (_, staff) = server.signed_in("Ada Krause", Role::Staff).await;
    let mia = server.person("Mia Berg", Role::Member).await;
    let path = format!("/api/v1/people/{mia}");
    send(&admin, Method::PATCH, &path, json!({ "state": "inactive" })).await;
    for who in [&admin, &office] {
        let (_, former) = get(who, "/api/v1/people?state=inactive").await;
        assert_eq!(
            (former["items"].as_array().unwrap().len(), &former["items"][0]["id"]),
            (1, &json!(mia))
        );
        let (_, active) = get(who, "/api/v1/people?role=member").await;
        assert_eq!(active["items"], json!([]));
    }
    let (status, refused) = get(&staff, "/api/v1/people?state=inactive").await;
    assert_eq!((status, &refused["code"]), (403, &json!("person.former")));
    let (status, wrong) = get(&office, "/api/v1/people?state=erased").await;
    assert_eq!((status, &wrong["field"]), (422, &json!("state")));
}

#[tokio::test]
async fn a_change_of_what_somebody_else_has_changed_meanwhile_is_refused() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let mia = server.person("Mia Berg", Role::Member).await;
    let path = format!("/api/v1/people/{mia}");
    let read = get(&admin, &path).await.1["version"].clone();
    let first = json!({ "number": "7", "version": read });
    let first = send(&admin, Method::PATCH, &path, first).await;
    assert_eq!(first.status, 200);
    let second =
        send(&admin, Method::PATCH, &path, json!({ "number": "8", "version": read })).await;
    assert_eq!((second.status, code(&second)), (409, "person.changed".to_owned()));
    let (_, now) = get(&admin, &path).await;
    assert_eq!((&now["number"], &now["version"]), (&json!("7"), &first.json().unwrap()["version"]));
    let again = json!({ "number": "8", "version": now["version"] });
    assert_eq!(send(&admin, Method::PATCH, &path, again).await.status, 200);
}

// Faults 60 and 64.
#[tokio::test]
async fn staff_see_of_others_than_their_own_only_name_and_presence() {
    let server = TestServer::start().await;
    let (ada, staff) = server.signed_in("Ada Krause", Role::Staff).await;
    let bob = server.person("Bob Lang", Role::Staff).await;
    let mine = server.member("Mia Berg", "04A1B2C3").await;
    let other = server.member("Tom Berg", "04A1B2C4").await;
    group(&server, &[mine], ada).await;
    let (_, found) = get(&staff, "/api/v1/people?q=berg").await;
    assert_eq!(found["items"][0]["groups"][0]["name"], "1a");
    let theirs =
        json!({ "id": other.to_string(), "display_name": "Tom Berg", "status": "not_present" });
    assert_eq!(found["items"][1], theirs);
    assert_eq!(get(&staff, &format!("/api/v1/people/{other}")).await.1, theirs);
    let (_, seen) = get(&staff, &format!("/api/v1/people/{mine}")).await;
    assert_eq!(seen["family_name"], "Berg");
    assert!(seen.get("badges").is_none() && seen.get("number").is_none());
    let (status, _) = get(&staff, &format!("/api/v1/people/{bob}")).await;
    assert_eq!(status, 200);
    let (_, office) = server.signed_in("Olaf Amt", Role::Office).await;
    let (_, seen) = get(&office, &format!("/api/v1/people/{mine}")).await;
    assert_eq!(seen["badges"][0]["tag_suffix"], "B2C3");
    assert!(seen.get("room_name").is_none());
}

#[tokio::test]
async fn only_those_who_work_here_look_for_people_and_only_admins_change_them() {
    let server = TestServer::start().await;
    let (mia, member) = server.signed_in("Mia Berg", Role::Member).await;
    let (_, staff) = server.signed_in("Ada Krause", Role::Staff).await;
    let (_, office) = server.signed_in("Olaf Amt", Role::Office).await;
    let (status, _) = get(&member, "/api/v1/people").await;
    assert_eq!(status, 403);
    assert_eq!(get(&server.nobody(), "/api/v1/people").await.0, 401);
    let path = format!("/api/v1/people/{mia}");
    for client in [&member, &staff, &office] {
        let answer = send(client, Method::PATCH, &path, json!({ "role": "admin" })).await;
        assert_eq!(answer.status, 403);
    }
    assert_eq!(server.number("select count(*) from person where role = 'admin'").await, 0);
}

// Fault 65.
#[tokio::test]
async fn the_last_admin_stays_one() {
    let server = TestServer::start().await;
    let (eva, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    // Somebody without an account cannot sign in, and so does not count.
    server.person("Ida Chef", Role::Admin).await;
    let path = format!("/api/v1/people/{eva}");
    let account = format!("{path}/account");
    for (path, body) in [
        (&path, json!({ "role": "staff" })),
        (&path, json!({ "state": "inactive" })),
        (&account, json!({ "disabled": true })),
    ] {
        let answer = send(&admin, Method::PATCH, path, body).await;
        assert_eq!((answer.status, code(&answer)), (409, "person.last_admin".to_owned()));
    }
    server.account("Uwe Chef", Role::Admin).await;
    assert_eq!(send(&admin, Method::PATCH, &path, json!({ "role": "staff" })).await.status, 200);
    assert_eq!(send(&admin, Method::PATCH, &path, json!({})).await.status, 403);
}

// Fault 40.
#[tokio::test]
async fn an_account_is_opened_closed_and_given_a_new_password() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let mia = server.person("Mia Berg", Role::Member).await;
    let path = format!("/api/v1/people/{mia}/account");
    let weak = json!({ "username": "mia", "password": "mia" });
    assert_eq!(send(&admin, Method::POST, &path, weak).await.status, 422);
    let made = send(&admin, Method::POST, &path, json!({ "username": "Mia" })).await;
    assert_eq!(made.status, 201);
    let password = made.json().unwrap()["password"].as_str().unwrap().to_owned();
    let login = json!({ "username": "mia", "password": password });
    let answer = server.nobody().post("/api/v1/login", &login).await.unwrap();
    let member = server.nobody().with("cookie", answer.cookies());
    assert_eq!(get(&member, "/api/v1/me").await.0, 200);
    let twice = send(&admin, Method::POST, &path, json!({ "username": "mia2" })).await;
    assert_eq!((twice.status, code(&twice)), (409, "account.exists".to_owned()));
    let tom = server.person("Tom Berg", Role::Member).await;
    let taken = format!("/api/v1/people/{tom}/account");
    let taken = send(&admin, Method::POST, &taken, json!({ "username": "MIA" })).await;
    assert_eq!((taken.status, code(&taken)), (409, "account.username_taken".to_owned()));

    let closed = send(&admin, Method::PATCH, &path, json!({ "disabled": true })).await;
    assert_eq!(closed.json().unwrap()["disabled"], true);
    assert_eq!(get(&member, "/api/v1/me").await.0, 401);
    let new = json!({ "disabled": false, "password": PASSWORD });
    assert_eq!(send(&admin, Method::PATCH, &path, new).await.status, 200);
    let member = server.sign_in("mia").await;
    let made = send(&admin, Method::PATCH, &path, json!({ "make_password": true })).await;
    let login = json!({ "username": "mia", "password": made.json().unwrap()["password"] });
    assert_eq!(get(&member, "/api/v1/me").await.0, 401);
    assert_eq!(server.nobody().post("/api/v1/login", &login).await.unwrap().status, 200);
}

// Fault 39.
#[tokio::test]
async fn an_admin_s_own_password_is_changed_with_the_present_one_alone() {
    let server = TestServer::start().await;
    let (eva, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let own = format!("/api/v1/people/{eva}/account");
    for new in [json!({ "password": "another long one" }), json!({ "make_password": true })] {
        let refused = send(&admin, Method::PATCH, &own, new).await;
        assert_eq!((refused.status, code(&refused)), (403, "password.own".to_owned()));
    }
    server.sign_in("eva").await;
}

#[tokio::test]
async fn a_badge_is_handed_out_once_blocked_and_taken_back() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let (_, office) = server.signed_in("Olaf Amt", Role::Office).await;
    let mia = server.person("Mia Berg", Role::Member).await;
    let tom = server.person("Tom Berg", Role::Member).await;
    let path = |id| format!("/api/v1/people/{id}/badges");
    let tag = json!({ "tag": "04:a1:b2:c3" });
    let badge = send(&office, Method::POST, &path(mia), tag.clone()).await;
    assert_eq!(badge.status, 201);
    let badge = badge.json().unwrap();
    assert_eq!(badge, json!({ "id": badge["id"], "tag_suffix": "B2C3", "state": "active" }));
    let taken = send(&office, Method::POST, &path(tom), json!({ "tag": "04A1B2C3" })).await;
    assert_eq!((taken.status, code(&taken)), (409, "badge.taken".to_owned()));
    let id = badge["id"].as_str().unwrap();
    let blocked =
        send(&office, Method::POST, &format!("/api/v1/badges/{id}/block"), json!({})).await;
    assert_eq!(blocked.json().unwrap()["state"], "blocked");
    let badge_path = format!("/api/v1/badges/{id}");
    assert_eq!(send(&office, Method::DELETE, &badge_path, json!({})).await.status, 403);
    assert_eq!(send(&admin, Method::DELETE, &badge_path, json!({})).await.status, 204);
    assert_eq!(send(&office, Method::POST, &path(tom), tag).await.status, 201);
    assert_eq!(send(&office, Method::POST, &path(tom), json!({ "tag": "x" })).await.status, 422);
}

#[tokio::test]
async fn each_look_at_contacts_is_written_down_and_out_of_scope_needs_a_reason() {
    let server = TestServer::start().await;
    let (ada, staff) = server.signed_in("Ada Krause", Role::Staff).await;
    let (_, office) = server.signed_in("Olaf Amt", Role::Office).await;
    let mine = server.person("Mia Berg", Role::Member).await;
    let other = server.person("Tom Berg", Role::Member).await;
    group(&server, &[mine], ada).await;
    let path = |id| format!("/api/v1/people/{id}/contacts");
    let eva = json!({ "name": "Eva Berg", "phone": "0171 234", "may_fetch": true });
    assert_eq!(send(&office, Method::POST, &path(mine), eva.clone()).await.status, 201);
    assert_eq!(send(&staff, Method::POST, &path(mine), eva).await.status, 403);
    let (status, seen) = get(&staff, &path(mine)).await;
    assert_eq!((status, &seen["items"][0]["phone"]), (200, &json!("0171 234")));
    let (status, refused) = get(&staff, &path(other)).await;
    assert_eq!((status, &refused["code"]), (403, &json!("contacts.reason_needed")));
    assert_eq!(get(&staff, &format!("{}?reason=accident", path(other))).await.0, 200);
    assert_eq!(get(&staff, &format!("{}?reason=curious", path(other))).await.0, 400);
    let acts: Vec<String> = server
        .read(|conn| rows::all(conn, "select act || ' ' || by || ' ' || detail from audit", []))
        .await;
    let acts: Vec<&String> = acts.iter().filter(|act| act.starts_with("contacts.")).collect();
    let expected = [
        format!("contacts.read person:{ada} "),
        format!("contacts.read_out_of_scope person:{ada} accident"),
    ];
    assert_eq!(acts, expected.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn an_altered_line_of_the_audit_shows() {
    let store = TestStore::new().await;
    for name in ["Ada A", "Bob B", "Cem C"] {
        store.account(name, Role::Staff).await;
    }
    assert_eq!(store.read(audit::broken_seal).await, None);
    let forge =
        |tx: &mut Tx<'_>| rows::run(tx, "update audit set by = 'person:9' where audit_id = 2", []);
    store.write(Actor::System, forge).await.unwrap();
    assert_eq!(store.read(audit::broken_seal).await, Some(2));
}

#[tokio::test]
async fn a_repeated_order_is_carried_out_once() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let admin = admin.with("idempotency-key", "k1");
    let body = json!({ "given_name": "Mia", "family_name": "Berg", "role": "member" });
    let first = send(&admin, Method::POST, "/api/v1/people", body.clone()).await;
    let again = send(&admin, Method::POST, "/api/v1/people", body).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json().unwrap(), again.json().unwrap());
    assert_eq!(server.number("select count(*) from person where role = 'member'").await, 1);
    people_are_kept(&server).await;
}

async fn people_are_kept(server: &TestServer) {
    let found = server.read(|conn| people::queries::by_name(conn, "Mia", "Berg")).await;
    assert_eq!(found.len(), 1);
}
