//! Durability: nothing is announced or answered before the disk has it.
//!
//! As a rule SQLite sees to that (`synchronous = full`: a commit returns when it is synced). On a
//! disk whose syncs take milliseconds (an SD card, a hard disk) the writer commits without, and a
//! thread of its own syncs the log file and then tells and answers, while the writer applies the
//! next batch.
//!
//! A read can then see what the disk does not have yet. What would be wrong after a power cut is a
//! position in the log that was told before it was durable, since it would be given again to
//! another event: whoever tells one waits for [`Durable::settled`].
//!
//! When that thread's sync fails, nobody can say what of the log the disk has. Nothing is answered,
//! written or moved into the database file from then on, and the server ends as it stands; whoever
//! opens the database again takes what of the log proves whole by its checksums.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::faults::{Fault, Faults};
use super::hub::Hub;
use super::metrics::Metrics;
use super::tx::News;
use super::writer::{Job, Message};
use crate::base::{Error, Result};
use crate::event::wire::Frame;
use crate::store::Store;

/// A batch that the writer has committed, or could not.
pub(super) struct Commit {
    pub jobs: Vec<Box<dyn Job>>,
    pub news: News,
    /// The frames of its events, unless they could not be encoded; or why it was not committed.
    pub outcome: Result<Result<Vec<Frame>>, CommitFailed>,
    /// Whether the disk has it already.
    pub durable: bool,
    pub begun: Instant,
}

/// Why a whole batch is not durable.
#[derive(Debug, Clone)]
pub(super) struct CommitFailed {
    by: Hindrance,
    cause: String,
}

/// What keeps a batch from being committed.
#[derive(Debug, Clone, Copy)]
enum Hindrance {
    /// Another process holds the database.
    Other,
    Storage,
    Defect,
}

impl CommitFailed {
    pub fn of(error: &Error) -> CommitFailed {
        let by = match error {
            Error::Busy => Hindrance::Other,
            Error::StorageFailed(_) => Hindrance::Storage,
            _ => Hindrance::Defect,
        };
        CommitFailed { by, cause: error.chain() }
    }

    /// Returns what is answered to who asked for the write `name`.
    pub fn answer(&self, name: &str) -> Error {
        let cause = anyhow::anyhow!("{name} was not committed: {}", self.cause);
        match self.by {
            Hindrance::Other => Error::Busy,
            Hindrance::Storage => Error::StorageFailed(cause),
            Hindrance::Defect => Error::Internal(cause),
        }
    }
}

/// How far commits have become durable. Clones are one.
#[derive(Clone, Default)]
pub struct Durable(Arc<Marks>);

#[derive(Default)]
struct Marks {
    /// How many commits have begun.
    begun: AtomicU64,
    reached: watch::Sender<Reached>,
    /// Whether the disk's thread shall sync, and not SQLite.
    slow: AtomicBool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Reached {
    /// So many commits are durable, or have failed by themselves.
    commits: u64,
    /// Whether a sync has failed.
    broken: bool,
}

impl Durable {
    /// Waits until all that could be read by now is durable.
    pub async fn settled(&self) -> Result<()> {
        let begun = self.0.begun.load(Ordering::SeqCst);
        let mut reached = self.0.reached.subscribe();
        let reached = reached.wait_for(|reached| reached.broken || reached.commits >= begun).await;
        let broken = reached.map_err(anyhow::Error::from)?.broken;
        if broken { Err(Error::StorageFailed(anyhow::anyhow!(BROKEN))) } else { Ok(()) }
    }

    /// Waits until a sync has failed; the server must end then.
    pub async fn broken(&self) {
        let mut reached = self.0.reached.subscribe();
        // Its sender lives in here.
        let _ = reached.wait_for(|reached| reached.broken).await;
    }

    /// Takes the disk for a slow one from the next commit on, until it proves quick.
    pub fn find_slow(&self) {
        self.0.slow.store(true, Ordering::Relaxed);
    }

    /// Says whether a sync has failed.
    pub(super) fn is_broken(&self) -> bool {
        self.0.reached.borrow().broken
    }
}

const BROKEN: &str = "the disk did not keep what was written; the server must start again";

/// A commit that takes longer finds the disk slow. To hand commits over costs more than to wait for
/// a quick one: a tenth of the rate on a disk that syncs in 0.1 ms.
const SLOW_COMMIT: Duration = Duration::from_millis(4);

/// A sync that takes no longer finds the disk quick again.
const QUICK_SYNC: Duration = Duration::from_millis(1);

/// The writer's side of the disk.
pub(super) struct Disk {
    desk: Arc<Desk>,
    keeper: Arc<Keeper>,
    thread: Option<thread::JoinHandle<()>>,
}

/// Where the writer leaves a commit for the disk's thread.
#[derive(Default)]
struct Desk {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    commit: Option<Commit>,
    /// Whether a commit is here or on its way to the disk.
    busy: bool,
    /// Whether a commit is not told and answered yet.
    telling: bool,
    /// Whether the writer wants to be called when the disk is free.
    call: bool,
    /// The writer has ended.
    closed: bool,
    /// The disk's thread has ended before its time.
    dead: bool,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, condition: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self.changed.wait_while(self.lock(), |state| condition(state));
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    /// Starts the disk's thread.
    pub fn spawn(
        store: &Store,
        hub: Hub,
        durable: Durable,
        writer: mpsc::WeakSender<Message>,
        faults: Faults,
    ) -> Result<Disk> {
        let desk = Arc::new(Desk::default());
        let (path, log) = (store.log_path(), OnceLock::new());
        let keeper = Arc::new(Keeper { hub, durable, faults, path, log });
        let (place, works) = (desk.clone(), keeper.clone());
        let thread = thread::Builder::new()
            .name("disk".into())
            .spawn(move || {
                let worked = catch_unwind(AssertUnwindSafe(|| work(&place, &works, &writer)));
                if worked.is_err() {
                    works.give_up(&place);
                }
            })
            .map_err(anyhow::Error::from)?;
        Ok(Disk { desk, keeper, thread: Some(thread) })
    }

    /// Refuses further writes once a sync has failed.
    pub fn require_sound(&self) -> Result<()> {
        if self.keeper.durable.is_broken() {
            return Err(Error::StorageFailed(anyhow::anyhow!(BROKEN)));
        }
        Ok(())
    }

    /// Says whether commits are better synced by the disk's thread than by SQLite.
    pub fn is_slow(&self) -> bool {
        self.keeper.durable.0.slow.load(Ordering::Relaxed)
    }

    /// Takes note of how long a commit took.
    pub fn committed_in(&self, time: Duration) {
        if time > SLOW_COMMIT {
            self.keeper.durable.find_slow();
        }
    }

    /// Notes that a commit is about to begin: from now on reads may see it.
    pub fn expect(&self) {
        self.keeper.durable.0.begun.fetch_add(1, Ordering::SeqCst);
    }

    /// Says whether the disk still works on the commit before. If so, [`Message::DiskIsFree`]
    /// comes when it has done.
    pub fn is_busy_and_will_call(&self) -> bool {
        let mut state = self.desk.lock();
        state.call = state.busy;
        state.busy
    }

    /// Waits until the disk has done with the commit before.
    pub fn wait_until_free(&self) {
        self.desk.wait_while(|state| state.busy && !state.dead).call = false;
    }

    /// Has a commit told and answered: at once when it is durable, else by the disk's thread after
    /// its sync.
    pub fn keep(&self, commit: Commit) {
        if !commit.durable {
            let mut state = self.desk.wait_while(|state| state.commit.is_some() && !state.dead);
            if !state.dead {
                (state.busy, state.telling) = (true, true);
                state.commit = Some(commit);
                drop(state);
                return self.desk.changed.notify_all();
            }
        }
        drop(self.desk.wait_while(|state| state.telling && !state.dead));
        self.keeper.tell(self.keeper.reached(commit));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if thread::panicking() {
            // What the writer had begun comes through no more; nobody shall wait for it.
            self.keeper.break_off();
        }
        self.desk.lock().closed = true;
        self.desk.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

/// The work of the disk's thread, to the end of the writer.
fn work(desk: &Desk, keeper: &Keeper, writer: &mpsc::WeakSender<Message>) {
    loop {
        let next = desk.wait_while(|state| state.commit.is_none() && !state.closed).commit.take();
        let Some(commit) = next else { return };
        let commit = keeper.sync(commit);
        let mut state = desk.lock();
        state.busy = state.commit.is_some();
        let call = std::mem::take(&mut state.call);
        drop(state);
        desk.changed.notify_all();
        if call && let Some(writer) = writer.upgrade() {
            // A queue that is full wakes the writer as well.
            let _ = writer.try_send(Message::DiskIsFree);
        }
        keeper.tell(commit);
        let mut state = desk.lock();
        state.telling = state.commit.is_some();
        drop(state);
        desk.changed.notify_all();
    }
}

/// Makes commits durable, tells of them and answers.
struct Keeper {
    hub: Hub,
    durable: Durable,
    faults: Faults,
    path: PathBuf,
    /// The log file, once there is one. It stays the same as long as the writer holds it open.
    log: OnceLock<File>,
}

impl Keeper {
    fn sync(&self, commit: Commit) -> Commit {
        if commit.outcome.is_ok()
            && !self.durable.is_broken()
            && let Err(error) = self.sync_log()
        {
            tracing::error!(%error, "the disk did not keep what was written; nothing is from now on");
            Metrics::count(&self.hub.metrics().commits_failed);
            self.break_off();
        }
        self.reached(commit)
    }

    /// Notes that a commit has come through; the writer begins no other before. None does on a
    /// disk that has failed once: that a later sync succeeds says nothing of what was lost.
    fn reached(&self, mut commit: Commit) -> Commit {
        if self.durable.is_broken() && commit.outcome.is_ok() {
            commit.outcome = Err(CommitFailed { by: Hindrance::Storage, cause: BROKEN.to_owned() });
        }
        let commits = self.durable.0.begun.load(Ordering::SeqCst);
        self.durable.0.reached.send_modify(|reached| reached.commits = commits);
        commit
    }

    /// Ends everything that rests on commits: see the top of this file.
    fn break_off(&self) {
        self.durable.0.reached.send_modify(|reached| reached.broken = true);
    }

    /// The disk's thread has panicked: what it had in hand is lost, and the writer must not wait.
    fn give_up(&self, desk: &Desk) {
        self.break_off();
        *desk.lock() = State { dead: true, ..State::default() };
        desk.changed.notify_all();
    }

    fn sync_log(&self) -> io::Result<()> {
        if self.faults.strikes(Fault::AtSync) {
            return Err(io::Error::other("planned fault"));
        }
        let log = match self.log.get() {
            Some(log) => log,
            None => {
                let log = File::options().write(true).open(&self.path)?;
                self.log.get_or_init(|| log)
            }
        };
        let begun = Instant::now();
        log.sync_data()?;
        if begun.elapsed() <= QUICK_SYNC {
            self.durable.0.slow.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Publishes the news of a commit, then answers: whoever has its answer can rely on the news
    /// being in every feed already.
    fn tell(&self, commit: Commit) {
        let Commit { jobs, news, outcome, begun, .. } = commit;
        let outcome = outcome.map(|frames| {
            let metrics = self.hub.metrics();
            metrics.commit_us.add(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
            metrics.batch.add(jobs.iter().filter(|job| job.stands()).count() as u64);
            self.announce(news, frames);
        });
        for job in jobs {
            job.reply(&outcome);
        }
    }

    fn announce(&self, news: News, frames: Result<Vec<Frame>>) {
        match frames {
            Ok(frames) => self.hub.publish(frames),
            // The events are in the log, only not in the ring: everybody who is connected must
            // come back to get them from there.
            Err(error) => {
                tracing::error!(error = error.chain(), "frames could not be encoded");
                self.hub.lost_frames(news.newest());
            }
        }
        for cut in &news.cuts {
            self.hub.cut(cut);
        }
        self.hub.stale(news.stale);
    }
}
