//! A line of NDJSON as values by name.
//!
//! A number keeps the digits it was written with, in the form of every number as text; an object,
//! and a list where a text is wanted, is its JSON.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use tagmill_schemas::number::canonical;

/// What the values of a column are, in the lines of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// Null.
    #[default]
    Nothing,
    /// Lists and null.
    List,
    /// Anything, as text.
    Text,
}

impl Shape {
    /// The shape that holds both.
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (one, Self::Nothing) => one,
            (Self::Nothing, other) => other,
            (one, other) if one == other => one,
            _ => Self::Text,
        }
    }

    fn of(value: &RawValue) -> Self {
        match value.get().as_bytes().first() {
            Some(b'n') => Self::Nothing,
            Some(b'[') => Self::List,
            _ => Self::Text,
        }
    }
}

/// The names of a line and the shapes of their values; `None` for what is no JSON object.
pub fn shapes_of(line: &[u8]) -> Option<Vec<(String, Shape)>> {
    let mut shapes = Vec::new();
    let note = |name: Cow<'_, str>, value: &RawValue| {
        shapes.push((name.into_owned(), Shape::of(value)));
    };
    each_value(std::str::from_utf8(line).ok()?, &AllNames, note)?;
    Some(shapes)
}

/// The values of a line for the columns in `slots`, the last where a name stands twice; `None` for
/// what is no JSON object.
pub fn values_of<'l>(
    line: &'l str,
    slots: &HashMap<String, usize>,
) -> Option<Vec<Option<&'l RawValue>>> {
    let mut values = vec![None; slots.len()];
    each_value(line, slots, |name, value| {
        if let Some(&slot) = slots.get(name.as_ref()) {
            values[slot] = Some(value);
        }
    })?;
    Some(values)
}

/// A value as text; null is none. `Err` for a text that is no Unicode.
pub fn text_of(value: &RawValue) -> Result<Option<Cow<'_, str>>, serde_json::Error> {
    let json = value.get();
    Ok(Some(match json.as_bytes().first() {
        Some(b'n') | None => return Ok(None),
        Some(b'"') => serde_json::from_str::<Text<'_>>(json)?.0,
        Some(b't' | b'f' | b'{' | b'[') => json.into(),
        Some(_) => canonical(json).into(),
    }))
}

/// A text that is borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

/// The elements of a list, each as [`text_of`]; what is no list is a list of one.
pub fn elements_of(
    value: &RawValue,
) -> Result<Option<Vec<Option<Cow<'_, str>>>>, serde_json::Error> {
    match Shape::of(value) {
        Shape::Nothing => Ok(None),
        Shape::Text => Ok(Some(vec![text_of(value)?])),
        Shape::List => {
            let elements: Vec<&RawValue> = serde_json::from_str(value.get())?;
            let texts = elements.into_iter().map(text_of);
            texts.collect::<Result<_, _>>().map(Some)
        }
    }
}

/// Which names are asked for.
trait Names {
    fn has(&self, name: &str) -> bool;
}

struct AllNames;

impl Names for AllNames {
    fn has(&self, _: &str) -> bool {
        true
    }
}

impl Names for HashMap<String, usize> {
    fn has(&self, name: &str) -> bool {
        self.contains_key(name)
    }
}

fn each_value<'l>(
    line: &'l str,
    names: &impl Names,
    each: impl FnMut(Cow<'l, str>, &'l RawValue),
) -> Option<()> {
    let mut json = serde_json::Deserializer::from_str(line);
    let visited = EachValue { names, each }.deserialize(&mut json);
    visited.and_then(|()| json.end()).ok()
}

/// Visits the values of an object.
struct EachValue<'n, N, E> {
    names: &'n N,
    each: E,
}

impl<'l, N: Names, E: FnMut(Cow<'l, str>, &'l RawValue)> DeserializeSeed<'l>
    for EachValue<'_, N, E>
{
    type Value = ();

    fn deserialize<D: Deserializer<'l>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'l, N: Names, E: FnMut(Cow<'l, str>, &'l RawValue)> Visitor<'l> for EachValue<'_, N, E> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'l>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key::<Text<'l>>()? {
            if self.names.has(&name) {
                (self.each)(name, map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_text_and_no_object_is_no_line() {
        let slots = HashMap::from([("a".to_owned(), 0)]);
        for (line, expected) in [
            (r#"{"a":"x\ny","b":{"a":1}}"#, Some("x\ny")),
            (
                r#"{"a":20261119000000000001}"#,
                Some("20261119000000000001"),
            ),
            (r#"{"a":1.50}"#, Some("1.5")),
            (r#"{"a":true}"#, Some("true")),
            (r#"{"a":null}"#, None),
            (r#"{"b":1}"#, None),
            (r#"{"a":{"n":1.50}}"#, Some(r#"{"n":1.50}"#)),
            (r#"{"a":1,"\u0061":2}"#, Some("2")),
        ] {
            let values = values_of(line, &slots).unwrap();
            let text = values[0].and_then(|value| text_of(value).unwrap());
            assert_eq!(text.as_deref(), expected, "{line}");
        }
        for line in ["[1]", "1", r#"{"a":1} x"#, r#"{"a":"#, r#"{"a":01}"#] {
            assert_eq!(values_of(line, &slots).map(drop), None, "{line}");
        }
        let surrogate = values_of(r#"{"a":"\ud800"}"#, &slots).unwrap();
        assert!(text_of(surrogate[0].unwrap()).is_err());
    }

    #[test]
    fn shapes_meet_in_text() {
        let shapes = shapes_of(br#"{"a":[1],"b":null,"c":"x"}"#).unwrap();
        let found: Vec<Shape> = shapes.iter().map(|(_, shape)| *shape).collect();
        assert_eq!(found, [Shape::List, Shape::Nothing, Shape::Text]);
        assert_eq!(Shape::List.or(Shape::Text), Shape::Text);
        assert_eq!(Shape::Nothing.or(Shape::List), Shape::List);
    }
}
