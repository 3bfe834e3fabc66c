//! From what a function returned to `result_json`.

use std::fmt::Display;

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// A value as JSON text. The error says why there is none.
pub(crate) fn text_of(value: &impl Serialize) -> Result<String, String> {
    // serde_json writes NaN as null, which nobody has returned.
    value.serialize(Finite).map_err(|found| found.0)?;
    serde_json::to_string(value).map_err(|error| error.to_string())
}

/// Walks through a value and stops at a number that JSON does not have.
#[derive(Clone, Copy)]
struct Finite;

#[derive(Debug)]
struct Found(String);

impl Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Found {}

impl serde::ser::Error for Found {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

type Walked = Result<(), Found>;

fn check(number: f64) -> Walked {
    if number.is_finite() {
        Ok(())
    } else {
        Err(Found("it holds NaN or an infinity, which JSON does not have".to_owned()))
    }
}

macro_rules! nothing_in {
    ($($method:ident($kind:ty),)*) => {
        $(fn $method(self, _: $kind) -> Walked { Ok(()) })*
    };
}

impl Serializer for Finite {
    type Ok = ();
    type Error = Found;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    nothing_in! {
        serialize_bool(bool), serialize_i8(i8), serialize_i16(i16), serialize_i32(i32),
        serialize_i64(i64), serialize_i128(i128), serialize_u8(u8), serialize_u16(u16),
        serialize_u32(u32), serialize_u64(u64), serialize_u128(u128), serialize_char(char),
        serialize_str(&str), serialize_bytes(&[u8]), serialize_unit_struct(&'static str),
    }

    fn serialize_f32(self, number: f32) -> Walked {
        check(number.into())
    }

    fn serialize_f64(self, number: f64) -> Walked {
        check(number)
    }

    fn serialize_none(self) -> Walked {
        Ok(())
    }

    fn serialize_unit(self) -> Walked {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Walked {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Walked {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Walked {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Walked {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Found> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Found> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Found> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Found> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Found> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Found> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Found> {
        Ok(self)
    }
}

macro_rules! walk_items {
    ($($walk:ident::$method:ident,)*) => {
        $(impl $walk for Finite {
            type Ok = ();
            type Error = Found;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Walked {
                value.serialize(*self)
            }
            fn end(self) -> Walked { Ok(()) }
        })*
    };
}

walk_items! {
    SerializeSeq::serialize_element, SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field, SerializeTupleVariant::serialize_field,
}

macro_rules! walk_fields {
    ($($walk:ident,)*) => {
        $(impl $walk for Finite {
            type Ok = ();
            type Error = Found;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self, _: &'static str, value: &T,
            ) -> Walked {
                value.serialize(*self)
            }
            fn end(self) -> Walked { Ok(()) }
        })*
    };
}

walk_fields! { SerializeStruct, SerializeStructVariant, }

impl SerializeMap for Finite {
    type Ok = ();
    type Error = Found;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _key: &T) -> Walked {
        Ok(()) // serde_json judges what can be a name
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Walked {
        value.serialize(*self)
    }

    fn end(self) -> Walked {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::value::RawValue;

    use super::text_of;

    #[test]
    fn values_are_written_exactly() {
        assert_eq!(
            text_of(&(1_u8, "ü", Some(0.1), None::<i8>)).expect("a text"),
            r#"[1,"ü",0.1,null]"#
        );
        let raw = RawValue::from_string("[1e400, 123456789012345678901]".to_owned()).expect("JSON");
        assert_eq!(text_of(&raw).expect("a text"), raw.get());
    }

    #[test]
    fn what_json_does_not_have_is_refused() {
        assert!(text_of(&f64::NAN).is_err());
        assert!(text_of(&vec![BTreeMap::from([("a", Some(f32::INFINITY))])]).is_err());
        assert!(text_of(&BTreeMap::from([((1, 2), 3)])).is_err()); // no name of an object
    }
}
