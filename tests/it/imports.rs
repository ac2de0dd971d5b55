//! The undo of an import: the house is as if the file had never come, but for what came of it since.

use std::time::Duration;

use daybook::base::id::PersonId;
use daybook::client::Client;
use daybook::domain::people::Role;
use daybook::store::rows;
use daybook::{domain, jobs};
use hyper::Method;
use serde_json::{Value, json};

use crate::server::TestServer;

/// The answer to a file: status and body.
async fn import(client: &Client, file: &str) -> Value {
    let headers = [("content-type", "text/csv")];
    let path = "/api/v1/people/import";
    let answer = client.send(Method::POST, path, &headers, file.to_owned().into()).await.unwrap();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    answer.json().unwrap()
}

async fn undo(client: &Client, report: &Value) -> (u16, Value) {
    let path = format!("/api/v1/people/imports/{}/undo", report["import_id"].as_str().unwrap());
    let answer = client.json(Method::POST, &path, &json!({})).await.unwrap();
    (answer.status, answer.json().unwrap())
}

/// What an undo that is done says: gone, inactive, restored, kept.
async fn undone(client: &Client, report: &Value) -> [i64; 4] {
    let (status, done) = undo(client, report).await;
    assert_eq!(status, 200, "{done}");
    ["gone", "inactive", "restored", "kept"].map(|count| done[count].as_i64().unwrap())
}

/// The imports that can be undone.
async fn undoable(client: &Client) -> Vec<Value> {
    let list = client.get("/api/v1/people/imports").await.unwrap().json().unwrap();
    list["items"].as_array().unwrap().clone()
}

async fn change(client: &Client, person: PersonId, change: Value) {
    let path = format!("/api/v1/people/{person}");
    assert_eq!(client.json(Method::PATCH, &path, &change).await.unwrap().status, 200);
}

async fn id_of(server: &TestServer, given_name: &'static str) -> PersonId {
    let find = move |conn: &rusqlite::Connection| {
        let sql = "select person_id from person where given_name = ?1";
        Ok(conn.query_row(sql, [given_name], |row| row.get(0))?)
    };
    PersonId(server.read(find).await)
}

/// All that a file can change, of those who are known: a line each, ids left out.
async fn house(server: &TestServer) -> Vec<String> {
    let lines = |conn: &rusqlite::Connection| {
        let mut statement = conn.prepare(
            "select concat_ws(' ', number, given_name, family_name, display_name, search_key, role,
                    language, state,
                    (select group_concat(tag || state, ',' order by tag)
                     from badge b where b.person_id = p.person_id),
                    (select group_concat(concat_ws('/', name, relation, phone, may_fetch, emergency),
                                         ',' order by name)
                     from contact c where c.person_id = p.person_id),
                    (select group_concat(name, ',' order by name)
                     from group_member join \"group\" using (group_id)
                     where group_member.person_id = p.person_id),
                    (select group_concat('in charge of ' || name, ',' order by name)
                     from supervision s join \"group\" using (group_id)
                     where s.person_id = p.person_id and ended_at is null))
             from person p
             where state <> 'erased'
             union all
             select concat_ws(' ', 'group', name, kind) from \"group\"
             order by 1",
        )?;
        let lines = statement.query_map([], |row| row.get(0))?;
        Ok(lines.collect::<rusqlite::Result<_>>()?)
    };
    server.read(lines).await
}

const FILE: &str = "Nr;Vorname;Nachname;Rolle;Klasse;Gruppe;Chip;Kontakt;Telefon\n\
                    1;Mia;Berg;;3b;Füchse;04A1B2C3;Eva Berg;0171 1\n\
                    2;Tom;Berg;;3b;;04A1B2C4;Eva Berg;0171 1\n\
                    9;Ada;Krause;Lehrerin;3b;;04A1B2C5;;\n";

#[tokio::test]
async fn an_import_is_undone_whole_and_can_be_done_again_as_the_first_time() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    server.person("Udo Ebert", Role::Staff).await;
    let before = house(&server).await;
    let first = import(&admin, FILE).await;
    assert_eq!(
        (&first["new"], &first["undo_until"]),
        (&json!(3), &json!("2026-11-21T09:00:00.000Z"))
    );
    let after = house(&server).await;
    let list = undoable(&admin).await;
    let item = &list[0];
    assert_eq!((&item["id"], &item["by_name"]), (&first["import_id"], &json!("Eva Chef")));

    assert_eq!(undone(&admin, &first).await, [3, 0, 0, 0]);
    assert_eq!(house(&server).await, before);
    assert_eq!(undoable(&admin).await, Vec::<Value>::new());
    // Twice is once, and nothing of anybody is left.
    assert_eq!(undone(&admin, &first).await, [3, 0, 0, 0]);
    for table in ["import_person", "import_group", "badge", "contact", "group_member"] {
        assert_eq!(count(&server, table).await, 0, "{table}");
    }
    let named = "select count(*) from person where state = 'erased'
                 and given_name || family_name || display_name || search_key <> ''";
    assert_eq!(server.number(named).await, 0);
    let board = admin.get("/api/v1/board").await.unwrap().json().unwrap();
    assert_eq!(board["counts"]["expected"], 0);
    let audit = admin.get("/api/v1/audit?act=people.import_undone").await.unwrap().json().unwrap();
    assert_eq!(audit["items"].as_array().unwrap().len(), 1, "{audit}");
    let detail = format!(
        "import:{} gone:3 inactive:0 restored:0 kept:0",
        first["import_id"].as_str().unwrap()
    );
    assert_eq!(audit["items"][0]["detail"], detail);

    let again = import(&admin, FILE).await;
    assert_eq!((&again["new"], &again["changed"]), (&json!(3), &json!(0)));
    assert_ne!(again["import_id"], first["import_id"]);
    assert_eq!(house(&server).await, after);
    // The keys of who is gone are nobody else's.
    assert_eq!(server.number("select count(*) from person").await, 8);
    let gone = "select count(*) from audit where act = 'person.unenrolled'";
    assert_eq!(server.number(gone).await, 3);
}

async fn count(server: &TestServer, table: &str) -> i64 {
    let sql = format!("select count(*) from {table}");
    server.read(move |conn| Ok(conn.query_row(&sql, [], |row| row.get(0))?)).await
}

#[tokio::test]
async fn what_the_file_changed_is_as_before_but_for_what_was_changed_since() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let ada = server.person("Ada Krause", Role::Staff).await;
    import(
        &admin,
        "Nr;Vorname;Nachname;Rolle;Klasse;Kontakt;Telefon\n\
         1;Mia;Berg;;3b;Eva Berg;0171 1\n\
         2;Tom;Berg;;3b;Eva Berg;0171 1\n\
         3;Ida;Lang;;3b;;\n\
         ;Ada;Krause;Lehrerin;3b;;\n\
         5;Udo;Ebert;Lehrer;3b;;\n",
    )
    .await;
    let before = house(&server).await;
    let file = "Nr;Vorname;Nachname;Anzeigename;Rolle;Klasse;Sprache;Chip;Kontakt;Telefon;\
                Kontakt 2;Telefon 2\n\
                1;Mia;Tal;Mimi;;4b;en;04A1B2C3;Eva Berg;0171 2;Jan Berg;0171 3\n\
                2;Tom;Tal;Tommi;;4b;en;04A1B2C4;Eva Berg;0171 2;Jan Berg;0171 3\n\
                3;Ida;Lang;;Lehrerin;4b;;;;;;\n\
                ;Ada;Krause;;Büro;;;;;;;\n\
                5;Udo;Ebert;;Kind;4b;;;;;;\n";
    let second = import(&admin, file).await;
    assert_eq!((&second["new"], &second["changed"]), (&json!(0), &json!(5)));
    assert_eq!(undone(&admin, &second).await, [0, 0, 5, 0]);
    assert_eq!(house(&server).await, before);

    // By hand since: another name, another class, a number of the contact, a card that is lost.
    let third = import(&admin, file).await;
    assert_eq!(third["changed"], 5);
    let tom = id_of(&server, "Tom").await;
    change(&admin, tom, json!({ "family_name": "Tann", "display_name": "Tom T." })).await;
    let sql = "select contact_id from contact where name = 'Eva Berg' and person_id = ";
    let contact = server
        .read(move |conn| {
            Ok(conn.query_row(&format!("{sql}{tom}"), [], |row| row.get::<_, i64>(0))?)
        })
        .await;
    let path = format!("/api/v1/contacts/{contact}");
    assert_eq!(admin.json(Method::DELETE, &path, &json!({})).await.unwrap().status, 204);
    let badge = server.number("select badge_id from badge where tag = '04A1B2C4'").await;
    let path = format!("/api/v1/badges/{badge}/block");
    assert_eq!(admin.post(&path, &json!({})).await.unwrap().status, 200);
    change(&admin, ada, json!({ "role": "staff" })).await;
    assert_eq!(undone(&admin, &third).await, [0, 0, 5, 1]);
    let after = house(&server).await;
    let differ: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
    // Who has her role back by hand has what went with it, too.
    assert_eq!(differ, ["2 Tom Tann Tom T.  tom tann member active 04A1B2C4blocked 3b"]);
}

#[tokio::test]
async fn whom_the_file_made_is_inactive_if_something_is_known_of_them_since() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let file = "Vorname;Nachname;Klasse;Chip\nMia;Berg;3b;04A1B2C3\nTom;Berg;3b;04A1B2C4\n\
                Ida;Lang;3b;\nJan;Lang;3b;\nUwe;Ott;3b;04A1B2C5\nBen;Ott;3b;\n";
    let report = import(&admin, file).await;
    let [mia, tom, ida, jan] = [
        id_of(&server, "Mia").await,
        id_of(&server, "Tom").await,
        id_of(&server, "Ida").await,
        id_of(&server, "Jan").await,
    ];
    let present = json!({ "status": "present" });
    let path = format!("/api/v1/attendance/{mia}");
    assert_eq!(admin.post(&path, &present).await.unwrap().status, 200);
    let account = json!({ "username": "tom.berg", "password": "a long enough one" });
    let path = format!("/api/v1/people/{tom}/account");
    assert_eq!(admin.post(&path, &account).await.unwrap().status, 201);
    let path = format!("/api/v1/people/{ida}/contacts");
    assert_eq!(admin.post(&path, &json!({ "name": "Ina Lang" })).await.unwrap().status, 201);
    change(&admin, jan, json!({ "family_name": "Langer" })).await;
    // A card that opened nothing was held all the same.
    hold(&server, "04A1B2C5").await;

    assert_eq!(undone(&admin, &report).await, [1, 5, 0, 0]);
    let state = |state: &'static str| match state {
        "inactive" => "select count(*) from person where state = 'inactive' and role = 'member'",
        _ => "select count(*) from person where state = 'erased'",
    };
    assert_eq!(server.number(state("inactive")).await, 5);
    assert_eq!(server.number(state("erased")).await, 1);
    // Whoever was in the house has left it, and the class of who is left stays.
    let list = admin.get("/api/v1/attendance").await.unwrap().json().unwrap();
    let items = list["items"].as_array().unwrap();
    let of_mia = items.iter().find(|item| item["member_id"] == json!(mia)).unwrap();
    assert_eq!(of_mia["status"], "left");
    assert_eq!(server.number("select count(*) from \"group\"").await, 1);
    // They come back by the same file.
    let again = import(&admin, &file.replace("Jan;Lang", "Jan;Langer")).await;
    assert_eq!((&again["new"], &again["changed"]), (&json!(1), &json!(5)));
    assert_eq!(
        server
            .number("select count(*) from person where role = 'member' and state = 'active'")
            .await,
        6
    );
}

/// Holds a card before a reader in a room where nothing runs.
async fn hold(server: &TestServer, tag: &str) {
    let room = crate::fixture::room(server, "Gym").await;
    let reader = json!({ "name": "Gym", "mode": "room", "room_id": room });
    let reader = crate::devices::reader(server, reader).await;
    let tap = reader.client.post("/api/v1/device/tap", &json!({ "tag": tag })).await.unwrap();
    let told = String::from_utf8(tap.body.to_vec()).unwrap();
    assert!(told.contains("rejected"), "{told}");
}

#[tokio::test]
async fn a_card_of_the_file_that_was_held_before_a_reader_stays_with_its_bearer() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    server.person("Mia Berg", Role::Member).await;
    let file = "Vorname;Nachname;Chip;Chip 2\nMia;Berg;04A1B2C3;04A1B2C4\n";
    let report = import(&admin, file).await;
    hold(&server, "04A1B2C3").await;
    assert_eq!(undone(&admin, &report).await, [0, 0, 1, 1]);
    let cards: Vec<String> = server.read(|conn| rows::all(conn, "select tag from badge", [])).await;
    assert_eq!(cards, ["04A1B2C3"]);
}

#[tokio::test]
async fn that_somebody_was_missed_is_nothing_that_is_known_of_them() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let ben = server.person("Ben Dietz", Role::Member).await;
    let path = format!("/api/v1/attendance/{ben}");
    admin.post(&path, &json!({ "status": "present" })).await.unwrap();
    let report = import(&admin, FILE).await;
    server.write(daybook::base::Actor::System, domain::visits::day::mark_missing).await.unwrap();
    assert_eq!(server.number("select count(*) from attendance").await, 3);
    assert_eq!(undone(&admin, &report).await, [3, 0, 0, 0]);
    let board = admin.get("/api/v1/board").await.unwrap().json().unwrap();
    let counts = ["expected", "present", "absent"].map(|count| board["counts"][count].clone());
    assert_eq!(counts, [json!(0), json!(1), json!(0)]);
}

#[tokio::test]
async fn only_the_newest_import_is_undone_and_only_for_a_day() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let last_year = import(&admin, "Vorname;Nachname;Klasse\nMia;Berg;3b\nTom;Berg;3b\n").await;
    let between = house(&server).await;
    let this_year = import(&admin, "Vorname;Nachname;Klasse\nMia;Berg;4b\nIda;Lang;1a\n").await;
    // A file that changes nothing is none that could be undone.
    let same = import(&admin, "Vorname;Nachname;Klasse\nMia;Berg;4b\n").await;
    assert_eq!((&same["import_id"], &same["undo_until"]), (&Value::Null, &Value::Null));
    let (status, problem) = undo(&admin, &last_year).await;
    assert_eq!((status, &problem["code"]), (409, &json!("import.not_newest")));
    assert_eq!(undone(&admin, &this_year).await, [1, 0, 1, 0]);
    assert_eq!(house(&server).await, between);
    assert_eq!(undone(&admin, &last_year).await, [2, 0, 0, 0]);
    assert_eq!(house(&server).await.len(), 1);

    let report = import(&admin, FILE).await;
    server.advance(Duration::from_hours(24));
    let admin = server.sign_in("eva").await;
    assert_eq!(undoable(&admin).await.len(), 1);
    server.advance(Duration::from_secs(1));
    let (status, problem) = undo(&admin, &report).await;
    assert_eq!((status, &problem["code"]), (409, &json!("import.undo_too_late")));
    assert_eq!(undoable(&admin).await, Vec::<Value>::new());
    // The night forgets how everybody was.
    server.advance(Duration::from_hours(18));
    jobs::do_what_is_due(&server.app).await.unwrap();
    let admin = server.sign_in("eva").await;
    for table in ["import", "import_person", "import_group"] {
        assert_eq!(count(&server, table).await, 0, "{table}");
    }
    let (status, problem) = undo(&admin, &report).await;
    assert_eq!((status, &problem["code"]), (404, &json!("import.not_found")));
}

#[tokio::test]
async fn nobody_undoes_themselves() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let report = import(&admin, "Vorname;Nachname;Rolle\nAda;Krause;Büro\nUdo;Ebert;Büro\n").await;
    let ada = id_of(&server, "Ada").await;
    let account = json!({ "username": "ada", "password": crate::store::PASSWORD });
    let path = format!("/api/v1/people/{ada}/account");
    assert_eq!(admin.post(&path, &account).await.unwrap().status, 201);
    change(&admin, ada, json!({ "role": "admin" })).await;
    let ada = server.sign_in("ada").await;
    assert_eq!(undone(&ada, &report).await, [1, 0, 0, 1]);
    assert_eq!(ada.get("/api/v1/me").await.unwrap().status, 200);
}

#[tokio::test]
async fn those_in_charge_are_told_that_they_see_others_again() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let (_, ada) = server.signed_in("Ada Krause", Role::Staff).await;
    import(&admin, "Vorname;Nachname;Rolle;Gruppe\nAda;Krause;Erzieherin;Füchse\n").await;
    let report = import(&admin, "Vorname;Nachname;Gruppe\nMia;Berg;Füchse\n").await;
    let before = server.log().await.len();
    assert_eq!(undone(&admin, &report).await, [1, 0, 0, 0]);
    assert_eq!(server.log().await[before..], ["access.changed"]);
    let found = ada.get("/api/v1/people?q=mia").await.unwrap().json().unwrap();
    assert_eq!(found["items"], json!([]));
}

#[tokio::test]
async fn a_whole_house_is_taken_back_in_one_go() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let mut file = "Nr,First name,Last name,Class,Badge,Contact,Phone\n".to_owned();
    for n in 0..2_000 {
        file.push_str(&format!("{n},Child{n},Family{n},{}c,04{n:06X},Parent{n},0171{n}\n", n % 40));
    }
    let report = import(&admin, &file).await;
    assert_eq!(undone(&admin, &report).await, [2_000, 0, 0, 0]);
    assert_eq!(house(&server).await.len(), 1);
    assert_eq!(import(&admin, &file).await["new"], 2_000);
}
