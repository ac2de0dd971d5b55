//! The columns of an imported file, matched by hand where their headings do not say what they hold.

use daybook::domain::people::Role;
use serde_json::json;

use crate::roster::{counts, report};
use crate::server::TestServer;

#[tokio::test]
async fn columns_are_matched_by_hand() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let file = "Kind;Rufname Mutter;Stamm;Stamm\n\"Müller, Mia\";Eva;3b;Füchse\n";
    let (_, plan) = report(&admin, "?dry_run=true", file).await;
    assert_eq!(plan["errors"][0]["code"], "import.no_name_column");
    assert_eq!(
        plan["columns"][1],
        json!({ "letter": "B", "heading": "Rufname Mutter",
        "field": null, "example": "Eva" })
    );
    let said = r#"{"Kind":"name","[C]":"class","[D]":"care"}"#;
    let query = |run: &str| format!("?{run}columns={}", percent(said));
    let (_, plan) = report(&admin, &query("dry_run=true&"), file).await;
    let fields: Vec<_> =
        plan["columns"].as_array().unwrap().iter().map(|c| c["field"].clone()).collect();
    assert_eq!(fields, [json!("name"), json!(null), json!("class"), json!("care")]);
    assert_eq!((counts(&plan), &plan["errors"]), ((1, 0, 0), &json!([])));
    let (_, done) = report(&admin, &query(""), file).await;
    // What stands in the file is not kept for repeats of the answer.
    assert_eq!((counts(&done), &done["columns"]), ((1, 0, 0), &json!([])));
    let found = admin.get("/api/v1/people?q=m%C3%BCller").await.unwrap().json().unwrap();
    assert_eq!(found["items"][0]["display_name"], "Mia Müller");
    assert_eq!(found["items"][0]["groups"].as_array().unwrap().len(), 2);
    for (said, status, field) in [
        ("{", 400, "columns"),
        (r#"["Kind"]"#, 400, "columns"),
        (r#"{"Kind":1}"#, 400, "columns"),
        (r#"{"Kind":"name","Kind":"ignore"}"#, 400, "columns"),
        (r#"{"Kind":"birthday"}"#, 422, "columns"),
    ] {
        let query = format!("?dry_run=true&columns={}", percent(said));
        let (answered, problem) = report(&admin, &query, file).await;
        assert_eq!((answered, &problem["field"]), (status, &json!(field)), "{said}");
    }
    let query = format!("?dry_run=true&columns={}", percent(r#"{"Ort":"ignore"}"#));
    let (_, plan) = report(&admin, &query, "Name\nMia Berg\n").await;
    let error = &plan["errors"][0];
    assert_eq!(
        (&error["column"], &error["code"]),
        (&json!("Ort"), &json!("import.no_such_column"))
    );
}

/// Writes a text as a query may hold it.
fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn a_dry_run_says_whom_it_would_make_or_change_and_in_what() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let first = "Nr;Vorname;Nachname;Klasse\n1;Mia;Berg;3b\n2;Tom;Berg;3b\n";
    report(&admin, "", first).await;
    let next = "Nr;Vorname;Nachname;Klasse;Chip;Kontakt\n\
                1;Mia;Tal;4b;04A1B2C3;Eva Tal\n2;Tom;Berg;3b;;\n3;Ida;Lang;4b;;\n";
    let (_, plan) = report(&admin, "?dry_run=true", next).await;
    let mia = server.number("select person_id from person where given_name = 'Mia'").await;
    let changes = ["family_name", "badge", "contact", "groups"];
    assert_eq!(
        plan["rows"],
        json!([
            { "row": 2, "name": "Mia Tal", "person_id": mia.to_string(), "changes": changes },
            { "row": 4, "name": "Ida Lang", "person_id": null, "changes": [] },
        ])
    );
    let (_, done) = report(&admin, "", next).await;
    assert_eq!(done["rows"], json!([]));
}
