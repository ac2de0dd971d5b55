//! Rooms, groups, activities and their runs, and who is responsible for whom.
//!
//! A room has at most one open run. Who is responsible for a run or a group is
//! a stretch of time, ended but never deleted, so that [`scope`], the one place
//! that decides who may see whom, can be asked about any moment. Each change of
//! it is announced to the person concerned, whose streams are decided anew.

pub mod model;
pub mod queries;
pub mod scope;
mod receivers;
pub mod offers;
mod supervising;
pub mod commands;
mod namesakes;
pub mod imports;
pub mod preview;
pub mod roster;
pub mod undoing;

pub use model::{
    Activity, Charge, Group, GroupKind, NewRun, Room, RoomKind, Run, RunFacts, Supervision,
    SupervisionFacts, SupervisionKind, Supervisor,
};
pub use scope::Scope;
