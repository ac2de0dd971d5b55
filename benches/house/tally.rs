//! Who has heard what, in so little memory that thousands can be held for hours: of each a count and
//! a sum, to be compared with what one heard that was never cut.

/// What one who comes and goes has heard: a count and a sum that says of which.
#[derive(Default)]
pub struct Tally {
    pub set: usize,
    /// Where it stood at first; none before that.
    pub from: Option<i64>,
    pub to: i64,
    count: u64,
    sum: u64,
    pub twice: u64,
}

impl Tally {
    /// Returns the tally of one who has heard nothing yet.
    pub fn of(set: usize) -> Tally {
        Tally { set, ..Tally::default() }
    }

    /// Counts an event, unless it has been heard before.
    pub fn note(&mut self, id: i64) {
        if id <= self.to {
            self.twice += 1;
            return;
        }
        self.to = id;
        self.count += 1;
        self.sum = self.sum.wrapping_add(mix(id.cast_unsigned()));
    }
}

/// Says how many events were lost, or are others, and how many came twice.
pub fn compare(references: &[Vec<i64>], tallies: &[Tally]) -> (u64, u64) {
    let (mut lost, mut other, mut twice, mut heard) = (0, 0, 0, 0);
    for tally in tallies {
        let ids = references.get(tally.set).expect("a reference");
        let place = |id: i64| ids.partition_point(|other| *other <= id);
        let from = place(tally.from.expect("it was open once"));
        let due = ids.get(from..place(tally.to)).expect("a part of them");
        let sum = due.iter().fold(0_u64, |sum, id| sum.wrapping_add(mix(id.cast_unsigned())));
        let missing = (due.len() as u64).saturating_sub(tally.count);
        lost += missing;
        other += u64::from(missing == 0 && sum != tally.sum);
        twice += tally.twice;
        heard += tally.count;
    }
    let whole: Vec<usize> = references.iter().map(Vec::len).collect();
    println!(
        "\n  {heard} events heard by {} streams: {lost} lost, {twice} twice, {other} streams with \
         others; by the references, one for each set of topics: {whole:?}",
        tallies.len()
    );
    (lost + other, twice)
}

/// Numbers that are the same in every run.
pub struct Dice(u64);

impl Dice {
    /// Returns the dice of one thrower.
    pub fn of(thrower: u64) -> Dice {
        Dice(mix(thrower))
    }

    /// Returns a number from `least` to `most`.
    pub fn between(&mut self, (least, most): (u64, u64)) -> u64 {
        self.0 = self.0.wrapping_add(1);
        least + mix(self.0) % (most - least + 1)
    }
}

/// Scatters a number over all of them (the last step of splitmix64).
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// How many minutes show whether memory lies flat, after which of them it should, and by how much it
/// may grow even then.
const LONG: usize = 60;
const RISES: usize = 40;
const GROWTH_MAX: f64 = 1.05;

/// Says whether memory lies flat, from what was held at the end of each minute; of a short time that
/// cannot be told.
pub fn lies_flat(mib: &[f64]) -> bool {
    let Some([first, rest @ ..]) = mib.get(RISES..).filter(|_| mib.len() >= LONG) else {
        return true;
    };
    rest.iter().all(|mib| *mib <= first * GROWTH_MAX)
}
