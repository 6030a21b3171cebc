//! The keys of `[[source]]`, of its four kinds and of the tables inside it.

use crate::config::key::{Key, Table};

/// A kind as written in the configuration, and the keys it has beside those of every kind.
pub(in crate::config) struct Kind {
    pub(super) name: &'static str,
    pub(in crate::config) own: Table,
    pub(super) columns: &'static [Key],
}

pub(in crate::config) const EVERY_KIND: Table = Table {
    title: "[[source]]",
    what: "Where raw rows come from. Every kind of source has these keys. Expressions are SQL over \
           the source's row; `$date` is the run's date, `$day_start` and `$day_end` are the \
           instants at which its local day begins and ends.",
    keys: &[
        Key::required(
            "name",
            "ASCII letters, digits and `_`",
            "the source's name, unique, and its table in `tagmill sql`: `raw.<name>`; not \
             `behaviour`",
        ),
        Key::required(
            "kind",
            "`attributes`, `group_tags`, `behaviour` or `custom_events`",
            "what a row is",
        ),
        Key::required(
            "path",
            "path or url with `{date}`, `*` and `**`",
            "the files of a date; `{date:%Y%m%d}` is another form of it, `{date-1}` the day before",
        ),
        Key::optional(
            "format",
            "`parquet`, `csv` or `ndjson`",
            "(by each file's name)",
            "how the files are written; by name: `.csv` and `.tsv`, `.ndjson`, `.jsonl` and `.json`, \
             each also with `.gz` or `.zst` behind it, else Parquet",
        ),
        Key::optional(
            "delimiter",
            "one character",
            "(`,`, of `.tsv` a tab)",
            "what stands between the fields of CSV",
        ),
        Key::optional(
            "ready",
            "path or url with `{date}` and `*`, or table",
            "(files at `path` are enough)",
            "a file that exists once the date's data is complete; with `*` in a folder that `path` has \
             too, one in each such folder that has files",
        ),
        Key::optional(
            "late",
            "table",
            "(required)",
            "what to do when the date's data is not there",
        ),
        Key::optional(
            "empty_days",
            "`refuse` or `ok`",
            "\"refuse\"",
            "`ok`: a date without files, after `late.wait` and with its `ready` marker where there \
             is one, is a day on which nothing happened; a snapshot keeps its values, with \
             `late.policy = \"carry\"` only",
        ),
        Key::optional(
            "max_rejected",
            "percentage, or table of reason = percentage with `share` for all together",
            "\"20%\"",
            "when more of the rows read of an app are rejected, the app is set aside: its last values \
             are carried; when more of all others', the night is refused; judged from 1,000 rows \
             on: `{ share = \"20%\", no_time = \"1%\" }`",
        ),
        Key::optional(
            "min_rows",
            "whole number",
            "(1 for a snapshot that had rows, else 0)",
            "with fewer rows the night is refused; 0 lets a snapshot be empty, and all of it rejected",
        ),
        Key::optional(
            "min_of_last",
            "percentage",
            "(any)",
            "with fewer rows than this share of those read last the night is refused",
        ),
        Key::required("columns", "table", "which column is what"),
        Key::optional(
            "naive_times",
            "`\"UTC\"`, `\"local\"` or an IANA name",
            "(events: UTC; the others: local)",
            "the zone of times that have none, in files and in text; `local`: that of the \
             warehouse. A time that clocks skip is moved forward by what they skip, one that they \
             show twice is the earlier",
        ),
        Key::optional(
            "nulls",
            "list of texts",
            "[]",
            "texts that mean null, compared whole and before anything else; also in bytes, lists, maps, structs, JSON and split text",
        ),
        Key::optional(
            "filter",
            "expression",
            "(every row)",
            "rows for which it is false are filtered, and counted",
        ),
        Key::optional(
            "reject",
            "table of reason = expression",
            "(none)",
            "rows for which one is true are rejected with the first such reason, in the order of \
             the file, and counted",
        ),
        Key::optional(
            "clean",
            "table of column = expression",
            "(none)",
            "what replaces a column of the files before filter, reject, tags, dimensions and \
             measures see it",
        ),
    ],
};

const CONTENT: Key = Key::optional(
    "content",
    "`snapshot` or `changes`",
    "\"snapshot\"",
    "`snapshot`: a user who is absent today has no value any more; `changes`: the last value stays, \
     a row replaces all that its user (with `group_tags`: its user and tag) had, and null clears",
);
const DEDUPE_LATEST: Key = Key::optional(
    "dedupe",
    "table",
    "(ties go by the row's bytes)",
    "which of several rows of one user, or of one user and tag, counts",
);
const DEDUPE_EVENTS: Key = Key::optional(
    "dedupe",
    "table",
    "(every row counts)",
    "which rows are the same event, sent twice",
);
const DAY_KEY: Key = Key::optional(
    "day",
    "table",
    "(by time, late ones rejected)",
    "which day an event belongs to",
);

pub(in crate::config) const ATTRIBUTES: Kind = Kind {
    name: "attributes",
    own: Table {
        title: "[[source]] with kind = \"attributes\"",
        what: "A row per user, a column per attribute; `[[tag]]` makes tags of them.",
        keys: &[CONTENT, DEDUPE_LATEST],
    },
    columns: &[APP, USER],
};

pub(in crate::config) const GROUP_TAGS: Kind = Kind {
    name: "group_tags",
    own: Table {
        title: "[[source]] with kind = \"group_tags\"",
        what: "A row per user and tag, as operators hand them out.",
        keys: &[
            CONTENT,
            DEDUPE_LATEST,
            Key::optional(
                "registry",
                "path or url with `{date}` and `*`",
                "(none)",
                "rows that declare tags: app, tag, type, multi",
            ),
            Key::optional(
                "undeclared",
                "`string`, `ignore` or `reject`",
                "\"string\"",
                "a tag that nobody declared: single-valued text, left out and counted, or its row \
                 rejected",
            ),
        ],
    },
    columns: &[APP, USER, TAG, VALUE],
};

pub(in crate::config) const BEHAVIOUR_EVENTS: Kind = Kind {
    name: "behaviour",
    own: Table {
        title: "[[source]] with kind = \"behaviour\"",
        what: "A row per event of the platform, its dimensions and measures declared here.",
        keys: &[
            DAY_KEY,
            DEDUPE_EVENTS,
            Key::optional(
                "events",
                "list of names",
                "[]",
                "the events that are indexed; `[]`: all",
            ),
            Key::optional(
                "dimensions",
                "table of name = expression",
                "(none)",
                "what users of an event are told apart by; an event without a value is in no row \
                 of the dimension: coalesce keeps it",
            ),
            Key::optional(
                "measures",
                "table of name = table",
                "(none)",
                "numbers that are added up per user; the number of events, `*`, is always there",
            ),
        ],
    },
    columns: &[APP, USER, EVENT, TIME],
};

pub(in crate::config) const CUSTOM_EVENTS: Kind = Kind {
    name: "custom_events",
    // Events, dimensions and measures are what the registry is for.
    own: Table {
        title: "[[source]] with kind = \"custom_events\"",
        what: "A row per event of a merchant, its dimensions and measures declared by registry rows.",
        keys: &[
            DAY_KEY,
            DEDUPE_EVENTS,
            Key::required(
                "registry",
                "path or url with `{date}` and `*`",
                "rows that declare events and properties: app, event, property, role, type, scale",
            ),
            Key::optional(
                "undeclared",
                "`ignore` or `reject`",
                "\"ignore\"",
                "an event or property that nobody declared: not indexed and counted per app, or its \
                 row rejected",
            ),
        ],
    },
    columns: &[APP, USER, EVENT, TIME, PROPERTIES],
};

pub(super) const KINDS: [&Kind; 4] = [&ATTRIBUTES, &GROUP_TAGS, &BEHAVIOUR_EVENTS, &CUSTOM_EVENTS];

const APP: Key = Key::required(
    "app",
    "column, or expression",
    "the app: `app = \"mini_app_id\"`, or `app = \"'shop'\"` where all rows are of one app",
);
const USER: Key = Key::required(
    "user",
    "column of text or numbers, or expression",
    "the user id; a row without one is rejected",
);
const TAG: Key = Key::required(
    "tag",
    "column, or expression",
    "of `group_tags`: the tag's name",
);
const VALUE: Key = Key::required(
    "value",
    "column, or expression",
    "of `group_tags`: its value",
);
const EVENT: Key = Key::required(
    "event",
    "column, or expression",
    "of events: the event's name; `\"'rate'\"` where all rows are one event",
);
const TIME: Key = Key::optional(
    "time",
    "column, or expression",
    "(required, unless `day = { by = \"path\" }`)",
    "of events: when it was; a day as text is its local midnight",
);
const PROPERTIES: Key = Key::required(
    "properties",
    "column, or expression",
    "of `custom_events`: a map, or JSON text",
);

pub(in crate::config) const COLUMNS: Table = Table {
    title: "columns of a source",
    what: "Columns of the files by name, or expressions: `user = \"cast(id as text)\"`, \
           `event = \"'rate'\"`.",
    keys: &[APP, USER, TAG, VALUE, EVENT, TIME, PROPERTIES],
};

pub(in crate::config) const READY: Table = Table {
    title: "ready of a source",
    what: "How many markers there are when the date's data is complete.",
    keys: &[
        Key::required("path", "path or url with `{date}` and `*`", "the markers"),
        Key::required(
            "count",
            "whole number from 1",
            "how many of them, such as 24 of a day by hour",
        ),
    ],
};

pub(in crate::config) const LATE: Table = Table {
    title: "late of a source",
    what: "What to do when the date's data is not there.",
    keys: &[
        Key::optional(
            "policy",
            "`required`, `carry` or `skip`",
            "\"required\"",
            "`required`: the night ends with exit 3, to be tried again; `carry`: the last values \
             stay, groups on them are `stale` (not for events); `skip`: the night does without, \
             groups on the source are `incomplete`",
        ),
        Key::optional(
            "max_days",
            "whole number from 1",
            "(any age)",
            "how old carried values may be; with `carry` only",
        ),
        Key::optional(
            "wait",
            "duration: `\"90m\"`",
            "(not at all)",
            "how long to wait for it first",
        ),
    ],
};

pub(in crate::config) const LATEST: Table = Table {
    title: "dedupe of attributes and group_tags",
    what: "Which of several rows counts.",
    keys: &[
        Key::optional("keep", "`latest`", "\"latest\"", "the rule"),
        Key::required(
            "by",
            "column, or expression",
            "the row with the greatest value in it counts",
        ),
    ],
};

pub(in crate::config) const EVENT_KEY: Table = Table {
    title: "dedupe of events",
    what: "Which rows are the same event.",
    keys: &[Key::optional(
        "key",
        "list of columns, or expressions",
        "[]",
        "of a user's rows of one app and day with equal keys one counts; rows whose key is null are \
         never the same",
    )],
};

pub(in crate::config) const DAY: Table = Table {
    title: "day of events",
    what: "Which day an event belongs to.",
    keys: &[
        Key::optional(
            "by",
            "`time` or `path`",
            "\"time\"",
            "the event's time in `warehouse.time_zone`, or the `{date}` of its file's path",
        ),
        Key::optional(
            "late",
            "`reject` or `today`",
            "\"reject\"",
            "an event of an earlier day in the date's files: rejected as `late`, or counted on the \
             run's date; one of a later day is always rejected, as `future`",
        ),
        Key::optional(
            "folders",
            "list of `{date-1}`, `{date}`, `{date+1}` and the like",
            "[\"{date}\"]",
            "the days whose files are read, where folders are not cut by local days: an event of \
             another day that has or had its own night is filtered as `other_day`",
        ),
    ],
};

pub(in crate::config) const MEASURE: Table = Table {
    title: "a measure of a source",
    what: "A number of an event that is added up per user, exactly.",
    keys: &[
        Key::required("value", "expression", "the number"),
        Key::optional(
            "scale",
            "whole number from 0 to 18",
            "0",
            "decimal digits kept; what is beyond is rounded half to even before adding",
        ),
        Key::optional(
            "events",
            "list of names",
            "[]",
            "the events that have it; `[]`: all",
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_a_kind_is_in_the_reference() {
        for kind in KINDS {
            let strange = kind.columns.iter().find(|key| !COLUMNS.keys.contains(key));
            assert_eq!(strange, None, "{}", kind.name);
        }
    }
}
