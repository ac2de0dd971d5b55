//! A source of values that are read by their shape, with complaints in words of our own.
//!
//! serde takes a list for an object, its fields by their place, and an object with one field for a
//! word; and its complaints name types of this program. [`Strict`] stands between the two: it lets
//! only an object be one, whatever it lies in, and says what had to stand there instead. Nothing is
//! kept or asked at run time, so that what is right is read as fast as without it. Only where the
//! names of fields are the caller's own are they kept while they are read: serde would take the
//! last of two that are the same.

use std::collections::HashSet;
use std::fmt;

use serde::Deserializer;
use serde::de::value::{Error as Refused, StrDeserializer};
use serde::de::{
    DeserializeSeed, Error as Fails, Expected, IntoDeserializer as _, MapAccess, SeqAccess,
    Unexpected, Visitor,
};

/// What has to stand somewhere.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    Anything,
    Object,
    /// An object whose fields have what names they like.
    Fields,
    /// An object without fields.
    Empty,
    List,
    Text,
    Truth,
    Number,
    Whole,
    Between(i64, i64),
    OneOf(&'static [&'static str]),
}

impl Expected for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wanted::Anything => f.write_str("anything"),
            Wanted::Object | Wanted::Fields => f.write_str("an object"),
            Wanted::Empty => f.write_str("an empty object"),
            Wanted::List => f.write_str("a list"),
            Wanted::Text => f.write_str("text"),
            Wanted::Truth => f.write_str("true or false"),
            Wanted::Number => f.write_str("a number"),
            Wanted::Whole => f.write_str("a whole number"),
            Wanted::Between(least, most) => write!(f, "a whole number from {least} to {most}"),
            Wanted::OneOf(words) => write!(f, "one of: {}", words.join(", ")),
        }
    }
}

/// A source of values, or of those in one of them.
pub struct Strict<T>(pub T);

/// Hands on to the source, its visitor told what is wanted.
macro_rules! wanting {
    ($($method:ident($($name:ident: $type:ty),*) $wanted:expr;)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(
            self,
            $($name: $type,)*
            visitor: V,
        ) -> Result<V::Value, D::Error> {
            self.0.$method($($name,)* Wanting { visitor, wanted: $wanted })
        }
    )*};
}

/// Hands on to the source as if nothing stood between.
macro_rules! as_it_is {
    ($($method:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method(visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    wanting! {
        deserialize_any() Wanted::Anything;
        deserialize_bool() Wanted::Truth;
        deserialize_i8() Wanted::Between(i8::MIN.into(), i8::MAX.into());
        deserialize_i16() Wanted::Between(i16::MIN.into(), i16::MAX.into());
        deserialize_i32() Wanted::Between(i32::MIN.into(), i32::MAX.into());
        deserialize_i64() Wanted::Whole;
        deserialize_u8() Wanted::Between(0, u8::MAX.into());
        deserialize_u16() Wanted::Between(0, u16::MAX.into());
        deserialize_u32() Wanted::Between(0, u32::MAX.into());
        deserialize_u64() Wanted::Whole;
        deserialize_f32() Wanted::Number;
        deserialize_f64() Wanted::Number;
        deserialize_char() Wanted::Text;
        deserialize_str() Wanted::Text;
        deserialize_string() Wanted::Text;
        deserialize_option() Wanted::Object;
        deserialize_unit() Wanted::Empty;
        deserialize_unit_struct(name: &'static str) Wanted::Empty;
        deserialize_newtype_struct(name: &'static str) Wanted::Object;
        deserialize_seq() Wanted::List;
        deserialize_tuple(len: usize) Wanted::List;
        deserialize_tuple_struct(name: &'static str, len: usize) Wanted::List;
        deserialize_map() Wanted::Fields;
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) Wanted::Object;
    }

    // What nobody reads has no shape to be held to.
    as_it_is! {
        deserialize_ignored_any
        deserialize_identifier
        deserialize_bytes
        deserialize_byte_buf
    }

    /// No word of ours holds anything, so that nothing but text can be one.
    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let wanted = Wanted::OneOf(words);
        self.0.deserialize_str(Wanting { visitor: Word { visitor, wanted }, wanted })
    }
}

/// A visitor that says in our words what it wants, and is given no list for an object.
struct Wanting<V> {
    visitor: V,
    wanted: Wanted,
}

/// Hands a number on. What the visitor says against it, its range, is said in our words.
macro_rules! numbers {
    ($($method:ident $type:ident $found:ident;)*) => {$(
        #[inline]
        fn $method<E: Fails>(self, number: $type) -> Result<V::Value, E> {
            let Wanting { visitor, wanted } = self;
            let taken = visitor.$method::<Refused>(number);
            taken.map_err(|_| E::invalid_value(Unexpected::$found(number), &wanted))
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Wanting<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Expected::fmt(&self.wanted, f)
    }

    numbers! {
        visit_i64 i64 Signed;
        visit_u64 u64 Unsigned;
        visit_f64 f64 Float;
    }

    #[inline]
    fn visit_bool<E: Fails>(self, truth: bool) -> Result<V::Value, E> {
        self.visitor.visit_bool(truth)
    }

    #[inline]
    fn visit_str<E: Fails>(self, text: &str) -> Result<V::Value, E> {
        self.visitor.visit_str(text)
    }

    #[inline]
    fn visit_borrowed_str<E: Fails>(self, text: &'de str) -> Result<V::Value, E> {
        self.visitor.visit_borrowed_str(text)
    }

    #[inline]
    fn visit_string<E: Fails>(self, text: String) -> Result<V::Value, E> {
        self.visitor.visit_string(text)
    }

    #[inline]
    fn visit_none<E: Fails>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    #[inline]
    fn visit_unit<E: Fails>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Strict(value))
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(Strict(value))
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        match self.wanted {
            Wanted::Object | Wanted::Fields => Err(A::Error::invalid_type(Unexpected::Seq, &self)),
            _ => self.visitor.visit_seq(Strict(items)),
        }
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        match self.wanted {
            Wanted::Anything | Wanted::Fields => {
                self.visitor.visit_map(Apart { fields, names: HashSet::new() })
            }
            _ => self.visitor.visit_map(Strict(fields)),
        }
    }
}

/// A visitor that takes one of some words, and is given it as text.
struct Word<V> {
    visitor: V,
    wanted: Wanted,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Word<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Expected::fmt(&self.wanted, f)
    }

    #[inline]
    fn visit_str<E: Fails>(self, word: &str) -> Result<V::Value, E> {
        let taken =
            self.visitor.visit_enum::<StrDeserializer<'_, Refused>>(word.into_deserializer());
        taken.map_err(|_| E::invalid_value(Unexpected::Str(word), &self.wanted))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Strict(seed))
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Strict<A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Strict(seed))
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

/// Fields whose names are the caller's own, no two of them the same.
struct Apart<A> {
    fields: A,
    names: HashSet<String>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Apart<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let Some(name) = self.fields.next_key::<String>()? else { return Ok(None) };
        let key = seed.deserialize(name.as_str().into_deserializer())?;
        if self.names.contains(&name) {
            return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
        }
        self.names.insert(name);
        Ok(Some(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.fields.next_value_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.fields.size_hint()
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Strict(source))
    }
}
