//! What a person is.

use crate::words;

words! {
    /// What a person is in the house, and so what they may.
    Role { Admin = "admin", Office = "office", Staff = "staff", Member = "member" }
}

impl Role {
    /// Says whether the person works here.
    pub fn works_here(self) -> bool {
        self != Role::Member
    }
}
