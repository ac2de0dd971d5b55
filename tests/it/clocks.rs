//! A reader's clock that is set right.

use std::time::Duration;

use daybook::domain::devices::model::Scanner;
use daybook::domain::visits::scan::{Outcome, When};

use crate::scene::{BEN, MIA, Scene, ZOE, tap};

/// A clock without a battery begins at 1970, is asked for by a heartbeat, and is set by its answer.
#[tokio::test]
async fn a_clock_that_was_set_since_the_heartbeat_is_right_as_it_is() {
    let scene = Scene::new().await;
    let now = scene.now();
    let behind = Scanner { skew_ms: -now.0, ..scene.door };
    let ago = |seconds| now.minus(Duration::from_secs(seconds));
    for (tag, seconds) in [(MIA, 2), (BEN, 1200)] {
        let result = scene.scan(&behind, tap(tag, When::DeviceClock(ago(seconds)))).await;
        assert_eq!(result.outcome, Outcome::CheckedIn, "{seconds}");
    }
    assert_eq!(scene.number("select max(arrived_at) from attendance").await, ago(2).0);
    assert_eq!(scene.number("select min(arrived_at) from attendance").await, ago(1200).0);
    // What no clock of the two can have seen is put before a person as before.
    for told in [now.plus(Duration::from_secs(121)), ago(73 * 3600)] {
        let result = scene.scan(&behind, tap(ZOE, When::DeviceClock(told))).await;
        assert_eq!(result.outcome, Outcome::NeedsReview, "{told}");
    }
    scene.check().await;
}
