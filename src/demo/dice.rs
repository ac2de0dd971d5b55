//! The one source of chance of the demo house: a small generator that gives the same numbers for
//! the same seed on every machine. It is not for secrets.

/// Gives reproducible numbers (splitmix64).
pub struct Dice {
    state: u64,
}

impl Dice {
    /// Returns a generator; the same seed gives the same row of numbers.
    pub fn new(seed: u64) -> Dice {
        Dice { state: seed }
    }

    /// Returns the next 64 bits.
    pub fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number from zero up to, but not including, `limit`; zero when there is no room.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        let value = self.roll().checked_rem(limit).unwrap_or(0);
        usize::try_from(value).unwrap_or(0)
    }

    /// Puts the items in a new order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last.saturating_add(1)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn the_same_seed_gives_the_same_row() {
        let row = |seed| {
            let mut dice = Dice::new(seed);
            (0..5).map(|_| dice.roll()).collect::<Vec<_>>()
        };
        assert_eq!(row(42), row(42));
        assert_ne!(row(42), row(43));
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<_> = (0..100).collect();
        Dice::new(7).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
