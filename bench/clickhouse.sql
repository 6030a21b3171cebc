-- The night as a ClickHouse user would write it. Each "--- step" is timed on its own; {profiles} and
-- {events} become file(...) table functions over one day of raw Parquet.
--
-- A step names the nights that it is part of; without names it is part of all.
-- full     what tagmill's artifacts can tell: counts and sums per user and tuple of dimension values, a set per tuple
-- release  what tagmill's artifacts hold: users by number as well, who belongs to an app, numbers by binary digit, the
--          combinations of each user numbered, sets per value of a dimension and combination, counts and sums by binary digit
-- totals   less than the others: counts and sums per user and event
--
-- Tried and slower. Full: storing the events with uids first, sorted or not; aggregating in order. Totals: joining the
-- raw events twice; storing them unsorted, or sorted by uid; in-order aggregation.
-- All: dictGet and joinGet instead of the join; one DISTINCT over all ids.

--- setup
-- an INSERT ... SELECT FROM file() would otherwise take the target's columns for the file's
SET use_structure_from_insertion_table_in_table_functions = 0;
SET join_algorithm = 'parallel_hash';
SET optimize_on_insert = 0;
CREATE DATABASE night;
CREATE TABLE night.users (user_id String, uid UInt32) ENGINE = MergeTree ORDER BY user_id;
CREATE TABLE night.profiles (app LowCardinality(String), uid UInt32, gender LowCardinality(Nullable(String)),
  age Nullable(Int64), city LowCardinality(Nullable(String)), level Nullable(Int64), signup_date Nullable(Date32),
  balance Nullable(Float64), vip Nullable(Bool)) ENGINE = MergeTree ORDER BY tuple();
CREATE TABLE night.tags (app LowCardinality(String), tag LowCardinality(String), value String,
  users AggregateFunction(groupBitmap, UInt32)) ENGINE = AggregatingMergeTree ORDER BY (app, tag, value);
CREATE TABLE night.behaviour (app LowCardinality(String), event LowCardinality(String), city LowCardinality(String),
  os LowCardinality(String), channel LowCardinality(String), users AggregateFunction(groupBitmap, UInt32),
  events SimpleAggregateFunction(sum, UInt64), amount SimpleAggregateFunction(sum, Int64))
  ENGINE = AggregatingMergeTree ORDER BY (app, event, city, os, channel);
CREATE TABLE night.user_measures (app LowCardinality(String), event LowCardinality(String), city LowCardinality(String),
  os LowCardinality(String), channel LowCardinality(String), uid UInt32, events UInt64, amount Int64)
  ENGINE = MergeTree ORDER BY (app, event, city, os, channel, uid);
CREATE TABLE night.events (app LowCardinality(String), event LowCardinality(String), city LowCardinality(String),
  os LowCardinality(String), channel LowCardinality(String), uid UInt32, amount Int64)
  ENGINE = MergeTree ORDER BY (app, event, city, os, channel);
CREATE TABLE night.user_totals (app LowCardinality(String), event LowCardinality(String), uid UInt32, events UInt64,
  amount Int64) ENGINE = MergeTree ORDER BY (app, event, uid);
CREATE TABLE night.user_ids (uid UInt32, user_id String) ENGINE = MergeTree ORDER BY uid;
CREATE TABLE night.universe (app LowCardinality(String), users AggregateFunction(groupBitmap, UInt32))
  ENGINE = AggregatingMergeTree ORDER BY app;
CREATE TABLE night.tag_numbers (app LowCardinality(String), tag LowCardinality(String), slice Int16,
  users AggregateFunction(groupBitmap, UInt32)) ENGINE = AggregatingMergeTree ORDER BY (app, tag, slice);
CREATE TABLE night.combinations (app LowCardinality(String), event LowCardinality(String), combination UInt32,
  city LowCardinality(String), os LowCardinality(String), channel LowCardinality(String), uid UInt32, events UInt64,
  amount Int64) ENGINE = MergeTree ORDER BY tuple();
CREATE TABLE night.dimension_values (app LowCardinality(String), event LowCardinality(String),
  dimension LowCardinality(String), value LowCardinality(String), combination UInt32,
  users AggregateFunction(groupBitmap, UInt32)) ENGINE = AggregatingMergeTree ORDER BY (app, event, dimension, value, combination);
CREATE TABLE night.measures (app LowCardinality(String), event LowCardinality(String), measure LowCardinality(String),
  combination UInt32, slice Int16, users AggregateFunction(groupBitmap, UInt32))
  ENGINE = AggregatingMergeTree ORDER BY (app, event, measure, combination, slice);
-- background merges would take cores from the steps; they are left for after the night, and not counted
SYSTEM STOP MERGES;

--- step dictionary
INSERT INTO night.users SELECT openid, rowNumberInAllBlocks() FROM (
  SELECT DISTINCT openid FROM {profiles}
  UNION ALL SELECT DISTINCT openid FROM {events} WHERE openid NOT IN (SELECT openid FROM {profiles}));

--- step attribute_lookup
INSERT INTO night.profiles SELECT mini_app_id, uid, gender, age, city, level, signup_date, balance, vip
  FROM {profiles} AS p ANY LEFT JOIN night.users AS u ON p.openid = u.user_id;

--- step attribute_bitmaps
INSERT INTO night.tags SELECT app, 'gender', assumeNotNull(gender) AS value, groupBitmapState(uid)
  FROM night.profiles WHERE gender IS NOT NULL GROUP BY app, value;
INSERT INTO night.tags SELECT app, 'age', toString(assumeNotNull(age)) AS value, groupBitmapState(uid)
  FROM night.profiles WHERE age IS NOT NULL GROUP BY app, age;
INSERT INTO night.tags SELECT app, 'city', assumeNotNull(city) AS value, groupBitmapState(uid)
  FROM night.profiles WHERE city IS NOT NULL GROUP BY app, value;
INSERT INTO night.tags SELECT app, 'level', toString(assumeNotNull(level)) AS value, groupBitmapState(uid)
  FROM night.profiles WHERE level IS NOT NULL GROUP BY app, level;
INSERT INTO night.tags SELECT app, 'signup_date', toString(assumeNotNull(signup_date)) AS value, groupBitmapState(uid)
  FROM night.profiles WHERE signup_date IS NOT NULL GROUP BY app, signup_date;
INSERT INTO night.tags SELECT app, 'balance', toString(assumeNotNull(balance)) AS value, groupBitmapState(uid)
  FROM night.profiles WHERE balance IS NOT NULL GROUP BY app, balance;
INSERT INTO night.tags SELECT app, 'vip', toString(assumeNotNull(vip)) AS value, groupBitmapState(uid)
  FROM night.profiles WHERE vip IS NOT NULL GROUP BY app, vip;

--- step full release user_measures
INSERT INTO night.user_measures SELECT app, event, ifNull(city, '') AS city, ifNull(os, '') AS os,
  ifNull(utm_source, 'direct') AS channel, uid, count(), sum(ifNull(amount_cents, 0))
  FROM {events} AS e ANY LEFT JOIN night.users AS u ON e.openid = u.user_id GROUP BY app, event, city, os, channel, uid;

--- step full event_bitmaps
INSERT INTO night.behaviour SELECT app, event, city, os, channel, groupBitmapState(uid), sum(events), sum(amount)
  FROM night.user_measures GROUP BY app, event, city, os, channel;

--- step release user_ids
INSERT INTO night.user_ids SELECT uid, user_id FROM night.users;

--- step release universe
INSERT INTO night.universe SELECT app, groupBitmapState(uid)
  FROM (SELECT app, uid FROM night.profiles UNION ALL SELECT app, uid FROM night.user_measures) GROUP BY app;

--- step release tag_numbers
INSERT INTO night.tag_numbers SELECT app, 'age', slice, groupBitmapState(uid) FROM night.profiles
  ARRAY JOIN arrayPushFront(bitPositionsToArray(assumeNotNull(age))::Array(Int16), -1) AS slice WHERE age IS NOT NULL GROUP BY app, slice;
INSERT INTO night.tag_numbers SELECT app, 'level', slice, groupBitmapState(uid) FROM night.profiles
  ARRAY JOIN arrayPushFront(bitPositionsToArray(assumeNotNull(level))::Array(Int16), -1) AS slice WHERE level IS NOT NULL GROUP BY app, slice;
INSERT INTO night.tag_numbers SELECT app, 'signup_date', slice, groupBitmapState(uid) FROM night.profiles
  ARRAY JOIN arrayPushFront(bitPositionsToArray(assumeNotNull(signup_date)::Int32)::Array(Int16), -1) AS slice
  WHERE signup_date IS NOT NULL GROUP BY app, slice;
INSERT INTO night.tag_numbers SELECT app, 'balance', slice, groupBitmapState(uid) FROM night.profiles
  ARRAY JOIN arrayPushFront(bitPositionsToArray(round(assumeNotNull(balance) * 100)::Int64)::Array(Int16), -1) AS slice
  WHERE balance IS NOT NULL GROUP BY app, slice;

--- step release combinations
INSERT INTO night.combinations SELECT app, event, row_number() OVER (PARTITION BY app, event, uid ORDER BY channel, city, os) - 1,
  city, os, channel, uid, events, amount FROM night.user_measures;

--- step release dimension_values
INSERT INTO night.dimension_values SELECT app, event, '', '', 0, groupBitmapState(uid) FROM night.combinations GROUP BY app, event;
INSERT INTO night.dimension_values SELECT app, event, 'city', city, combination, groupBitmapState(uid)
  FROM night.combinations WHERE city != '' GROUP BY app, event, city, combination;
INSERT INTO night.dimension_values SELECT app, event, 'os', os, combination, groupBitmapState(uid)
  FROM night.combinations WHERE os != '' GROUP BY app, event, os, combination;
INSERT INTO night.dimension_values SELECT app, event, 'channel', channel, combination, groupBitmapState(uid)
  FROM night.combinations WHERE channel != '' GROUP BY app, event, channel, combination;

--- step release measures
INSERT INTO night.measures SELECT app, event, '*', combination, slice, groupBitmapState(uid) FROM night.combinations
  ARRAY JOIN arrayPushFront(bitPositionsToArray(events)::Array(Int16), -1) AS slice GROUP BY app, event, combination, slice;
INSERT INTO night.measures SELECT app, event, 'amount', combination, slice, groupBitmapState(uid) FROM night.combinations
  ARRAY JOIN arrayPushFront(bitPositionsToArray(amount)::Array(Int16), -1) AS slice
  WHERE event = 'purchase' GROUP BY app, event, combination, slice;

--- step totals event_lookup
INSERT INTO night.events SELECT app, event, ifNull(city, ''), ifNull(os, ''), ifNull(utm_source, 'direct'), uid, ifNull(amount_cents, 0)
  FROM {events} AS e ANY LEFT JOIN night.users AS u ON e.openid = u.user_id;

--- step totals event_bitmaps
TRUNCATE TABLE night.behaviour;
INSERT INTO night.behaviour SELECT app, event, city, os, channel, groupBitmapState(uid), count(), sum(amount)
  FROM night.events GROUP BY app, event, city, os, channel;

--- step totals user_totals
INSERT INTO night.user_totals SELECT app, event, uid, count(), sum(amount) FROM night.events GROUP BY app, event, uid;
DROP TABLE night.events SYNC;

--- results
-- not timed: what the comparison needs, as Parquet files under {results}
INSERT INTO FUNCTION file('{results}/users.parquet') SELECT user_id FROM night.users;
INSERT INTO FUNCTION file('{results}/tags.parquet') SELECT app::String AS app, tag::String AS tag, value, groupBitmapMerge(users) AS users
  FROM night.tags GROUP BY app, tag, value;
INSERT INTO FUNCTION file('{results}/events.parquet') SELECT app::String AS app, event::String AS event, count() AS users, sum(n) AS events, sum(a) AS amount,
  sum(n * n) AS events_squared, max(n) AS events_max, max(a) AS amount_max
  FROM (SELECT app, event, uid, sum(events) AS n, sum(amount) AS a FROM night.user_measures GROUP BY app, event, uid) GROUP BY app, event;
INSERT INTO FUNCTION file('{results}/dimensions.parquet')
  SELECT app::String AS app, event::String AS event, 'city' AS dimension, nullIf(city::String, '') AS value, groupBitmapMerge(users) AS users
  FROM night.behaviour GROUP BY app, event, value
  UNION ALL SELECT app::String, event::String, 'os', nullIf(os::String, '') AS value, groupBitmapMerge(users) FROM night.behaviour GROUP BY app, event, value
  UNION ALL SELECT app::String, event::String, 'channel', nullIf(channel::String, '') AS value, groupBitmapMerge(users) FROM night.behaviour GROUP BY app, event, value;
INSERT INTO FUNCTION file('{results}/tuples.parquet') SELECT app::String AS app, event::String AS event, nullIf(b.city::String, '') AS city,
  nullIf(b.os::String, '') AS os, nullIf(b.channel::String, '') AS channel, groupBitmapMerge(b.users) AS users, sum(b.events) AS events, sum(b.amount) AS amount
  FROM night.behaviour AS b GROUP BY app, event, city, os, channel;

--- results release
INSERT INTO FUNCTION file('{results}/combinations.parquet') SELECT app::String AS app, event::String AS event, dimension::String AS dimension,
  value::String AS value, combination, groupBitmapMerge(users) AS users
  FROM night.dimension_values GROUP BY app, event, dimension, value, combination;
INSERT INTO FUNCTION file('{results}/measures.parquet') SELECT app::String AS app, event::String AS event, measure::String AS measure, combination,
  sum(n * bitShiftLeft(1::Int64, slice)) AS total FROM (SELECT app, event, measure, combination, slice, groupBitmapMerge(users)::Int64 AS n
  FROM night.measures WHERE slice >= 0 GROUP BY app, event, measure, combination, slice) GROUP BY app, event, measure, combination;
INSERT INTO FUNCTION file('{results}/universe.parquet') SELECT app::String AS app, groupBitmapMerge(users) AS users FROM night.universe GROUP BY app;
INSERT INTO FUNCTION file('{results}/numbers.parquet') SELECT app::String AS app, tag::String AS tag, sumIf(n, slice < 0) AS users,
  sumIf(n * bitShiftLeft(1::Int64, greatest(slice, 0)), slice >= 0) AS total
  FROM (SELECT app, tag, slice, groupBitmapMerge(users)::Int64 AS n FROM night.tag_numbers GROUP BY app, tag, slice) GROUP BY app, tag;
