//! The aggregates that fold to one set, beyond `bitmap_or_agg`, `bitmap_and_agg` and
//! `bitmap_xor_agg`.

use super::set_aggregate::{Aggregate, Fold, Gives, Takes};
use super::whole::Elements;

/// The aggregates.
pub(super) static AGGREGATES: &[Aggregate] = &[
    Aggregate {
        name: "bitmap_build_agg",
        about: "The set of the values of a group. NULLs are skipped; NULL without a value that is \
                not NULL, as for sum.",
        takes: Takes::Numbers(Elements::Checked),
        fold: Fold::Or,
        gives: Gives::BitmapOrNull,
        example: (
            "SELECT bitmap_to_array(bitmap_build_agg(v)) FROM (VALUES (5), (1), (5), (NULL)) AS \
             t(v)",
            "[1, 5]",
        ),
    },
    Aggregate {
        name: "bitmap_build_cardinality_agg",
        about: "Number of different values of a group. NULLs are skipped; 0 without a value that \
                is not NULL.",
        takes: Takes::Numbers(Elements::Checked),
        fold: Fold::Or,
        gives: Gives::Count,
        example: (
            "SELECT bitmap_build_cardinality_agg(v) FROM (VALUES (5), (1), (5)) AS t(v)",
            "2",
        ),
    },
    Aggregate {
        name: "bitmap_or_cardinality_agg",
        about: "Number of values that are in any bitmap of a group. NULLs are skipped; 0 without \
                a bitmap that is not NULL.",
        takes: Takes::Bitmaps,
        fold: Fold::Or,
        gives: Gives::Count,
        example: (
            "SELECT bitmap_or_cardinality_agg(bitmap_from_array(v)) FROM (VALUES ([1, 3]), ([3, \
             7])) AS t(v)",
            "3",
        ),
    },
    Aggregate {
        name: "bitmap_and_cardinality_agg",
        about: "Number of values that are in every bitmap of a group. NULLs are skipped; 0 \
                without a bitmap that is not NULL.",
        takes: Takes::Bitmaps,
        fold: Fold::And,
        gives: Gives::Count,
        example: (
            "SELECT bitmap_and_cardinality_agg(bitmap_from_array(v)) FROM (VALUES ([1, 3]), ([3, \
             7])) AS t(v)",
            "1",
        ),
    },
    Aggregate {
        name: "bitmap_xor_cardinality_agg",
        about: "Number of values that are in an odd number of a group's bitmaps. NULLs are \
                skipped; 0 without a bitmap that is not NULL.",
        takes: Takes::Bitmaps,
        fold: Fold::Xor,
        gives: Gives::Count,
        example: (
            "SELECT bitmap_xor_cardinality_agg(bitmap_from_array(v)) FROM (VALUES ([1, 3]), ([3, \
             7])) AS t(v)",
            "2",
        ),
    },
    Aggregate {
        name: "groupBitmap",
        about: "Number of different values of a group. NULLs are skipped; 0 without a value that \
                is not NULL.",
        takes: Takes::Numbers(Elements::Narrow),
        fold: Fold::Or,
        gives: Gives::Count,
        example: (
            "SELECT groupBitmap(v) FROM (VALUES (5), (1), (5)) AS t(v)",
            "2",
        ),
    },
    Aggregate {
        name: "groupBitmapState",
        about: "The set of the values of a group. NULLs are skipped; an empty bitmap without a \
                value that is not NULL.",
        takes: Takes::Numbers(Elements::Narrow),
        fold: Fold::Or,
        gives: Gives::Bitmap,
        example: (
            "SELECT bitmapToArray(groupBitmapState(v)) FROM (VALUES (5), (1), (5)) AS t(v)",
            "[1, 5]",
        ),
    },
    Aggregate {
        name: "groupBitmapMergeState",
        about: "The values that are in any bitmap of a group. NULLs are skipped; an empty bitmap \
                without a bitmap that is not NULL.",
        takes: Takes::Bitmaps,
        fold: Fold::Or,
        gives: Gives::Bitmap,
        example: (
            "SELECT bitmapToArray(groupBitmapMergeState(bitmapBuild(v))) FROM (VALUES ([1, 3]), \
             ([3, 7])) AS t(v)",
            "[1, 3, 7]",
        ),
    },
    Aggregate {
        name: "groupBitmapAndState",
        about: "The values that are in every bitmap of a group. NULLs are skipped; an empty \
                bitmap without a bitmap that is not NULL.",
        takes: Takes::Bitmaps,
        fold: Fold::And,
        gives: Gives::Bitmap,
        example: (
            "SELECT bitmapToArray(groupBitmapAndState(bitmapBuild(v))) FROM (VALUES ([1, 3]), \
             ([3, 7])) AS t(v)",
            "[3]",
        ),
    },
    Aggregate {
        name: "groupBitmapXorState",
        about: "The values that are in an odd number of a group's bitmaps. NULLs are skipped; an \
                empty bitmap without a bitmap that is not NULL.",
        takes: Takes::Bitmaps,
        fold: Fold::Xor,
        gives: Gives::Bitmap,
        example: (
            "SELECT bitmapToArray(groupBitmapXorState(bitmapBuild(v))) FROM (VALUES ([1, 3]), \
             ([3, 7])) AS t(v)",
            "[1, 7]",
        ),
    },
    Aggregate {
        name: "bitmap_agg",
        about: "The set of the values of a group. NULLs are skipped; an empty bitmap without a \
                value that is not NULL. A negative value is an error; with tagmill.dialect = \
                'doris' it is counted from 2^64 down, with 'starrocks' it is left out.",
        takes: Takes::Anything(Elements::Checked),
        fold: Fold::Or,
        gives: Gives::Bitmap,
        example: (
            "SELECT bitmap_to_string(bitmap_agg(v)) FROM (VALUES (5), (1), (5)) AS t(v)",
            "1,5",
        ),
    },
    Aggregate {
        name: "doris_bitmap_agg",
        about: "The set of the values of a group. NULLs are skipped; an empty bitmap without a \
                value that is not NULL. What bitmap_agg is with tagmill.dialect = 'doris'.",
        takes: Takes::Anything(Elements::Wrapped(64)),
        fold: Fold::Or,
        gives: Gives::Bitmap,
        example: (
            "SELECT bitmap_to_string(doris_bitmap_agg(v)) FROM (VALUES (5), (-1)) AS t(v)",
            "5,18446744073709551615",
        ),
    },
    Aggregate {
        name: "starrocks_bitmap_agg",
        about: "The set of those values of a group that are elements. NULLs are skipped; an empty \
                bitmap without a value. What bitmap_agg is with tagmill.dialect = 'starrocks'.",
        takes: Takes::Anything(Elements::Fitting),
        fold: Fold::Or,
        gives: Gives::Bitmap,
        example: (
            "SELECT bitmap_to_string(starrocks_bitmap_agg(v)) FROM (VALUES (5), (-1)) AS t(v)",
            "5",
        ),
    },
    Aggregate {
        name: "bitmap_union_int",
        about: "Number of different values of a group, of either sign, as in Doris and StarRocks. \
                NULLs are skipped; 0 without a value that is not NULL.",
        takes: Takes::Numbers(Elements::Wrapped(64)),
        fold: Fold::Or,
        gives: Gives::Count,
        example: (
            "SELECT bitmap_union_int(v) FROM (VALUES (5), (-5), (5)) AS t(v)",
            "2",
        ),
    },
    Aggregate {
        name: "rb_build_agg",
        about: "The set of the values of a group, of 32 bits. NULLs are skipped; NULL without a \
                value that is not NULL.",
        takes: Takes::Numbers(Elements::Wrapped(32)),
        fold: Fold::Or,
        gives: Gives::BitmapOrNull,
        example: (
            "SELECT rb_to_array(rb_build_agg(v)) FROM (VALUES (5), (-1)) AS t(v)",
            "[5, 4294967295]",
        ),
    },
    Aggregate {
        name: "rb64_build_agg",
        about: "The set of the values of a group, of 64 bits. NULLs are skipped; NULL without a \
                value that is not NULL.",
        takes: Takes::Numbers(Elements::Wrapped(64)),
        fold: Fold::Or,
        gives: Gives::BitmapOrNull,
        example: (
            "SELECT rb64_to_array(rb64_build_agg(v)) FROM (VALUES (5), (-1)) AS t(v)",
            "[5, 18446744073709551615]",
        ),
    },
    Aggregate {
        name: "rb_or_cardinality_agg",
        about: "Number of values that are in any bitmap of a group. NULLs are skipped; NULL \
                without a bitmap that is not NULL.",
        takes: Takes::Bitmaps,
        fold: Fold::Or,
        gives: Gives::CountOrNull,
        example: (
            "SELECT rb_or_cardinality_agg(rb_build(v)) FROM (VALUES ([1, 3]), ([3, 7])) AS t(v)",
            "3",
        ),
    },
    Aggregate {
        name: "rb_and_cardinality_agg",
        about: "Number of values that are in every bitmap of a group. NULLs are skipped; NULL \
                without a bitmap that is not NULL.",
        takes: Takes::Bitmaps,
        fold: Fold::And,
        gives: Gives::CountOrNull,
        example: (
            "SELECT rb_and_cardinality_agg(rb_build(v)) FROM (VALUES ([1, 3]), ([3, 7])) AS t(v)",
            "1",
        ),
    },
    Aggregate {
        name: "rb_xor_cardinality_agg",
        about: "Number of values that are in an odd number of a group's bitmaps. NULLs are \
                skipped; NULL without a bitmap that is not NULL.",
        takes: Takes::Bitmaps,
        fold: Fold::Xor,
        gives: Gives::CountOrNull,
        example: (
            "SELECT rb_xor_cardinality_agg(rb_build(v)) FROM (VALUES ([1, 3]), ([3, 7])) AS t(v)",
            "2",
        ),
    },
];
