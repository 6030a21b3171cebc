//! How a function's documentation is put together.

use datafusion::logical_expr::{DocSection, Documentation};

/// Where the functions stand in the manual.
const SECTION: DocSection = DocSection {
    include: true,
    label: "Bitmap Functions",
    description: None,
};

/// The documentation of one function: its example is a query, then the result as one value per
/// line.
pub(super) fn document(
    description: &str,
    syntax: &str,
    arguments: &[(&str, &str)],
    example: (&str, &str),
) -> Documentation {
    let (query, result) = example;
    let example = format!("```sql\n> {query};\n{result}\n```");
    let start = Documentation::builder(SECTION, description, syntax).with_sql_example(example);
    arguments
        .iter()
        .fold(start, |doc, (name, text)| doc.with_argument(*name, *text))
        .build()
}
