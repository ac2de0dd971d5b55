//! A storm: the server is killed under ten thousand streams and comes back on the same port, a
//! thousand events happen before they do, and all of them return at once, each to its own place.
//!
//! Three times: first what was missed has happened since the start, so that the ring still holds
//! it; then the server is killed once more, and only the log has it. Last, fewer readers return,
//! each from a place of its own in a log of a day.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::{LocalSet, spawn_local};

use crate::load::{Figures, Wire, admin, follow, rest, scans};
use crate::percentile;
use crate::reader::{Buffer, News, Reader, connect};
use crate::server::{House, MEMBERS, READERS, Server, tag};

const STREAMS: usize = 10_000;
const EVENTS: usize = 1_000;
const TOPIC: &str = "run:1";
/// So many come back from places spread over what happens while all members change rooms so often,
/// and hear all of it.
const SPREAD: usize = 1_000;
const ROUNDS: usize = 6;
const ALL: &str = "lead";
/// How many scans one call of a reader may carry.
const CALL: usize = 100;
/// How many open at once before the storm, which is not what is measured.
const OPENING: usize = 128;
/// How long a reader waits that was refused or cut without being told how long.
const RETRY: Duration = Duration::from_secs(1);
/// How long the storm may last before it is given up.
const LIMIT: Duration = Duration::from_secs(300);
const SETTINGS: [&str; 2] = ["connections_max=16000", "streams_max=12000"];

/// Measures both storms.
pub async fn measure() {
    let house = House::furnish().await;
    let mut server = house.open(&SETTINGS);
    let address = server.address;
    let cookie = admin(address).await;
    // Until the memory that a password takes is given back.
    rest(Duration::from_secs(2)).await;
    println!("a storm of {STREAMS} reconnects after a restart, {EVENTS} events missed by each");
    let (before, _) = server.memory_kib();
    let (places, server_at_rest) =
        LocalSet::new().run_until(gather(&mut server, &cookie, before)).await;
    println!("  before it: {server_at_rest}");
    drop(server);
    let again = || house.open_at(&address.to_string(), &SETTINGS);
    server = again();
    happen(&house, &server).await;
    let crowd = Crowd::of(TOPIC, cookie.clone(), places, address).await;
    // What they are held to was told by the same server: it must be what has happened.
    assert_eq!(crowd.events.len(), EVENTS, "all that has happened is there to be heard");
    storm("missed since the start, from the ring", &server, &crowd).await;
    drop(server);
    server = again();
    storm("missed before the start, from the log", &server, &crowd).await;
    let end = Figures::of(address).await.get("log_position");
    change_rooms(&house, &server).await;
    let rows = Figures::of(address).await.get("log_position") - end;
    let last = (0..SPREAD as i64).map(|n| end + n * rows / SPREAD as i64).collect();
    let places = Places { epoch: crowd.places.epoch.clone(), last };
    let crowd = Crowd::of(ALL, cookie, places, address).await;
    assert!(crowd.events.len() as i64 * 10 > rows * 9, "nearly all that has happened is");
    drop(server);
    server = again();
    storm("missed before the start, each from a place of its own", &server, &crowd).await;
    let read = Figures::of(address).await.get("replay_rows_total");
    println!(
        "    read of the log          {read} rows for {SPREAD} in {rows}: each {:.1} times\n",
        read as f64 / rows as f64
    );
}

/// Where each reader stood when the server was killed.
struct Places {
    epoch: String,
    last: Vec<i64>,
}

/// Opens all streams, kills the server under them, and returns their places.
async fn gather(server: &mut Server, cookie: &str, before_kib: u64) -> (Places, String) {
    let (address, buffer) = (server.address, Buffer::new());
    let doors = Arc::new(Semaphore::new(OPENING));
    let mut readers = Vec::with_capacity(STREAMS);
    for _ in 0..STREAMS {
        let door = doors.clone().acquire_owned().await.expect("it is never closed");
        let (buffer, request) = (buffer.clone(), follow(cookie, TOPIC, None));
        readers.push(spawn_local(async move {
            let mut door = Some(door);
            let socket = connect(address, &request).await.expect("a stream");
            let (mut reader, mut last) = (Reader::new(), None);
            let mut hear = |news| {
                if let News::Open(place) | News::Beat(place) = news {
                    last = Some(place);
                }
            };
            while buffer.read(&socket, usize::MAX, |bytes| reader.read(bytes, &mut hear)).await {
                door.take();
            }
            (reader.epoch().to_owned(), last.expect("a place"))
        }));
    }
    let _ = doors.acquire_many(OPENING as u32).await.expect("it is never closed");
    rest(Duration::from_secs(3)).await;
    let (kib, _) = server.memory_kib();
    let at_rest = format!(
        "{:.1} MiB resident with no stream, {:.1} MiB with {STREAMS} at rest",
        mib(before_kib),
        mib(kib)
    );
    server.kill();
    let mut places = Places { epoch: String::new(), last: Vec::with_capacity(STREAMS) };
    for reader in readers {
        let (epoch, last) = reader.await.expect("a reader");
        places.epoch = epoch;
        places.last.push(last);
    }
    (places, at_rest)
}

/// Lets fresh members come in at the first reader, in calls as large as they may be.
async fn happen(house: &House, server: &Server) {
    let mut wire = Wire::connect(server.address).await;
    for first in (0..EVENTS).step_by(CALL) {
        let read: Vec<_> = (first..first + CALL).map(|n| (n, n)).collect();
        let answer = send(&mut wire, house, 0, &read).await;
        assert_eq!(answer.matches(r#""checked_in""#).count(), CALL, "{answer}");
    }
}

/// Lets all members come to a room, and change rooms again and again.
async fn change_rooms(house: &House, server: &Server) {
    let mut wire = Wire::connect(server.address).await;
    for round in 1..=ROUNDS {
        for reader in 0..READERS {
            let here = (0..MEMBERS).filter(|member| (member + round) % READERS == reader);
            let read: Vec<_> = here.map(|member| (round * MEMBERS + member, member)).collect();
            send(&mut wire, house, reader, &read).await;
        }
    }
}

/// Sends what a reader has read in one call: members, each with the number of its scan.
async fn send(wire: &mut Wire, house: &House, reader: usize, read: &[(usize, usize)]) -> String {
    let key = house.keys.get(reader).expect("a key");
    let (status, answer) =
        wire.call(&scans(key, read.iter().map(|(n, member)| (*n, tag(*member))))).await;
    assert_eq!(status, 200, "{answer}");
    answer.to_owned()
}

/// Who comes back, and to what.
struct Crowd {
    topic: &'static str,
    cookie: String,
    places: Places,
    /// What there is to be heard of the topic, by its positions in the log.
    events: Vec<i64>,
}

impl Crowd {
    async fn of(
        topic: &'static str,
        cookie: String,
        places: Places,
        address: SocketAddr,
    ) -> Rc<Crowd> {
        let mut crowd = Crowd { topic, cookie, places, events: Vec::new() };
        crowd.events = crowd.to_hear(address).await;
        Rc::new(crowd)
    }

    fn request(&self, last: i64) -> Vec<u8> {
        let cursor = format!("{}-{last}", self.places.epoch);
        follow(&self.cookie, self.topic, Some(&cursor))
    }

    /// Hears alone what the others have missed, until nothing comes for a while.
    async fn to_hear(&self, address: SocketAddr) -> Vec<i64> {
        let first = self.places.last.iter().min().expect("a place");
        let socket = connect(address, &self.request(*first)).await.expect("a stream");
        let (buffer, mut reader, mut events) = (Buffer::new(), Reader::new(), Vec::new());
        let mut hear = |bytes: &[u8]| {
            reader.read(bytes, |news| {
                if let News::Event(id) = news {
                    events.push(id);
                }
            });
        };
        while let Ok(true) =
            tokio::time::timeout(RETRY, buffer.read(&socket, usize::MAX, &mut hear)).await
        {}
        assert!(events.is_sorted(), "in order");
        events
    }
}

/// What all readers of one storm share.
struct Storm {
    address: SocketAddr,
    crowd: Rc<Crowd>,
    buffer: Buffer,
    over: watch::Receiver<bool>,
    begun: Instant,
    whole: Cell<usize>,
    last_whole: Cell<Duration>,
    waits: RefCell<Vec<Duration>>,
    refused: Cell<usize>,
    failed: Cell<usize>,
    cut: Cell<usize>,
    wrong: Cell<usize>,
}

/// Lets everybody return at once, and shows what it came to.
async fn storm(name: &str, server: &Server, crowd: &Rc<Crowd>) {
    let streams = crowd.places.last.len();
    let (cpu, figures) = (server.cpu(), Figures::of(server.address).await);
    let (end, over) = watch::channel(false);
    let storm = Rc::new(Storm {
        address: server.address,
        crowd: crowd.clone(),
        buffer: Buffer::new(),
        over,
        begun: Instant::now(),
        whole: Cell::new(0),
        last_whole: Cell::default(),
        waits: RefCell::new(Vec::with_capacity(streams)),
        refused: Cell::new(0),
        failed: Cell::new(0),
        cut: Cell::new(0),
        wrong: Cell::new(0),
    });
    let all = async {
        let back = |last: &i64| spawn_local(come_back(storm.clone(), *last));
        let readers: Vec<_> = crowd.places.last.iter().map(back).collect();
        while storm.whole.get() < streams && storm.begun.elapsed() < LIMIT {
            rest(Duration::from_millis(20)).await;
        }
        let cpu = server.cpu() - cpu;
        // What comes twice may come late.
        rest(Duration::from_secs(2)).await;
        end.send_replace(true);
        for reader in readers {
            reader.await.expect("a reader");
        }
        cpu
    };
    let cpu = LocalSet::new().run_until(all).await;
    show(name, &storm, server);
    let now = Figures::of(server.address).await;
    let since = |name: &str| now.get(name) - figures.get(name);
    let delivered = since("deliveries_total");
    println!(
        "    processor                {:.1} s, {:.2} us for each frame",
        cpu.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / delivered as f64,
    );
    println!(
        "    handed out of the log    {} events, shared; {delivered} frames delivered",
        since("replayed_total"),
    );
    assert_eq!(storm.whole.get(), streams, "every stream is whole again");
    assert_eq!(storm.wrong.get(), 0, "every event comes once, in its order");
}

fn show(name: &str, storm: &Storm, server: &Server) {
    let mut waits = storm.waits.borrow_mut();
    waits.sort_unstable();
    println!("  {name}");
    println!(
        "    whole again              {} streams, the last after {:.1} s",
        storm.whole.get(),
        storm.last_whole.get().as_secs_f64()
    );
    println!(
        "    from connect to whole    p50 {:.1} s  p99 {:.1} s  max {:.1} s",
        percentile(&waits, 0.5) / 1e3,
        percentile(&waits, 0.99) / 1e3,
        percentile(&waits, 1.0) / 1e3,
    );
    println!(
        "    on the way               {} refused with 503, {} connects failed, {} streams cut",
        storm.refused.get(),
        storm.failed.get(),
        storm.cut.get()
    );
    println!("    peak                     {:.1} MiB resident", mib(server.peak_kib()));
}

/// Where one reader is.
struct Place {
    last: i64,
    /// How many of all events lie behind it.
    passed: usize,
}

/// One reader: connects until it is let in, reads what it missed, and stays until the end.
async fn come_back(storm: Rc<Storm>, last: i64) {
    let begun = Instant::now();
    let passed = storm.crowd.events.partition_point(|event| *event <= last);
    let mut place = Place { last, passed };
    while !*storm.over.borrow() {
        let wait = match connect(storm.address, &storm.crowd.request(place.last)).await {
            Ok(socket) => read(&storm, &socket, &mut place, begun).await,
            Err(_) => {
                count(&storm.failed);
                RETRY
            }
        };
        let mut over = storm.over.clone();
        let _ = tokio::time::timeout(wait, over.wait_for(|over| *over)).await;
    }
}

/// Reads one stream to its end, and returns how long to wait before the next.
async fn read(storm: &Storm, socket: &TcpStream, place: &mut Place, begun: Instant) -> Duration {
    let mut reader = Reader::new();
    let mut over = storm.over.clone();
    let mut wait = None;
    loop {
        let was_whole = storm.is_whole(place);
        let hear = |bytes: &[u8]| {
            reader.read(bytes, |news| match news {
                News::Event(id) => storm.note(place, id),
                News::Refused(503, seconds) => wait = Some(seconds.max(RETRY)),
                News::Refused(..) | News::Resync => count(&storm.wrong),
                News::Beat(id) => place.last = id,
                News::Open(_) | News::Signal | News::Goodbye => {}
            });
        };
        let open = tokio::select! {
            open = storm.buffer.read(socket, usize::MAX, hear) => open,
            _ = over.wait_for(|over| *over) => return Duration::ZERO,
        };
        if !was_whole && storm.is_whole(place) {
            storm.note_whole(begun);
        }
        if let Some(wait) = wait {
            count(&storm.refused);
            return wait;
        }
        if !open {
            count(&storm.cut);
            return RETRY;
        }
    }
}

impl Storm {
    fn is_whole(&self, place: &Place) -> bool {
        place.passed >= self.crowd.events.len()
    }

    fn note(&self, place: &mut Place, id: i64) {
        if self.crowd.events.get(place.passed) != Some(&id) {
            count(&self.wrong);
        }
        place.last = id;
        place.passed += 1;
    }

    fn note_whole(&self, begun: Instant) {
        count(&self.whole);
        self.last_whole.set(self.begun.elapsed());
        self.waits.borrow_mut().push(begun.elapsed());
    }
}

fn count(cell: &Cell<usize>) {
    cell.set(cell.get() + 1);
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
