//! The benchmark of the house: one command, figures with their conditions.
//!
//! The server under test is the real program as a process of its own. `docs/performance.md` says
//! what the figures mean.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a measurement that fails stops")]

mod bare;
mod busy;
mod delivery;
mod ears;
mod idle;
mod load;
mod pool;
mod reader;
mod scans;
mod server;
mod soak;
mod storm;
mod streams;
mod tally;

use std::time::Duration;

fn main() {
    // `cargo test --all-targets` starts this too, and should not wait for it.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("benches/run measures");
        return;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let asked = |part: &str| wanted.iter().any(|wanted| wanted == part);
    let wants = |part: &str| wanted.is_empty() || asked(part);
    // Started once more by itself, as one of the servers that ours is measured against.
    match wanted.as_slice() {
        [way, data] if way == "pool" => return pool::serve(data.as_ref()),
        [way, _] if way == "bare" => return bare::serve(),
        _ => (),
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    println!("{}", server::conditions());
    if wants("scans") {
        runtime.block_on(scans::measure());
    }
    if wants("disk") {
        runtime.block_on(scans::measure_slowed());
    }
    if wants("delivery") {
        runtime.block_on(delivery::measure());
    }
    if wants("streams") {
        runtime.block_on(streams::measure());
    }
    if wants("idle") {
        runtime.block_on(idle::measure());
    }
    // These take their time, and only when they are asked for.
    if asked("ratio") {
        runtime.block_on(streams::measure_ratio());
    }
    if asked("storm") {
        runtime.block_on(storm::measure());
    }
    if asked("soak") {
        let seconds = wanted.iter().find_map(|wanted| wanted.parse().ok());
        let time = seconds.map_or(soak::HOUR, Duration::from_secs);
        let from = wanted.iter().find(|wanted| wanted.contains(':'));
        runtime.block_on(soak::measure(time, from.map_or(soak::FROM, String::as_str)));
    }
}

/// The value below which `share` of the sorted `times` lie, in milliseconds.
fn percentile(times: &[Duration], share: f64) -> f64 {
    let last = times.len().saturating_sub(1);
    let place = (last as f64 * share).round() as usize;
    times.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// The middle one of `values`.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
