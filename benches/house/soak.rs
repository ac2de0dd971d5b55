//! A soak: the demo's day at sixty times the speed of the wall, under two thousand streams of its
//! staff that come and go. Does memory stay where it is, is every descriptor given back, and does
//! every stream hear exactly what one hears that is never cut?
//!
//! A day takes twelve minutes and is not played twice. When it is over, and the house's clock
//! stands, members go on changing what they have asked.

use std::cell::{Cell, RefCell};
use std::fs;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{Instant, sleep_until, timeout};

use crate::load::{Figures, Wire, follow, rest, sign_in};
use crate::reader::{Buffer, News, Reader, connect};
use crate::server::{Server, directory};

/// How long it takes when nobody says otherwise.
pub const HOUR: Duration = Duration::from_secs(3600);

const STREAMS: usize = 2_000;
/// The moment of the demo's day at which it begins when nobody says otherwise: shortly before the
/// house fills.
pub const FROM: &str = "07:00";
const SETTINGS: &str = "\
    streams_per_person = 3000\n\
    streams_per_address = 3000\n\
    connections_per_address = 4000\n\
    log_level = \"warn\"\n";
/// Who hears what: the topics, and the roles that may.
const SETS: [(&str, &[&str]); 3] = [
    ("lead,house,help", &["admin"]),
    ("office,staff,house,help", &["admin", "office"]),
    ("staff,house,help", &["admin", "office", "staff"]),
];
const SEED: u64 = 7;
/// All streams have come for the first time after this.
const COMING_MS: u64 = 20_000;
/// How long a stream lives, and how long its reader is away.
const LIFE_MS: (u64, u64) = (5_000, 60_000);
const AWAY_MS: (u64, u64) = (0, 5_000);
/// One who is cut in mid-read has this of what comes next, at the most.
const PIECE: (u64, u64) = (1, 300);
/// A day in which nothing has happened for so long is over.
const QUIET: Duration = Duration::from_secs(20);
/// How many members keep the house busy then, and how often one of them does something.
const BUSY: usize = 8;
const PERIOD: Duration = Duration::from_millis(200);
const MINUTE: Duration = Duration::from_secs(60);

/// Measures for so long from this moment of the day on, and shows the curve.
pub async fn measure(time: Duration, from: &str) {
    let data = directory();
    fs::write(data.path().join("daybook.toml"), SETTINGS).expect("settings");
    let server = Server::start(data.path(), &["demo", "--speed", "60", "--from", from]);
    println!(
        "{} s of the demo's day at x60 from {from}, under {STREAMS} streams that come and go",
        time.as_secs()
    );
    let sets = accounts(&server).await;
    let (now, stage) = watch::channel(Stage::Open);
    let soak = Rc::new(Soak {
        address: server.address,
        stage,
        buffer: Buffer::new(),
        heard: Cell::new(0),
        last_event: Cell::new(Instant::now()),
        turns: RefCell::default(),
    });
    let start = Level::of(&server).await;
    let (references, tallies) =
        LocalSet::new().run_until(run(&server, &soak, sets, &now, time)).await;
    let lost = compare(&references, &tallies);
    let turns = soak.turns.borrow();
    println!("\n  {turns:?}");
    let end = Level::of(&server).await;
    println!(
        "  descriptors {} before the first stream, {} after the last; \
         MiB {:.1} before, {:.1} at the peak, {:.1} after",
        start.descriptors,
        end.descriptors,
        start.mib,
        server.peak_kib() as f64 / 1024.0,
        end.mib,
    );
    println!("  streams left: {}\n", end.streams);
    assert_eq!(lost, (0, 0), "every stream heard what the reference heard, once");
    assert_eq!(turns.wrong, 0, "no stream lost its place");
    assert_eq!(end.streams, 0, "every stream is given back");
}

/// Signs the colleagues in, and returns for each set of topics the cookies of those who may hear it.
async fn accounts(server: &Server) -> Vec<Vec<Rc<str>>> {
    let mut sets = vec![Vec::new(); SETS.len()];
    for (role, name, password) in sign_ins(server).filter(|(role, ..)| *role != "member") {
        let cookie: Rc<str> = sign_in(server.address, name, password).await.into();
        for ((_, roles), cookies) in SETS.iter().zip(&mut sets) {
            if roles.contains(&role) {
                cookies.push(cookie.clone());
            }
        }
    }
    sets
}

fn sign_ins(server: &Server) -> impl Iterator<Item = (&str, &str, &str)> {
    let all = server.ready.get("sign_ins").and_then(Value::as_array).expect("sign-ins");
    all.iter().map(|who| {
        let text = |name| who.get(name).and_then(Value::as_str).expect("a sign-in");
        (text("role"), text("username"), text("password"))
    })
}

/// How far the soak has come.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Stage {
    Open,
    /// Those who come and go, go.
    Leaving,
    Over,
}

/// What all streams share.
struct Soak {
    address: SocketAddr,
    stage: watch::Receiver<Stage>,
    buffer: Buffer,
    /// Frames that were received, of whatever kind.
    heard: Cell<u64>,
    /// When the references last heard of something.
    last_event: Cell<Instant>,
    turns: RefCell<Turns>,
}

/// What the streams went through.
#[derive(Debug, Default)]
struct Turns {
    opened: usize,
    left: usize,
    cut_in_mid_read: usize,
    said_goodbye: usize,
    ended_by_server: usize,
    refused_503: usize,
    connects_failed: usize,
    wrong: usize,
}

/// Opens everything, shows the curve while it lasts, and closes everything.
async fn run(
    server: &Server,
    soak: &Rc<Soak>,
    sets: Vec<Vec<Rc<str>>>,
    now: &watch::Sender<Stage>,
    time: Duration,
) -> (Vec<Vec<i64>>, Vec<Tally>) {
    let admin = sets.first().and_then(|cookies| cookies.first()).expect("an admin").clone();
    let opened = Rc::new(Cell::new(0));
    let refer = |set| spawn_local(refer(soak.clone(), set, admin.clone(), opened.clone()));
    let references: Vec<_> = (0..SETS.len()).map(refer).collect();
    while opened.get() < SETS.len() {
        rest(Duration::from_millis(10)).await;
    }
    let come = |number: usize| {
        let set = number % SETS.len();
        let cookies = sets.get(set).expect("a set");
        let cookie = cookies.get(number / SETS.len() % cookies.len()).expect("a cookie");
        spawn_local(come_and_go(soak.clone(), number, set, cookie.clone()))
    };
    let streams: Vec<_> = (0..STREAMS).map(come).collect();
    let members = sign_ins(server).filter(|(role, ..)| *role == "member").take(BUSY);
    let members = members.map(|(_, name, password)| (name.to_owned(), password.to_owned()));
    let busy = spawn_local(keep_busy(soak.clone(), members.collect()));
    curve(server, soak, time).await;
    now.send_replace(Stage::Leaving);
    busy.await.expect("the members");
    let tallies = all(streams).await;
    // What the last of them heard, the references have heard soon.
    rest(Duration::from_secs(2)).await;
    now.send_replace(Stage::Over);
    let references = all(references).await;
    let limit = Instant::now() + MINUTE;
    while Level::of(server).await.streams > 0 && Instant::now() < limit {
        rest(Duration::from_millis(100)).await;
    }
    (references, tallies)
}

async fn all<T>(tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut done = Vec::with_capacity(tasks.len());
    for task in tasks {
        done.push(task.await.expect("a stream"));
    }
    done
}

/// What the server holds at one moment.
struct Level {
    mib: f64,
    descriptors: usize,
    streams: i64,
    position: i64,
    cpu: Duration,
}

impl Level {
    async fn of(server: &Server) -> Level {
        let descriptors = server.descriptors();
        let figures = Figures::of(server.address).await;
        Level {
            mib: server.memory_kib().0 as f64 / 1024.0,
            descriptors,
            streams: figures.get("streams_open"),
            position: figures.get("log_position"),
            cpu: server.cpu(),
        }
    }
}

/// Shows each minute what the server holds and does.
async fn curve(server: &Server, soak: &Soak, time: Duration) {
    println!("\n| minute | MiB | descriptors | streams | events | frames received | processor |");
    println!("|---|---|---|---|---|---|---|");
    let (begun, mut before, mut heard) = (Instant::now(), Level::of(server).await, 0);
    let mut at = Duration::ZERO;
    while at < time {
        let next = (at + MINUTE).min(time);
        sleep_until(begun + next).await;
        let level = Level::of(server).await;
        println!(
            "| {} | {:.1} | {} | {} | {} | {} | {:.0} % |",
            (next.as_secs_f64() / 6.0).round() / 10.0,
            level.mib,
            level.descriptors,
            level.streams,
            level.position - before.position,
            soak.heard.get() - heard,
            (level.cpu - before.cpu).as_secs_f64() / (next - at).as_secs_f64() * 100.0,
        );
        (before, heard, at) = (level, soak.heard.get(), next);
    }
}

/// What one who comes and goes has heard: a count and a sum that says of which.
#[derive(Default)]
struct Tally {
    set: usize,
    /// Where it stood at first; none before that.
    from: Option<i64>,
    to: i64,
    count: u64,
    sum: u64,
    twice: u64,
}

impl Tally {
    fn note(&mut self, id: i64) {
        if id <= self.to {
            self.twice += 1;
            return;
        }
        self.to = id;
        self.count += 1;
        self.sum = self.sum.wrapping_add(mix(id.cast_unsigned()));
    }
}

/// Says how many events were lost, or are others, and how many came twice.
fn compare(references: &[Vec<i64>], tallies: &[Tally]) -> (u64, u64) {
    let (mut lost, mut other, mut twice, mut heard) = (0, 0, 0, 0);
    for tally in tallies {
        let ids = references.get(tally.set).expect("a reference");
        let place = |id: i64| ids.partition_point(|other| *other <= id);
        let from = place(tally.from.expect("it was open once"));
        let due = ids.get(from..place(tally.to)).expect("a part of them");
        let sum = due.iter().fold(0_u64, |sum, id| sum.wrapping_add(mix(id.cast_unsigned())));
        let missing = (due.len() as u64).saturating_sub(tally.count);
        lost += missing;
        other += u64::from(missing == 0 && sum != tally.sum);
        twice += tally.twice;
        heard += tally.count;
    }
    let whole: Vec<usize> = references.iter().map(Vec::len).collect();
    println!(
        "\n  {heard} events heard by {} streams: {lost} lost, {twice} twice, {other} streams with \
         others; by the references, one for each set of topics: {whole:?}",
        tallies.len()
    );
    (lost + other, twice)
}

/// Hears one set of topics without being cut, and returns every position.
async fn refer(soak: Rc<Soak>, set: usize, cookie: Rc<str>, opened: Rc<Cell<usize>>) -> Vec<i64> {
    let (mut ids, mut tally) = (Vec::new(), Tally { set, ..Tally::default() });
    let mut cursor = None;
    while *soak.stage.borrow() < Stage::Over {
        let Some(socket) = soak.open(set, &cookie, cursor.as_deref()).await else { continue };
        let mut reader = Reader::new();
        let mut stage = soak.stage.clone();
        loop {
            let first = tally.from.is_none();
            let hear = |bytes: &[u8]| {
                reader.read(bytes, |news| {
                    if let News::Event(id) = news {
                        ids.push(id);
                        soak.last_event.set(Instant::now());
                    }
                    soak.hear(&mut tally, news);
                });
            };
            let open = tokio::select! {
                open = soak.buffer.read(&socket, usize::MAX, hear) => open,
                _ = stage.wait_for(|stage| *stage == Stage::Over) => false,
            };
            if first && tally.from.is_some() {
                opened.set(opened.get() + 1);
            }
            if !open {
                break;
            }
        }
        cursor = Some(format!("{}-{}", reader.epoch(), tally.to));
    }
    assert_eq!(tally.twice, 0, "a reference hears nothing twice");
    ids
}

/// Hears a set of topics in many short streams.
async fn come_and_go(soak: Rc<Soak>, number: usize, set: usize, cookie: Rc<str>) -> Tally {
    let mut dice = Dice(mix(SEED + number as u64));
    let mut tally = Tally { set, ..Tally::default() };
    let mut cursor = None;
    soak.wait(dice.between((0, COMING_MS))).await;
    // One who is late comes once all the same, so that there is something to compare.
    while tally.from.is_none() || *soak.stage.borrow() == Stage::Open {
        if let Some(socket) = soak.open(set, &cookie, cursor.as_deref()).await {
            let mut reader = Reader::new();
            soak.live(&socket, &mut reader, &mut tally, &mut dice).await;
            if tally.from.is_some() {
                cursor = Some(format!("{}-{}", reader.epoch(), tally.to));
            }
        }
        soak.wait(dice.between(AWAY_MS)).await;
    }
    tally
}

impl Soak {
    async fn open(&self, set: usize, cookie: &str, after: Option<&str>) -> Option<TcpStream> {
        let (topics, _) = SETS.get(set).expect("a set");
        match connect(self.address, &follow(cookie, topics, after)).await {
            Ok(socket) => {
                self.turns.borrow_mut().opened += 1;
                Some(socket)
            }
            Err(_) => {
                self.turns.borrow_mut().connects_failed += 1;
                rest(Duration::from_secs(1)).await;
                None
            }
        }
    }

    /// Reads a stream for as long as it shall live, and ends it in one way or the other.
    async fn live(
        &self,
        socket: &TcpStream,
        reader: &mut Reader,
        tally: &mut Tally,
        dice: &mut Dice,
    ) {
        let until = Instant::now() + Duration::from_millis(dice.between(LIFE_MS));
        let mut stage = self.stage.clone();
        loop {
            let may_leave = tally.from.is_some();
            let hear = |bytes: &[u8]| reader.read(bytes, |news| self.hear(tally, news));
            let open = tokio::select! {
                open = self.buffer.read(socket, usize::MAX, hear) => open,
                () = sleep_until(until) => break,
                _ = stage.wait_for(|stage| *stage > Stage::Open), if may_leave => break,
            };
            if !open {
                self.turns.borrow_mut().ended_by_server += 1;
                return;
            }
        }
        if dice.between((0, 1)) == 0 {
            self.turns.borrow_mut().left += 1;
            return;
        }
        let most = dice.between(PIECE) as usize;
        let hear = |bytes: &[u8]| reader.read(bytes, |news| self.hear(tally, news));
        let _ = timeout(Duration::from_secs(3), self.buffer.read(socket, most, hear)).await;
        // Closed without a word: the peer is reset.
        let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
        self.turns.borrow_mut().cut_in_mid_read += 1;
    }

    fn hear(&self, tally: &mut Tally, news: News) {
        self.heard.set(self.heard.get() + 1);
        let mut turns = self.turns.borrow_mut();
        match news {
            News::Open(place) if tally.from.is_none() => {
                tally.from = Some(place);
                tally.to = place;
            }
            News::Open(place) => turns.wrong += usize::from(place != tally.to),
            News::Event(id) => tally.note(id),
            News::Beat(place) => {
                turns.wrong += usize::from(place < tally.to);
                tally.to = place;
            }
            News::Goodbye => turns.said_goodbye += 1,
            News::Refused(503, _) => turns.refused_503 += 1,
            News::Refused(..) | News::Resync => turns.wrong += 1,
            News::Signal => {}
        }
    }

    /// Waits so many milliseconds, or until it is time to leave.
    async fn wait(&self, ms: u64) {
        let mut stage = self.stage.clone();
        let leaving = stage.wait_for(|stage| *stage > Stage::Open);
        let _ = timeout(Duration::from_millis(ms), leaving).await;
    }
}

/// Keeps the house busy once the demo's day is over.
async fn keep_busy(soak: Rc<Soak>, members: Vec<(String, String)>) {
    while soak.last_event.get().elapsed() < QUIET {
        soak.wait(1_000).await;
        if *soak.stage.borrow() > Stage::Open {
            return;
        }
    }
    println!("(The day is over; from here on members change what they have asked.)");
    let mut askers = Vec::new();
    for (name, password) in members {
        askers.push((sign_in(soak.address, &name, &password).await, None));
    }
    let mut wire = Wire::connect(soak.address).await;
    let mut tick = tokio::time::interval(PERIOD);
    let mut number = 0;
    while *soak.stage.borrow() == Stage::Open {
        tick.tick().await;
        let who = number % askers.len();
        let (cookie, open) = askers.get_mut(who).expect("a member");
        *open = change(&mut wire, cookie, open.take(), number).await;
        number += 1;
    }
}

/// Changes the words of an open request, or asks when there is none; returns the open one.
async fn change(
    wire: &mut Wire,
    cookie: &str,
    open: Option<String>,
    number: usize,
) -> Option<String> {
    let (method, path) = match &open {
        Some(id) => ("PATCH", format!("/api/v1/help-requests/{id}")),
        None => ("POST", "/api/v1/help-requests".to_owned()),
    };
    let body = json!({ "content": format!("Question {number}"), "priority": "urgent" }).to_string();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\norigin: http://localhost\r\n\
         cookie: {cookie}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n\
         {body}",
        body.len()
    );
    let (status, answer) = wire.call(request.as_bytes()).await;
    // The close of the day may have ended it meanwhile: the next turn asks anew.
    assert!(matches!(status, 200..300 | 404 | 409), "{answer}");
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let id = answer.get("id").and_then(Value::as_str);
    id.filter(|_| status < 300).map(str::to_owned)
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    /// Returns a number from `least` to `most`.
    fn between(&mut self, (least, most): (u64, u64)) -> u64 {
        self.0 = self.0.wrapping_add(1);
        least + mix(self.0) % (most - least + 1)
    }
}

/// Scatters a number over all of them (the last step of splitmix64).
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
