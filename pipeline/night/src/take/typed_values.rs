//! Distinct values of one type, in order: what a shard says of a tag.

use serde::{Deserialize, Serialize};
use tagmill_schemas::value::{Value, ValueType};

/// Values of one type, ascending in the order of [`Value::cmp_total`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TypedValues {
    /// UTF-8 texts.
    String(Vec<String>),
    /// Signed, 64 bits.
    Integer(Vec<i64>),
    /// The bits of doubles: as numbers JSON would not keep them.
    Double(Vec<u64>),
    /// Days since 1970-01-01.
    Date(Vec<i32>),
    /// False before true.
    Boolean(Vec<bool>),
}

impl TypedValues {
    /// No values of a type.
    pub fn empty(value_type: ValueType) -> Self {
        match value_type {
            ValueType::String => Self::String(Vec::new()),
            ValueType::Integer => Self::Integer(Vec::new()),
            ValueType::Double => Self::Double(Vec::new()),
            ValueType::Date => Self::Date(Vec::new()),
            ValueType::Boolean => Self::Boolean(Vec::new()),
        }
    }

    /// Distinct values in order; those of another type are left out.
    pub fn of(value_type: ValueType, values: &[Value]) -> Self {
        let mut all = Self::empty(value_type);
        for value in values {
            match (&mut all, value) {
                (Self::String(all), Value::String(v)) => all.push(v.clone()),
                (Self::Integer(all), Value::Integer(v)) => all.push(*v),
                (Self::Double(all), Value::Double(v)) => all.push(v.to_bits()),
                (Self::Date(all), Value::Date(v)) => all.push(*v),
                (Self::Boolean(all), Value::Boolean(v)) => all.push(*v),
                _ => {}
            }
        }
        all
    }

    /// The values of all parts, each once, in order; parts of another type are left out.
    pub fn union<'p>(value_type: ValueType, parts: impl IntoIterator<Item = &'p Self>) -> Self {
        let mut all = Self::empty(value_type);
        for part in parts {
            match (&mut all, part) {
                (Self::String(all), Self::String(part)) => all.extend_from_slice(part),
                (Self::Integer(all), Self::Integer(part)) => all.extend_from_slice(part),
                (Self::Double(all), Self::Double(part)) => all.extend_from_slice(part),
                (Self::Date(all), Self::Date(part)) => all.extend_from_slice(part),
                (Self::Boolean(all), Self::Boolean(part)) => all.extend_from_slice(part),
                _ => {}
            }
        }
        // Parts are in order: a stable sort merges them.
        match &mut all {
            Self::String(all) => sort_and_dedup(all),
            Self::Integer(all) => sort_and_dedup(all),
            Self::Double(all) => {
                all.sort_by(|a, b| f64::from_bits(*a).total_cmp(&f64::from_bits(*b)));
                all.dedup();
            }
            Self::Date(all) => sort_and_dedup(all),
            Self::Boolean(all) => sort_and_dedup(all),
        }
        all
    }

    /// Keeps the values for which `keep` holds.
    pub fn retain(&mut self, keep: impl Fn(&Value) -> bool) {
        match self {
            Self::String(all) => all.retain(|v| keep(&Value::String(v.clone()))),
            Self::Integer(all) => all.retain(|v| keep(&Value::Integer(*v))),
            Self::Double(all) => all.retain(|v| keep(&Value::Double(f64::from_bits(*v)))),
            Self::Date(all) => all.retain(|v| keep(&Value::Date(*v))),
            Self::Boolean(all) => all.retain(|v| keep(&Value::Boolean(*v))),
        }
    }

    /// Whether a value is among them.
    pub fn has(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::String(all), Value::String(v)) => all.binary_search(v).is_ok(),
            (Self::Integer(all), Value::Integer(v)) => all.binary_search(v).is_ok(),
            (Self::Double(all), Value::Double(v)) => {
                let order = |bits: &u64| f64::from_bits(*bits).total_cmp(v);
                all.binary_search_by(order).is_ok()
            }
            (Self::Date(all), Value::Date(v)) => all.binary_search(v).is_ok(),
            (Self::Boolean(all), Value::Boolean(v)) => all.contains(v),
            _ => false,
        }
    }

    /// The texts; none of another type.
    pub fn texts(&self) -> &[String] {
        match self {
            Self::String(all) => all,
            _ => &[],
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::String(all) => all.len(),
            Self::Integer(all) => all.len(),
            Self::Double(all) => all.len(),
            Self::Date(all) => all.len(),
            Self::Boolean(all) => all.len(),
        }
    }
}

fn sort_and_dedup<T: Ord>(values: &mut Vec<T>) {
    values.sort();
    values.dedup();
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn values(value_type: ValueType, texts: &[&str]) -> Vec<Value> {
        texts
            .iter()
            .map(|text| Value::parse(text, value_type).unwrap())
            .collect()
    }

    #[test]
    fn a_union_is_the_set_of_all_parts_in_order_and_survives_json() {
        let types: [(ValueType, &[&str]); 5] = [
            (ValueType::String, &["b", "", "ä", "a", "b"]),
            (
                ValueType::Integer,
                &[
                    "-1",
                    "9223372036854775807",
                    "0",
                    "-9223372036854775808",
                    "0",
                ],
            ),
            (
                ValueType::Double,
                &[
                    "0.1",
                    "-1e300",
                    "5e-324",
                    "-0.0",
                    "0.1",
                    "1.7976931348623157e308",
                ],
            ),
            (ValueType::Date, &["2026-11-19", "1969-12-31", "2026-11-19"]),
            (ValueType::Boolean, &["true", "false", "true"]),
        ];
        for (value_type, texts) in types {
            let all = values(value_type, texts);
            let parts: Vec<TypedValues> = all
                .iter()
                .map(|value| TypedValues::of(value_type, std::slice::from_ref(value)))
                .collect();
            let json = serde_json::to_string(&parts).unwrap();
            let parts: Vec<TypedValues> = serde_json::from_str(&json).unwrap();
            let expected: Vec<Value> = all
                .iter()
                .cloned()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect();
            let mut union = TypedValues::union(value_type, &parts);
            assert_eq!(union, TypedValues::of(value_type, &expected), "{json}");
            assert_eq!(union.count(), expected.len());
            union.retain(|value| *value != expected[0]);
            assert_eq!(union, TypedValues::of(value_type, &expected[1..]));
        }
        assert_eq!(
            TypedValues::of(ValueType::Date, &values(ValueType::Integer, &["1"])).count(),
            0
        );
    }
}
