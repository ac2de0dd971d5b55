//! What open streams cost: memory at rest, how soon an event is everywhere, and the processor for
//! each delivery, against a bare loop over the same number of sockets; how much goes through when
//! nothing waits, and what those who stop reading cost the others.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::{LocalSet, spawn_local};

use crate::bare::Orders;
use crate::ears::{Ears, Form};
use crate::load::{Wire, admin, follow, follow_by_socket, rest, scan};
use crate::median;
use crate::server::{House, MEMBERS, READERS, Server, directory, tag};

/// How many streams, and how many events for them, one each [`PERIOD`].
const SIZES: [(usize, usize); 3] = [(100, 400), (1000, 100), (10_000, 50)];
/// How often the ratio to the bare loop is measured.
const ROUNDS: usize = 5;

/// The same as WebSockets.
const SOCKETS: (usize, usize) = (1000, 100);
const PERIOD: Duration = Duration::from_millis(200);

/// Without a pause: so many streams, and scans that make two events each.
const FLAT_OUT: (usize, usize) = (100, 1000);

/// So many streams, half of which stop reading; and scans whose events come to 6 MB for each.
const STALLING: (usize, usize) = (40, 8_500);
/// How many readers send at once where nothing waits.
const POSTERS: usize = 16;
/// After how many seconds a stream that takes nothing is cut, here.
const STALL_S: u64 = 5;

pub async fn measure() {
    let tasks = LocalSet::new();
    tasks
        .run_until(async {
            let mut costs = Vec::new();
            for (streams, events) in SIZES {
                costs.push(fan_out(Form::EventStreams, streams, events).await.ours);
            }
            if let [few, .., many] = costs.as_slice() {
                println!("a delivery to 10,000 costs {:.2} times one to 100\n", many / few);
            }
            let (sockets, events) = SOCKETS;
            fan_out(Form::WebSockets, sockets, events).await;
            flat_out().await;
            stalling().await;
        })
        .await;
}

/// Measures against the bare loop several times, since one run differs from the next by more than
/// what is to be shown.
pub async fn measure_ratio() {
    let [_, (streams, events), _] = SIZES;
    let tasks = LocalSet::new();
    let mut ratios = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let cost = tasks.run_until(fan_out(Form::EventStreams, streams, events)).await;
        ratios.push(cost.ours / cost.floor);
    }
    println!("{streams} streams, {ROUNDS} runs: the middle one {:.2} times\n", median(ratios));
}

/// What a delivery costs, in microseconds of the processor.
struct Cost {
    ours: f64,
    /// In the bare loop.
    floor: f64,
}

/// Opens streams, lets them rest, then has each event delivered to all of them.
async fn fan_out(form: Form, streams: usize, events: usize) -> Cost {
    let house = House::furnish().await;
    let server = house.open(&[]);
    let cookie = admin(server.address).await;
    let mut scans = Scans::of(&house, &server).await;
    // What the scans themselves cost at this pace, before anybody listens.
    let begun = server.work();
    let mut tick = tokio::time::interval(PERIOD);
    for _ in 0..events {
        tick.tick().await;
        scans.one().await;
    }
    let scans_alone = server.work() - begun;
    rest(Duration::from_secs(1)).await;

    let before = server.memory_kib().1;
    let ears = Ears::of(form);
    let request = match form {
        Form::EventStreams => follow(&cookie, "run:1", None),
        Form::WebSockets => follow_by_socket(&cookie, "run:1"),
    };
    ears.open(server.address, &request, streams).await;
    rest(Duration::from_secs(3)).await;
    let each_kib = (server.memory_kib().1 as f64 - before as f64) / streams as f64;

    let begun = server.work();
    let mut tick = tokio::time::interval(PERIOD);
    for _ in 0..events {
        tick.tick().await;
        ears.sending(1);
        scans.one().await;
    }
    ears.heard_by(streams).await;
    let work = (server.work() - begun).saturating_sub(scans_alone);
    let times = ears.take();
    let ours = work.as_secs_f64() * 1e6 / (streams * events) as f64;
    drop(server);
    let floor = floor(streams, events, ears.frame()).await;
    println!(
        "{streams} {}, {} events a second, a frame of {} bytes",
        form.word(),
        1000 / PERIOD.as_millis(),
        ears.frame()
    );
    println!("  at rest                  {each_kib:.2} KiB each, of its own");
    println!(
        "  from the scan's sending  p50 {:.1} ms  p99 {:.1} ms  everybody has it {:.1} ms",
        times.p50_ms, times.p99_ms, times.last_ms
    );
    println!(
        "  a delivery               {ours:.1} us, the bare loop {floor:.1} us: {:.2} times\n",
        ours / floor
    );
    Cost { ours, floor }
}

/// What it costs to write frames of this length to so many sockets, with nothing around it.
async fn floor(streams: usize, events: usize, length: usize) -> f64 {
    let data = directory();
    let server = Server::other(data.path(), "bare");
    let mut orders = Orders::to(server.address).await;
    let ears = Ears::new();
    ears.open(server.address, b"GET / HTTP/1.1\r\n\r\n", streams).await;
    let frame = format!("id: e-1\nevent: visit\ndata: {}\n\n", "x".repeat(length - 30));
    let begun = server.work();
    let mut tick = tokio::time::interval(PERIOD);
    for _ in 0..events {
        tick.tick().await;
        ears.sending(1);
        orders.write(frame.as_bytes()).await;
    }
    ears.heard_by(streams).await;
    (server.work() - begun).as_secs_f64() * 1e6 / (streams * events) as f64
}

/// Has every reader send scans as fast as it is answered; each makes two events.
async fn flat_out() {
    let (streams, scans) = FLAT_OUT;
    let house = House::furnish().await;
    let server = house.open(&[]);
    let cookie = admin(server.address).await;
    let ears = Ears::new();
    ears.open(server.address, &follow(&cookie, "lead", None), streams).await;
    let begun = Instant::now();
    arrivals(&house, &server, &ears, scans).await;
    ears.heard_by(streams).await;
    let took = begun.elapsed().as_secs_f64();
    println!(
        "{streams} streams, {} events without a pause: {:.0} deliveries a second\n",
        scans * 2,
        (streams * scans * 2) as f64 / took
    );
}

/// Compares how soon readers hear when half of all streams stop reading, and what those cost.
async fn stalling() {
    let (streams, scans) = STALLING;
    println!("{streams} streams, {} events of {} scans without a pause", scans * 2, scans);
    let reading = stall(streams / 2, 0, scans).await;
    let beside = stall(streams / 2, streams / 2, scans).await;
    println!("  p99 of those who read, beside the stalled: {:.2} times\n", beside / reading);
}

/// Returns the p99 of `reading` streams beside `stalled` ones.
async fn stall(reading: usize, stalled: usize, scans: usize) -> f64 {
    let house = House::furnish().await;
    let server = house.open(&[&format!("stream_stall_s={STALL_S}")]);
    let cookie = admin(server.address).await;
    let request = follow(&cookie, "lead", None);
    let mut silent = Vec::with_capacity(stalled);
    for _ in 0..stalled {
        silent.push(Wire::connect(server.address).await.stream(&request).await);
    }
    let ears = Ears::new();
    ears.open(server.address, &request, reading).await;
    let before = server.memory_kib().1;
    // Twice through the house: they come, and they change rooms.
    arrivals(&house, &server, &ears, scans).await;
    ears.heard_by(reading).await;
    let times = ears.take();
    let more = server.memory_kib().1.saturating_sub(before);
    println!(
        "  {reading} read, {stalled} do not   p50 {:.1} ms  p99 {:.1} ms, {:.1} MiB more",
        times.p50_ms,
        times.p99_ms,
        more as f64 / 1024.0
    );
    if stalled > 0 {
        let waits: usize = server.unsent().into_iter().sum();
        println!("  the kernel holds {:.0} KiB for each", waits as f64 / 1024.0 / stalled as f64);
        let begun = Instant::now();
        while server.sockets() > reading {
            assert!(begun.elapsed() < Duration::from_secs(STALL_S * 3), "the stalled are cut");
            rest(Duration::from_millis(50)).await;
        }
        println!("  all of them are cut {:.1} s later", begun.elapsed().as_secs_f64());
    }
    times.p99_ms
}

/// One reader whose room members enter one after the other: one event of its run for each scan.
struct Scans {
    wire: Wire,
    key: String,
    next: usize,
}

impl Scans {
    async fn of(house: &House, server: &Server) -> Scans {
        let key = house.keys.first().expect("a reader").clone();
        Scans { wire: Wire::connect(server.address).await, key, next: 0 }
    }

    async fn one(&mut self) {
        let request = scan(&self.key, self.next, &tag(self.next % MEMBERS));
        self.next += 1;
        let (status, body) = self.wire.call(&request).await;
        assert!(status == 200 && body.contains("checked_"), "{body}");
    }
}

/// Sends so many scans as fast as they are answered, each of a member who goes to another room
/// than before: two events for each.
async fn arrivals(house: &House, server: &Server, ears: &Rc<Ears>, scans: usize) {
    let next = Rc::new(Cell::new(0));
    let mut posters = Vec::with_capacity(POSTERS);
    for _ in 0..POSTERS {
        let mut wire = Wire::connect(server.address).await;
        let (keys, next, ears) = (house.keys.clone(), next.clone(), ears.clone());
        posters.push(spawn_local(async move {
            while next.get() < scans {
                let number = next.replace(next.get() + 1);
                let (round, member) = (number / MEMBERS, number % MEMBERS);
                let key = keys.get((member + round) % READERS).expect("a reader");
                ears.sending(2);
                let (status, body) = wire.call(&scan(key, number, &tag(member))).await;
                let moved = body.contains("checked_in") || body.contains("transferred");
                assert!(status == 200 && moved, "{body}");
            }
        }));
    }
    for poster in posters {
        poster.await.expect("every scan counts");
    }
}
