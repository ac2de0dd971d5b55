//! ULIDs: ids that sort by the time at which they were made.

use super::Timestamp;

/// Crockford's base 32: no I, L, O and U.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Returns an id of 26 digits: the time (48 bits of milliseconds), then the lower 80 bits of `chance`.
/// The shape is that of github.com/ulid/spec.
pub fn ulid(at: Timestamp, chance: u128) -> String {
    let id = u128::from(at.0.unsigned_abs()) << 80 | chance & ((1 << 80) - 1);
    let digit = |place| DIGITS.get((id >> (5 * place)) as usize % 32).copied().map(char::from);
    (0..26).rev().filter_map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::ulid;
    use crate::base::Timestamp;

    #[test]
    fn ids_have_the_shape_of_the_spec_and_sort_by_time_then_by_chance() {
        // The time of the example in the specification.
        assert_eq!(ulid(Timestamp(1_469_918_176_385), 0), "01ARYZ6S410000000000000000");
        let ids = [(1, u128::MAX), (2, 0), (2, 1), (2, 1 << 79), (1_700_000_000_000, 0)];
        let ids = ids.map(|(at, chance)| ulid(Timestamp(at), chance));
        assert!(ids.is_sorted(), "{ids:?}");
        assert!(ids.iter().all(|id| id.len() == 26));
        assert_eq!(ids[0], "0000000001ZZZZZZZZZZZZZZZZ");
    }
}
