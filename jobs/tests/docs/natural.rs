//! What a person asks who knows ClickHouse, Doris or `pg_roaringbitmap` and not tagmill, of the
//! demonstration's release: each answer is right, or told with a note, or refused.

use crate::lab::Lab;

enum Answer {
    /// The last row.
    Right(&'static str),
    /// The last row, and words of the note.
    Told(&'static str, &'static str),
    /// Words of the error.
    Refused(&'static str),
}
use Answer::{Refused, Right, Told};

/// Members of two groups of an app: 5,149 and 2,504, of which 2,327 are in both.
const GROUPS: &str = "groups WHERE app = 'tea_shop' AND \"group\" IN ('g00012', 'g00018')";
/// Who bought on a day, by city.
const CITIES: &str = "behaviour WHERE app = 'tea_shop' AND date = '2026-11-19' AND event = 'purchase' \
                      AND dimension = 'city'";
const VISITS: &str = "behaviour WHERE app = 'tea_shop' AND event = 'visit' AND dimension IS NULL AND \
                      combination IS NULL";
/// Visits from a city, and visits with a system.
const BEIJING_ANDROID: &str = "behaviour WHERE app = 'tea_shop' AND date = '2026-11-19' AND event = \
                               'visit' AND (dimension = 'city' AND value = 'Beijing' OR dimension = \
                               'os' AND value = 'android')";
const TWO_GROUPS: &str = "groups AS a, groups AS b WHERE a.app = 'tea_shop' AND b.app = 'tea_shop' AND \
                          a.\"group\" = 'g00018' AND b.\"group\" = 'g00012'";
const OF_SHARD: &str = "a row of groups is a part of a set";

/// Questions, and what becomes of them.
fn questions() -> Vec<(String, Answer)> {
    let mut all = overlaps();
    all.extend(sizes());
    all.extend(events());
    all.extend(views());
    all.extend(slices());
    all.extend(engine());
    all
}

fn overlaps() -> Vec<(String, Answer)> {
    vec![
        (format!("SELECT groupBitmapAnd(bitmap) FROM {GROUPS}"), Right("2327")),
        (format!("SELECT bitmap_count(bitmap_intersect(bitmap)) FROM {GROUPS}"), Right("2327")),
        (format!("SELECT rb_cardinality(rb_and_agg(bitmap)) FROM {GROUPS}"), Right("2327")),
        (format!("SELECT groupBitmapOr(bitmap) FROM {GROUPS}"), Right("5326")),
        (format!("SELECT rb_xor_cardinality_agg(bitmap) FROM {GROUPS}"), Right("2999")),
        (format!("SELECT intersect_count(bitmap, \"group\", 'g00012', 'g00018') FROM {GROUPS}"), Right("2327")),
        (format!("SELECT sum(n) FROM (SELECT shard, groupBitmapAnd(bitmap) AS n FROM {GROUPS} GROUP BY shard)"),
            Refused("found shard in what rows are grouped by")),
        ("SELECT groupBitmapAnd(bitmap) FROM groups WHERE app = 'tea_shop' AND \"group\" IN ('g00018', 'g0012')".to_owned(),
            Right("0")),
        (format!("SELECT sum(bitmap_andnot_count(a.bitmap, b.bitmap)) FROM {TWO_GROUPS}"),
            Refused("rows of different shards put together")),
        (format!("SELECT sum(bitmap_andnot_count(a.bitmap, b.bitmap)) FROM {TWO_GROUPS} AND a.shard = b.shard"),
            Told("2822", "a join leaves out shards")),
        (format!("SELECT sum(bitmap_and_count(a.bitmap, b.bitmap)) FROM {TWO_GROUPS}"), Right("2327")),
        (format!("SELECT max(bitmap_jaccard(a.bitmap, b.bitmap)) > 0 FROM {TWO_GROUPS}"),
            Refused("rows of different shards put together")),
        (format!("SELECT count(DISTINCT bitmap) FROM {GROUPS}"), Refused("expected one of users")),
        (format!("SET tagmill.dialect = 'spark'; SELECT bitmap_count(bitmap) FROM {GROUPS}"),
            Refused("expected a bucket of Spark")),
        (format!("SET tagmill.dialect = 'spark'; SELECT bitmap_or_agg(bitmap) FROM {GROUPS}"),
            Refused("expected a bucket of Spark")),
    ]
}

fn sizes() -> Vec<(String, Answer)> {
    let interests =
        "tags_string WHERE app = 'tea_shop' AND tag = 'interests' AND value IN ('books', 'photo')";
    vec![
        (format!("SELECT sum(cardinality) FROM {GROUPS}"), Told("7653", "users of several groups")),
        (format!("SELECT bitmap_count(bitmap) FROM {GROUPS} ORDER BY 1 DESC LIMIT 1"), Told("1325", OF_SHARD)),
        ("SELECT \"group\", cardinality FROM groups WHERE app = 'tea_shop' ORDER BY cardinality DESC LIMIT 1".to_owned(),
            Told("g00018,1325", OF_SHARD)),
        (format!("SELECT max(cardinality) FROM {GROUPS}"), Told("1325", "in one shard")),
        ("SELECT count(*) FROM groups WHERE app = 'tea_shop'".to_owned(), Told("106", "count(DISTINCT \"group\")")),
        ("SELECT count(DISTINCT \"group\") FROM groups WHERE app = 'tea_shop'".to_owned(), Right("28")),
        (format!("SELECT sum(cardinality) FROM {interests}"), Told("1464", "users of several values of a tag")),
        (format!("SELECT groupBitmapMerge(bitmap) FROM {interests}"), Right("1318")),
        ("SELECT sum(cardinality) FROM tags_string WHERE app = 'tea_shop' AND tag = 'gender'".to_owned(), Right("5184")),
        ("SELECT sum(cardinality) FROM universe".to_owned(), Told("42712", "users of several apps")),
        ("SELECT bitmap_union_count(bitmap) FROM universe".to_owned(), Right("40789")),
        ("SELECT sum(\"left\") FROM groups".to_owned(), Right("2807")),
    ]
}

fn events() -> Vec<(String, Answer)> {
    vec![
        (format!("SELECT value, sum(cardinality) FROM {CITIES} GROUP BY value"), Refused("several combinations")),
        (format!("SELECT value, sum(bitmap_count(bitmap)) FROM {CITIES} GROUP BY value"), Refused("several combinations")),
        (format!("SELECT value, groupBitmapMerge(bitmap) FROM {CITIES} AND value = 'Beijing' GROUP BY value"),
            Right("Beijing,31")),
        ("SELECT sum(cardinality) FROM behaviour WHERE app = 'tea_shop' AND date = '2026-11-19' AND event = 'purchase'".to_owned(),
            Refused("several combinations")),
        (format!("SELECT groupBitmapAnd(bitmap) FROM {BEIJING_ANDROID}"), Told("52", "in one event")),
        (format!("SELECT sum(cardinality) FROM {VISITS}"), Told("7145", "users of several dates")),
        (format!("SELECT groupBitmapOr(bitmap) FROM {VISITS}"), Right("4905")),
        (format!("SELECT groupBitmapAnd(bitmap) FROM {VISITS}"), Right("2240")),
        (format!("SELECT date, sum(cardinality) FROM {VISITS} AND date = '2026-11-19' GROUP BY date"), Right("2026-11-19,3376")),
    ]
}

/// The views have a row a set: of several, users are not to be added.
fn views() -> Vec<(String, Answer)> {
    let amounts =
        "event_stats WHERE app = 'tea_shop' AND event = 'purchase' AND measure = 'amount'";
    let purchases = "app = 'tea_shop' AND event = 'purchase'";
    vec![
        ("SELECT sum(users) FROM group_sets WHERE app = 'tea_shop'".to_owned(), Told("26919", "users of several groups")),
        ("SELECT sum(n) FROM (SELECT name, users AS n FROM group_sets WHERE app = 'tea_shop')".to_owned(),
            Told("26919", "users of several groups")),
        ("SELECT sum(users) FROM tag_sets WHERE app = 'tea_shop' AND tag = 'interests'".to_owned(),
            Told("11243", "users of several values of a tag")),
        ("SELECT sum(users) FROM tag_sets WHERE app = 'tea_shop' AND tag = 'gender'".to_owned(), Right("5184")),
        (format!("SELECT sum(users) FROM event_sets WHERE {purchases} AND dimension = 'city'"), Told("4047", "users of several dates")),
        ("SELECT sum(users) FROM event_sets('tea_shop', 'purchase', '2026-11-18..2026-11-19') WHERE dimension IS NULL".to_owned(),
            Told("3508", "users of several dates")),
        ("SELECT sum(users) FROM event_sets('tea_shop', 'purchase', '2026-11-18') WHERE dimension IS NULL".to_owned(), Right("1748")),
        ("SELECT bitmap_or_cardinality_agg(bitmap) FROM event_sets WHERE app = 'tea_shop' AND value = 'Beijing'".to_owned(),
            Told("142", "one of several dimensions")),
        (format!("SELECT floor(sum(sum) / 1000) FROM {amounts}"), Told("39655.0", "once for each")),
        (format!("SELECT floor(sum(sum) / 1000) FROM {amounts} AND dimension IS NULL"), Right("9966.0")),
        ("SELECT floor(avg(avg)) FROM tag_stats".to_owned(), Told("469.0", "a number of one set's users")),
    ]
}

/// A row of a bit slice is a binary digit of numbers.
fn slices() -> Vec<(String, Answer)> {
    let purchases = "behaviour_measures WHERE app = 'tea_shop' AND event = 'purchase'";
    let joined = "behaviour AS b JOIN behaviour_measures AS m ON m.combination = b.combination AND m.shard = b.shard";
    vec![
        (
            format!("SELECT sum(cardinality) > 0 FROM {purchases}"),
            Told("true", "a binary digit of numbers"),
        ),
        (
            format!(
                "SELECT sum(cardinality) > 0 FROM {purchases} AND measure = '*' AND slice = -1"
            ),
            Told("true", "several combinations"),
        ),
        (
            format!("SELECT sum(weight * cardinality) > 0 FROM {purchases}"),
            Told("true", "numbers of several measures"),
        ),
        (
            format!("SELECT sum(weight * cardinality) > 0 FROM {purchases} AND measure = 'amount'"),
            Right("true"),
        ),
        (
            format!("SELECT count(*) FROM {joined}"),
            Refused("a join on combination"),
        ),
        (
            format!(
                "SELECT count(*) > 0 FROM {joined} AND m.date = b.date AND m.event = b.event AND m.app = b.app"
            ),
            Right("true"),
        ),
    ]
}

fn engine() -> Vec<(String, Answer)> {
    let members = format!(
        "SELECT app, unnest(bitmap_to_array(b)) AS uid FROM (SELECT app, bitmap_or_agg(bitmap) AS b FROM {GROUPS} GROUP BY app)"
    );
    let daily = format!("SELECT date, bitmap_or_agg(bitmap) AS b FROM {VISITS} GROUP BY date");
    vec![
        (format!("SELECT count(*) FROM ({members}) JOIN (VALUES ('tea_shop')) AS t(app) USING (app)"), Right("5326")),
        (format!("SELECT count(*) FROM (SELECT DISTINCT app FROM ({members}))"), Right("1")),
        (format!("SELECT app, count(*) FROM ({members}) GROUP BY app"), Right("tea_shop,5326")),
        (format!("SELECT bitmap_union_count(b) OVER (ORDER BY date ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) FROM ({daily}) ORDER BY date"),
            Right("4905")),
        ("SELECT count(*) FROM 'floats.parquet' WHERE x > 5".to_owned(), Right("1")),
        ("SELECT count(*) FROM 'floats.parquet' WHERE x > 10".to_owned(), Right("0")),
        ("SELECT n FROM 'floats.parquet' WHERE x IN (0.0, 1.0, 2.0, 3.0)".to_owned(), Right("4")),
        ("SELECT n, x FROM 'floats.parquet' WHERE isnan(x)".to_owned(), Right("2,NaN")),
        ("SELECT k FROM (VALUES (1)) AS a(k) FULL JOIN (VALUES (2)) AS b(k) USING (k) ORDER BY k".to_owned(), Right("2")),
    ]
}

#[test]
fn no_natural_question_is_silently_wrong() {
    let lab = Lab::new();
    let folder = lab.page("natural");
    let nights = "tagmill --quiet init && tagmill --quiet run --from 2026-11-18 --to 2026-11-19";
    assert!(lab.shell(&folder, nights).status.success());
    let floats = "COPY (SELECT column1 AS n, column2 AS x FROM (VALUES (1, 1.5), (2, \
                  CAST('NaN' AS DOUBLE)), (3, 9.0), (4, CAST('-0.0' AS DOUBLE)))) \
                  TO 'floats.parquet' STORED AS PARQUET";
    assert!(lab.sql(&folder, floats).status.success());
    let questions = questions();
    assert!(questions.len() >= 30);
    let wrong = questions.iter().filter_map(|(sql, answer)| {
        let output = lab.shell(
            &folder,
            &format!("tagmill sql --format csv <<'SQL'\n{sql}\nSQL"),
        );
        let (out, err) = (lab.shown(&output.stdout), lab.shown(&output.stderr));
        let last = out.lines().last().unwrap_or_default();
        let is_as_said = match answer {
            Right(row) => last == *row && err.is_empty(),
            Told(row, note) => last == *row && err.starts_with("note: ") && err.contains(note),
            Refused(error) => output.status.code() == Some(2) && err.contains(error),
        };
        (!is_as_said).then(|| format!("{sql}\n{out}{err}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
