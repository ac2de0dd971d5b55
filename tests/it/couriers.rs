//! Couriers: who brings frames to streams that rest, and who never does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use daybook::base::id::{DeviceId, PersonId};
use daybook::base::{Actor, Result};
use daybook::event::wire::Frame;
use daybook::event::{Event, Label, Topic};
use daybook::live::Feed;
use daybook::live::courier::{Sent, Sink};
use daybook::live::feed::{BATCH_MAX, Next, Start};
use daybook::live::hub::TURNS;

use crate::store::TestStore;

/// How long a test waits for what must happen.
const LIMIT: Duration = Duration::from_secs(20);

/// A sink that is told what it takes.
#[derive(Default)]
struct Bowl {
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Default)]
struct Inside {
    /// The events of each call.
    calls: Vec<Vec<i64>>,
    /// Signs of life, and after how many events each came.
    signs: Vec<(usize, Arc<Frame>)>,
    /// Whether a courier stands at it and must wait.
    closed: bool,
    /// How many bytes are taken from now on; all, if it is not said.
    room: Option<usize>,
}

impl Bowl {
    /// Waits until `level` holds.
    fn until(&self, level: impl Fn(&Inside) -> bool) {
        let inside = self.inside.lock().unwrap();
        let waited = self.changed.wait_timeout_while(inside, LIMIT, |inside| !level(inside));
        assert!(!waited.unwrap().1.timed_out(), "it never came to that");
    }

    fn set(&self, change: impl FnOnce(&mut Inside)) {
        change(&mut self.inside.lock().unwrap());
        self.changed.notify_all();
    }

    /// Says after how many events there were signs of life, and how they read.
    fn signs(&self) -> Vec<(usize, String)> {
        let text = |frame: &Frame| String::from_utf8(frame.sse().to_vec()).unwrap();
        let inside = self.inside.lock().unwrap();
        inside.signs.iter().map(|(count, frame)| (*count, text(frame))).collect()
    }

    fn all(&self) -> Vec<i64> {
        self.inside.lock().unwrap().calls.concat()
    }
}

impl Sink for Bowl {
    fn try_send(&self, frames: &[Arc<Frame>]) -> Sent {
        let mut inside = self.inside.lock().unwrap();
        let events: Vec<_> = frames.iter().filter_map(|frame| frame.seq).collect();
        inside.calls.push(events);
        let count = inside.calls.concat().len();
        let sign = frames.iter().position(|frame| frame.is_rest());
        if let Some(at) = sign {
            assert_eq!(at + 1, frames.len(), "nothing follows a sign of life");
            inside.signs.push((count, frames[at].clone()));
        }
        self.changed.notify_all();
        let inside = self.changed.wait_while(inside, |inside| inside.closed).unwrap();
        inside.room.map_or(Sent::All, Sent::Part)
    }
}

/// Counts how often a stream's own task is woken.
#[derive(Default)]
struct Task(AtomicUsize, tokio::sync::Notify);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        self.1.notify_one();
    }
}

/// A stream with a sink, whose task is the test.
struct Stream {
    store: Arc<TestStore>,
    feed: Feed,
    bowl: Arc<Bowl>,
    task: Arc<Task>,
}

impl Stream {
    /// Opens one that rests.
    async fn resting() -> Stream {
        Stream::resting_in(Arc::new(TestStore::new().await)).await
    }

    /// Opens one more.
    async fn resting_in(store: Arc<TestStore>) -> Stream {
        let (hub, replay) = (&store.app.hub, &store.app.replay);
        let holder = crate::store::holder(Some(PersonId(1)), "s");
        let opened = Feed::open(hub, replay, vec![Topic::Devices], holder, Start::Now).await;
        let (feed, bowl) = (opened.unwrap().0, Arc::<Bowl>::default());
        feed.rest_in(bowl.clone());
        let mut stream = Stream { store, feed, bowl, task: Arc::default() };
        assert!(stream.poll().is_pending());
        stream
    }

    fn poll(&mut self) -> Poll<Result<Next>> {
        let waker: Waker = self.task.clone().into();
        self.feed.poll_next(&mut Context::from_waker(&waker))
    }

    /// Gives everybody a sign of life.
    fn beat(&self) {
        let app = &self.store.app;
        (0..TURNS).for_each(|turn| app.hub.beat(turn, app.clock.now()));
    }

    fn woken(&self) -> usize {
        self.task.0.load(Ordering::SeqCst)
    }

    /// Waits until the task is woken.
    async fn wait_to_be_woken(&self) {
        tokio::time::timeout(LIMIT, self.task.1.notified()).await.expect("the task is woken");
    }

    /// Makes so many events, in one commit.
    async fn emit(&self, count: i64) {
        let write = move |tx: &mut daybook::live::Tx<'_>| {
            for n in 0..count {
                let tag_suffix = Label("0000".to_owned());
                tx.emit(Event::ScanUnknown { device_id: DeviceId(n), tag_suffix })?;
            }
            Ok(())
        };
        self.store.write(Actor::System, write).await.unwrap();
    }

    async fn cut(&self) {
        let write = |tx: &mut daybook::live::Tx<'_>| {
            tx.cut(PersonId(1), "access_changed");
            Ok(())
        };
        self.store.write(Actor::System, write).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_rests_is_brought_its_frames_and_its_task_sleeps_on() {
    let mut stream = Stream::resting().await;
    for n in 1..=20 {
        stream.emit(1).await;
        stream.bowl.until(|inside| inside.calls.concat().len() == n);
    }
    assert_eq!(stream.bowl.all(), (1..=20).collect::<Vec<_>>());
    assert_eq!(stream.woken(), 0);
    assert_eq!(stream.feed.cursor().seq, 20);
    assert!(stream.poll().is_pending(), "nothing comes twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_goes_at_once_comes_in_several_goes_and_in_order() {
    let stream = Stream::resting().await;
    let count = BATCH_MAX as i64 * 3 + 5;
    stream.emit(count).await;
    stream.bowl.until(|inside| inside.calls.concat().len() as i64 == count);
    assert_eq!(stream.bowl.all(), (1..=count).collect::<Vec<_>>());
    let calls = stream.bowl.inside.lock().unwrap().calls.len();
    assert_eq!(calls, 4);
    assert_eq!(stream.woken(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sink_does_not_take_its_own_task_goes_on_with() {
    let mut stream = Stream::resting().await;
    stream.bowl.set(|inside| inside.room = Some(7));
    stream.emit(2).await;
    stream.wait_to_be_woken().await;
    stream.emit(1).await;
    let Poll::Ready(Ok(Next::Frames(frames))) = stream.poll() else { panic!("nothing is left") };
    let seqs: Vec<_> = frames.iter().map(|frame| frame.seq.unwrap()).collect();
    assert_eq!((seqs, stream.feed.begun()), (vec![1, 2], 7));
    assert_eq!(stream.feed.begun(), 0, "said once");
    // What came meanwhile waits for the task too, which has not come to rest.
    let Poll::Ready(Ok(Next::Frames(frames))) = stream.poll() else { panic!("nothing came") };
    assert_eq!((frames.len(), frames[0].seq, stream.feed.begun()), (1, Some(3), 0));
    assert_eq!(stream.bowl.all(), [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_courier_is_there_the_task_waits_and_then_hears_that_its_rights_ended() {
    let mut stream = Stream::resting().await;
    stream.bowl.set(|inside| inside.closed = true);
    stream.emit(1).await;
    stream.bowl.until(|inside| !inside.calls.is_empty());
    stream.emit(1).await;
    stream.cut().await;
    assert_eq!(stream.woken(), 1, "a cut wakes it");
    assert!(stream.poll().is_pending(), "it must not write between a courier's bytes");
    stream.task.1.notified().await;
    stream.bowl.set(|inside| inside.closed = false);
    stream.wait_to_be_woken().await;
    assert!(matches!(stream.poll(), Poll::Ready(Ok(Next::Ended("access_changed")))));
    assert_eq!(stream.bowl.all(), [1], "what came after the cut is not brought");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_asks_for_its_turn_gets_it_after_the_courier_with_what_that_has_begun() {
    for room in [None, Some(5)] {
        let mut stream = Stream::resting().await;
        stream.bowl.set(|inside| (inside.closed, inside.room) = (true, room));
        stream.emit(1).await;
        stream.bowl.until(|inside| !inside.calls.is_empty());
        let mut turn = Box::pin(stream.feed.take_turn());
        tokio::select! {
            biased;
            _ = &mut turn => panic!("the courier is there"),
            () = std::future::ready(()) => (),
        }
        stream.bowl.set(|inside| inside.closed = false);
        let begun = Instant::now();
        let left = tokio::time::timeout(LIMIT, turn).await.expect("the courier has gone");
        assert!(begun.elapsed() < LIMIT, "the courier's going wakes it, and no timer");
        assert_eq!(left.map(|left| (left.frames.len(), left.written)), room.map(|n| (1, n)));
        stream.emit(1).await;
        let Poll::Ready(Ok(Next::Frames(frames))) = stream.poll() else { panic!("it waits") };
        assert_eq!((frames.len(), frames[0].seq), (1, Some(2)), "none is brought meanwhile");
        assert_eq!(stream.bowl.all(), [1]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_of_life_is_brought_too_and_comes_after_what_waits() {
    let stream = Stream::resting().await;
    stream.beat();
    stream.bowl.until(|inside| inside.signs.len() == 1);
    stream.bowl.set(|inside| inside.closed = true);
    stream.emit(1).await;
    stream.bowl.until(|inside| inside.calls.concat() == [1]);
    stream.emit(2).await;
    stream.beat();
    stream.bowl.set(|inside| inside.closed = false);
    stream.bowl.until(|inside| inside.signs.len() == 2);
    let epoch = stream.store.app.hub.epoch();
    let signs = [(0, format!("id: {epoch}-0\n\n")), (3, format!("id: {epoch}-3\n\n"))];
    assert_eq!(stream.bowl.signs(), signs);
    assert_eq!((stream.bowl.all(), stream.woken()), (vec![1, 2, 3], 0));
    // The courier counts what it has brought when it is back.
    let metrics = stream.store.app.hub.metrics();
    let counted = async {
        while metrics.deliveries.load(Ordering::SeqCst) < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, counted).await.expect("three are counted");
    stream.emit(1).await;
    stream.bowl.until(|inside| inside.calls.concat().len() == 4);
    assert!(metrics.deliveries.load(Ordering::SeqCst) <= 4, "signs of life are no deliveries");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_of_life_of_which_a_sink_takes_a_part_is_given_to_the_task() {
    let mut stream = Stream::resting().await;
    stream.bowl.set(|inside| inside.room = Some(2));
    stream.beat();
    stream.wait_to_be_woken().await;
    let Poll::Ready(Ok(Next::Frames(frames))) = stream.poll() else { panic!("nothing is left") };
    assert_eq!((frames.len(), stream.feed.begun()), (1, 2));
    assert!(frames[0].is_rest() && stream.poll().is_pending());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_a_sign_of_life_due_at_one_time_shares_it() {
    let mut streams = vec![Stream::resting().await];
    for _ in 0..TURNS {
        streams.push(Stream::resting_in(streams[0].store.clone()).await);
    }
    streams[0].beat();
    let sign = |stream: &Stream| {
        stream.bowl.until(|inside| inside.signs.len() == 1);
        stream.bowl.inside.lock().unwrap().signs[0].1.clone()
    };
    assert!(Arc::ptr_eq(&sign(&streams[0]), &sign(&streams[TURNS as usize])));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_couriers_share_many_streams_and_none_is_visited_by_both_at_once() {
    const MANY: usize = 600;
    let first = Stream::resting().await;
    let (hub, replay) = (&first.store.app.hub, &first.store.app.replay);
    let mut others = Vec::with_capacity(MANY);
    for _ in 0..MANY {
        let holder = crate::store::holder(Some(PersonId(1)), "s");
        let opened = Feed::open(hub, replay, vec![Topic::Devices], holder, Start::Now).await;
        let (mut feed, bowl) = (opened.unwrap().0, Arc::<Bowl>::default());
        feed.rest_in(bowl.clone());
        assert!(feed.poll_next(&mut Context::from_waker(Waker::noop())).is_pending());
        others.push((feed, bowl));
    }
    // Two stand at a sink each before either may go on.
    let bowls = || others.iter().map(|(_, bowl)| bowl).chain([&first.bowl]);
    bowls().for_each(|bowl| bowl.set(|inside| inside.closed = true));
    first.emit(1).await;
    let visited = || bowls().filter(|bowl| !bowl.all().is_empty()).count();
    let both = async {
        while visited() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, both).await.expect("both couriers have come");
    bowls().for_each(|bowl| bowl.set(|inside| inside.closed = false));
    for _ in 2..=20 {
        first.emit(1).await;
    }
    for bowl in bowls() {
        bowl.until(|inside| inside.calls.concat().len() >= 20);
        assert_eq!(bowl.all(), (1..=20).collect::<Vec<_>>());
    }
}
