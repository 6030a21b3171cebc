//! Cleaning, as the presets' configurations write it in SQL, written again in plain Rust. Reads
//! cells, writes values or refusals.

use super::fact::{NO_APP, NO_USER, Refusal};
use super::row::{Cell, Row};
use crate::Error;

/// What the sources of a preset have in common.
#[derive(Debug, Clone, Copy)]
pub struct Cleaner {
    /// Words that mean null.
    pub nulls: &'static [&'static str],
}

/// App and user of a row, or why there are none.
pub struct Owner {
    /// `None` when null or empty.
    pub app: Option<String>,
    /// `None` when null or a null token; empty ones are refused too.
    pub user: Option<String>,
}

impl Owner {
    /// The user id of a row that has an app and a user.
    pub fn check(&self) -> Result<(&str, &str), Refusal> {
        match (self.app.as_deref(), self.user.as_deref()) {
            (None, _) => Err(NO_APP),
            (_, None) => Err(NO_USER),
            (Some(app), Some(user)) => Ok((app, user)),
        }
    }
}

impl Cleaner {
    /// A text column, null where it holds a null token.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn text(self, row: Row<'_>, column: &str) -> Result<Option<String>, Error> {
        Ok(row
            .cell(column)?
            .text()
            .filter(|text| !self.nulls.contains(&text.as_str())))
    }

    /// Who a row is about.
    ///
    /// # Errors
    /// When a column is missing.
    pub fn owner(self, row: Row<'_>, app: &str, user: &str) -> Result<Owner, Error> {
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(Owner {
            app: some(self.text(row, app)?),
            user: some(self.text(row, user)?),
        })
    }
}

/// `initcap(trim(text))`: the first letter of each run of letters and digits is large, the others
/// small.
pub fn title(text: &str) -> String {
    let mut previous_is_word = false;
    let mut out = String::new();
    for c in text.trim_matches(' ').chars() {
        if previous_is_word {
            out.extend(c.to_lowercase())
        } else {
            out.extend(c.to_uppercase())
        }
        previous_is_word = c.is_alphanumeric();
    }
    out
}

/// A decimal as an integer of `scale` digits after the point, rounded half to even; `None` when the
/// text is no decimal.
pub fn scaled(text: &str, scale: u8) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all: String = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i128 = all.parse().ok()?;
    let excess = fraction.len() as i64 - i64::from(scale);
    if excess <= 0 {
        return Some(sign * number * 10i128.pow(excess.unsigned_abs() as u32));
    }
    let unit = 10i128.pow(excess as u32);
    let (quotient, twice) = (number / unit, 2 * (number % unit));
    let up = twice > unit || (twice == unit && quotient % 2 == 1);
    Some(sign * (quotient + i128::from(up)))
}

/// Text or JSON of a property as text.
pub fn property_text(cell: &Cell, name: &str) -> Option<String> {
    match cell {
        Cell::Pairs(pairs) => pairs.get(name).cloned().flatten(),
        Cell::Text(json) => match serde_json::from_str::<serde_json::Value>(json)
            .ok()?
            .get(name)?
        {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_round_half_to_even() {
        let cases = [
            ("12.345", 2, 1234),
            ("12.355", 2, 1236),
            ("-0.5", 0, 0),
            ("1.5", 0, 2),
            ("-1.5", 0, -2),
            ("7", 3, 7000),
            ("0.2500001", 1, 3),
        ];
        for (text, scale, expected) in cases {
            assert_eq!(scaled(text, scale), Some(expected), "{text}");
        }
        assert_eq!(scaled("", 2), None);
        assert_eq!(scaled("1e5", 2), None);
    }

    #[test]
    fn titles_keep_what_has_no_case() {
        assert_eq!(title(" são paulo "), "São Paulo");
        assert_eq!(title("北京"), "北京");
        assert_eq!(title("ürümqi"), "Ürümqi");
    }
}
