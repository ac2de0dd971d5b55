//! Sets the stage: an empty house that is served already gets its people, its things and its
//! readers, and the day its player.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;

use super::house::House;
use super::play::Player;
use super::stage::Stage;
use super::time::OPENING;
use super::{day, seed};
use crate::app::App;
use crate::base::{Pace, Timestamp};

/// Seeds the house of `app`, which is served at `address` and reads `clock`, and returns its day
/// before it begins.
pub async fn open(app: &App, address: SocketAddr, clock: Arc<Pace>, seed: u64) -> Result<Stage> {
    clock.set(Timestamp(OPENING.epoch_ms()), 0);
    let house = Arc::new(House::new(seed));
    let plan = day::plan(&house, seed);
    let known = seed::fill(app, house.clone(), &plan).await?;
    Ok(Stage::new(Player::new(house, plan, known, address), clock))
}
