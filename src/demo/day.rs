//! The day of the demo house, whole: one list of actions from six in the morning to six in the
//! evening, the same for the same seed.

use super::cast::Cast;
use super::children::{afternoon, morning};
use super::colleagues;
use super::dice::Dice;
use super::house::House;
use super::plan::Plan;
use super::questions;
use super::script::Script;

/// Returns the day of this house and seed.
pub fn plan(house: &House, seed: u64) -> Plan {
    // Another row of numbers than the one that the house was made with.
    let mut dice = Dice::new(seed ^ 0x00da_7b00);
    let cast = Cast::new(house, &mut dice);
    let mut script = Script::new(house, dice);
    let runs = colleagues::runs();
    let absences = colleagues::day(&mut script, &cast, &runs);
    morning(&mut script, &cast);
    let later = afternoon(&mut script, house, &cast);
    questions::day(&mut script, house, &cast, &later);
    Plan { actions: script.finish(), runs, absences, forgotten: later.forgotten }
}
