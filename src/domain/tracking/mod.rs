//! Tracking: what members did, as their pages tell it.
