//! `daybook demo` as a process: what it says when it is ready, and what it leaves behind.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use daybook::client::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::program::daybook;

fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn the_demo_says_in_one_line_whom_to_try_and_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_daybook"));
    let arguments = ["demo", "--json", "--paused", "--from", "07:30", "--listen", "127.0.0.1:0"];
    command.args(arguments).env_clear().env("TMPDIR", temporary.path());
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let url = ready["url"].as_str().unwrap();
    let nobody = Client::new(url.strip_prefix("http://").unwrap().parse().unwrap());

    for role in ["admin", "office", "staff", "member"] {
        let all = ready["sign_ins"].as_array().unwrap();
        let one = all.iter().find(|sign_in| sign_in["role"] == role).unwrap();
        let body = json!({ "username": one["username"], "password": one["password"] });
        let answer = nobody.post("/api/v1/login", &body).await.unwrap();
        assert_eq!(answer.status, 200, "{role}");
        let me = answer.json().unwrap();
        assert_eq!((&me["person"]["role"], &me["house"]["demo"]), (&json!(role), &json!(true)));
        if role == "admin" {
            let lead = Client::new(nobody.address()).with("cookie", answer.cookies());
            let board = lead.get("/api/v1/board").await.unwrap().json().unwrap();
            assert_eq!(board["as_of"], "2026-09-18T05:30:00.000Z", "the clock stands");
            assert_eq!(board["counts"]["present"], 19);
        }
    }
    let devices = ready["devices"].as_array().unwrap();
    assert_eq!(devices.len(), 12);
    let door = devices.iter().find(|device| device["mode"] == "door_in").unwrap();
    let key = format!("Bearer {}", door["key"].as_str().unwrap());
    let door = Client::new(nobody.address()).with("authorization", key);
    let config = door.get("/api/v1/device/config").await.unwrap();
    assert_eq!((config.status, &config.json().unwrap()["mode"]), (200, &json!("door_in")));

    assert_eq!(names_in(temporary.path()).len(), 1);
    kill_process(Pid::from_child(&process), Signal::TERM).unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(0));
    assert!(names_in(temporary.path()).is_empty());
}

#[test]
fn a_terminal_that_is_closed_takes_the_demo_s_house_with_it() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_daybook"));
    command.args(["demo", "--json", "--paused", "--from", "06:00", "--listen", "127.0.0.1:0"]);
    command.env_clear().env("TMPDIR", temporary.path());
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
    assert_eq!(names_in(temporary.path()).len(), 1);
    kill_process(Pid::from_child(&process), Signal::HUP).unwrap();
    if hangups_are_ignored() {
        // Tests under `nohup`: the demo goes on, and ends as ever.
        kill_process(Pid::from_child(&process), Signal::TERM).unwrap();
    }
    assert_eq!(process.wait().unwrap().code(), Some(0));
    assert!(names_in(temporary.path()).is_empty());
}

/// Says whether what is started here ignores the closing of its terminal.
fn hangups_are_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(ignored.trim(), 16).unwrap() & 1 == 1
}

#[test]
fn the_demo_does_not_move_into_a_house_that_is_there() {
    let data = tempfile::tempdir().unwrap();
    let database = data.path().join(::daybook::store::directory::DATABASE);
    ::daybook::store::Store::create(&database).unwrap();
    let before = fs::read(&database).unwrap();
    let output = daybook(data.path(), &["demo", "--listen", "127.0.0.1:0"]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("there is a house already"), "{text}");
    assert_eq!(fs::read(&database).unwrap(), before);
    for wrong in [["--speed", "7"], ["--from", "25:00"], ["--seed", "x"]] {
        let output = daybook(data.path(), &[&["demo"], &wrong[..]].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}
