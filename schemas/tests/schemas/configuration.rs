//! A configuration like the documented one, read into types; defaults; what changes the hash.

use std::time::Duration;

use tagmill_schemas::config::{
    AppColumn, AppLimits, Content, DayBy, LateEvent, LatePolicy, Measure, RowLimits, SourceKind,
    UndeclaredEvent, UndeclaredTag, parse_duration,
};
use tagmill_schemas::{Config, IdScope, ValueType};

use crate::fixture;

/// The least that can be written.
pub(crate) const LEAST: &str =
    "version = 1\n[warehouse]\nurl = \"w\"\ntime_zone = \"UTC\"\nid_scope = \"global\"\n";

fn parse(text: &str) -> Config {
    Config::parse(text, "warehouse.toml").unwrap_or_else(|error| panic!("{error}"))
}

fn documented() -> Config {
    parse(&fixture("warehouse.toml"))
}

fn pair(name: &str, expression: &str) -> (String, String) {
    (name.to_owned(), expression.to_owned())
}

#[test]
fn reads_warehouse_run_retention_and_groups() {
    let config = documented();
    assert_eq!(config.warehouse.url, "s3://acme-audience/prod");
    assert_eq!(
        (config.warehouse.shards.get(), config.warehouse.id_scope),
        (16, IdScope::Global)
    );
    assert_eq!(config.warehouse.time_zone, chrono_tz::Asia::Shanghai);
    assert_eq!(
        (
            config.run.memory,
            config.run.threads,
            config.run.spill.as_str()
        ),
        (Some(16_000_000_000), 0, "spill")
    );
    assert_eq!(
        (
            config.retention.releases,
            config.retention.behaviour_days,
            config.retention.rejects_days
        ),
        (Some(14), 120, 14)
    );
    let groups = config.groups.unwrap();
    assert_eq!(groups.rules, "s3://acme-conf/groups/*.ndjson");
    assert_eq!(
        (groups.lists.as_deref(), groups.max_new_invalid),
        (Some("s3://acme-conf/lists/{app}/{list}.csv"), 0.02)
    );
}

#[test]
fn limits_of_an_app_extend_the_default() {
    let limits = documented().limits;
    assert_eq!(*limits.of("tea_shop"), AppLimits::default());
    assert_eq!(
        *limits.of("mega_mart"),
        AppLimits {
            groups: 5_000,
            ..AppLimits::default()
        }
    );
}

/// What decides whether a night is published is no part of what it computes.
#[test]
fn only_limits_that_decide_what_is_computed_are_in_the_hash() {
    let parse = |keys: &str, groups: &str| {
        let text = format!(
            "version = 1\n[warehouse]\nurl = 'w'\nshards = 1\ntime_zone = 'UTC'\nid_scope = \
             'app'\n[groups]\nrules = 'r/*.ndjson'\n{groups}[[source]]\nname = 'p'\nkind = \
             'attributes'\npath = 'p/{{date}}/*/*.parquet'\ncolumns = {{ app = 'a', user = 'u' \
             }}\n{keys}"
        );
        Config::parse(&text, "w.toml").unwrap()
    };
    let plain = parse("", "");
    assert_eq!(plain.sources[0].limits, RowLimits::default());
    let keys = "max_rejected = { no_time = '1%', bad_value = '2%', share = '30%' }\nmin_rows = \
                1_000\nmin_of_last = '50%'\n";
    let config = parse(keys, "max_lost = '10%'\nmax_removed = '100%'\n");
    assert_eq!(
        config.sources[0].limits,
        RowLimits {
            max_rejected: 0.3,
            max_by_reason: vec![("bad_value".to_owned(), 0.02), ("no_time".to_owned(), 0.01)],
            min_rows: Some(1_000),
            min_of_last: Some(0.5),
        }
    );
    let groups = config.groups.unwrap();
    let limits = (groups.max_lost, groups.max_removed, groups.max_lost_days);
    assert_eq!(limits, (0.1, 1.0, 7));
    // The shares decide which apps are set aside, and so what a run computes.
    assert_ne!(config.hash, plain.hash);
    let fewest = "max_rejected = '20%'\nmin_rows = 1_000\nmin_of_last = '50%'\n";
    let fewest = parse(fewest, "max_lost = '10%'\nmax_removed = '100%'\n");
    assert_eq!(fewest.hash, plain.hash);
    assert_ne!(parse("", "max_lost_days = 3\n").hash, plain.hash);
    let short = parse("max_rejected = '5%'\n", "");
    assert_eq!(short.sources[0].limits.max_rejected, 0.05);

    let ready = parse("ready = { path = 'p/{date}/*.done', count = 24 }\n", "");
    assert_eq!(
        (
            ready.sources[0].ready.as_deref(),
            ready.sources[0].ready_count
        ),
        (Some("p/{date}/*.done"), Some(24))
    );
    let ready = parse("ready = 'p/{date}/*/_SUCCESS'\n", "");
    assert_eq!(ready.sources[0].ready_count, None);
}

#[test]
fn reads_attributes() {
    let config = documented();
    let source = config.source("profiles").unwrap();
    assert_eq!(source.path, "s3://acme-raw/profiles/dt={date}/*.parquet");
    assert_eq!(
        source.ready.as_deref(),
        Some("s3://acme-raw/profiles/dt={date}/_SUCCESS")
    );
    assert_eq!(source.content, Content::Snapshot);
    assert_eq!(
        (source.late.policy, source.late.max_days, source.late.wait),
        (LatePolicy::Carry, Some(3), None)
    );
    assert_eq!(
        (&source.columns.app, source.columns.user.as_str()),
        (&AppColumn::Column("mini_app_id".into()), "openid")
    );
    assert_eq!(source.nulls, ["", "NULL", "\\N", "unknown"]);
    assert_eq!(source.filter.as_deref(), Some("is_test IS NOT TRUE"));
    assert_eq!(source.reject, [pair("bad_birth", "birth_date > $date")]);
    assert_eq!(source.clean, [pair("gender", "upper(trim(gender))")]);
    assert_eq!(
        source.kind,
        SourceKind::Attributes {
            dedupe: Some("updated_at".into())
        }
    );
}

#[test]
fn reads_group_tags() {
    let config = documented();
    let SourceKind::GroupTags {
        tag,
        value,
        registry,
        undeclared,
        dedupe,
    } = &config.source("labels").unwrap().kind
    else {
        panic!("labels are group tags");
    };
    assert_eq!((tag.as_str(), value.as_str()), ("tag_name", "tag_value"));
    assert_eq!(registry.as_deref(), Some("s3://acme-conf/tags/*.ndjson"));
    assert_eq!((*undeclared, dedupe), (UndeclaredTag::String, &None));
}

#[test]
fn reads_behaviour_with_dimensions_by_name() {
    let config = documented();
    let source = config.source("platform").unwrap();
    let events = source.kind.events().unwrap();
    assert_eq!(
        (source.kind.name(), source.late.policy),
        ("behaviour", LatePolicy::Required)
    );
    assert_eq!(
        (events.event.as_str(), events.time.as_deref()),
        ("event", Some("ts"))
    );
    assert_eq!(
        (events.day.by, events.day.late),
        (DayBy::Time, LateEvent::Reject)
    );
    assert_eq!(events.dedupe, ["event_id"]);
    assert_eq!(events.events, ["visit", "share", "add_to_cart", "purchase"]);
    let dimensions = [
        pair("channel", "coalesce(utm_source, 'direct')"),
        pair("city", "initcap(trim(city))"),
        pair("os", "lower(os)"),
    ];
    assert_eq!(events.dimensions, dimensions);
    let amount = Measure {
        name: "amount".into(),
        value: "amount_cents / 100.0".into(),
        scale: 2,
        events: vec!["purchase".into()],
    };
    assert_eq!(events.measures, [amount]);
    assert_eq!((&events.properties, &events.registry), (&None, &None));
}

#[test]
fn reads_custom_events() {
    let config = documented();
    let source = config.source("custom").unwrap();
    let events = source.kind.events().unwrap();
    assert_eq!(
        (source.kind.name(), source.late.policy),
        ("custom_events", LatePolicy::Skip)
    );
    assert_eq!(events.properties.as_deref(), Some("props"));
    assert_eq!(
        events.registry.as_deref(),
        Some("s3://acme-conf/events/*.ndjson")
    );
    assert_eq!(events.undeclared, UndeclaredEvent::Ignore);
    assert!(events.dedupe.is_empty() && events.events.is_empty() && events.dimensions.is_empty());
}

#[test]
fn reads_tags_in_the_order_of_the_file() {
    let tags = documented().tags;
    let names: Vec<_> = tags
        .iter()
        .map(|tag| {
            (
                tag.name.as_str(),
                tag.source.as_str(),
                tag.value_type,
                tag.multi,
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            ("gender", "profiles", Some(ValueType::String), false),
            ("interests", "profiles", Some(ValueType::String), true),
            ("*", "labels", None, false)
        ]
    );
    assert_eq!(
        tags[1].value.as_deref(),
        Some("string_to_array(interests, '|')")
    );
}

#[test]
fn the_least_configuration_has_the_documented_defaults() {
    let config = parse(LEAST);
    assert_eq!(config.warehouse.shards.get(), 16);
    assert_eq!(
        (
            config.run.memory,
            config.run.threads,
            config.run.spill.as_str()
        ),
        (None, 0, "spill")
    );
    assert_eq!(
        (
            config.retention.releases,
            config.retention.behaviour_days,
            config.retention.rejects_days
        ),
        (None, 120, 14)
    );
    assert!(config.sources.is_empty() && config.tags.is_empty() && config.groups.is_none());
    let source = "[[source]]\nname = \"p\"\nkind = \"attributes\"\npath = \"p\"\ncolumns = \
                  { app = \"'o''clock'\", user = \"u\" }\nlate = { wait = \"90m\" }\n";
    let source = &parse(&format!("{LEAST}{source}")).sources[0];
    assert_eq!(source.columns.app, AppColumn::Constant("o'clock".into()));
    assert_eq!(
        (source.content, source.late.policy),
        (Content::Snapshot, LatePolicy::Required)
    );
    assert_eq!(source.late.wait, parse_duration("90m").ok());
    assert_eq!(source.late.wait, Some(Duration::from_secs(5_400)));
    assert!(source.ready.is_none() && source.nulls.is_empty() && source.reject.is_empty());
}

#[test]
fn reject_rules_keep_the_order_of_the_file() {
    let source = "[[source]]\nname = \"p\"\nkind = \"attributes\"\npath = \"p\"\ncolumns = \
                  { app = \"a\", user = \"u\" }\n[source.reject]\nz = \"1\"\na = \"2\"\nm = \
                  \"3\"\n";
    let reasons: Vec<_> = parse(&format!("{LEAST}{source}"))
        .sources
        .remove(0)
        .reject
        .into_iter()
        .map(|(reason, _)| reason)
        .collect();
    assert_eq!(reasons, ["z", "a", "m"]);
}

#[test]
fn reads_zones_of_times_and_folders_of_days() {
    use chrono_tz::Tz;
    use tagmill_schemas::config::{Folders, NaiveTimes};
    let shanghai = Tz::Asia__Shanghai;
    let config = documented();
    let zone = |name: &str| config.source(name).unwrap().naive_zone(shanghai);
    assert_eq!((zone("platform"), zone("profiles")), (Tz::UTC, shanghai));
    let text = fixture("warehouse.toml");
    let day = "day     = { by = \"time\", late = \"reject\" }";
    assert!(text.contains(day));
    for (said, naive, folders) in [
        (
            "naive_times = \"local\"\nday = {}",
            NaiveTimes::Local,
            (0, 0),
        ),
        (
            "naive_times = \"UTC\"\nday = { folders = [\"{date}\", \"{date-1}\"] }",
            NaiveTimes::Zone(Tz::UTC),
            (-1, 0),
        ),
    ] {
        let config = parse(&text.replacen(day, said, 1));
        let source = config.source("platform").unwrap();
        let (first, last) = folders;
        let events = source.kind.events().unwrap();
        assert_eq!(source.naive_times, Some(naive), "{said}");
        assert_eq!(events.day.folders, Folders { first, last }, "{said}");
        assert_ne!(config.hash, documented().hash, "{said}");
    }
}

#[test]
fn the_hash_is_of_what_changes_the_result() {
    let text = fixture("warehouse.toml");
    let hash = parse(&text).hash;
    assert!(hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let same = [
        ("# 1 ----", "# one ----"),
        ("\"16GB\"", "\"1GB\""),
        ("threads  = 0", "threads = 8"),
        ("releases       = 14", "releases = 15"),
        ("s3://acme-audience/prod", "/elsewhere"),
        ("content = \"snapshot\"", "# content is snapshot"),
        (
            "os      = \"lower(os)\"\nchannel = \"coalesce(utm_source, 'direct')\"",
            "channel = \"coalesce(utm_source, 'direct')\"\nos = \"lower(os)\"",
        ),
    ];
    for (from, to) in same {
        assert!(text.contains(from), "{from}");
        assert_eq!(parse(&text.replacen(from, to, 1)).hash, hash, "{to}");
    }
    let different = [
        ("lower(os)", "upper(os)"),
        ("shards    = 16", "shards = 8"),
        ("groups = 500", "groups = 501"),
        ("Asia/Shanghai", "UTC"),
    ];
    for (from, to) in different {
        assert!(text.contains(from), "{from}");
        assert_ne!(parse(&text.replacen(from, to, 1)).hash, hash, "{to}");
    }
}
