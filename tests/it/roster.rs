//! The import of people from a file: by the API, all or nothing, repeatable.

use std::collections::BTreeSet;

use bytes::Bytes;
use daybook::client::{Answer, Client};
use daybook::domain::people::{Role, headings};
use daybook::store::rows;
use hyper::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::callers::PATIENCE;
use crate::server::TestServer;
use crate::store::PASSWORD;

const FILE: &str = "Schülernummer;Nachname;Vorname;Klasse;Gruppe;Chip;Kontakt;Telefon;Abholberechtigt\r\n\
                    100;Müller;Mia;3b;Füchse;04A1B2C3;Eva Müller;0171 1;ja\r\n\
                    101;Berg;Tom;3b;;04A1B2C4;;;\r\n\
                    ;Ölmez;Cem;;Füchse;;;;\r\n";

async fn import(client: &Client, query: &str, file: impl Into<Bytes>) -> Answer {
    let path = format!("/api/v1/people/import{query}");
    let headers = [("content-type", "text/csv")];
    client.send(Method::POST, &path, &headers, file.into()).await.unwrap()
}

pub async fn report(client: &Client, query: &str, file: impl Into<Bytes>) -> (u16, Value) {
    let answer = import(client, query, file).await;
    (answer.status, answer.json().unwrap())
}

pub fn counts(report: &Value) -> (i64, i64, i64) {
    let count = |name: &str| report[name].as_i64().unwrap();
    (count("new"), count("changed"), count("same"))
}

// Fault 90.
#[tokio::test]
async fn a_file_is_taken_over_and_again_without_doubles() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let (status, plan) = report(&admin, "?dry_run=true", FILE).await;
    assert_eq!((status, counts(&plan), &plan["imported"]), (200, (3, 0, 0), &json!(false)));
    assert_eq!(server.number("select count(*) from person").await, 1);

    let (status, done) = report(&admin, "", FILE).await;
    assert_eq!((status, counts(&done), &done["imported"]), (200, (3, 0, 0), &json!(true)));
    let (_, again) = report(&admin, "", FILE).await;
    assert_eq!(counts(&again), (0, 0, 3));
    assert_eq!(server.number("select count(*) from person where role = 'member'").await, 3);
    assert_eq!(server.number("select count(*) from contact where may_fetch").await, 1);

    // The same people in another encoding, with another class and another number of a telephone.
    let changed = FILE.replace("3b;;", "4b;;").replace("0171 1", "0171 2");
    let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(&changed);
    let (_, again) = report(&admin, "", latin.into_owned()).await;
    assert_eq!(counts(&again), (0, 2, 1));
    let groups: Vec<String> = server
        .read(|conn| {
            rows::all(
                conn,
                "select given_name || ' ' || name
                 from person join group_member using (person_id) join \"group\" using (group_id)
                 order by 1",
                [],
            )
        })
        .await;
    assert_eq!(groups, ["Cem Füchse", "Mia 3b", "Mia Füchse", "Tom 4b"]);
    assert_eq!(server.number("select count(*) from contact where phone = '0171 2'").await, 1);
}

#[tokio::test]
async fn a_class_is_the_same_in_capitals() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let first = "Vorname;Nachname;Klasse;Gruppe\nMia;Berg;3b;Füchse\nTom;Lang;3B;FÜCHSE\n";
    assert_eq!(counts(&report(&admin, "", first).await.1), (2, 0, 0));
    assert_eq!(server.number("select count(*) from \"group\"").await, 2);
    let again = "Vorname;Nachname;Klasse\nMia;Berg;3B\n";
    assert_eq!(counts(&report(&admin, "", again).await.1), (0, 0, 1));
    let twice = "Vorname;Nachname;Klasse\nIda;Ott;3b\nIda;Ott;3B\n";
    let plan = report(&admin, "?dry_run=true", twice).await.1;
    let errors = &plan["errors"];
    assert_eq!((&errors[0]["row"], &errors[0]["code"]), (&json!(3), &json!("import.person_twice")));
}

/// Fault 90.
#[tokio::test]
async fn one_complaint_and_nothing_is_taken_over() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    server.member("Ida Lang", "04A1B2C4").await;
    let file = FILE.replace("04A1B2C3", "1,23E+11");
    let answer = import(&admin, "", file.clone()).await;
    let problem = answer.json().unwrap();
    assert_eq!((answer.status, &problem["code"]), (422, &json!("import.refused")));
    let errors = &problem["details"]["errors"];
    let place = |n: usize| (&errors[n]["row"], &errors[n]["column"], &errors[n]["code"]);
    assert_eq!(place(0), (&json!(2), &json!("Chip"), &json!("import.number_mangled")));
    assert_eq!(place(1), (&json!(3), &json!("Chip"), &json!("import.badge_taken")));
    assert_eq!(server.number("select count(*) from person where role = 'member'").await, 1);
    assert_eq!(server.number("select count(*) from \"group\"").await, 0);
    let (status, plan) = report(&admin, "?dry_run=true", file).await;
    assert_eq!((status, &plan["errors"]), (200, errors));
}

#[tokio::test]
async fn who_has_no_number_is_known_by_name_and_group() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let file = "Vorname;Nachname;Klasse\nMia;Müller;1a\nMia;Müller;2a\n";
    assert_eq!(counts(&report(&admin, "", file).await.1), (2, 0, 0));
    let badge = "Vorname;Nachname;Klasse;Chip\nMIA;Mueller;2a;04A1B2C3\n";
    assert_eq!(counts(&report(&admin, "", badge).await.1), (0, 1, 0));
    let unclear = "Vorname;Nachname;Chip\nMia;Müller;04A1B2C4\n";
    let (status, problem) = report(&admin, "", unclear).await;
    let error = &problem["details"]["errors"][0];
    assert_eq!((status, &error["code"]), (422, &json!("import.person_ambiguous")));
    // A number that is new adopts who had none.
    let number = "Nr;Vorname;Nachname;Klasse\n7;Mia;Müller;1a\n";
    assert_eq!(counts(&report(&admin, "", number).await.1), (0, 1, 0));
    assert_eq!(counts(&report(&admin, "", number).await.1), (0, 0, 1));
    // Somebody of the same name who works here is somebody else.
    let staff = "Vorname;Nachname;Rolle\nMia;Müller;Lehrerin\n";
    assert_eq!(counts(&report(&admin, "", staff).await.1), (1, 0, 0));
    assert_eq!(
        server.number("select count(*) from person where search_key = ' mia muller'").await,
        3
    );
}

#[tokio::test]
async fn staff_become_responsible_for_the_groups_of_their_row() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let (_, ada) = server.signed_in("Ada Krause", Role::Staff).await;
    let file = "Vorname;Nachname;Rolle;Gruppe\nAda;Krause;Erzieherin;Füchse\nMia;Berg;;Füchse\n";
    assert_eq!(counts(&report(&admin, "", file).await.1), (1, 1, 0));
    assert_eq!(counts(&report(&admin, "", file).await.1), (0, 0, 2));
    let me = ada.get("/api/v1/me").await.unwrap().json().unwrap();
    assert_eq!(me["scope"]["groups"][0]["name"], "Füchse");
    let seen = ada.get("/api/v1/people?q=mia").await.unwrap().json().unwrap();
    assert_eq!(seen["items"][0]["groups"][0]["name"], "Füchse");
    // Another child in the group: those responsible are told that they see others now.
    let more = "Vorname;Nachname;Gruppe\nTom;Berg;Füchse\n";
    let before = server.log().await.len();
    report(&admin, "", more).await;
    assert_eq!(server.log().await[before..], ["access.changed"]);
    let office = "Vorname;Nachname;Rolle;Gruppe\nOlaf;Amt;Büro;Füchse\n";
    let (_, problem) = report(&admin, "", office).await;
    assert_eq!(problem["details"]["errors"][0]["code"], "import.office_group");
}

/// The first complaint of a file that is refused: its row, column and code.
async fn complaint(admin: &Client, file: &str) -> (i64, String, String) {
    let (status, problem) = report(admin, "", file.to_owned()).await;
    let error = &problem["details"]["errors"][0];
    assert_eq!(status, 422, "{problem}");
    let word = |name: &str| error[name].as_str().unwrap().to_owned();
    (error["row"].as_i64().unwrap(), word("column"), word("code"))
}

#[tokio::test]
async fn who_works_here_is_never_doubled_by_a_file_that_says_otherwise_of_them() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    server.person("Ada Krause", Role::Staff).await;
    server.person("Udo Ebert", Role::Staff).await;
    // Known without a group; with another one; with another role; with a number at last.
    for (file, done) in [
        ("Vorname;Nachname;Rolle;Gruppe\nAda;Krause;Lehrerin;Füchse\n", (0, 1, 0)),
        ("Vorname;Nachname;Rolle;Gruppe\nAda;Krause;Lehrerin;Bären\n", (0, 1, 0)),
        ("Vorname;Nachname;Rolle;Gruppe\nAda;Krause;Lehrerin;Bären\n", (0, 0, 1)),
        ("Vorname;Nachname;Rolle\nAda;Krause;Lehrerin\nUdo;Ebert;Büro\n", (0, 1, 1)),
        ("Vorname;Nachname;Rolle\nUdo;Ebert;Personal\n", (0, 1, 0)),
        ("Nr;Vorname;Nachname;Rolle;Gruppe\n9;Ada;Krause;Lehrerin;Igel\n", (0, 1, 0)),
        ("Vorname;Nachname;Rolle;Gruppe\nAda;Krause;Lehrerin;Eulen\n", (0, 1, 0)),
    ] {
        assert_eq!(counts(&report(&admin, "", file).await.1), done, "{file}");
    }
    assert_eq!(server.number("select count(*) from person").await, 3);
    // A list without roles is one of members: it may mean a child of that name, or not.
    let unclear = complaint(&admin, "Vorname;Nachname\nAda;Krause\n").await;
    assert_eq!(unclear, (2, "Vorname".into(), "import.role_missing".into()));
    let lead = complaint(&admin, "Vorname;Nachname;Rolle\nEva;Chef;Lehrerin\n").await;
    assert_eq!((lead.0, &*lead.2), (2, "import.role_admin"));
    let office = "Vorname;Nachname;Rolle;Gruppe\nUdo;Ebert;Büro;Igel\n";
    assert_eq!(complaint(&admin, office).await.2, "import.office_group");
    assert_eq!(server.number("select count(*) from person").await, 3);
}

#[tokio::test]
async fn a_member_in_another_class_is_the_same_unless_a_namesake_could_be_meant() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let file = |rows: &str| format!("Nr;Vorname;Nachname;Klasse;Chip\n{rows}");
    let first = file(";Mia;Müller;1a;04A1B2C3\n;Tom;Berg;1a;\n");
    let next = file(";Mia;Müller;2a;\n;Tom;Berg;2a;\n");
    for (file, done) in [(&first, (2, 0, 0)), (&next, (0, 2, 0)), (&next, (0, 0, 2))] {
        assert_eq!(counts(&report(&admin, "", file.clone()).await.1), done, "{file}");
    }
    // A namesake joins: each is known by the class, and both move up only with a badge or number.
    let two = file(";Mia;Müller;2a;\n;Mia;Müller;1a;\n");
    assert_eq!(counts(&report(&admin, "", two.clone()).await.1), (1, 0, 1));
    assert_eq!(counts(&report(&admin, "", two).await.1), (0, 0, 2));
    let ambiguous = |row| (row, "Vorname".to_owned(), "import.person_ambiguous".to_owned());
    let up = file(";Mia;Müller;2a;\n;Mia;Müller;3a;\n");
    assert_eq!(complaint(&admin, &up).await, ambiguous(3));
    let up = file(";Mia;Müller;3a;\n");
    assert_eq!(complaint(&admin, &up).await, ambiguous(2));
    let badge = file(";Mia;Müller;3a;04A1B2C3\n");
    assert_eq!(counts(&report(&admin, "", badge).await.1), (0, 1, 0));
    let number = file("5;Tom;Berg;3a;\n6;Tom;Berg;4a;\n");
    assert_eq!(complaint(&admin, &number).await, ambiguous(2));
    assert_eq!(server.number("select count(*) from person where role = 'member'").await, 3);
}

#[tokio::test]
async fn a_file_never_takes_an_admin_down() {
    let server = TestServer::start().await;
    let (eva, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let path = format!("/api/v1/people/{eva}");
    admin.json(Method::PATCH, &path, &json!({ "number": "1" })).await.unwrap();
    let (status, problem) =
        report(&admin, "", "Nr;Vorname;Nachname;Rolle\n1;Eva;Chef;Kind\n").await;
    assert_eq!(
        (status, &problem["details"]["errors"][0]["code"]),
        (422, &json!("import.role_admin"))
    );
}

#[tokio::test]
async fn what_the_house_does_not_allow_of_a_row_is_said_all_at_once_with_its_columns() {
    let server = TestServer::start().await;
    let (eva, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let path = format!("/api/v1/people/{eva}");
    admin.json(Method::PATCH, &path, &json!({ "number": "1" })).await.unwrap();
    server.member("Ida Lang", "04A1B2C3").await;
    server.member("Jan Lang", "04A1B2C4").await;
    let file = "Nr;Vorname;Nachname;Rolle;Klasse;Gruppe;Chip;Chip 2\n\
                1;Eva;Chef;Kind;;;04A1B2C3;04A1B2C4\n\
                ;Olaf;Amt;Büro;;Füchse;;\n";
    let (_, plan) = report(&admin, "?dry_run=true", file).await;
    let word = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
    let errors = plan["errors"].as_array().unwrap().iter();
    let places: Vec<_> = errors
        .map(|e| (e["row"].as_i64().unwrap(), word(e, "column"), word(e, "value"), word(e, "code")))
        .collect();
    let place = |row, column: &str, value: &str, code: &str| {
        (row, column.to_owned(), value.to_owned(), format!("import.{code}"))
    };
    assert_eq!(
        places,
        [
            place(2, "Chip", "04A1B2C3", "badge_taken"),
            place(2, "Chip 2", "04A1B2C4", "badge_taken"),
            place(2, "Rolle", "Kind", "role_admin"),
            place(3, "Gruppe", "Füchse", "office_group"),
        ]
    );
}

#[tokio::test]
async fn who_changes_between_member_and_staff_has_the_group_of_the_row_in_the_new_role() {
    for (first, second, are_members) in [("Lehrerin", "Kind", 1), ("Kind", "Lehrerin", 0)] {
        let server = TestServer::start().await;
        let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
        let file =
            |role: &str| format!("Nr;Vorname;Nachname;Rolle;Klasse\n7;Ada;Krause;{role};3b\n");
        for (role, done) in [(first, (1, 0, 0)), (second, (0, 1, 0)), (second, (0, 0, 1))] {
            assert_eq!(counts(&report(&admin, "", file(role)).await.1), done, "{role}");
        }
        let in_group = "select count(*) from group_member";
        let in_charge = "select count(*) from supervision where ended_at is null";
        assert_eq!(server.number(in_group).await, are_members);
        assert_eq!(server.number(in_charge).await, 1 - are_members);
    }
}

#[tokio::test]
async fn a_column_without_a_heading_is_said_not_to_be_read_where_something_stands_in_it() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let file = "Vorname;;Nachname;;Ort\nMia;;Berg;;x\nTom;neu;Berg;;y\nIda;neu;Berg;;z\n";
    let (_, done) = report(&admin, "", file).await;
    assert_eq!((counts(&done), &done["ignored"]), ((3, 0, 0), &json!(["Ort", "[B]"])));
}

#[tokio::test]
async fn an_admin_may_stand_in_a_file_as_one_and_nobody_becomes_one_by_it() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let file = |rows: &str| format!("Vorname;Nachname;Rolle;Klasse\n{rows}");
    for (rows, done) in [
        ("Eva;Chef;Leitung;\nAda;Krause;Lehrerin;3b\n", (1, 0, 1)),
        ("Eva;Chef;Leitung;3b\n", (0, 1, 0)),
        ("Eva;Chef;Leitung;3b\nAda;Krause;Lehrerin;3b\n", (0, 0, 2)),
    ] {
        assert_eq!(counts(&report(&admin, "", file(rows)).await.1), done, "{rows}");
    }
    for rows in ["Ada;Krause;Leitung;\n", "Udo;Neu;Admin;\n", "Eva;Chef;Lehrerin;\n"] {
        let refused = complaint(&admin, &file(rows)).await;
        assert_eq!(refused, (2, "Rolle".into(), "import.role_admin".into()), "{rows}");
    }
    assert_eq!(server.number("select count(*) from person where role = 'admin'").await, 1);
}

/// Fault 90.
#[tokio::test]
async fn what_is_no_csv_or_not_from_an_admin_is_refused() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let (_, office) = server.signed_in("Olaf Amt", Role::Office).await;
    assert_eq!(import(&office, "", FILE).await.status, 403);
    let path = "/api/v1/people/import";
    let json = admin.json(Method::POST, path, &json!({})).await.unwrap();
    assert_eq!(json.status, 415);
    assert_eq!(import(&admin, "?dry=1", FILE).await.status, 400);
    let long = format!("Vorname\n{}", "A\n".repeat(1_000_000));
    let (status, problem) = report(&admin, "", long).await;
    let error = &problem["details"]["errors"][0];
    assert_eq!((status, &error["code"]), (422, &json!("import.too_many_rows")));
    let bytes = vec![b'x'; 17 * 1024 * 1024];
    assert_eq!(import(&admin, "", bytes).await.status, 413);
}

/// Fault 90.
#[tokio::test]
async fn a_whole_house_is_taken_over_in_one_go() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let mut file = "Nr,First name,Last name,Class,Badge,Contact,Phone\n".to_owned();
    for n in 0..2_000 {
        file.push_str(&format!("{n},Child{n},Family{n},{}c,04{n:06X},Parent{n},0171{n}\n", n % 40));
    }
    assert_eq!(counts(&report(&admin, "", file.clone()).await.1), (2_000, 0, 0));
    assert_eq!(counts(&report(&admin, "", file).await.1), (0, 0, 2_000));
    assert_eq!(server.number("select count(*) from group_member").await, 2_000);
}

#[test]
fn the_paper_on_imports_names_headings_that_are_known_and_every_complaint() {
    let paper = std::fs::read_to_string("docs/import.md").unwrap();
    let quoted = |text: &str| -> Vec<String> {
        text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    for row in paper.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        for heading in quoted(row) {
            assert!(headings::column(&heading).is_some(), "{heading}");
        }
    }
    let told: BTreeSet<String> =
        quoted(&paper).into_iter().filter(|word| word.starts_with("import.")).collect();
    let mut given = BTreeSet::new();
    let people = ["decoding", "table", "columns", "import", "repeats", "cells"];
    let places = people.map(|facet| format!("people/{facet}.rs")).into_iter();
    for file in places.chain(["rooms/roster.rs", "rooms/namesakes.rs"].map(str::to_owned)) {
        let source = std::fs::read_to_string(format!("src/domain/{file}")).unwrap();
        given.extend(
            source.split('"').filter(|word| word.starts_with("import.")).map(str::to_owned),
        );
    }
    assert_eq!(told, given);
    for field in headings::fields() {
        assert!(paper.contains(&format!("| {field} |")), "{field} is not in the table");
    }
}

/// Fault 93.
#[tokio::test]
async fn a_file_that_breaks_off_is_not_taken_over_in_part() {
    let server = TestServer::start().await;
    server.account("Eva Chef", Role::Admin).await;
    let credentials = json!({ "username": "eva", "password": PASSWORD });
    let signed_in = server.nobody().post("/api/v1/login", &credentials).await.unwrap();
    let cookie = signed_in.cookies();
    let (host, length) = (server.address, FILE.len() + 20);
    let head = format!(
        "POST /api/v1/people/import HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\n\
         cookie: {cookie}\r\ncontent-type: text/csv\r\ncontent-length: {length}\r\n\r\n"
    );
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    // All of its rows are there, and each is right: only the length says that more was to come.
    socket.write_all(&[head.as_bytes(), FILE.as_bytes()].concat()).await.unwrap();
    socket.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("an end");
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{answer:?}");
    assert_eq!(server.number("select count(*) from person").await, 1);
    assert_eq!(server.number("select count(*) from \"group\"").await, 0);
}
