//! Where things stand in the demo house's lists: rooms, staff and badge readers by the names that
//! the plan of the day calls them.

/// The rooms by their place in [`House::rooms`](super::house::House::rooms).
pub mod room {
    /// The entrance hall.
    pub const FOYER: usize = 0;
    /// The dining hall.
    pub const MENSA: usize = 8;
    /// The homework room.
    pub const HOMEWORK: usize = 9;
    /// The library.
    pub const LIBRARY: usize = 10;
    /// The computer room.
    pub const COMPUTER: usize = 11;
    /// The arts and crafts room.
    pub const CREATIVE: usize = 12;
    /// The gym.
    pub const GYM: usize = 13;
    /// The yard.
    pub const YARD: usize = 14;

    /// Returns the room of the care group with this number, counted from zero.
    pub const fn of_care(group: usize) -> usize {
        group + 1
    }
}

/// The staff by their place in [`House::staff`](super::house::House::staff).
pub mod staff {
    /// The lead, an administrator.
    pub const LEAD: usize = 0;
    /// The front desk.
    pub const OFFICE: usize = 1;

    /// Returns the first educator of a care group.
    pub const fn first(group: usize) -> usize {
        2 + 2 * group
    }

    /// Returns the second educator of a care group.
    pub const fn second(group: usize) -> usize {
        3 + 2 * group
    }

    /// Returns a tutor; there are four.
    pub const fn tutor(number: usize) -> usize {
        16 + number
    }
}

/// The badge readers by their place in [`House::devices`](super::house::House::devices).
pub mod device {
    /// At the entrance.
    pub const DOOR_IN: usize = 0;
    /// At the exit.
    pub const DOOR_OUT: usize = 1;
    /// At the gate to the yard.
    pub const YARD: usize = 2;
    /// The first of the two in the dining hall.
    pub const MENSA: usize = 3;
    /// The first of the four tablets that are carried about.
    pub const TABLET: usize = 5;
    /// In the library.
    pub const LIBRARY: usize = 9;
    /// In the gym.
    pub const GYM: usize = 10;
    /// In the computer room.
    pub const COMPUTER: usize = 11;
}
