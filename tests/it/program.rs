//! The real program: its exit codes, its data directory, how it starts and stops.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use daybook::client::Client;
use daybook::domain::people::Role;
use daybook::store::Store;
use daybook::store::directory::DATABASE;
use rustix::process::{Pid, Signal, kill_process};

use crate::store::TestStore;

/// How long something that must happen may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub fn daybook(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_daybook"));
    command.args(arguments).arg("--data").arg(data).env_clear();
    command
}

fn output(data: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    said(daybook(data, arguments).output().unwrap())
}

fn said(output: Output) -> (Option<i32>, String) {
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

/// A data directory with an empty house.
fn house() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    Store::create(&data.path().join(DATABASE)).unwrap();
    data
}

/// A server process, killed when dropped.
pub struct Server {
    pub process: Child,
    pub address: SocketAddr,
}

impl Server {
    fn start(data: &Path) -> Server {
        Server::of(daybook(data, &["serve", "--json", "--listen", "127.0.0.1:0"]))
    }

    pub fn of(command: Command) -> Server {
        Server::logging(command, Stdio::null())
    }

    pub fn logging(mut command: Command, log: Stdio) -> Server {
        let mut process = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
        let url = ready["url"].as_str().unwrap();
        Server { process, address: url.strip_prefix("http://").unwrap().parse().unwrap() }
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    fn end(mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.process.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Faults 95 and 100.
#[test]
fn wrong_use_is_exit_code_2_in_one_line() {
    let data = house();
    for (arguments, says) in [
        (&["serve", "--listen", "localhost:99999"][..], "is not an address and a port"),
        (&["serve", "--set", "lisen=1"], "--set lisen: no such setting"),
        (&["serve", "--set", "write_queue=0"], "--set write_queue: \"0\" is not a whole number"),
        (&["serve", "--set", "listen=x"], "--set listen: \"x\" is not an address and a port"),
        (&["serve", "--listen", "y", "--set", "listen=x"], "--listen: \"y\" is not an address"),
        (&["serve", "--set", "lisen"], "must be NAME=VALUE"),
        (&["serve", "--settings", "/nowhere/x.toml"], "/nowhere/x.toml"),
        (&["serve", "--set", "log_level=a=b=c"], "is not one of off, error"),
    ] {
        let (code, text) = output(data.path(), arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {text}");
        assert!(text.contains(says) && text.lines().count() == 1, "{arguments:?}: {text}");
    }
    for arguments in [&["nonsense"][..], &["backup"], &["serve", "--nonsense"], &[]] {
        let run = Command::new(env!("CARGO_BIN_EXE_daybook")).args(arguments).output().unwrap();
        let (code, text) = said(run);
        assert_eq!(code, Some(2), "{arguments:?}: {text}");
        assert!(text.contains("Usage:"), "{arguments:?}: {text}");
    }
    fs::write(data.path().join("daybook.toml"), "\nwrite_queue = 0").unwrap();
    let (code, text) = output(data.path(), &["check"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("daybook.toml: line 2: write_queue: \"0\" is not a whole"), "{text}");
}

/// Faults 96, 97 and 108.
#[test]
fn what_cannot_be_done_is_exit_code_1_in_one_line() {
    let (empty, data) = (tempfile::tempdir().unwrap(), house());
    let full = data.path().join("full.db");
    fs::write(&full, "something").unwrap();
    let full = full.to_str().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = port.local_addr().unwrap().to_string();
    for (data, arguments, says) in [
        (Path::new("/nowhere"), &["serve"][..], "/nowhere: no such directory; 'daybook init'"),
        (empty.path(), &["serve", "--listen", "127.0.0.1:0"], "no database here"),
        (data.path(), &["serve", "--listen", &taken], "the port is in use"),
        (data.path(), &["backup", full], "is there already"),
        (data.path(), &["restore", full], "file is not a database"),
        (data.path(), &["restore", "/nowhere.db"], "/nowhere.db: No such file"),
    ] {
        let (code, text) = output(data, arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {text}");
        let last = text.lines().last().unwrap_or_default();
        assert!(last.starts_with("daybook: ") && last.contains(says), "{arguments:?}: {text}");
        assert!(!text.contains("panicked"), "{text}");
    }
}

#[test]
fn data_prints_as_json_and_help_shows_an_example() {
    let data = house();
    let json = |arguments: &[&str]| {
        let (code, text) = output(data.path(), arguments);
        assert_eq!(code, Some(0), "{text}");
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let found = json(&["check", "--full", "--json"]);
    assert_eq!(found.as_array().unwrap().len(), 7, "{found}");
    let settings = json(&["check", "--config", "--json"]);
    assert_eq!(settings[0]["source"], "flag --data");
    let copy = data.path().join("copy.db");
    assert_eq!(json(&["backup", copy.to_str().unwrap(), "--json"])["people"], 0);
    assert_eq!(json(&["restore", copy.to_str().unwrap(), "--json"])["restored"]["people"], 0);
    let bare = |arguments: &[&str]| {
        said(Command::new(env!("CARGO_BIN_EXE_daybook")).args(arguments).output().unwrap())
    };
    let (_, routes) = bare(&["routes", "--json"]);
    let routes: serde_json::Value = serde_json::from_str(&routes).unwrap();
    assert!(routes.as_array().unwrap().iter().all(|r| !r["may"].as_array().unwrap().is_empty()));
    let (_, document) = bare(&["openapi"]);
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["info"]["title"], "Daybook");
    let (code, help) = bare(&["restore", "--help"]);
    assert!(code == Some(0) && help.contains("Example: daybook restore"), "{help}");
    assert_eq!(bare(&["--version"]).1.trim(), concat!("daybook ", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn a_check_in_full_finds_an_altered_line_of_the_audit() {
    let store = TestStore::new().await;
    for name in ["Ada A", "Bob B", "Cem C"] {
        store.account(name, Role::Staff).await;
    }
    let data = store.close();
    let audit = || {
        let (code, text) = output(data.path(), &["check", "--full", "--json"]);
        let found: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let audit = found.as_array().unwrap().iter().find(|found| found["what"] == "audit");
        (code, audit.unwrap()["state"].clone(), audit.unwrap()["says"].to_string())
    };
    let (code, state, says) = audit();
    assert_eq!((code, state), (Some(0), "ok".into()), "{says}");
    let database = rusqlite::Connection::open(data.path().join(DATABASE)).unwrap();
    database.execute("update audit set by = 'person:9' where audit_id = 2", []).unwrap();
    let (code, state, says) = audit();
    assert_eq!((code, state), (Some(1), "fail".into()));
    assert!(says.contains("line 2"), "{says}");
}

#[test]
fn a_new_house_gets_a_directory_of_its_own_and_a_code_that_changes() {
    let outer = tempfile::tempdir().unwrap();
    let data = outer.path().join("house");
    let code = || {
        let (exit, text) = output(&data, &["init", "--json"]);
        assert_eq!(exit, Some(0), "{text}");
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["setup_code"].to_string()
    };
    assert_ne!(code(), code());
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    // The settings' file that it writes changes nothing until somebody edits it.
    let (_, before) = output(&data, &["check", "--config"]);
    let file = data.join("daybook.toml");
    let text = fs::read_to_string(&file).unwrap().replace("\n# ", "\n").replace("# S", "#S");
    let lines = text.lines().filter(|line| line.contains(" = ") || line.starts_with('#'));
    fs::write(&file, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let (exit, after) = output(&data, &["check", "--config"]);
    assert_eq!(exit, Some(0), "{after}");
    assert_eq!(before.lines().count(), after.lines().count());
    assert!(after.contains("daybook.toml: line"), "{after}");
}

/// Fault 102: what a full disk has kept from being made is made once there is room.
#[test]
fn a_house_that_could_not_be_made_is_not_in_the_way_of_the_next() {
    let data = tempfile::tempdir().unwrap();
    let init = format!("{} init --data \"$1\"", env!("CARGO_BIN_EXE_daybook"));
    // A file may grow to 16 KiB: less than the tables take.
    let full = format!("trap '' XFSZ; ulimit -f 32; exec {init}");
    let run = Command::new("sh").args(["-c", &full, "sh"]).arg(data.path()).output().unwrap();
    let (exit, text) = said(run);
    assert!(exit == Some(1) && text.contains("daybook.db: cannot be made"), "{text}");
    let (exit, text) = output(data.path(), &["init"]);
    assert!(exit == Some(0) && text.contains("Set-up code: "), "{text}");
}

/// Faults 102 and 106: what is sound is not given up for a backup, and what is damaged is.
#[test]
fn a_start_on_a_full_disk_is_not_taken_for_one_on_a_damaged_database() {
    let data = house();
    let path = data.path().join(DATABASE);
    let serve =
        format!("{} serve --listen 127.0.0.1:0 --data \"$1\"", env!("CARGO_BIN_EXE_daybook"));
    let start = |room: &str| {
        let start = format!("trap '' XFSZ; ulimit -f {room}; exec {serve}");
        said(Command::new("sh").args(["-c", &start, "sh"]).arg(data.path()).output().unwrap())
    };
    drop(Server::start(data.path()));
    fs::remove_file(data.path().join("daybook.db-shm")).unwrap();
    for (room, says) in
        [("0", "lock: cannot be written: "), ("1", "daybook.db: cannot be opened; is")]
    {
        let (exit, text) = start(room);
        assert!(exit == Some(1) && text.contains(says) && !text.contains("restore"), "{text}");
    }
    assert_eq!(Server::start(data.path()).end(), Some(0));

    let root = "select rootpage from sqlite_schema where name = 'house'";
    let root: u32 = rusqlite::Connection::open(&path)
        .and_then(|database| database.query_row(root, [], |row| row.get(0)))
        .unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096 * (root as usize - 1)] ^= 0xff;
    fs::write(&path, bytes).unwrap();
    let (exit, text) = start("unlimited");
    assert!(exit == Some(1) && text.contains("'daybook restore' brings a backup"), "{text}");
    assert!(!text.contains("the house is open"), "{text}");
}

#[test]
fn who_asks_for_a_code_beside_the_server_is_not_told_to_start_one() {
    let data = house();
    let (_, alone) = output(data.path(), &["init", "--set", "listen=127.0.0.1:9"]);
    assert!(alone.contains("Next: daybook serve --data "), "{alone}");
    assert!(alone.ends_with("then open http://<this machine>:9 and type the code.\n"), "{alone}");
    let server = Server::start(data.path());
    let (_, beside) = output(data.path(), &["init"]);
    let open = format!("Open http://<this machine>:{} and type", server.address.port());
    assert!(beside.contains(&open) && !beside.contains("daybook serve"), "{beside}");
}

#[test]
fn a_code_for_a_reader_is_made_beside_a_running_server() {
    let data = house();
    let server = Server::start(data.path());
    let (exit, text) =
        output(data.path(), &["devices", "code", "--name", "Door", "--mode", "toggle", "--json"]);
    assert_eq!(exit, Some(0), "{text}");
    let code: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(code["code"].as_str().unwrap().len(), 14);
    let (_, text) = output(data.path(), &["devices", "code", "--name", "Gate", "--mode", "toggle"]);
    assert!(text.trim().ends_with("(good once, for 15 minutes)"), "{text}");
    let (exit, text) = output(data.path(), &["devices", "list", "--json"]);
    assert_eq!((exit, text.trim()), (Some(0), "[]"));
    for (arguments, exit, says) in [
        (&["devices", "revoke", "x"][..], 2, "is not an id"),
        (&["devices", "revoke", "7"], 1, "no such device"),
        (&["devices", "code", "--name", "D", "--mode", "room", "--room", "X"], 1, "no such room"),
        (&["devices", "code", "--name", "D", "--mode", "lift"], 2, "must be one of: door_in"),
        (&["devices", "code", "--name", "D", "--mode", "room"], 2, "say which by --room"),
    ] {
        let (code, text) = output(data.path(), arguments);
        assert_eq!(code, Some(exit), "{arguments:?}: {text}");
        assert!(text.contains(says), "{arguments:?}: {text}");
    }
    assert_eq!(server.end(), Some(0));
}

/// Faults 98 and 108.
#[test]
fn one_data_directory_has_one_server_and_a_restore_waits_for_its_end() {
    let data = house();
    let copy = data.path().join("copy.db");
    let server = Server::start(data.path());
    let (code, text) = output(data.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("another Daybook is running on this data"), "{text}");
    // A backup may be made beside it; it cannot be put back.
    assert_eq!(output(data.path(), &["backup", copy.to_str().unwrap()]).0, Some(0));
    let (code, text) = output(data.path(), &["restore", copy.to_str().unwrap()]);
    assert!(code == Some(1) && text.contains("another Daybook is running"), "{text}");
    assert_eq!(server.end(), Some(0));
    assert_eq!(output(data.path(), &["restore", copy.to_str().unwrap()]).0, Some(0));
}

/// Fault 111, without load; crash.rs has it under load.
#[tokio::test]
async fn a_server_that_is_told_to_stop_ends_well_and_leaves_one_sound_file() {
    let data = house();
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::start(data.path());
        let answer = Client::new(server.address).get("/api/v1/openapi.json").await.unwrap();
        assert_eq!(answer.status, 200);
        server.signal(signal);
        assert_eq!(server.process.wait().unwrap().code(), Some(0));
        assert!(!data.path().join("daybook.db-wal").exists());
    }
}

#[test]
fn systemd_hears_when_the_house_is_ready_alive_and_stopping() {
    let data = house();
    let path = data.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let heard = || {
        let mut buffer = [0; 512];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    };
    let mut command = daybook(data.path(), &["serve", "--json", "--listen", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "2000000");
    let server = Server::of(command);
    assert!(heard().starts_with("READY=1\n"));
    assert!(heard().starts_with("WATCHDOG=1"));
    server.signal(Signal::TERM);
    let mut last = heard();
    while last.starts_with("WATCHDOG=1") {
        last = heard();
    }
    assert!(last.starts_with("STOPPING=1\n"), "{last}");
}

#[tokio::test]
async fn a_socket_that_systemd_holds_is_served() {
    let data = house();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@""#])
        .arg(env!("CARGO_BIN_EXE_daybook"))
        .args(["serve", "--json", "--data"])
        .arg(data.path())
        .stdin(OwnedFd::from(listener));
    let server = Server::of(command);
    assert_eq!(server.address, address);
    let answer = Client::new(address).get("/api/v1/openapi.json").await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(server.end(), Some(0));
}

#[test]
fn the_log_of_a_service_has_the_journal_s_levels() {
    let data = house();
    let log = data.path().join("log");
    let mut command = daybook(data.path(), &["serve", "--json", "--listen", "127.0.0.1:0"]);
    command.args(["--set", "log=journal"]);
    let server = Server::logging(command, fs::File::create(&log).unwrap().into());
    assert_eq!(server.end(), Some(0));
    let lines = fs::read_to_string(log).unwrap();
    let at = |says: &str| lines.lines().find(|line| line.contains(says)).unwrap_or_default();
    assert!(at("was open to other users").starts_with("<4>the data directory"), "{lines}");
    assert!(at("the house is open").starts_with("<6>the house is open url="), "{lines}");
    assert!(lines.ends_with("<6>the house is closed\n"), "{lines}");
}
