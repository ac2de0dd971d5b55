//! Pairs from outside, of a query or of a form, and what is wrong with them in words for people.
//!
//! All that stands in a pair is text. A number or a truth is read out of it here, so that what is
//! neither is said as of a body, and not as the language of this program says it.

use serde::de::value::{Error as Refused, MapDeserializer};
use serde::de::{DeserializeOwned, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};

use super::parse::Fault;
use super::strict::{Strict, Wanted};

/// Names and what is said under each, in the order of coming.
pub type Pairs = Vec<(String, String)>;

/// Reads what pairs say together.
pub fn read<T: DeserializeOwned>(pairs: Pairs) -> Result<T, Fault> {
    let pairs = pairs.into_iter().map(|(name, text)| (name, Said(text)));
    let pairs = MapDeserializer::<_, Refused>::new(pairs);
    serde_path_to_error::deserialize(Strict(pairs))
        .map_err(|error| Fault::at(error.path(), &error.inner().to_string()))
}

/// What a pair says.
struct Said(String);

impl<'de> IntoDeserializer<'de, Refused> for Said {
    type Deserializer = Said;

    fn into_deserializer(self) -> Said {
        self
    }
}

/// Reads a whole number of whatever size; the visitor knows which it takes.
macro_rules! whole_numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            match self.0.parse::<i64>() {
                Ok(number) => visitor.visit_i64(number),
                Err(_) => Err(self.is_not(Wanted::Whole)),
            }
        }
    )*};
}

impl Said {
    fn is_not(&self, wanted: Wanted) -> Refused {
        Refused::invalid_value(Unexpected::Str(&self.0), &wanted)
    }
}

impl<'de> Deserializer<'de> for Said {
    type Error = Refused;

    whole_numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.0.parse() {
            Ok(truth) => visitor.visit_bool(truth),
            Err(_) => Err(self.is_not(Wanted::Truth)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_string(self.0)
    }

    forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::{Pairs, read};
    use crate::base::id::RoomId;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Ask {
        limit: Option<u32>,
        since: Option<i64>,
        room_id: Option<RoomId>,
        kind: Option<Kind>,
        #[serde(default)]
        dry_run: bool,
        #[serde(default)]
        q: String,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Old,
        New,
    }

    fn pairs(query: &str) -> Pairs {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
    }

    #[test]
    fn what_is_right_is_read() {
        let asked: Ask =
            read(pairs("q=12&limit=500&since=-1&room_id=7&kind=new&dry_run=true")).unwrap();
        let expected = Ask {
            limit: Some(500),
            since: Some(-1),
            room_id: Some(RoomId(7)),
            kind: Some(Kind::New),
            dry_run: true,
            q: "12".to_owned(),
        };
        assert_eq!(asked, expected);
        assert_eq!(read::<Ask>(Vec::new()).unwrap().limit, None);
    }

    #[test]
    fn a_fault_names_its_field_and_is_said_in_words_of_our_own() {
        for (query, field, problem) in [
            ("limit=x", "limit", "must be a whole number"),
            ("limit=", "limit", "must be a whole number"),
            ("limit=1.5", "limit", "must be a whole number"),
            ("limit=-1", "limit", "must be a whole number from 0 to 4294967295"),
            ("since=9999999999999999999", "since", "must be a whole number"),
            ("room_id=x", "room_id", "must be an id"),
            ("kind=red", "kind", "must be one of: old, new"),
            ("dry_run=yes", "dry_run", "must be true or false"),
            ("q=a&q=b", "q", "duplicate field `q`"),
        ] {
            let fault = read::<Ask>(pairs(query)).unwrap_err();
            let told = (fault.of("the query"), fault.field);
            assert_eq!(told, (problem.to_owned(), Some(field.to_owned())), "{query}");
        }
    }
}
