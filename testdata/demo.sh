#!/bin/sh
# make run: two generated days of raw data in demo/, a night of each, and what came out.
#   TAGMILL_BIN=DIR     the folder with tagmill and tagmill-testdata (default target/release)
set -eu
cd "$(dirname "$0")/.."
bin=${TAGMILL_BIN:-target/release}
first=2026-11-18 second=2026-11-19
export TAGMILL_CONFIG=demo/warehouse.toml

say() { printf '\n== %s\n' "$*"; }
shown() { # the command as a person would type it, then what it prints
    line=tagmill
    for word; do
        case $word in *" "*) word="\"$(printf %s "$word" | sed 's/"/\\"/g')\"" ;; esac
        line="$line $word"
    done
    printf '$ %s\n' "$line"
    "$bin/tagmill" --quiet "$@"
}

say "a platform's raw data for two days, in demo/raw"
rm -rf demo
"$bin/tagmill-testdata" generate --preset demo --date "$first" --days 2 --out demo

say "a warehouse, and the nights of both days (what they said is in demo/run.log)"
shown init
shown run --from "$first" --to "$second" 2>demo/run.log || { cat demo/run.log >&2; exit 1; }

say "what the release holds, and what became of every row"
shown show

say "sizes: tags and their values, users of events, members of groups"
shown sql -c "SELECT tag, type, count(*) AS values FROM tag_values WHERE app = 'tea_shop' GROUP BY tag, type ORDER BY tag"
shown sql -c "SELECT value, sum(cardinality) AS users FROM tags_string WHERE app = 'tea_shop' AND tag = 'interests' GROUP BY value ORDER BY users DESC, value LIMIT 5"
shown sql -c "SELECT event, sum(cardinality) AS users FROM behaviour WHERE app = 'tea_shop' AND date = '$second' AND dimension IS NULL AND combination IS NULL GROUP BY event ORDER BY users DESC"
shown sql -c "SELECT \"group\", sum(cardinality) AS users, sum(entered) AS came, sum(\"left\") AS went FROM groups WHERE app = 'tea_shop' GROUP BY \"group\" ORDER BY users DESC LIMIT 5"

say "groups that were not published, and why; the night goes on"
shown sql -c "SELECT \"group\", status, reason FROM group_status WHERE status <> 'ok' ORDER BY \"group\""

say "a rule before anybody saves it: only the bitmaps it needs are read"
shown estimate --app tea_shop "gender = 'F' AND age BETWEEN 25 AND 36 AND in_group('g00018')"

say "where things are"
cat <<EOF
  demo/warehouse.toml        the configuration: sources, tags, groups
  demo/conf/groups/          the rules, one JSON object a line; demo/conf/tags, events, lists beside them
  demo/warehouse/releases/   one manifest a release: what counts, with sizes and checksums
  demo/warehouse/tags/ ...   one folder an artifact, Parquet: $(du -sh demo/warehouse | cut -f1) in all

== what to try next
  export TAGMILL_CONFIG=$TAGMILL_CONFIG PATH=\$PWD/$bin:\$PATH
  tagmill sql                                        a prompt; \\d lists tables and views
  tagmill plan --date $second                     what a night would read, and which rules are wrong
  tagmill releases                                   the history
  tagmill files --artifact groups --format duckdb    the same groups in DuckDB
  correct the rule of the group typo in demo/conf/groups/app-00001.ndjson, then: tagmill run --date $second
EOF
