//! The texts of `tagmill --help`: enough to get from raw files to a first answer.

pub const ABOUT: &str = "Turns raw user data into audiences every night";

pub const LONG_ABOUT: &str = "\
Turns raw user data into audiences every night.

A configuration names raw Parquet (user attributes, group tags, behaviour, custom events), tags and group rules. `tagmill run` \
reads a date's files once and publishes a release: a dictionary from user ids to numbers, and \
Roaring bitmaps of users for every tag \
value, event and group of every app. A release never changes; readers see the old one or the new \
one, nothing between.";

pub const AFTER: &str = "\
Not in this version: check, portrait, explain, lineage, diff, rollback, hold, pin, gc, \
erase, runs, export, scheduler, executor.
`tagmill --help` shows how to start and what the exit codes mean.";

pub const AFTER_LONG: &str = "\
To try it:
  tagmill init --example first                       a small project in the new folder first, with data

A first night:
  tagmill validate                                   is warehouse.toml right?
  tagmill init                                       make the warehouse, once
  tagmill plan --date 2026-11-19                     what would be read and written
  tagmill run --date 2026-11-19                      publish the night
  tagmill apps                                       what came out: apps, their tags, their groups
  tagmill tags --app tea_shop
  tagmill groups --app tea_shop
  tagmill sql -c \"SELECT app, tag, value, cardinality FROM tags_string LIMIT 10\"
  tagmill estimate --app tea_shop \"age BETWEEN 25 AND 36 AND city = 'Beijing'\"
  tagmill files --format duckdb > release.sql        read it elsewhere: duckdb -init release.sql

From cron, with a scheduler that retries on 3 only:
  tagmill run --config /srv/audience/warehouse.toml --date \"$(TZ=Asia/Shanghai date -d yesterday +\\%F)\" --wait 90m --log json
  (the warehouse's yesterday; a crontab wants % with a backslash; paths in the configuration are
  relative to its folder)

Naming a release: a number, `current`, or the night it is of: `@2026-11-19`.

Exit codes:
  0    done
  1    the data was refused, nothing was published
  2    could not run: a person must fix usage, configuration or rights
  3    try again later: source not ready, conflict, store, memory, disk, input changed
  130  interrupted (143: terminated); the release is as before, or complete

Standard output holds only the result. Logs, progress and, last, one sentence for an error go to standard error.

Not in this version: check, portrait, explain, lineage, diff, rollback, hold, pin, gc, erase, runs, export, scheduler, executor.";
