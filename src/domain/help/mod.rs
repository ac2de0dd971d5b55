//! Help: a member asks, somebody comes.
