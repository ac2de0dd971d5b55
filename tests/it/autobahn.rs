//! The Autobahn test suite against our own WebSocket code: an echo of it, on loopback.
//!
//! `tests/run autobahn` sets the suite up, where there is a Python 2.7 for it, and names it in
//! `AUTOBAHN` (a directory with its packages) and `AUTOBAHN_PYTHON`.

use std::process::Stdio;

use daybook::http::ws::accept_key;
use daybook::http::ws::decode::{Decoder, Incoming, Limits};
use daybook::http::ws::encode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The suite sends messages of 16 MiB, and one in 2^17 pieces.
const LIMITS: Limits = Limits { message: 32 * 1024 * 1024, fragments: 1 << 20 };

/// What the suite calls a case in which every behaviour is right.
const INFO: &str = "INFORMATIONAL";

/// Starts the suite from a directory of packages; one of them is found by its `.pth` file only.
const RUN: &str = "import os, site; site.addsitedir(os.environ['PACKAGES']); \
                   from autobahntestsuite import wstest; wstest.run()";

async fn shake_hands(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim().to_owned())
    });
    let accept = accept_key(&key.unwrap_or_default());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await
}

/// Sends every message back, until a close or a breach.
async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    shake_hands(&mut stream).await?;
    let mut decoder = Decoder::new(LIMITS);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        let mut bytes = &buffer[..read];
        loop {
            let answer = match decoder.take(&mut bytes) {
                Ok(None) => break,
                Ok(Some(Incoming::Text(text))) => encode::message(text.as_bytes()),
                Ok(Some(Incoming::Binary(bytes))) => encode::binary(&bytes),
                Ok(Some(Incoming::Ping(payload))) => encode::pong(&payload),
                Ok(Some(Incoming::Pong)) => continue,
                Ok(Some(Incoming::Close(code))) => {
                    return stream.write_all(&encode::close(code, "")).await;
                }
                Err(breach) => {
                    return stream
                        .write_all(&encode::close(Some(breach.code), breach.reason))
                        .await;
                }
            };
            stream.write_all(&answer).await?;
        }
    }
}

/// Runs the suite against `port`, and returns its index of results.
async fn fuzz(port: u16) -> Value {
    let packages = setting("AUTOBAHN");
    let python = setting("AUTOBAHN_PYTHON");
    let dir = tempfile::tempdir().unwrap();
    let spec = json!({
        "outdir": dir.path().join("reports"),
        "servers": [{ "agent": "daybook", "url": format!("ws://127.0.0.1:{port}") }],
        "cases": ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"],
        "exclude-cases": [],
        "exclude-agent-cases": {},
    });
    let file = dir.path().join("spec.json");
    std::fs::write(&file, spec.to_string()).unwrap();
    let mut suite = std::process::Command::new(python);
    suite
        .args(["-c", RUN])
        .args(["-m", "fuzzingclient", "-s"])
        .arg(&file)
        .current_dir(dir.path())
        .env("PACKAGES", packages)
        .stdout(Stdio::null());
    let status = tokio::task::spawn_blocking(move || suite.status()).await.unwrap().unwrap();
    assert!(status.success(), "the suite did not run to its end");
    let index = std::fs::read(dir.path().join("reports/index.json")).unwrap();
    serde_json::from_slice(&index).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "says where the suite is; no setting of the house")]
fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name}: run tests/run autobahn"))
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs the suite")]
fn say(text: &str) {
    println!("{text}");
}

/// Fault 76.
#[tokio::test]
#[ignore = "needs the suite: tests/run autobahn"]
async fn the_suite_finds_nothing_wrong() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(echo(stream));
        }
    });
    let index = fuzz(port).await;
    let cases = index["daybook"].as_object().expect("results of our server");
    let good = ["OK", INFO];
    let count = |word: &str| cases.values().filter(|case| case["behavior"] == word).count();
    let wrong: Vec<_> = cases
        .iter()
        .filter(|(_, case)| {
            let said = [&case["behavior"], &case["behaviorClose"]];
            said.iter().any(|word| !good.contains(&word.as_str().unwrap_or_default()))
        })
        .map(|(name, case)| format!("{name}: {} / {}", case["behavior"], case["behaviorClose"]))
        .collect();
    assert!(cases.len() > 240, "only {} cases ran", cases.len());
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
    say(&format!("{} cases: {} well, {} for information", cases.len(), count("OK"), count(INFO)));
}
