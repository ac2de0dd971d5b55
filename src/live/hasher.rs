//! Password hashing, on a few threads of its own.
//!
//! One argon2id hash takes 19 MiB for about 13 ms, so it belongs neither on a thread of the
//! runtime nor in the hands of whoever asks most often. Each thread owns its memory, uses it
//! again for the next password and gives it back after half a second of quiet. The queue is
//! short: beyond it the answer is Busy, and the caller comes back.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::oneshot;

use crate::base::{Error, Result};

/// How many passwords may wait: about half a second of work, longer than that nobody waits.
const QUEUE_MAX: usize = 32;

/// How long a thread keeps its memory without work.
const IDLE: Duration = Duration::from_millis(500);

/// The largest parameters of a stored hash that are obeyed; a restored file may say anything.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 16;

/// What one hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
}

impl Cost {
    /// The cost in a house: the least memory that OWASP's table for argon2id still names.
    pub const HOUSE: Cost = Cost { memory_kib: 19_456, passes: 2 };

    /// A cost of next to nothing, for tests that sign in often.
    pub const TRIFLING: Cost = Cost { memory_kib: 8, passes: 1 };
}

/// Whether a password was right, and whether its hash should be made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub ok: bool,
    /// The stored hash is of another cost than the house uses now.
    pub renew: bool,
}

/// Hands passwords to the hashing threads; cheap to clone. They end with its last clone.
#[derive(Clone)]
pub struct Hasher {
    queue: Arc<Queue>,
    /// Closes the queue when the last clone is dropped.
    _closing: Arc<Closing>,
}

impl Hasher {
    /// Starts half as many threads as there are cores, at least one.
    pub fn spawn(cost: Cost) -> Result<(Hasher, Vec<JoinHandle<()>>)> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let queue = Arc::new(Queue::default());
        let mut threads = Vec::new();
        for _ in 0..(cores / 2).max(1) {
            let queue = queue.clone();
            let thread = std::thread::Builder::new()
                .name("hasher".to_owned())
                .spawn(move || work(&queue, cost))
                .context("starting a hashing thread")?;
            threads.push(thread);
        }
        let closing = Arc::new(Closing(queue.clone()));
        Ok((Hasher { queue, _closing: closing }, threads))
    }

    /// Returns the hash of `password` with a fresh salt, as a PHC string.
    pub async fn hash(&self, password: String) -> Result<String> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(Job::Hash { password, reply })?;
        answer.await.map_err(|_| Error::Busy)?
    }

    /// Compares `password` with a stored hash. Without one (no such account) it works just
    /// as long and says no, so that time does not tell which names exist.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<Verdict> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(Job::Verify { password, stored, reply })?;
        answer.await.map_err(|_| Error::Busy)?
    }
}

struct Closing(Arc<Queue>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

enum Job {
    Hash { password: String, reply: oneshot::Sender<Result<String>> },
    Verify { password: String, stored: Option<String>, reply: oneshot::Sender<Result<Verdict>> },
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    closed: bool,
}

/// What a thread finds when it asks for work.
enum Next {
    Job(Job),
    Quiet,
    Closed,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job) -> Result<()> {
        let mut waiting = self.lock();
        if waiting.jobs.len() >= QUEUE_MAX {
            return Err(Error::Busy);
        }
        waiting.jobs.push_back(job);
        drop(waiting);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for a job, for `patience` at most (without end if None).
    fn next(&self, patience: Option<Duration>) -> Next {
        let mut waiting = self.lock();
        loop {
            if let Some(job) = waiting.jobs.pop_front() {
                return Next::Job(job);
            }
            if waiting.closed {
                return Next::Closed;
            }
            waiting = match patience {
                None => self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let waited = self.changed.wait_timeout(waiting, patience);
                    let (waiting, time) = waited.unwrap_or_else(PoisonError::into_inner);
                    if time.timed_out() && waiting.jobs.is_empty() && !waiting.closed {
                        return Next::Quiet;
                    }
                    waiting
                }
            };
        }
    }
}

fn work(queue: &Queue, cost: Cost) {
    let mut memory = Vec::new();
    loop {
        let patience = (!memory.is_empty()).then_some(IDLE);
        match queue.next(patience) {
            Next::Closed => return,
            Next::Quiet => memory = Vec::new(),
            // A caller that went away wants no answer: nothing is computed for it.
            Next::Job(Job::Hash { password, reply }) if !reply.is_closed() => {
                let _ = reply.send(hash(&mut memory, cost, &password));
            }
            Next::Job(Job::Verify { password, stored, reply }) if !reply.is_closed() => {
                let _ = reply.send(verify(&mut memory, cost, &password, stored.as_deref()));
            }
            Next::Job(_) => (),
        }
    }
}

fn hash(memory: &mut Vec<Block>, cost: Cost, password: &str) -> Result<String> {
    let mut salt = [0; Salt::RECOMMENDED_LENGTH];
    getrandom::fill(&mut salt).map_err(anyhow::Error::from)?;
    let salt = Salt::new(&salt).map_err(anyhow::Error::from)?;
    let params = params(cost)?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let phc = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(anyhow::Error::from)?,
        hash: Some(compute(memory, &argon, password, &salt, Params::DEFAULT_OUTPUT_LEN)?),
        salt: Some(salt),
    };
    Ok(phc.to_string())
}

fn verify(
    memory: &mut Vec<Block>,
    cost: Cost,
    password: &str,
    stored: Option<&str>,
) -> Result<Verdict> {
    let Some(stored) = stored else {
        hash(memory, cost, password)?;
        return Ok(Verdict { ok: false, renew: false });
    };
    let phc = PasswordHash::new(stored).map_err(anyhow::Error::from)?;
    let algorithm = Algorithm::try_from(phc.algorithm.as_str()).map_err(anyhow::Error::from)?;
    let version = phc.version.map_or(Ok(Version::V0x13), Version::try_from);
    let version = version.map_err(anyhow::Error::from)?;
    let used = Params::try_from(&phc).map_err(anyhow::Error::from)?;
    let (Some(salt), Some(expected)) = (&phc.salt, &phc.hash) else {
        return Err(anyhow::anyhow!("a stored password hash is cut off").into());
    };
    if used.m_cost() > MEMORY_KIB_MAX || used.t_cost() > PASSES_MAX {
        return Err(anyhow::anyhow!("a stored password hash asks for too much work").into());
    }
    let current = algorithm == Algorithm::Argon2id
        && version == Version::V0x13
        && (used.m_cost(), used.t_cost(), used.p_cost()) == (cost.memory_kib, cost.passes, 1);
    let argon = Argon2::new(algorithm, version, used);
    let computed = compute(memory, &argon, password, salt, expected.len())?;
    // `Output` compares in constant time.
    let ok = computed == *expected;
    Ok(Verdict { ok, renew: ok && !current })
}

fn params(cost: Cost) -> Result<Params> {
    let params = Params::new(cost.memory_kib, cost.passes, 1, Some(Params::DEFAULT_OUTPUT_LEN));
    Ok(params.map_err(anyhow::Error::from)?)
}

fn compute(
    memory: &mut Vec<Block>,
    argon: &Argon2<'_>,
    password: &str,
    salt: &Salt,
    length: usize,
) -> Result<Output> {
    let blocks = argon.params().block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let mut out = [0; Output::MAX_LENGTH];
    let out = out.get_mut(..length).context("a password hash of an unknown length")?;
    let memory = memory.get_mut(..blocks).context("too little memory for a hash")?;
    argon
        .hash_password_into_with_memory(password.as_bytes(), salt, out, memory)
        .map_err(anyhow::Error::from)?;
    Ok(Output::new(out).map_err(anyhow::Error::from)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Faults 35 and 38.
    #[tokio::test]
    async fn a_hash_is_salted_argon2id_and_fits_its_password_alone() {
        let (hasher, _threads) = Hasher::spawn(Cost::HOUSE).unwrap();
        let password = "  grüne Äpfel \u{1F34F} ".to_owned();
        let stored = hasher.hash(password.clone()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(stored, hasher.hash(password.clone()).await.unwrap());
        let right = hasher.verify(password.clone(), Some(stored.clone())).await.unwrap();
        assert_eq!(right, Verdict { ok: true, renew: false });
        let trimmed = hasher.verify(password.trim().to_owned(), Some(stored)).await.unwrap();
        assert!(!trimmed.ok);
    }

    // Fault 38.
    #[tokio::test]
    async fn a_hash_of_older_parameters_is_known_and_asks_to_be_renewed() {
        let (old, _threads) = Hasher::spawn(Cost { memory_kib: 64, passes: 1 }).unwrap();
        let stored = old.hash("old and long".to_owned()).await.unwrap();
        let (new, _threads) = Hasher::spawn(Cost { memory_kib: 128, passes: 1 }).unwrap();
        let verdict = new.verify("old and long".to_owned(), Some(stored.clone())).await.unwrap();
        assert_eq!(verdict, Verdict { ok: true, renew: true });
        let wrong = new.verify("another one".to_owned(), Some(stored)).await.unwrap();
        assert_eq!(wrong, Verdict { ok: false, renew: false });
    }

    #[tokio::test]
    async fn no_account_and_a_broken_hash_are_not_a_match() {
        let (hasher, _threads) = Hasher::spawn(Cost::TRIFLING).unwrap();
        let verdict = hasher.verify("whatever it is".to_owned(), None).await.unwrap();
        assert_eq!(verdict, Verdict { ok: false, renew: false });
        for broken in ["", "plain", "$argon2id$v=19$m=4294967295,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"] {
            let answer = hasher.verify("x".to_owned(), Some(broken.to_owned())).await;
            assert!(answer.is_err(), "{broken}");
        }
    }

    // Fault 31.
    #[tokio::test]
    async fn no_account_costs_as_long_as_a_wrong_password() {
        let (hasher, _threads) = Hasher::spawn(Cost::HOUSE).unwrap();
        let stored = hasher.hash("the right one".to_owned()).await.unwrap();
        let mut fastest = [Duration::MAX; 2];
        let apart = |fastest: [Duration; 2]| {
            let [known, unknown] = fastest.map(|time| time.as_secs_f64());
            (known / unknown - 1.0).abs()
        };
        // On a busy machine it takes more tries until each has once been left alone.
        for round in 0..60 {
            if round >= 4 && apart(fastest) < 0.3 {
                return;
            }
            for (stored, fastest) in [Some(stored.clone()), None].into_iter().zip(&mut fastest) {
                let begun = std::time::Instant::now();
                hasher.verify("a wrong one".to_owned(), stored).await.unwrap();
                *fastest = begun.elapsed().min(*fastest);
            }
        }
        panic!("known and unknown: {fastest:?}");
    }

    // Fault 34: a flood is told to come back; what was taken in is answered.
    #[tokio::test]
    async fn a_full_queue_is_busy_and_the_rest_is_answered() {
        let (hasher, _threads) = Hasher::spawn(Cost { memory_kib: 4096, passes: 2 }).unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        for n in 0..200 {
            let hasher = hasher.clone();
            waiting.spawn(async move { hasher.hash(format!("password {n}")).await });
        }
        let answers = waiting.join_all().await;
        let busy = answers.iter().filter(|a| matches!(a, Err(Error::Busy))).count();
        let done = answers.iter().filter(|a| a.is_ok()).count();
        assert_eq!(busy + done, 200);
        assert!(busy > 0 && done >= QUEUE_MAX, "{busy} busy, {done} done");
    }

    #[tokio::test]
    async fn the_threads_end_with_the_last_handle() {
        let (hasher, threads) = Hasher::spawn(Cost::TRIFLING).unwrap();
        drop(hasher.clone());
        hasher.hash("still at work".to_owned()).await.unwrap();
        drop(hasher);
        for thread in threads {
            thread.join().unwrap();
        }
    }
}
