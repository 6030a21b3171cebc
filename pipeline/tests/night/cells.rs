//! Columns of every type with null, extreme and special values, and what each cell is.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal128Array,
    Decimal256Array, Float32Array, Float64Array, Int64Array, StringArray, UInt64Array,
    new_null_array,
};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, i256};

/// What a cell is as the value of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    /// This value, as text.
    A(&'static str),
    /// No value.
    Nothing,
    /// No value, and counted.
    Infinite,
    /// Its row is rejected.
    Bad,
}

pub use Is::{A, Bad, Infinite, Nothing};

/// One cell: what it is as an id, and as a tag of type string, integer, double, date, boolean. What
/// a whole column is refused as stands as `Bad`. A dimension is what a string is.
pub type Cell = [Is; 6];

/// A column and what its cells are; the last two are null and the value 1 or true.
pub struct Column {
    pub name: &'static str,
    pub array: ArrayRef,
    pub cells: Vec<Cell>,
}

const NULL: Cell = [Bad, Nothing, Nothing, Nothing, Nothing, Nothing];

fn whole(text: &'static str) -> Cell {
    let boolean = match text {
        "0" => A("false"),
        "1" => A("true"),
        _ => Bad,
    };
    [A(text), A(text), A(text), A(text), Bad, boolean]
}

/// A number that is not whole.
fn broken(text: &'static str) -> Cell {
    [A(text), A(text), Bad, A(text), Bad, Bad]
}

fn column(name: &'static str, array: impl arrow::array::Array + 'static, cells: &[Cell]) -> Column {
    let array: ArrayRef = Arc::new(array);
    let null = new_null_array(array.data_type(), 1);
    let array = concat(&[&array, &null]).unwrap();
    let cells: Vec<Cell> = cells.iter().copied().chain([NULL]).collect();
    assert_eq!(array.len(), cells.len(), "{name}");
    Column { name, array, cells }
}

pub fn decimals(precision: u8, scale: i8, unscaled: &[i128]) -> Decimal128Array {
    Decimal128Array::from(unscaled.to_vec())
        .with_precision_and_scale(precision, scale)
        .unwrap()
}

pub fn numbers() -> Vec<Column> {
    let e18 = 10i128.pow(18);
    let certain = |text| whole(text);
    let nan = [Bad, Nothing, Nothing, Nothing, Bad, Nothing];
    let infinity = [Bad, Infinite, Bad, Infinite, Bad, Bad];
    // Beyond 2^53 a float may be another integer than the one that was meant.
    let uncertain = |id: Is, text, integer| [id, A(text), integer, A(text), Bad, Bad];
    let no_id = |text| [Bad, A(text), Bad, A(text), Bad, Bad];
    vec![
        column(
            "int64",
            Int64Array::from(vec![94_107, i64::MAX, i64::MIN, 0, 1]),
            &[
                whole("94107"),
                [
                    A("9223372036854775807"),
                    A("9223372036854775807"),
                    A("9223372036854775807"),
                    A("9223372036854776000"),
                    Bad,
                    Bad,
                ],
                [
                    A("-9223372036854775808"),
                    A("-9223372036854775808"),
                    A("-9223372036854775808"),
                    A("-9223372036854776000"),
                    Bad,
                    Bad,
                ],
                whole("0"),
                whole("1"),
            ],
        ),
        column(
            "uint64",
            UInt64Array::from(vec![94_107, u64::MAX, 1]),
            &[
                whole("94107"),
                [
                    A("18446744073709551615"),
                    A("18446744073709551615"),
                    Bad,
                    A("18446744073709552000"),
                    Bad,
                    Bad,
                ],
                whole("1"),
            ],
        ),
        column(
            "float64",
            Float64Array::from(vec![
                94_107.0,
                3.5,
                0.1,
                -0.0,
                1e20,
                1e300,
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY,
                9_007_199_254_740_992.0,
                9_007_199_254_740_994.0,
                915_156.922_242_705_1,
                2.0,
                1.0,
            ]),
            &[
                certain("94107"),
                no_id("3.5"),
                no_id("0.1"),
                certain("0"),
                no_id("100000000000000000000"),
                no_id("1e300"),
                nan,
                infinity,
                infinity,
                certain("9007199254740992"),
                uncertain(Bad, "9007199254740994", A("9007199254740994")),
                no_id("915156.9222427051"),
                whole("2"),
                whole("1"),
            ],
        ),
        column(
            "float32",
            Float32Array::from(vec![
                0.1,
                94_107.0,
                f32::NAN,
                f32::INFINITY,
                -9e15,
                -0.0,
                1.0,
            ]),
            &[
                no_id("0.1"),
                certain("94107"),
                nan,
                infinity,
                uncertain(Bad, "-9000000000000000", A("-9000000000000000")),
                certain("0"),
                whole("1"),
            ],
        ),
        column(
            "decimal(38,18)",
            decimals(38, 18, &[2805 * e18, e18 / 10, 35 * e18 / 10, -1, e18]),
            &[
                whole("2805"),
                broken("0.1"),
                broken("3.5"),
                broken("-0.000000000000000001"),
                whole("1"),
            ],
        ),
        column(
            "decimal(38,0)",
            decimals(
                38,
                0,
                &[
                    2_026_111_900_000_000_001,
                    2_026_111_900_000_000_002,
                    10i128.pow(37),
                ],
            ),
            &[
                [
                    A("2026111900000000001"),
                    A("2026111900000000001"),
                    A("2026111900000000001"),
                    A("2026111900000000000"),
                    Bad,
                    Bad,
                ],
                [
                    A("2026111900000000002"),
                    A("2026111900000000002"),
                    A("2026111900000000002"),
                    A("2026111900000000000"),
                    Bad,
                    Bad,
                ],
                [
                    A("10000000000000000000000000000000000000"),
                    A("10000000000000000000000000000000000000"),
                    Bad,
                    A("10000000000000000000000000000000000000"),
                    Bad,
                    Bad,
                ],
            ],
        ),
        column(
            "decimal(9,2)",
            decimals(9, 2, &[9_410_700, 350, -25, 0, 100]),
            &[
                whole("94107"),
                broken("3.5"),
                broken("-0.25"),
                whole("0"),
                whole("1"),
            ],
        ),
        column(
            "decimal256(76,2)",
            Decimal256Array::from(vec![i256::from_i128(350), i256::from_i128(100)])
                .with_precision_and_scale(76, 2)
                .unwrap(),
            &[broken("3.5"), whole("1")],
        ),
    ]
}

pub fn others() -> Vec<Column> {
    let text = |text| [A(text), A(text), Bad, Bad, Bad, Bad];
    let bytes: Vec<&[u8]> = vec![b"\xff\xfe", "北京".as_bytes(), b"35", b"true"];
    let number = |text, value| [A(text), A(text), A(value), A(value), Bad, Bad];
    let date = |text, value| [A(text), A(text), Bad, Bad, A(value), Bad];
    let texts = [
        ("北京", text("北京")),
        ("35", number("35", "35")),
        (" 35.0", number(" 35.0", "35")),
        ("3e1", number("3e1", "30")),
        ("3.50", [A("3.50"), A("3.50"), Bad, A("3.5"), Bad, Bad]),
        (
            "9223372036854775808",
            [
                A("9223372036854775808"),
                A("9223372036854775808"),
                Bad,
                A("9223372036854776000"),
                Bad,
                Bad,
            ],
        ),
        ("1e400", text("1e400")),
        ("NaN", [A("NaN"), A("NaN"), Nothing, Nothing, Bad, Nothing]),
        ("-inf", [A("-inf"), A("-inf"), Bad, Infinite, Bad, Bad]),
        ("2026-11-19", date("2026-11-19", "2026-11-19")),
        ("2026-1-5", date("2026-1-5", "2026-01-05")),
        (
            "20261119",
            [
                A("20261119"),
                A("20261119"),
                A("20261119"),
                A("20261119"),
                A("2026-11-19"),
                Bad,
            ],
        ),
        (
            "2026-11-19 23:59:59",
            date("2026-11-19 23:59:59", "2026-11-19"),
        ),
        ("2026-02-30", text("2026-02-30")),
        ("yes", [A("yes"), A("yes"), Bad, Bad, Bad, A("true")]),
        ("OFF", [A("OFF"), A("OFF"), Bad, Bad, Bad, A("false")]),
        ("1.0", [A("1.0"), A("1.0"), A("1"), A("1"), Bad, A("true")]),
        ("2", number("2", "2")),
    ];
    let cells = texts.map(|(_, cell)| cell);
    let all = StringArray::from_iter_values(texts.map(|(text, _)| text));
    let coded = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    vec![
        column("text", all.clone(), &cells),
        Column {
            name: "dictionary",
            array: cast(&column("", all.clone(), &cells).array, &coded).unwrap(),
            cells: cells.into_iter().chain([NULL]).collect(),
        },
        Column {
            name: "large text",
            array: cast(&column("", all, &cells).array, &DataType::LargeUtf8).unwrap(),
            cells: cells.into_iter().chain([NULL]).collect(),
        },
        column(
            "bytes",
            BinaryArray::from_vec(bytes),
            &[
                [Bad; 6],
                text("北京"),
                number("35", "35"),
                [A("true"), A("true"), Bad, Bad, Bad, A("true")],
            ],
        ),
        column(
            "boolean",
            BooleanArray::from(vec![true, false]),
            &[
                [Bad, A("true"), A("1"), A("1"), Bad, A("true")],
                [Bad, A("false"), A("0"), A("0"), Bad, A("false")],
            ],
        ),
        column(
            "date32",
            Date32Array::from(vec![20_776, -1]),
            &[
                [
                    A("2026-11-19"),
                    A("2026-11-19"),
                    Bad,
                    Bad,
                    A("2026-11-19"),
                    Bad,
                ],
                [
                    A("1969-12-31"),
                    A("1969-12-31"),
                    Bad,
                    Bad,
                    A("1969-12-31"),
                    Bad,
                ],
            ],
        ),
        column(
            "date64",
            Date64Array::from(vec![20_776 * 86_400_000]),
            &[[
                A("2026-11-19"),
                A("2026-11-19"),
                Bad,
                Bad,
                A("2026-11-19"),
                Bad,
            ]],
        ),
    ]
}
