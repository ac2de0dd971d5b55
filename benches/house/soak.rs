//! A soak: the demo's day at sixty times the speed of the wall, under two thousand streams of its
//! staff that come and go. Does memory stay where it is, is every descriptor given back, and does
//! every stream hear exactly what one hears that is never cut?
//!
//! A day of twelve minutes is played once. When it is over members go on changing what they asked.

use std::cell::{Cell, RefCell};
use std::fs;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{Instant, sleep_until, timeout};

use crate::busy::Askers;
use crate::load::{Level, SOCKETS_AT_REST, follow, rest, sign_in};
use crate::reader::{Buffer, News, Reader, connect};
use crate::server::{Server, directory};
use crate::tally::{Dice, Tally, compare, lies_flat};

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
        begun: Instant::now(),
        day_over: Cell::default(),
        turns: RefCell::default(),
        mib: RefCell::default(),
    });
    let start = Level::of(&server).await;
    let (references, tallies) =
        LocalSet::new().run_until(run(&server, &soak, sets, &now, time)).await;
    let lost = compare(&references, &tallies);
    let turns = soak.turns.take();
    println!("  {turns:?}");
    if let Some(over) = soak.day_over.get() {
        let minutes = over.as_secs_f64() / 60.0;
        println!("  the day was over after {minutes:.1} min; members changed what they had asked");
    }
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
    println!("  streams left: {}, sockets: {}\n", end.streams, end.sockets);
    assert_eq!(lost, (0, 0), "every stream heard what the reference heard, once");
    assert_eq!(turns.wrong, 0, "no stream lost its place");
    assert_eq!(end.streams, 0, "every stream is given back");
    assert!(end.descriptors <= start.descriptors, "every descriptor is given back");
    assert!(end.sockets <= SOCKETS_AT_REST, "and no connection is kept among them");
    assert!(lies_flat(&soak.mib.take()), "memory lies flat in the end");
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
    begun: Instant,
    /// When the demo's day was over.
    day_over: Cell<Option<Duration>>,
    turns: RefCell<Turns>,
    /// What the server held at the end of each minute.
    mib: RefCell<Vec<f64>>,
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
        soak.mib.borrow_mut().push(level.mib);
        (before, heard, at) = (level, soak.heard.get(), next);
    }
}

/// Hears one set of topics without being cut, and returns every position.
async fn refer(soak: Rc<Soak>, set: usize, cookie: Rc<str>, opened: Rc<Cell<usize>>) -> Vec<i64> {
    let (mut ids, mut tally) = (Vec::new(), Tally::of(set));
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
        cursor = place(&reader, &tally).or(cursor);
        soak.wait(100).await;
    }
    assert_eq!(tally.twice, 0, "a reference hears nothing twice");
    ids
}

/// Where a reader stands, if this stream has told it anything.
fn place(reader: &Reader, tally: &Tally) -> Option<String> {
    let epoch = reader.epoch();
    (!epoch.is_empty()).then(|| format!("{epoch}-{}", tally.to))
}

/// Hears a set of topics in many short streams.
async fn come_and_go(soak: Rc<Soak>, number: usize, set: usize, cookie: Rc<str>) -> Tally {
    let mut dice = Dice::of(SEED + number as u64);
    let mut tally = Tally::of(set);
    let mut cursor = None;
    soak.wait(dice.between((0, COMING_MS))).await;
    // One who is late comes once all the same, so that there is something to compare.
    while tally.from.is_none() || *soak.stage.borrow() == Stage::Open {
        if let Some(socket) = soak.open(set, &cookie, cursor.as_deref()).await {
            let mut reader = Reader::new();
            soak.live(&socket, &mut reader, &mut tally, &mut dice).await;
            cursor = place(&reader, &tally).or(cursor);
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
    soak.day_over.set(Some(soak.begun.elapsed()));
    let mut askers = Askers::sign_in(soak.address, members).await;
    let mut tick = tokio::time::interval(PERIOD);
    while *soak.stage.borrow() == Stage::Open {
        tick.tick().await;
        askers.act().await;
    }
}
