//! The server under test, its house, and what the kernel knows of the process.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use daybook::app::App;
use daybook::base::{Actor, Clock, Timestamp};
use daybook::config::Config;
use daybook::domain::devices::model::{Enrolment, Mode, NewCode};
use daybook::domain::house::{Language, NewHouse, Profile};
use daybook::domain::people::model::{NewPerson, Role};
use daybook::domain::{devices, house, people};
use daybook::store::Store;
use daybook::store::directory::DATABASE;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How many members the house has, each with a badge: the largest house that Daybook is for.
pub const MEMBERS: usize = 2048;
/// How many readers it has, each in a room of its own with a run.
pub const READERS: usize = 64;
/// Where a server listens that nobody has known before.
const ANY_PORT: &str = "127.0.0.1:0";
/// The admin's password.
pub const PASSWORD: &str = "a long enough one";

/// A house on disk, and the keys of its readers.
pub struct House {
    pub data: tempfile::TempDir,
    pub keys: Vec<String>,
}

impl House {
    /// Makes a house with members, rooms, runs and readers.
    pub async fn furnish() -> House {
        let data = directory();
        Store::create(&data.path().join(DATABASE)).expect("a database");
        let config = Config::of(data.path()).expect("settings");
        let (app, threads) = App::open(config, Clock::System).expect("the house opens");
        let hash = app.hasher.hash(PASSWORD.to_owned()).await.expect("a hash");
        let furnish = app.write(Actor::System, "bench", move |tx| {
            house::commands::found(
                tx,
                &NewHouse {
                    name: "Bench".to_owned(),
                    profile: Profile::School,
                    zone: "UTC".to_owned(),
                    language: Language::En,
                    demo: false,
                },
            )?;
            let admin = people::commands::enrol(tx, NewPerson::named("Ada", "Amt", Role::Admin))?;
            people::commands::open_account(tx, admin, "ada", &hash)?;
            tx.execute_batch(&furniture(tx.now))?;
            let mut keys = Vec::with_capacity(READERS);
            for reader in 1..=READERS {
                let room = Some(daybook::base::id::RoomId(reader as i64));
                let name = format!("Reader {reader}");
                let new = NewCode { name, mode: Mode::Room, room };
                let code = devices::commands::issue_code(tx, &new)?.text;
                let (serial, model) = (format!("S{reader}"), "bench".to_owned());
                let enrolment = Enrolment { code, serial, model, firmware: "1".to_owned() };
                keys.push(devices::commands::enrol(tx, &enrolment)?.key);
            }
            Ok(keys)
        });
        let keys = furnish.await.expect("the house is furnished");
        drop(app);
        threads.join();
        House { data, keys }
    }

    /// Starts the server with these settings besides those that let a benchmark pass.
    pub fn open(&self, settings: &[&str]) -> Server {
        self.open_at(ANY_PORT, settings)
    }

    /// Does so on the address where it was before, which those who come back know.
    pub fn open_at(&self, address: &str, settings: &[&str]) -> Server {
        Server::start_at(address, self.data.path(), &serving(settings))
    }

    /// Like [`House::open`], on a slow disk.
    pub fn open_slowed(&self, settings: &[&str]) -> Server {
        Server::run(&mut slowed(&program(ANY_PORT, self.data.path(), &serving(settings))))
    }
}

/// The arguments that serve with these settings besides those that let a benchmark pass.
fn serving<'a>(settings: &[&'a str]) -> Vec<&'a str> {
    let common = [
        "device_scans_burst=1000000",
        "device_scans_per_s=1000000",
        "streams_per_person=20000",
        "streams_per_address=20000",
        "connections_per_address=20000",
        "connections_max=20000",
        "streams_max=20000",
        "log_level=warn",
    ];
    let mut arguments = vec!["serve"];
    for setting in common.iter().chain(settings) {
        arguments.extend(["--set", *setting]);
    }
    arguments
}

/// Rooms with runs since `now`, groups, members and badges. Nobody is missed at any hour of the day:
/// it would be told of all in one moment, in the midst of what is measured.
fn furniture(now: Timestamp) -> String {
    let now = now.0;
    format!(
        "update house set closes_at = 1439, late_after = 1438;
         insert into activity (activity_id, name) values (1, 'Play');
         with recursive n(i) as (select 1 union all select i + 1 from n where i < {READERS})
         insert into room (room_id, name, capacity) select i, 'Room ' || i, 100000 from n;
         insert into run (run_id, activity_id, room_id, started_at, started_by)
         select room_id, 1, room_id, {now}, 'system' from room;
         insert into supervision (person_id, run_id, kind, from_at, given_by)
         select 1, run_id, 'run', {now}, 'system' from run;
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 200)
         insert into \"group\" (group_id, name, kind) select i, 'Group ' || i, 'class' from n;
         with recursive n(i) as (select 0 union all select i + 1 from n where i < {MEMBERS} - 1)
         insert into person (person_id, given_name, family_name, display_name, search_key, role,
                             created_at)
         select 1000 + i, 'Given', 'Family ' || i, 'Given F.', 'given', 'member', 0 from n;
         insert into badge (person_id, tag, created_at)
         select person_id, printf('%014X', person_id), 0 from person where person_id >= 1000;
         insert into group_member (group_id, person_id)
         select 1 + person_id % 200, person_id from person where person_id >= 1000;"
    )
}

/// A directory on the disk that only we may read, gone when dropped.
pub fn directory() -> tempfile::TempDir {
    let private = fs::Permissions::from_mode(0o700);
    let directory = tempfile::Builder::new().permissions(private).tempdir_in("target");
    directory.expect("a directory on the disk")
}

/// The tag of a member's badge.
pub fn tag(member: usize) -> String {
    format!("{:014X}", 1000 + member)
}

/// A running server, killed when dropped.
pub struct Server {
    process: Child,
    pub address: SocketAddr,
    /// The line that it printed when it was ready.
    pub ready: Value,
}

impl Server {
    /// Starts the program with these arguments and waits until it is ready.
    pub fn start(data: &Path, arguments: &[&str]) -> Server {
        Server::start_at(ANY_PORT, data, arguments)
    }

    fn start_at(address: &str, data: &Path, arguments: &[&str]) -> Server {
        Server::run(&mut program(address, data, arguments))
    }

    /// Starts this benchmark once more, to serve the database in `data` in another way.
    pub fn other(data: &Path, way: &str) -> Server {
        Server::run(&mut other(data, way))
    }

    /// Like [`Server::other`], on a slow disk.
    pub fn other_slowed(data: &Path, way: &str) -> Server {
        Server::run(&mut slowed(&other(data, way)))
    }

    fn run(program: &mut Command) -> Server {
        program.env_clear().envs(environment()).stdout(Stdio::piped());
        let mut process = program.spawn().expect("the program starts");
        let mut line = String::new();
        let output = process.stdout.as_mut().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let ready: Value = serde_json::from_str(&line).expect("a line of JSON");
        let url = ready.get("url").and_then(Value::as_str).expect("an address");
        let address = url.trim_start_matches("http://").trim_end_matches('/');
        let address = address.replace("localhost", "127.0.0.1").parse().expect("an address");
        Server { process, address, ready }
    }

    /// Kills it, as a power cut does.
    pub fn kill(&mut self) {
        // What was started by way of another program would outlive that.
        let id = self.process.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.unwrap_or_default();
        for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
            let child = Pid::from_raw(child).expect("a process");
            let _ = kill_process(child, Signal::KILL);
        }
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// What the process holds in memory, in KiB: resident, and its fair share of what is shared.
    pub fn memory_kib(&self) -> (u64, u64) {
        (self.kib("status", "VmRSS:"), self.kib("smaps_rollup", "Pss:"))
    }

    /// What it has held at its worst moment.
    pub fn peak_kib(&self) -> u64 {
        self.kib("status", "VmHWM:")
    }

    /// How many descriptors it has open.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.process.id())).expect("the kernel's view").count()
    }

    /// How many of them are sockets, of either end of a connection.
    pub fn socket_descriptors(&self) -> usize {
        let all = fs::read_dir(format!("/proc/{}/fd", self.process.id()));
        let targets =
            all.expect("the kernel's view").flatten().map(|one| fs::read_link(one.path()));
        // One may have been closed since it was listed.
        targets.flatten().filter(|target| target.to_string_lossy().starts_with("socket:")).count()
    }

    fn kib(&self, file: &str, name: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/{file}", self.process.id()));
        let text = text.expect("the kernel's view");
        let line = text.lines().find(|line| line.starts_with(name)).expect("a field");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
    }

    /// How long the process has used the processor.
    pub fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()));
        let stat = stat.expect("the kernel's view");
        let (_, after) = stat.rsplit_once(')').expect("a name");
        let ticks = after.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
        Duration::from_millis(ticks * 10)
    }
}

/// What the kernel knows of the process's connections and threads.
impl Server {
    /// How long its threads have run, to the nanosecond; those that have ended do not count.
    pub fn work(&self) -> Duration {
        let threads = fs::read_dir(format!("/proc/{}/task", self.process.id()));
        let threads = threads.expect("the kernel's view").flatten();
        let ran = threads.filter_map(|thread| {
            let stat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            stat.split_whitespace().next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(ran.sum())
    }

    /// How many connections are open.
    pub fn sockets(&self) -> usize {
        self.connections().count()
    }

    /// The bytes that wait in the kernel for each reader that has not taken all.
    pub fn unsent(&self) -> Vec<usize> {
        self.connections().filter(|waits| *waits > 0).collect()
    }

    fn connections(&self) -> impl Iterator<Item = usize> {
        let table = fs::read_to_string("/proc/net/tcp").expect("the kernel's view");
        let here = format!(":{:04X}", self.address.port());
        let rows: Vec<String> = table.lines().map(str::to_owned).collect();
        rows.into_iter().filter_map(move |row| {
            // sl local_address rem_address st tx_queue:rx_queue ...; state 01 is established.
            let mut fields = row.split_whitespace().skip(1);
            let (local, _, state) = (fields.next()?, fields.next()?, fields.next()?);
            let (unsent, _) = fields.next()?.split_once(':')?;
            let ours = local.ends_with(&here) && state == "01";
            ours.then(|| usize::from_str_radix(unsent, 16).ok())?
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What the unit of systemd puts into the server's environment, but for the place of its data.
fn environment() -> impl Iterator<Item = (&'static str, &'static str)> {
    let unit = include_str!("../../systemd/daybook.service");
    let lines = unit.lines().filter_map(|line| line.strip_prefix("Environment="));
    lines.filter_map(|line| line.split_once('=')).filter(|(name, _)| *name != "DAYBOOK_DATA")
}

fn program(address: &str, data: &Path, arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_daybook"));
    program.args(arguments).args(["--json", "--listen", address, "--data"]).arg(data);
    program
}

fn other(data: &Path, way: &str) -> Command {
    let mut program = Command::new(std::env::current_exe().expect("this program"));
    program.args(["--bench", way]).arg(data);
    program
}

/// What slows a disk down: it holds a process up in the calls that it is told of, and leaves all
/// others alone.
pub const STRACE: &str = "/usr/bin/strace";
/// By how much, in milliseconds.
pub const SLOWER_MS: u32 = 5;

/// The same program on a disk that takes [`SLOWER_MS`] longer to make anything durable.
fn slowed(program: &Command) -> Command {
    let mut slow = Command::new(STRACE);
    slow.args([
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=fsync,fdatasync",
        "-e",
    ])
    .arg(format!("inject=fsync,fdatasync:delay_exit={}", SLOWER_MS * 1000))
    .arg(program.get_program())
    .args(program.get_args());
    slow
}

/// The machine and the moment, in one line.
pub fn conditions() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpus = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let model = model.trim_start_matches([' ', '\t', ':']);
    let load = read("/proc/loadavg");
    let load = load.split_whitespace().next().unwrap_or("?");
    format!(
        "{cpus} cpus ({model}), kernel {}, load before {load}, fdatasync {:.2} ms\n",
        read("/proc/sys/kernel/osrelease").trim(),
        fdatasync_ms()
    )
}

/// How long the disk takes to make one page durable, in the middle of a hundred.
fn fdatasync_ms() -> f64 {
    use std::io::Write as _;
    let mut file = tempfile::tempfile_in("target").expect("a file on the disk");
    let times = (0..100).map(|_| {
        file.write_all(&[0; 4096]).expect("a page is written");
        let begun = Instant::now();
        file.sync_data().expect("a page is durable");
        begun.elapsed().as_secs_f64() * 1e3
    });
    crate::median(times.collect())
}
