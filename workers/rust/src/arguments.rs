//! From `args_json` to the argument of a function.

use std::collections::BTreeMap;
use std::{any, error, fmt};

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;

/// The arguments of a call by name, as JSON text.
pub(crate) type Arguments<'a> = BTreeMap<String, &'a RawValue>;

/// Reads `args_json`, which is the text of an object.
pub(crate) fn read(text: &str) -> Option<Arguments<'_>> {
    serde_json::from_str(text).ok()
}

/// Makes the argument of a function. Names that its type does not have are refused.
pub(crate) fn bind<In: DeserializeOwned>(given: &Arguments<'_>) -> Result<In, ArgumentError> {
    In::deserialize(ByName(given))
}

/// A function does not take the arguments that it was given.
///
/// It holds names and types, and no values: serde_json's own errors may quote some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentError {
    /// The argument that is missing, too many, or of another type; empty for all of them.
    pub argument: String,
    /// What is wrong.
    pub problem: String,
}

impl ArgumentError {
    fn of(argument: &str, problem: impl Into<String>) -> Self {
        Self { argument: argument.to_owned(), problem: problem.into() }
    }
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.argument.as_str() {
            "" => write!(f, "the arguments: {}", self.problem),
            name => write!(f, "argument {name:?}: {}", self.problem),
        }
    }
}

impl error::Error for ArgumentError {}

impl serde::de::Error for ArgumentError {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self::of("", "they do not fit the function's type")
    }

    fn missing_field(field: &'static str) -> Self {
        Self::of(field, "it is missing")
    }

    fn unknown_field(field: &str, _expected: &'static [&'static str]) -> Self {
        Self::of(field, "the function takes no such argument")
    }
}

struct ByName<'a, 'de>(&'a Arguments<'de>);

impl ByName<'_, '_> {
    /// What serde would ignore, a weave wants to know.
    fn only(&self, fields: &'static [&'static str]) -> Result<(), ArgumentError> {
        match self.0.keys().find(|name| !fields.contains(&name.as_str())) {
            Some(name) => Err(ArgumentError::unknown_field(name, fields)),
            None => Ok(()),
        }
    }
}

impl<'a, 'de> Deserializer<'de> for ByName<'a, 'de> {
    type Error = ArgumentError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgumentError> {
        visitor.visit_map(Entries { left: self.0.iter(), next: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ArgumentError> {
        self.only(fields)?;
        self.deserialize_any(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgumentError> {
        self.only(&[])?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ArgumentError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ArgumentError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgumentError> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf seq
        tuple tuple_struct map enum identifier ignored_any
    }
}

struct Entries<'a, 'de> {
    left: std::collections::btree_map::Iter<'a, String, &'de RawValue>,
    next: Option<(&'a str, &'de RawValue)>,
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = ArgumentError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ArgumentError> {
        let Some((name, value)) = self.left.next() else {
            return Ok(None);
        };
        self.next = Some((name, value));
        let name: StrDeserializer<'_, ArgumentError> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, ArgumentError> {
        let (name, value) = self.next.take().expect("a name comes before its value");
        let mut reader = serde_json::Deserializer::from_str(value.get());
        let wanted = any::type_name::<S::Value>();
        seed.deserialize(&mut reader)
            .map_err(|_| ArgumentError::of(name, format!("it is no {wanted}")))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::value::RawValue;

    use super::{bind, read};

    #[derive(Deserialize)]
    struct Two {
        a: i64,
        #[serde(default)]
        b: Option<Box<RawValue>>,
    }

    fn two(text: &str) -> Result<Two, String> {
        bind(&read(text).expect("an object")).map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_come_by_name_and_exact() {
        let found = two(r#"{"b": [123456789012345678901234567890, 1.0], "a": 9007199254740993}"#)
            .expect("two");
        assert_eq!(found.a, 9_007_199_254_740_993);
        assert_eq!(found.b.expect("raw").get(), "[123456789012345678901234567890, 1.0]");
        assert!(two(r#"{"a": 1}"#).expect("one").b.is_none());
        bind::<()>(&read("{}").expect("an object")).expect("nothing");
        let all: serde_json::Value = bind(&read(r#"{"x": [1]}"#).expect("an object")).expect("any");
        assert_eq!(all.to_string(), r#"{"x":[1]}"#);
    }

    #[test]
    fn errors_tell_names_and_types_only() {
        let error = |text| two(text).err().expect("an error");
        assert_eq!(error("{}"), r#"argument "a": it is missing"#);
        assert_eq!(error(r#"{"a": "secret"}"#), r#"argument "a": it is no i64"#);
        let surplus = r#"argument "zz": the function takes no such argument"#;
        assert_eq!(error(r#"{"a": 1, "zz": 2}"#), surplus);
        assert!(bind::<()>(&read(r#"{"a": 1}"#).expect("an object")).is_err());
        assert!(read("[1]").is_none() && read(r#"{"a": "#).is_none());
    }
}
