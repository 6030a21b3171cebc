//! What the manual says about `bsi_*_agg`.

use super::bsi_agg::Computes;
use super::documentation::document;
use datafusion::logical_expr::Documentation;

const SLICE: (&str, &str) = (
    "slice",
    "-1 for the members, who have a number; i from 0 to 63 for those whose number it adds 2^i to; \
     -2 - i for those whose number it takes 2^i from.",
);
const BITMAP: (&str, &str) = (
    "bitmap",
    "Portable 64-bit Roaring bytes; several rows of a slice, such as shards, are put together.",
);
const OFFSET: (&str, &str) = (
    "offset",
    "What was subtracted from the numbers before they were sliced; 0 if it is missing. A constant \
     or a column: that of a row of slice -1 counts.",
);
const OF: (&str, &str) = (
    "of",
    "What the numbers are of, such as the name of a tag. With it rows may be of several indexes: \
     bsi_sum_agg adds all numbers of a member, the others fail where a member has several; all \
     fail where a group has numbers of two things. `tagmill sql` adds offset and of where slice is \
     a column of a release.",
);

/// Members 1, 2 and 3 with the numbers 5, 6 and 1.
const ROWS: &str =
    "FROM (VALUES (-1, [1, 2, 3]), (0, [1, 3]), (1, [2]), (2, [1, 2])) AS t(slice, members)";

/// The documentation of one aggregate.
pub(super) fn documentation(computes: Computes) -> Documentation {
    let name = computes.name();
    let skipped = "NULLs are skipped.";
    let (about, arguments, call, is_bitmap, result): (String, Vec<(&str, &str)>, &str, bool, &str) =
        match computes {
            Computes::Count => (
                format!("Number of members of a bit-sliced index. {skipped} 0 without rows."),
                vec![],
                "",
                false,
                "3",
            ),
            Computes::Sum => (
                format!(
                    "Sum of the members' numbers, as a decimal without fraction. The number of a \
                     member is the sum of what its slices are worth. {skipped} NULL without members."
                ),
                vec![OFFSET, OF],
                "",
                false,
                "12",
            ),
            Computes::Min => (
                format!("The smallest number. {skipped} NULL without members."),
                vec![OFFSET, OF],
                "",
                false,
                "1",
            ),
            Computes::Max => (
                format!("The largest number. {skipped} NULL without members."),
                vec![OFFSET, OF],
                ", 100",
                false,
                "106",
            ),
            Computes::Quantile => (
                format!(
                    "The smallest number that at least a share of the members do not exceed. \
                     {skipped} NULL without members."
                ),
                vec![
                    ("share", "A constant from 0 to 1; 0.5 gives the median."),
                    OFFSET,
                    OF,
                ],
                ", 0.5",
                false,
                "5",
            ),
            Computes::Value => (
                format!("The number of one member. {skipped} NULL if it has none."),
                vec![("member", "A constant, read as UInt64."), OFFSET, OF],
                ", 2",
                false,
                "6",
            ),
            Computes::Compare => (
                format!(
                    "The members whose number compares so. {skipped} An empty bitmap without rows."
                ),
                vec![
                    ("operator", "A constant: '<', '<=', '=', '<>', '>=' or '>'."),
                    ("number", "A constant integer."),
                    OFFSET,
                    OF,
                ],
                ", '>=', 5",
                true,
                "[1, 2]",
            ),
            Computes::Between => (
                format!(
                    "The members whose number is from low to high, both included. {skipped} An \
                     empty bitmap without rows."
                ),
                vec![
                    ("low", "A constant integer."),
                    ("high", "A constant integer."),
                    OFFSET,
                    OF,
                ],
                ", 1, 5",
                true,
                "[1, 3]",
            ),
            Computes::Top => (
                format!(
                    "The members with the largest numbers; of equal ones the smallest members. \
                     {skipped} An empty bitmap without rows."
                ),
                vec![("count", "A constant: how many members."), OFFSET, OF],
                ", 2",
                true,
                "[1, 2]",
            ),
        };
    let listed = arguments.iter().map(|(argument, _)| match *argument {
        "offset" => "[, offset".to_owned(),
        "of" => "[, of]]".to_owned(),
        argument => format!(", {argument}"),
    });
    let syntax = format!("{name}(slice, bitmap{})", listed.collect::<String>());
    let query = format!("{name}(slice, bitmap_from_array(members){call})");
    let query = if is_bitmap {
        format!("SELECT bitmap_to_array({query}) {ROWS}")
    } else {
        format!("SELECT {query} {ROWS}")
    };
    let arguments: Vec<(&str, &str)> = [SLICE, BITMAP].into_iter().chain(arguments).collect();
    document(&about, &syntax, &arguments, (&query, result))
}
