//! What holds of a house at every moment, whatever has happened, and how that is tried at random.

use daybook::base::{Actor, Error, Timestamp};
use daybook::domain::visits;
use daybook::domain::visits::model::Today;
use daybook::live::Tx;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use rusqlite::Connection;

use crate::scene::Scene;

/// Says what does not hold that must hold at every moment.
pub fn check(conn: &Connection, now: Timestamp) -> std::result::Result<(), String> {
    let day = Today::at(conn, now).unwrap().day;
    check_none(conn, &WRONGS)?;
    let counts = visits::queries::counts(conn, day).unwrap();
    let all = counts.expected + counts.present + counts.absent + counts.left;
    let members = "select count(*) from person where role = 'member' and state = 'active'";
    let occupancies = visits::queries::occupancies(conn).unwrap();
    let inside: i64 = occupancies.iter().map(|room| room.count).sum();
    let sound = counts.present == counts.in_rooms + counts.in_transit
        && counts.in_transit >= 0
        && all == number(conn, members)
        && inside == counts.in_rooms;
    if sound { Ok(()) } else { Err(format!("{counts:?}")) }
}

/// Says which of `wrongs` there is.
pub fn check_none(conn: &Connection, wrongs: &[(&str, &str)]) -> std::result::Result<(), String> {
    let wrong = wrongs.iter().find(|(_, sql)| number(conn, sql) != 0);
    wrong.map_or(Ok(()), |(wrong, _)| Err((*wrong).to_owned()))
}

fn number(conn: &Connection, sql: &str) -> i64 {
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// What never is, each as a query that counts it.
pub const WRONGS: [(&str, &str); 8] = [
    (
        "in two rooms",
        "select count(*)
         from (select 1 from visit where ended_at is null group by person_id having count(*) > 1)",
    ),
    (
        "in a room, but not in the house",
        "select count(*) from visit
         where ended_at is null
           and not exists (select 1 from attendance
                           where attendance.person_id = visit.person_id and status = 'present')",
    ),
    (
        "in a run that has ended",
        "select count(*) from visit join run using (run_id)
         where visit.ended_at is null and run.ended_at is not null",
    ),
    (
        "a visit that ends before it starts",
        "select count(*) from visit where ended_at < started_at",
    ),
    (
        "two visits at the same time, or the later one before",
        "select count(*) from visit one join visit other using (person_id)
         where one.visit_id < other.visit_id
           and one.end_reason is not 'undone' and other.end_reason is not 'undone'
           and other.started_at < coalesce(one.ended_at, 1e18)",
    ),
    (
        "a newest visit that is not known as such",
        "select count(*) from visit
         where newest <> (visit_id in (select max(visit_id) from visit
                                       where end_reason is not 'undone' group by person_id))",
    ),
    (
        "a visit before coming",
        "select count(*) from visit join attendance using (person_id)
         where date(started_at / 1000, 'unixepoch', '+1 hour') = day
           and end_reason is not 'undone'
           and started_at < arrived_at",
    ),
    (
        "left before coming",
        "select count(*) from attendance
         where status = 'left' and left_at < arrived_at",
    ),
];

/// Runs `test` in a write that is undone whatever comes of it.
pub fn rehearse(
    runtime: &tokio::runtime::Runtime,
    scene: &Scene,
    test: impl FnOnce(&mut Tx<'_>) -> std::result::Result<(), String> + Send + 'static,
) -> std::result::Result<(), TestCaseError> {
    let (told, heard) = std::sync::mpsc::channel();
    let never = runtime.block_on(scene.write(Actor::System, move |tx| {
        let outcome = test(tx);
        told.send(outcome).unwrap();
        Err::<(), _>(Error::Busy)
    }));
    assert!(matches!(never, Err(Error::Busy)), "{never:?}");
    heard.recv().unwrap().map_err(TestCaseError::fail)
}

pub fn runner(cases: u32) -> TestRunner {
    // No file of failed cases: a seed that failed becomes a test of its own.
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}
