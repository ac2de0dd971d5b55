//! What the log says of those who ask for what is not theirs.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use crate::callers::House;

/// Fault 62: whoever tries topics that are not for them leaves a trace, without words of their own.
#[tokio::test]
async fn who_asks_for_what_is_not_theirs_is_refused_and_stands_in_the_log() {
    let house = House::new().await;
    let lines = Lines::default();
    let writer = lines.clone();
    let log = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
    let _kept = tracing::subscriber::set_default(log.finish());
    for topics in ["house", "user:2:inbox", "nonsense%0Aof%20mine"] {
        let path = format!("/api/v1/events?topics={topics}");
        house.caller("3 member s3").stream(&path, &[]).await.unwrap();
    }
    let said = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let told: Vec<_> = said.lines().filter(|line| line.contains("a topic was refused")).collect();
    assert_eq!(told.len(), 1, "{said}");
    assert!(told[0].contains("user:2:inbox") && told[0].contains("person.id=3"), "{said}");
    assert!(!said.contains("nonsense"), "{said}");
}

/// What the log says.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
