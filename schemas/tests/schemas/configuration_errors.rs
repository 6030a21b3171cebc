//! What a configuration can get wrong: every message says what, where and, if something is near,
//! what was meant.

use tagmill_schemas::Config;
use tagmill_schemas::error::Kind;

use crate::configuration::LEAST;
use crate::fixture;

const ATTRIBUTES: &str = "[[source]]\nname = \"p\"\nkind = \"attributes\"\npath = \
                          \"p/{date}\"\ncolumns = { app = \"a\", user = \"u\" }\n";
const EVENTS: &str = "[[source]]\nname = \"e\"\nkind = \"behaviour\"\npath = \"e/*\"\ncolumns = \
                      { app = \"a\", user = \"u\", event = \"n\", time = \"t\" }\n";
const CUSTOM: &str = "[[source]]\nname = \"c\"\nkind = \"custom_events\"\npath = \"c/*\"\ncolumns \
                      = \
                      { app = \"a\", user = \"u\", event = \"n\", time = \"t\", properties = \"p\" }\n";
const VERTICAL: &str = "[[source]]\nname = \"l\"\nkind = \"group_tags\"\npath = \"l\"\ncolumns = \
                        { app = \"a\", user = \"u\", tag = \"t\", value = \"v\" }\n";

fn refuse(text: &str) -> String {
    let error = Config::parse(text, "w.toml").expect_err("is refused");
    assert_eq!(
        (error.kind(), error.exit_code(), error.stage()),
        (Kind::Setup, 2, "configuration"),
        "{error}"
    );
    assert_eq!(error.count(), 1, "{:?}", error.problems());
    let position = error.position().expect("is in a line");
    let place = format!("w.toml:{}", position.line);
    // Columns have a test of their own.
    error.to_string().replace(&position.to_string(), &place)
}

/// The sentence between stage and the note on retries, for the least configuration with `more`
/// after it.
fn refuse_more(more: &str) -> String {
    let message = refuse(&format!("{LEAST}{more}"));
    let sentence = message
        .strip_prefix("configuration: ")
        .and_then(|rest| rest.strip_suffix("; a retry can not help"));
    sentence.unwrap_or_else(|| panic!("{message}")).to_owned()
}

fn check(cases: &[(String, &str)]) {
    for (more, expected) in cases {
        assert_eq!(refuse_more(more), *expected, "{more}");
    }
}

#[test]
fn the_documented_file_with_a_mistyped_key_names_line_and_nearest_key() {
    let text = fixture("warehouse.toml").replacen("dedupe  = { keep", "dedup = { keep", 1);
    let line = 1 + text
        .lines()
        .position(|line| line.starts_with("dedup ="))
        .unwrap();
    let expected = format!(
        "configuration: unknown key \"dedup\" in [[source]] \"profiles\", at w.toml:{line}; did \
         you mean \"dedupe\"; a retry can not help"
    );
    assert_eq!(refuse(&text), expected);
}

#[test]
fn refuses_text_that_is_not_toml_with_its_line() {
    let message = refuse("version = 1\n[warehouse\n");
    assert!(
        message.starts_with("configuration: not toml: ") && message.contains("at w.toml:2"),
        "{message}"
    );
    assert!(refuse("a = 1\na = 2\n").contains("duplicate key"));
}

#[test]
fn refuses_other_versions_and_none() {
    assert!(refuse("").contains("missing key \"version\" in the configuration, at w.toml:1"));
    assert!(
        refuse("version = 2\nnew = 1\n")
            .contains("version 2 is not in this version, which reads 1, at w.toml:1")
    );
    assert!(refuse("version = \"1\"\n").contains("found version = \"1\", expected the number 1"));
}

#[test]
fn refuses_what_is_not_built_yet() {
    check(&[
        (
            "[[check]]\nname = \"x\"\n".into(),
            "[[check]] is not in this version, at w.toml:6; remove it",
        ),
        (
            "[[tag]]\nname = \"spend\"\nsource = \"behaviour\"\ntype = \"double\"\n".into(),
            "a tag with source = \"behaviour\" is not in this version, at w.toml:8; remove it",
        ),
    ]);
}

#[test]
fn a_missing_key_is_named_with_its_section() {
    check(&[
        (
            "[[source]]\nkind = \"attributes\"\n".into(),
            "missing key \"name\" in [[source]], at \
                                                        w.toml:6",
        ),
        (
            "[[source]]\nname = \"p\"\n".into(),
            "missing key \"kind\" in [[source]] \"p\", at \
                                               w.toml:6",
        ),
        (
            ATTRIBUTES.replace("path = \"p/{date}\"\n", ""),
            "missing key \"path\" in [[source]] \"p\", at w.toml:6",
        ),
        (
            "[[source]]\nname = \"p\"\nkind = \"attributes\"\npath = \"x\"\n".into(),
            "missing key \"columns\" in [[source]] \"p\", at w.toml:6",
        ),
        (
            "[[source]]\nname = \"p\"\nkind = \"attributes\"\npath = \"x\"\ncolumns = \
             { app = \"a\" }\n"
                .into(),
            "missing key \"user\" in columns of [[source]] \"p\", at w.toml:10",
        ),
        (
            EVENTS.replace("behaviour", "custom_events") + "registry = \"r\"\n",
            "missing key \"properties\" in columns of \
                                                        [[source]] \"e\", at w.toml:10",
        ),
        (
            format!("{ATTRIBUTES}[[tag]]\nname = \"t\"\nsource = \"p\"\nvalue = \"v\"\n"),
            "missing key \"type\" in \
            [[tag]] \"t\", at w.toml:11",
        ),
        (
            format!("{ATTRIBUTES}[[tag]]\nname = \"t\"\nsource = \"p\"\ntype = \"date\"\n"),
            "missing key \"value\" in [[tag]] \"t\", at w.toml:11",
        ),
        (
            "[groups]\n".into(),
            "missing key \"rules\" in [groups], at w.toml:6",
        ),
    ]);
    let none = refuse("version = 1\n");
    assert!(none.contains("missing key \"warehouse\" in the configuration, at w.toml:1"));
    let url = refuse(&LEAST.replacen("url", "#", 1));
    assert!(
        url.contains("missing key \"url\" in [warehouse], at w.toml:2"),
        "{url}"
    );
}

#[test]
fn unknown_keys_are_refused_everywhere() {
    check(&[
        (
            "[warehouse2]\n".into(),
            "unknown key \"warehouse2\" in the configuration, at w.toml:6; did you mean \
             \"warehouse\"",
        ),
        (
            "[run]\nmemori = \"1GB\"\n".into(),
            "unknown key \"memori\" in [run], at w.toml:7; did you mean \"memory\"",
        ),
        (
            "[run]\nx = 1\n".into(),
            "unknown key \"x\" in [run], at w.toml:7; expected one of memory, threads, spill",
        ),
        (
            "[limits.app.tea]\ngroup = 1\n".into(),
            "unknown key \"group\" in [limits.app.tea], at w.toml:7; did you mean \"groups\"",
        ),
        (
            format!("{ATTRIBUTES}late = {{ polcy = \"skip\" }}\n"),
            "unknown key \"polcy\" in late of [[source]] \"p\", at w.toml:11; did you mean \
             \"policy\"",
        ),
        (
            format!("{EVENTS}[source.measures]\na = {{ value = \"x\", scal = 2 }}\n"),
            "unknown key \"scal\" in measure \"a\", at w.toml:12; did you mean \"scale\"",
        ),
    ]);
}

#[test]
fn a_key_of_another_kind_is_explained() {
    check(&[
        (
            format!("{ATTRIBUTES}[source.dimensions]\ncity = \"city\"\n"),
            "key \"dimensions\" does not go with kind = \"attributes\", at w.toml:11; it belongs \
             to behaviour",
        ),
        (
            format!("{CUSTOM}events = [\"buy\"]\nregistry = \"r\"\n"),
            "key \"events\" does not go with kind = \"custom_events\", at w.toml:11; it belongs \
             to behaviour",
        ),
        (
            format!("{EVENTS}content = \"snapshot\"\n"),
            "key \"content\" does not go with kind = \"behaviour\", at w.toml:11; it belongs to \
             attributes and group_tags",
        ),
        (
            format!("{EVENTS}late = {{ policy = \"carry\" }}\n"),
            "source \"e\": policy = \"carry\" would count yesterday's events again, at w.toml:6; \
             use required or skip",
        ),
        (
            format!("{EVENTS}day = {{ by = \"path\" }}\n"),
            "source \"e\": day by = \"path\" needs a path with {date}, at w.toml:6",
        ),
        (
            format!("{ATTRIBUTES}late = {{ policy = \"skip\", max_days = 3 }}\n"),
            "max_days goes only with policy = \"carry\", at w.toml:11",
        ),
    ]);
}

#[test]
fn words_and_numbers_outside_their_range_are_refused() {
    check(&[
        (
            "[[source]]\nname = \"p\"\nkind = \"atributes\"\n".into(),
            "found kind = \"atributes\", expected one of attributes, group_tags, behaviour, \
             custom_events, at w.toml:8; did you mean \"attributes\"",
        ),
        (
            format!(
                "{ATTRIBUTES}[[tag]]\nname = \"t\"\nsource = \"p\"\ntype = \"strng\"\nvalue = \
                 \"t\"\n"
            ),
            "found type = \"strng\", expected one of string, integer, double, date, boolean, at \
             w.toml:14; did you mean \"string\"",
        ),
        (
            "[run]\nmemory = \"16\"\n".into(),
            "memory: found \"16\", expected a size like \"16GB\" or \"512MiB\", at w.toml:7",
        ),
        (
            "[run]\nmemory = 16\n".into(),
            "found memory = 16, expected text that is not empty, at w.toml:7",
        ),
        (
            "[run]\nthreads = -1\n".into(),
            "found threads = -1, expected a whole number from 0 to 4096, at w.toml:7",
        ),
        (
            "[groups]\nrules = \"r\"\nmax_new_invalid = \"2\"\n".into(),
            "max_new_invalid: found \"2\", expected a percentage from \"0%\" to \"100%\", at \
             w.toml:8",
        ),
        (
            format!("{ATTRIBUTES}max_rejected = {{ no_time = 1 }}\n"),
            "found no_time = 1, expected text that is not empty, at w.toml:11",
        ),
        (
            format!("{ATTRIBUTES}ready = \"p/*.done\"\n"),
            "source \"p\": ready has a * that does not stand in a folder of path, so nobody knows how \
             many markers there will be, at w.toml:6; say how many: ready = { path = \"…\", count = 24 }",
        ),
        (
            format!("{ATTRIBUTES}late = {{ wait = \"90\" }}\n"),
            "wait: found \"90\", expected a duration like \"90m\": s, m, h or d, at w.toml:11",
        ),
        (
            format!("{ATTRIBUTES}nulls = \"x\"\n"),
            "found nulls = \"x\", expected a list, at w.toml:11",
        ),
        (
            format!("{ATTRIBUTES}filter = \" \"\n"),
            "found filter = \" \", expected text that is not empty, at w.toml:11",
        ),
        (
            format!("{EVENTS}dedupe = {{ key = [\"a\",\n\"a\"] }}\n"),
            "\"a\" is twice in key, at w.toml:12",
        ),
    ]);
    assert!(
        refuse(&LEAST.replace("UTC", "Asia/Shangai"))
            .contains("expected an IANA time zone like \"Asia/Shanghai\", at w.toml:4")
    );
    assert!(
        refuse(&LEAST.replace("id_scope", "shards = 65537\nid_scope"))
            .contains("found shards = 65537, expected a whole number from 1 to 65536")
    );
}

#[test]
fn placeholders_have_to_be_known() {
    check(&[
        (
            ATTRIBUTES.replace("{date}", "{dat}"),
            "unknown placeholder {dat} in path, at w.toml:9; did you mean {date}",
        ),
        (
            ATTRIBUTES.replace("{date}", "{date"),
            "found path = \"p/{date\", expected every { closed by a }, at w.toml:9",
        ),
        (
            ATTRIBUTES.replace("{date}", "{date:%H}"),
            "unknown placeholder {date:%H} in path, at w.toml:9; write {date}, {date-1} for the day \
             before, or {date:%Y%m%d} with %Y %y %m %d %j",
        ),
        (
            "[groups]\nrules = \"r\"\nlists = \"l/{app}.csv\"\n".into(),
            "found lists = \"l/{app}.csv\", expected a path with {list}, the list's name, at \
             w.toml:8",
        ),
        (
            "[groups]\nrules = \"r\"\nlists = \"l/{app}-{list}.csv\"\n".into(),
            "found lists = \"l/{app}-{list}.csv\", expected {app} and {list} in different folder \
             or file names, at w.toml:8",
        ),
    ]);
}

#[test]
fn folders_are_neighbours_of_the_date_in_a_path_with_dates() {
    let events = |path: &str, day: &str| {
        let events = EVENTS.replace("e/*", path);
        format!("{events}day = {day}\n")
    };
    check(&[
        (
            events("e/{date}", "{ folders = [\"{date-2}\", \"{date}\"] }"),
            "found folders = a array, expected each day once, {date} among them, without a gap, at \
             w.toml:11",
        ),
        (
            events("e/{date}", "{ folders = [\"yesterday\"] }"),
            "found folders = \"yesterday\", expected {date}, {date-1} for the day before, up to \
             {date+7}, at w.toml:11",
        ),
        (
            events("e/{date:%Y}", "{ folders = [\"{date-1}\", \"{date}\"] }"),
            "source \"e\": day.folders needs a path with {date}, at w.toml:6",
        ),
        (
            events(
                "e/{date}",
                "{ by = \"path\", folders = [\"{date-1}\", \"{date}\"] }",
            ),
            "source \"e\": day.folders goes only with day by = \"time\", at w.toml:6",
        ),
        (
            format!("{EVENTS}naive_times = \"Asia/Shangai\"\n"),
            "naive_times: found \"Asia/Shangai\", expected an IANA time zone like \
             \"Asia/Shanghai\", \"UTC\" or \"local\", at w.toml:11",
        ),
    ]);
}

#[test]
fn names_are_unique_and_sources_exist() {
    let tag = "[[tag]]\nname = \"t\"\nsource = \"p\"\ntype = \"date\"\nvalue = \"t\"\n";
    check(&[
        (
            format!("{ATTRIBUTES}{ATTRIBUTES}"),
            "source \"p\" is defined twice, at w.toml:11",
        ),
        (
            format!("{ATTRIBUTES}{tag}{tag}"),
            "tag \"t\" is defined twice, first from source \"p\", at w.toml:16",
        ),
        (
            format!("{ATTRIBUTES}{}", tag.replace("\"p\"", "\"q\"")),
            "unknown source \"q\", at w.toml:13; did you mean \"p\"",
        ),
        (
            format!("{EVENTS}{}", tag.replace("\"p\"", "\"e\"")),
            "found source \"e\" of kind \"behaviour\", expected one of attributes or group_tags, \
             at w.toml:13",
        ),
        (
            ATTRIBUTES.replace("\"p\"", "\"behaviour\""),
            "found source name \"behaviour\", expected ASCII letters, digits and _, not beginning \
             with a digit, and not \"behaviour\", at w.toml:6",
        ),
    ]);
}

#[test]
fn a_tag_fits_its_source() {
    let every = "[[tag]]\nname = \"*\"\nsource = \"p\"\n";
    check(&[
        (
            format!("{ATTRIBUTES}{every}"),
            "tag \"*\" needs a source of kind = \"group_tags\", found \"p\" of kind \
             \"attributes\", at w.toml:11; name each tag of this source",
        ),
        (
            format!(
                "{VERTICAL}{}type = \"date\"\n",
                every.replace("\"p\"", "\"l\"")
            ),
            "\"type\" can not be given for tag \"*\", at w.toml:14; say it in the registry's rows",
        ),
        (
            format!(
                "{VERTICAL}[[tag]]\nname = \"t\"\nsource = \"l\"\ntype = \"date\"\nvalue = \"x\"\n"
            ),
            "source \"l\" has its values in one column, at w.toml:15; remove the tag's value",
        ),
        (
            format!(
                "{ATTRIBUTES}[[tag]]\nname = \"t\"\nsource = \"p\"\ntype = \"integer\"\nvalue = \
                 \"x\"\nscale = 2\n"
            ),
            "found a scale for type integer, expected one only for double, at w.toml:16",
        ),
    ]);
}

#[test]
fn a_measure_is_not_the_count_and_names_events_of_its_source() {
    check(&[
        (
            format!("{EVENTS}[source.measures]\n\"*\" = {{ value = \"x\" }}\n"),
            "measure \"*\" is the number of events, which every event has, at w.toml:12; give it \
             another name",
        ),
        (
            format!(
                "{EVENTS}events = [\"purchase\"]\n[source.measures]\nm = \
                 {{ value = \"x\", events = [\"purchas\"] }}\n"
            ),
            "measure \"m\": event \"purchas\" is not among the source's events, at w.toml:13; did \
             you mean \"purchase\"",
        ),
    ]);
}

#[test]
fn a_funnel_has_steps_in_order_and_a_window_and_its_sources_have_times() {
    let funnel = |keys: &str| format!("{EVENTS}[[funnel]]\nname = \"f\"\n{keys}\n");
    let steps = "steps = [\"a\", \"b\"]";
    check(&[
        (
            funnel(&format!("{steps}\nwindow = \"8d\"")),
            "found window = \"8d\", expected a duration from \"1s\" to \"7d\", at w.toml:14",
        ),
        (
            funnel("steps = [\"a\"]\nwindow = \"1h\""),
            "found steps = a array, expected from 2 to 16 steps, at w.toml:13",
        ),
        (
            funnel(&format!("{steps}\nwindow = \"1h\"\norder = \"any\"")),
            "order = \"any\" is not in this version, at w.toml:15; leave it out: steps are taken in \
             their order",
        ),
        (
            funnel("steps = [\"a\", { event = \"b\", were = \"x\" }]\nwindow = \"1h\""),
            "unknown key \"were\" in a step of [[funnel]], at w.toml:13; did you mean \"where\"",
        ),
    ]);
}

#[test]
fn a_funnel_changes_the_hash_and_none_does_not() {
    let events = format!("{LEAST}{EVENTS}");
    let funnel = |steps: &str| {
        format!("{events}[[funnel]]\nname = \"f\"\nsteps = [{steps}]\nwindow = \"1h\"\n")
    };
    let hash = |text: &str| Config::parse(text, "w.toml").unwrap().hash;
    let (plain, one) = (funnel("\"a\", \"b\""), funnel("\"a\", \"c\""));
    assert_ne!(hash(&events), hash(&plain));
    assert_ne!(hash(&plain), hash(&one));
    let table = funnel("{ event = \"a\" }, \"b\"");
    assert_eq!(hash(&plain), hash(&table));
    let definition = |text: &str| Config::parse(text, "w.toml").unwrap().funnels[0].definition();
    assert_eq!(definition(&plain), definition(&table));
    assert_ne!(definition(&plain), definition(&one));
}
