//! A WebSocket's own words and the frames that couriers bring, in turn.

use std::io::Read as _;
use std::time::Duration;

use daybook::base::Actor;
use daybook::base::id::DeviceId;
use daybook::event::{Event, Label};
use serde_json::json;

use crate::server::TestServer;
use crate::websocket::{Socket, happen, lead};

/// How long a test waits for what must happen.
const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_websocket_that_rests_is_brought_its_frames_and_its_task_sleeps_on() {
    let server = TestServer::start().await;
    let mut socket = websocket(&server).await;
    socket.say(json!({ "op": "ping", "ref": 1 })).await;
    socket.hear("pong").await;
    let mut socket = socket.stream.into_std().unwrap();
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    // Whatever is a task here stands still while this thread waits for the socket.
    let frame = std::thread::scope(|scope| {
        scope.spawn(|| alone(happen(&server, "A")));
        let mut frame = [0; 1024];
        let read = socket.read(&mut frame).expect("it comes all the same");
        frame[..read].to_vec()
    });
    let [0x81, 126, high, low, json @ ..] = &frame[..] else { panic!("{frame:?}") };
    assert_eq!(usize::from(u16::from_be_bytes([*high, *low])), json.len());
    let message: serde_json::Value = serde_json::from_slice(json).unwrap();
    assert_eq!(message["data"]["tag_suffix"], "A");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_says_its_own_between_whole_frames_however_slowly_it_is_read() {
    const EVENTS: usize = 6000;
    const AT_ONCE: usize = 200;
    let server = TestServer::start().await;
    let mut socket = websocket(&server).await;
    let (mut heard, mut answers, mut asked) = (0, 0, 0);
    for first in (0..EVENTS).step_by(AT_ONCE) {
        // More waits for the reader than the kernel takes, while commands are answered.
        happen_many(&server, first, AT_ONCE).await;
        socket.say(json!({ "op": "ping", "ref": asked })).await;
        asked += 1;
    }
    while heard < EVENTS || answers < asked {
        let message = socket.next().await;
        if message["type"] == "pong" {
            assert_eq!(message["ref"], answers);
            answers += 1;
        } else {
            assert_eq!(message["data"]["tag_suffix"], heard.to_string());
            heard += 1;
            if heard % AT_ONCE == 0 {
                socket.say(json!({ "op": "ping", "ref": asked })).await;
                asked += 1;
            }
        }
    }
}

/// A WebSocket of the lead that hears of devices, and has been greeted.
async fn websocket(server: &TestServer) -> Socket {
    let (cookie, _) = lead(server).await;
    let mut socket = Socket::of(server, &cookie, "/api/v1/ws?topics=devices").await.unwrap();
    socket.hear("stream.connected").await;
    socket
}

/// Makes so many things happen in one commit, numbered from `first` on.
async fn happen_many(server: &TestServer, first: usize, count: usize) {
    let write = move |tx: &mut daybook::live::Tx<'_>| {
        for n in first..first + count {
            let tag_suffix = Label(n.to_string());
            tx.emit(Event::ScanUnknown { device_id: DeviceId(1), tag_suffix })?;
        }
        Ok(())
    };
    server.write(Actor::System, write).await.unwrap();
}

/// Runs this to its end on a thread that runs nothing else.
fn alone(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work);
}
