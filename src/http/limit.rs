//! A token bucket per key: how often one device, account or address may do a thing.
//!
//! Time is the monotonic clock, so that a corrected clock neither opens nor shuts the tap. The map
//! is bounded: full buckets say nothing and go first; when none is full, a newcomer shares one
//! bucket with all other newcomers, so a flood of keys cannot buy itself freedom or memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Buckets kept at the most; beyond them newcomers share one.
const KEYS_MAX: usize = 10_000;

/// Limits how often each key may pass.
#[derive(Debug)]
pub struct Limiter<K> {
    burst: f64,
    per_second: f64,
    state: Mutex<State<K>>,
}

#[derive(Debug)]
struct State<K> {
    buckets: HashMap<K, Bucket>,
    newcomers: Bucket,
}

/// What is left of a key's allowance, and when that was so.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl<K: Eq + Hash> Limiter<K> {
    /// Allows each key `burst` at once and one more each `every`.
    pub fn new(burst: u32, every: Duration) -> Limiter<K> {
        let burst = f64::from(burst.max(1));
        let newcomers = Bucket { tokens: burst, at: Instant::now() };
        Limiter {
            burst,
            per_second: 1.0 / every.as_secs_f64().max(1e-6),
            state: Mutex::new(State { buckets: HashMap::new(), newcomers }),
        }
    }

    /// Takes one from the allowance of `key`, or returns how long it must wait for the next.
    pub fn take(&self, key: K) -> Result<(), Duration> {
        self.take_at(key, 1.0, Instant::now())
    }

    /// Takes `count` from the allowance of `key`, as for a batch.
    pub fn take_many(&self, key: K, count: usize) -> Result<(), Duration> {
        // More than a whole burst could never pass: such a batch costs the burst.
        let count = u32::try_from(count).map_or(self.burst, |count| f64::from(count.max(1)));
        self.take_at(key, count.min(self.burst), Instant::now())
    }

    /// Gives one back to `key`: what it was taken for has turned out well.
    pub fn give_back(&self, key: &K) {
        let state = &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = state.buckets.get_mut(key).unwrap_or(&mut state.newcomers);
        bucket.tokens = (bucket.tokens + 1.0).min(self.burst);
    }

    fn take_at(&self, key: K, count: f64, now: Instant) -> Result<(), Duration> {
        let state = &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.buckets.len() >= KEYS_MAX && !state.buckets.contains_key(&key) {
            let (burst, per_second) = (self.burst, self.per_second);
            state.buckets.retain(|_, bucket| bucket.refilled(burst, per_second, now) < burst);
        }
        let bucket = if state.buckets.len() < KEYS_MAX || state.buckets.contains_key(&key) {
            state.buckets.entry(key).or_insert(Bucket { tokens: self.burst, at: now })
        } else {
            &mut state.newcomers
        };
        bucket.tokens = bucket.refilled(self.burst, self.per_second, now);
        bucket.at = now;
        if bucket.tokens >= count {
            bucket.tokens -= count;
            return Ok(());
        }
        Err(Duration::from_secs_f64((count - bucket.tokens) / self.per_second))
    }
}

impl Bucket {
    fn refilled(&self, burst: f64, per_second: f64, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        (self.tokens + passed * per_second).min(burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let limiter = Limiter::new(3, Duration::from_secs(2));
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(limiter.take_at("a", 1.0, start), Ok(()));
        }
        assert_eq!(limiter.take_at("a", 1.0, start), Err(Duration::from_secs(2)));
        assert_eq!(limiter.take_at("b", 1.0, start), Ok(()));
        let later = start + Duration::from_secs(2);
        assert_eq!(limiter.take_at("a", 1.0, later), Ok(()));
        assert!(limiter.take_at("a", 1.0, later).is_err());
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let limiter = Limiter::new(1, Duration::from_secs(60));
        let now = Instant::now();
        assert_eq!(limiter.take_at("a", 1.0, now), Ok(()));
        limiter.give_back(&"a");
        assert_eq!(limiter.take_at("a", 1.0, now), Ok(()));
        assert!(limiter.take_at("a", 1.0, now).is_err());
    }

    #[test]
    fn a_flood_of_keys_keeps_the_map_bounded_and_the_known_ones_unharmed() {
        let limiter = Limiter::new(2, Duration::from_secs(60));
        let now = Instant::now();
        for key in 0..KEYS_MAX * 2 {
            let _ = limiter.take_at(key, 1.0, now);
        }
        assert_eq!(limiter.state.lock().unwrap().buckets.len(), KEYS_MAX);
        assert_eq!(limiter.take_at(0, 1.0, now), Ok(()));
        assert!(limiter.take_at(KEYS_MAX * 3, 1.0, now).is_err());
    }
}
