//! Durable scans: posters that each send one scan after the other and wait for the answer, which
//! comes after the commit. The same with one transaction for each, at the same durability: by a
//! pool of connections, as most services do it, and by our one writer.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::load::{Wire, scan};
use crate::server::{House, MEMBERS, READERS, SLOWER_MS, STRACE, Server, tag};
use crate::{median, percentile};

const ROUNDS: usize = 3;
/// Odd, so that every member has a turn, and none comes after a neighbour: a crowd has no order.
const STRIDE: usize = 769;
const TIME: Duration = Duration::from_secs(5);
const WARM_UP: Duration = Duration::from_secs(1);

/// What one round came to.
struct Round {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_us: f64,
    /// How many of a hundred scans were the second of a double tap: kept, and nothing decided.
    doubles: f64,
}

/// What the posters of a round have got so far.
#[derive(Default)]
struct Got {
    /// How long each scan took that was decided.
    times: Vec<Duration>,
    doubles: usize,
}

/// Measures both ways, one round after the other, in the same house.
pub async fn measure() {
    let house = House::furnish().await;
    println!(
        "durable scans, {READERS} posters with a connection each, every answer after its commit"
    );
    let (mut pooled, mut single, mut grouped) = (Vec::new(), Vec::new(), Vec::new());
    let next = Rc::new(Cell::new(0));
    for _ in 0..ROUNDS {
        pooled.push(round(&house, &Server::other(house.data.path(), "pool"), &next).await);
        single.push(round(&house, &house.open(&["write_batch=1"]), &next).await);
        grouped.push(round(&house, &house.open(&[]), &next).await);
    }
    let pool = show("one transaction per request, pool of 8", pooled);
    let one = show("one transaction per request, one writer", single);
    let many = show("commits shared", grouped);
    println!("  ratio {:.1} to the pool, {:.1} to the one writer\n", many / pool, many / one);
}

/// Measures the pool and the shared commits on a disk that takes some milliseconds longer to make
/// anything durable, as most do.
pub async fn measure_slowed() {
    if !Path::new(STRACE).exists() {
        return println!("durable scans on a slow disk: not measured, {STRACE} is not here\n");
    }
    let house = House::furnish().await;
    println!("durable scans, {READERS} posters, each sync of the disk {SLOWER_MS} ms slower");
    let next = Rc::new(Cell::new(0));
    let pooled = Server::other_slowed(house.data.path(), "pool");
    let pool =
        show("one transaction per request, pool of 8", vec![round(&house, &pooled, &next).await]);
    drop(pooled);
    let grouped = house.open_slowed(&[]);
    let many = show("commits shared", vec![round(&house, &grouped, &next).await]);
    println!("  ratio {:.1} to the pool\n", many / pool);
}

fn show(name: &str, rounds: Vec<Round>) -> f64 {
    let of = |field: fn(&Round) -> f64| median(rounds.iter().map(field).collect());
    let per_second = of(|round| round.per_second);
    println!(
        "  {name:<40} {per_second:>8.0}/s  p50 {:>6.2} ms  p99 {:>6.2} ms  cpu {:>5.0} us each; \
         {:.1} % double taps besides",
        of(|round| round.p50_ms),
        of(|round| round.p99_ms),
        of(|round| round.cpu_us),
        of(|round| round.doubles),
    );
    per_second
}

async fn round(house: &House, server: &Server, next: &Rc<Cell<usize>>) -> Round {
    let begun = Instant::now();
    let times = Vec::with_capacity(1 << 18);
    let got = Rc::new(RefCell::new(Got { times, doubles: 0 }));
    let tasks = tokio::task::LocalSet::new();
    let mut cpu = Duration::ZERO;
    tasks
        .run_until(async {
            let mut posters = Vec::with_capacity(READERS);
            for key in &house.keys {
                let wire = Wire::connect(server.address).await;
                let (key, next, got) = (key.clone(), next.clone(), got.clone());
                posters.push(tokio::task::spawn_local(post(wire, key, next, got, begun)));
            }
            tokio::time::sleep_until((begun + WARM_UP).into()).await;
            cpu = server.cpu();
            tokio::time::sleep_until((begun + WARM_UP + TIME).into()).await;
            cpu = server.cpu() - cpu;
            for poster in posters {
                poster.await.expect("every scan counts");
            }
        })
        .await;
    let Got { mut times, doubles } = got.take();
    times.sort_unstable();
    let count = times.len() as f64;
    let all = count + doubles as f64;
    Round {
        per_second: count / TIME.as_secs_f64(),
        p50_ms: percentile(&times, 0.5),
        p99_ms: percentile(&times, 0.99),
        cpu_us: cpu.as_secs_f64() * 1e6 / all,
        doubles: doubles as f64 * 100.0 / all,
    }
}

async fn post(
    mut wire: Wire,
    key: String,
    next: Rc<Cell<usize>>,
    got: Rc<RefCell<Got>>,
    begun: Instant,
) {
    while begun.elapsed() < WARM_UP + TIME {
        let number = next.get();
        next.set(number + 1);
        let request = scan(&key, number, &tag(number * STRIDE % MEMBERS));
        let sent = Instant::now();
        let (status, body) = wire.call(&request).await;
        let took = sent.elapsed();
        // A pool that waits for its one lock turns somebody away now and then: that does not count.
        if status == 503 {
            continue;
        }
        assert_eq!(status, 200, "{body}");
        let decided = ["checked_in", "transferred", "checked_out"];
        let decided = decided.iter().any(|outcome| body.contains(outcome));
        // Who comes to the same reader so soon again changes nothing: less work than a scan is.
        assert!(decided || body.contains("duplicate"), "{body}");
        match decided {
            _ if sent - begun <= WARM_UP => (),
            true => got.borrow_mut().times.push(took),
            false => got.borrow_mut().doubles += 1,
        }
    }
}
