//! The engine's texts in people's words: types by their names in SQL, no classes of errors, one line.

/// What says where in the engine something failed.
const INSIDE: [&str; 11] = [
    "Error during planning: ",
    "Execution error: ",
    "Internal error: ",
    "Schema error: ",
    "Arrow error: ",
    "External error: ",
    "External: ",
    "Cast error: ",
    "Compute error: ",
    "Error evaluating filter predicate: ",
    "While expanding wildcard, ",
];
/// What the engine says after its message: a list of signatures in its own types, and where its
/// defects are reported.
const AFTER: [&str; 2] = [
    "\tCandidate functions:",
    "This issue was likely caused by a bug",
];

/// A text of the engine for people: one line.
pub(super) fn plain(text: &str) -> String {
    if text.starts_with("Projections require unique expression names") {
        return "two columns of the result have the same name; give one another name with AS"
            .to_owned();
    }
    let mut text = text.to_owned();
    for inside in INSIDE {
        text = text.replace(inside, "");
    }
    let text = refused_call(&text).unwrap_or_else(|| {
        let before = |text: &str, after: &str| text.split(after).next().map(str::to_owned);
        let text = unwrapped(&text).to_owned();
        AFTER
            .iter()
            .fold(text, |text, after| before(&text, after).unwrap_or(text))
    });
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    with_plain_types(with_plain_literals(&line).trim_end_matches('.'))
}

/// Literals as they are written in SQL: `Int64(1)` is 1, `Utf8("a")` is 'a'.
fn with_plain_literals(text: &str) -> String {
    let mut text = text.to_owned();
    for (begin, end, quote) in [
        ("Utf8(\"", "\")", "'"),
        ("UInt64(", ")", ""),
        ("Int64(", ")", ""),
        ("Float64(", ")", ""),
    ] {
        while let Some((before, literal, after)) = text
            .split_once(begin)
            .and_then(|(before, rest)| rest.split_once(end).map(|(l, after)| (before, l, after)))
        {
            text = format!("{before}{quote}{literal}{quote}{after}");
        }
    }
    text
}

/// What is wrong with the arguments of a function: its own words, or the call that it does not take.
fn refused_call(text: &str) -> Option<String> {
    let (said, call) =
        text.split_once("No function matches the given name and argument types '")?;
    if let Some((_, own)) = said.split_once("user-defined coercion failed with: ") {
        return Some(own.replace(" (Binary, LargeBinary or BinaryView)", ""));
    }
    let (call, _) = call.split_once('\'')?;
    let (name, _) = call.split_once('(')?;
    Some(format!(
        "{name} does not take {}; \\h {name} tells what it takes",
        &call[name.len()..]
    ))
}

/// The text of an error that another one shows as Rust would write it:
/// `ArrowError(CastError("text"), Some(""))`.
fn unwrapped(text: &str) -> &str {
    let inside = text
        .strip_prefix("ArrowError(")
        .and_then(|rest| rest.split_once("(\""))
        .and_then(|(_, rest)| rest.split_once("\")"));
    inside.map_or(text, |(text, _)| text)
}

/// The text with Arrow's types as SQL's; what stands in quotes is a person's.
fn with_plain_types(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '\'' | '"' => quoted(rest, first),
            _ if first.is_alphanumeric() || first == '_' => {
                let name = &rest[..name_length(rest)];
                match plain_type(name, &rest[name.len()..]) {
                    Some((plain, parameters)) => {
                        shown.push_str(&plain);
                        rest = &rest[name.len() + parameters..];
                        continue;
                    }
                    None => name.len(),
                }
            }
            _ => first.len_utf8(),
        };
        shown.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    shown
}

/// Bytes of a quoted part with its quotes; of the quote alone when it is not closed.
fn quoted(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(1, |end| end + 2)
}

fn name_length(text: &str) -> usize {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    text.find(|c| !is_name(c)).unwrap_or(text.len())
}

/// A type of Arrow as SQL calls it, and the bytes of its parameters; `None` for another word.
fn plain_type(name: &str, rest: &str) -> Option<(String, usize)> {
    let simple = match name {
        "Utf8" | "LargeUtf8" | "Utf8View" => "text",
        "Binary" | "LargeBinary" | "BinaryView" => "bytes",
        "Int8" | "Int16" | "Int32" | "Int64" => "integer",
        "UInt8" | "UInt16" | "UInt32" | "UInt64" => "unsigned integer",
        "Float16" | "Float32" | "Float64" => "double",
        "Boolean" => "boolean",
        "Date32" | "Date64" => "date",
        _ => {
            let inside = parameters(rest)?;
            let plain = match name {
                "Timestamp" => "timestamp".to_owned(),
                "Decimal32" | "Decimal64" | "Decimal128" | "Decimal256" => {
                    format!("decimal({inside})")
                }
                "List" | "LargeList" | "ListView" | "FixedSizeList" => {
                    format!("list of {}", first_type(inside)?)
                }
                "Dictionary" => first_type(inside.split_once(", ")?.1)?,
                _ => return None,
            };
            return Some((plain, inside.len() + 2));
        }
    };
    Some((simple.to_owned(), 0))
}

/// What stands in the brackets that a text begins with.
fn parameters(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            _ if depth == 0 => return None,
            _ => {}
        }
        if depth == 0 {
            return text.get(1..at);
        }
    }
    None
}

/// The first type in a text such as `non-null Utf8, field: 'element'`.
fn first_type(text: &str) -> Option<String> {
    let text = text
        .trim_start_matches("non-null ")
        .trim_start_matches("nullable ");
    let name = &text[..name_length(text)];
    plain_type(name, &text[name.len()..]).map(|(plain, _)| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_inside_the_engine_are_left_out() {
        for (text, expected) in [
            (
                "Error during planning: Invalid function 'uper'.\nDid you mean 'upper'?",
                "Invalid function 'uper'. Did you mean 'upper'?",
            ),
            (
                "External: Compute error: Error evaluating filter predicate: \
                 ArrowError(CastError(\"Cannot cast string 'age' to value of Int64 type\"), \
                 Some(\"\"))",
                "Cannot cast string 'age' to value of integer type",
            ),
            (
                "Internal error: Function 'sum' failed to match any signature, errors: Error during \
                 planning: Function 'sum' requires Decimal. No function matches the given name and \
                 argument types 'sum(Utf8View)'. You might need to add explicit type \
                 casts.\n\tCandidate functions:\n\tsum(Coercible(Decimal))",
                "sum does not take (text); \\h sum tells what it takes",
            ),
            (
                "only \"count(Int64(1))\" and \"Utf8(\"a\")\" appear in the SELECT clause.",
                "only \"count(1)\" and \"'a'\" appear in the SELECT clause",
            ),
            (
                "Function 'f' user-defined coercion failed with: Error during planning: f: argument 1 \
                 is Utf8View, expected a bitmap (Binary, LargeBinary or BinaryView) No function \
                 matches the given name and argument types 'f(Utf8View)'. You might",
                "f: argument 1 is text, expected a bitmap",
            ),
        ] {
            assert_eq!(plain(text), expected);
        }
    }

    #[test]
    fn types_have_the_names_of_sql() {
        for (text, expected) in [
            (
                "argument 1 is Utf8View, expected a bitmap",
                "argument 1 is text, expected a bitmap",
            ),
            ("List(non-null Utf8, field: 'element')", "list of text"),
            (
                "Timestamp(µs, \"UTC\") and Decimal128(10, 2)",
                "timestamp and decimal(10, 2)",
            ),
            (
                "Dictionary(Int32, Utf8) + List(List(Int64))",
                "text + list of list of integer",
            ),
            ("Int64s, MyInt64, 'Int64'", "Int64s, MyInt64, 'Int64'"),
            ("it's Int64", "it's integer"),
        ] {
            assert_eq!(with_plain_types(text), expected);
        }
    }
}
