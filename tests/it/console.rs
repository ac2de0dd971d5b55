//! People by the command line: the real program on a data directory, also beside a server.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use daybook::store::Store;
use daybook::store::directory::DATABASE;
use serde_json::{Value, json};

const FILE: &str = "Vorname;Nachname;Klasse;Chip\nMia;Müller;3b;04A1B2C3\nTom;Berg;3b;04A1B2C4\n";

fn house() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    Store::create(&data.path().join(DATABASE)).unwrap();
    data
}

/// Runs the program with this standard input: exit code, output, complaints.
fn daybook(data: &Path, arguments: &[&str], input: &[u8]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_daybook"));
    command.args(["people"]).args(arguments).arg("--data").arg(data).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    // Who refuses early does not read: that is no failure of the test.
    let _ = process.stdin.take().unwrap().write_all(input);
    let output = process.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_file_is_planned_taken_over_and_taken_over_again() {
    let data = house();
    let file = data.path().join("people.csv");
    fs::write(&file, FILE).unwrap();
    let file = file.to_str().unwrap();
    let (code, plan, _) = daybook(data.path(), &["import", file, "--dry-run", "--json"], b"");
    assert_eq!(
        (code, &json(&plan)["new"], &json(&plan)["imported"]),
        (0, &json!(2), &json!(false))
    );
    let (code, said, _) = daybook(data.path(), &["import", file], b"");
    let done = "Taken over: 2 new, 0 changed, 0 the same.\n\
                To undo it within 24 hours: daybook people undo-import 1\n";
    assert_eq!((code, said.as_str()), (0, done));
    let (_, again, _) = daybook(data.path(), &["import", "-", "--json"], FILE.as_bytes());
    assert_eq!(json(&again)["same"], 2);
    let (_, list, _) = daybook(data.path(), &["list", "mueller", "--json"], b"");
    let names: Vec<_> =
        json(&list).as_array().unwrap().iter().map(|p| p["display_name"].clone()).collect();
    assert_eq!(names, ["Mia Müller"]);
}

#[test]
fn an_import_is_listed_and_undone_and_can_be_done_again() {
    let data = house();
    let people = |arguments: &[&str]| daybook(data.path(), arguments, FILE.as_bytes());
    let (_, report, _) = people(&["import", "-", "--json"]);
    assert_eq!(json(&report)["import_id"], "1");
    let (_, list, _) = people(&["imports", "--json"]);
    let import = &json(&list)[0];
    assert_eq!((&import["id"], &import["by"]), (&json!("1"), &json!("system")));
    let (code, said, _) = people(&["undo-import", "1"]);
    assert_eq!((code, &*said), (0, "Undone: 2 gone, 0 inactive, 0 as before, 0 kept.\n"));
    let (code, undone, _) = people(&["undo-import", "1", "--json"]);
    assert_eq!((code, &json(&undone)["gone"]), (0, &json!(2)));
    assert_eq!(json(&people(&["list", "--json"]).1), json!([]));
    assert_eq!(json(&people(&["imports", "--json"]).1), json!([]));
    assert_eq!(json(&people(&["import", "-", "--json"]).1)["new"], 2);
    for (arguments, expected) in [(&["undo-import", "7"][..], 1), (&["undo-import", "x"], 2)] {
        assert_eq!(people(arguments).0, expected, "{arguments:?}");
    }
}

#[test]
fn columns_are_told_in_a_dry_run_and_matched_by_hand() {
    let data = house();
    let file = "Kind;a=b\nMia Berg;3b\n".as_bytes();
    let people = |arguments: &[&str]| daybook(data.path(), arguments, file);
    let (code, said, _) = people(&["import", "-", "--dry-run", "--column", "Kind=name"]);
    let lines: Vec<Vec<&str>> = said.lines().map(|line| line.split("  ").collect()).collect();
    let words =
        |line: &[&str]| line.iter().map(|w| w.trim().to_owned()).collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = lines.iter().map(|line| words(line)).collect();
    assert_eq!(code, 0, "{said}");
    assert!(
        lines[1].starts_with("A") && lines[1].contains("name") && lines[1].ends_with("Mia Berg"),
        "{said}"
    );
    assert!(lines[2].contains("not read"), "{said}");
    let matched = ["--column", "[A]=name", "--column", "a=b=class"];
    let (code, report, complaint) = people(&[&["import", "-", "--json"], &matched[..]].concat());
    assert_eq!((code, &json(&report)["new"]), (0, &json!(1)), "{complaint}");
    for wrong in ["Kind", "Kind=birthday"] {
        let (code, _, complaint) = people(&["import", "-", "--column", wrong]);
        assert!(code == 2 && complaint.contains("--column"), "{complaint}");
    }
}

#[test]
fn a_complaint_names_its_place_and_ends_with_exit_code_1() {
    let data = house();
    let file = FILE.replace("04A1B2C4", "1,23E+11");
    let (code, said, complaint) = daybook(data.path(), &["import", "-"], file.as_bytes());
    assert_eq!(code, 1);
    let line = said.lines().nth(1).unwrap();
    assert!(line.starts_with("3    Chip    1,23E+11  the spreadsheet has shortened"), "{said}");
    assert!(complaint.contains("1 complaint; nothing was taken over"), "{complaint}");
    let (_, list, _) = daybook(data.path(), &["list", "--json"], b"");
    assert_eq!(json(&list), json!([]));
    let (code, _, complaint) = daybook(data.path(), &["import", "/none.csv"], b"");
    assert!(code == 1 && complaint.contains("/none.csv"), "{complaint}");
}

// Fault 100.
#[test]
fn a_person_is_added_with_a_password_that_is_piped_in() {
    let data = house();
    let add = ["add", "Ada", "Krause", "--role", "admin", "--username", "Ada", "--json"];
    let (code, said, complaint) = daybook(data.path(), &add, b" quite a long one \n");
    assert_eq!(code, 0, "{complaint}");
    assert_eq!((&json(&said)["username"], &json(&said)["role"]), (&json!("ada"), &json!("admin")));
    let (code, _, _) = daybook(data.path(), &["password", "ADA"], b"another long one\r\n");
    assert_eq!(code, 0);
    for (arguments, input, expected) in [
        (&["password", "ada"][..], &b"short\n"[..], 1),
        (&["password", "ada"], b"", 1),
        (&["password", "nobody"], b"another long one\n", 1),
        (&["password", "ada", "--password", "x"], b"", 2),
        (&["add", "Ada", "Krause", "--role", "king"], b"", 2),
        (&["add", "Ada"], b"", 2),
    ] {
        let (code, _, complaint) = daybook(data.path(), arguments, input);
        assert_eq!(code, expected, "{arguments:?}: {complaint}");
        assert!(!complaint.contains("panicked"), "{complaint}");
    }
}
