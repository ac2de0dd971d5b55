//! Typed row ids, so that a `RoomId` can never be passed for a `PersonId`.
//!
//! In SQL they are integers, in JSON and in paths decimal strings that a client
//! must not take apart.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, utoipa::ToSchema)]
        #[schema(value_type = String, example = "17")]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = &'static str;

            /// Reads a decimal number as this program writes it: no sign, no leading zero.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse::<i64>()
                    .ok()
                    .filter(|id| *id >= 0 && id.to_string() == text)
                    .map($name)
                    .ok_or("must be an id")
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(itoa::Buffer::new().format(self.0))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl rusqlite::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }

        impl rusqlite::types::FromSql for $name {
            fn column_result(
                value: rusqlite::types::ValueRef<'_>,
            ) -> rusqlite::types::FromSqlResult<Self> {
                i64::column_result(value).map($name)
            }
        }
    )*};
}

ids! {
    /// A person: member or staff.
    PersonId
    /// A badge bound to a person.
    BadgeId
    /// Somebody to call, who may fetch a member.
    ContactId
    /// A physical room.
    RoomId
    /// A standing group: class, care group, ward.
    GroupId
    /// A file of people that was taken over.
    ImportId
    /// What can be offered.
    ActivityId
    /// One occurrence of an activity.
    RunId
    /// A stretch of responsibility for a run or group.
    SupervisionId
    /// An offer to take over somebody's supervision.
    OfferId
    /// A badge reader or kiosk.
    DeviceId
    /// An order to a device.
    CommandId
    /// A wall screen.
    DisplayId
    /// A stay of a member in a run.
    VisitId
    /// A scan that a person must look at.
    ScanReviewId
    /// A member's request for help.
    HelpRequestId
    /// A tracked action.
    TrackedId
}

impl DisplayId {
    /// Returns the name under which the streams of this wall screen are ended.
    pub fn session(self) -> String {
        format!("display:{self}")
    }
}
