-- Telemetry: spans, log records and data points, one partition for each day (UTC), so that a day leaves by a drop.
-- A row is written once. What is sent again meets the primary key and is left out, so that a sender may repeat a request.
-- Lists of traces come from two tables that a trigger keeps from the rows that were really inserted: they are right
-- whatever the order, the batches and the repetitions in which the spans of a trace arrive.

-- Who emitted: resource and instrumentation scope, once a day for all rows that share them.
create table telemetry_origin (
  tenant_id text not null,
  -- The beginning of the day (UTC) of the rows that name it.
  day timestamptz not null,
  -- The first 16 bytes of the SHA-256 of resource and scope.
  id uuid not null,
  resource jsonb not null,
  scope_name text not null,
  scope_version text,
  primary key (tenant_id, id, day)
) partition by range (day);

create table span (
  tenant_id text not null,
  -- A trace id is 16 bytes, and uuid is the type that holds 16 bytes without a length.
  trace_id uuid not null,
  span_id bytea not null,
  parent_span_id bytea,
  service text not null,
  name text not null,
  -- OTLP's numbers: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
  kind smallint not null,
  start_time timestamptz not null,
  -- Nanoseconds from start_time, which holds microseconds, to the start.
  start_rest_nanos smallint not null,
  duration_nanos bigint not null,
  -- OTLP's numbers: 0 unset, 1 ok, 2 error.
  status smallint not null,
  status_message text,
  attributes jsonb not null,
  -- NULL where there are none.
  events jsonb,
  links jsonb,
  origin_id uuid not null,
  primary key (tenant_id, trace_id, span_id, start_time)
) partition by range (start_time);

create index span_by_time on span using brin (start_time) with (pages_per_range = 32);
-- The gateway's operations, for the overview.
create index span_of_gateway on span (tenant_id, start_time) where service = 'faultline-gateway';

create table log_record (
  tenant_id text not null,
  time timestamptz not null,
  -- From the content and its place among equals in one request: the same request sent again has the same ids.
  id uuid not null,
  observed_time timestamptz,
  service text not null,
  severity smallint not null,
  severity_text text,
  event_name text,
  body jsonb not null,
  trace_id uuid,
  span_id bytea,
  attributes jsonb not null,
  origin_id uuid not null,
  primary key (tenant_id, time, id)
) partition by range (time);

create index log_record_by_time on log_record using brin (time) with (pages_per_range = 32);
create index log_record_by_trace on log_record (tenant_id, trace_id) where trace_id is not null;

create table metric_point (
  tenant_id text not null,
  name text not null,
  time timestamptz not null,
  -- As in log_record.
  id uuid not null,
  start_time timestamptz,
  service text not null,
  unit text not null,
  description text not null,
  -- What was measured, on `kind`.
  data jsonb not null,
  attributes jsonb not null,
  origin_id uuid not null,
  primary key (tenant_id, name, time, id)
) partition by range (time);

create index metric_point_by_time on metric_point using brin (time) with (pages_per_range = 32);

-- One row for each trace. Times are nanoseconds since the Unix epoch.
create table trace_summary (
  tenant_id text not null,
  trace_id uuid not null,
  start_nanos bigint not null,
  end_nanos bigint not null,
  span_count integer not null,
  error_count integer not null,
  -- The root span: the earliest without a parent, or the earliest of all while none without a parent has come.
  root_has_parent boolean not null,
  root_start_nanos bigint not null,
  root_span_id bytea not null,
  root_service text not null,
  root_name text not null,
  primary key (tenant_id, trace_id)
) with (fillfactor = 80);

create index trace_summary_by_time on trace_summary (tenant_id, start_nanos desc, trace_id desc);

-- One row for each operation of a service in a trace. An operation is the name of a span by which the service was entered:
-- kind server or consumer, or without a parent. The empty operation stands for all other spans of the service. A long name is
-- cut, because an index entry has at most 2,704 bytes.
create table trace_operation (
  tenant_id text not null,
  trace_id uuid not null,
  service text not null,
  operation text not null,
  -- The earliest start and the longest duration of the spans.
  start_nanos bigint not null,
  duration_nanos bigint not null,
  span_count integer not null,
  error_count integer not null,
  primary key (tenant_id, trace_id, service, operation)
) with (fillfactor = 80);

create index trace_operation_by_time on trace_operation (tenant_id, service, start_nanos desc);

do $$
declare
  name text;
begin
  foreach name in array array[
    'telemetry_origin', 'span', 'log_record', 'metric_point', 'trace_summary', 'trace_operation'
  ] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('grant select on %I to faultline_app', name);
    execute format(
      'create policy %I on %I for select to faultline_app
         using (tenant_id = current_setting(''faultline.tenant'', true))',
      name || '_app', name);
  end loop;
  foreach name in array array['telemetry_origin', 'span', 'log_record', 'metric_point'] loop
    execute format('grant insert on %I to faultline_ingest', name);
    execute format(
      'create policy %I on %I for insert to faultline_ingest with check (true)', name || '_ingest', name);
  end loop;
  -- Written by the trigger below and purged by the functions below, both of which run as the owner.
  foreach name in array array['trace_summary', 'trace_operation'] loop
    execute format(
      'create policy %I on %I to faultline_owner using (true) with check (true)', name || '_owner', name);
  end loop;
end $$;

-- Takes the rows of one statement into the summaries. The rows are ordered, so that two writers cannot deadlock.
create function summarise_spans() returns trigger
language plpgsql security definer set search_path = faultline, pg_temp as $$
begin
  insert into trace_summary as known
  select total.tenant_id, total.trace_id, total.start_nanos, total.end_nanos, total.span_count, total.error_count,
    root.has_parent, root.start_nanos, root.span_id, root.service, root.name
  from (
    select tenant_id, trace_id, min(start_nanos) as start_nanos, max(start_nanos + duration_nanos) as end_nanos,
      count(*)::integer as span_count, (count(*) filter (where status = 2))::integer as error_count
    from (
      select *, nanos_of(start_time, start_rest_nanos) as start_nanos from inserted
    ) each_span
    group by tenant_id, trace_id
  ) total
  join (
    select distinct on (tenant_id, trace_id) tenant_id, trace_id, parent_span_id is not null as has_parent,
      nanos_of(start_time, start_rest_nanos) as start_nanos, span_id, service, name
    from inserted
    order by tenant_id, trace_id, parent_span_id is not null, start_time, start_rest_nanos, span_id
  ) root using (tenant_id, trace_id)
  order by total.tenant_id, total.trace_id
  on conflict (tenant_id, trace_id) do update set
    start_nanos = least(known.start_nanos, excluded.start_nanos),
    end_nanos = greatest(known.end_nanos, excluded.end_nanos),
    span_count = known.span_count + excluded.span_count,
    error_count = known.error_count + excluded.error_count,
    (root_has_parent, root_start_nanos, root_span_id, root_service, root_name) = (
      select better.root_has_parent, better.root_start_nanos, better.root_span_id, better.root_service, better.root_name
      from (values
        (known.root_has_parent, known.root_start_nanos, known.root_span_id, known.root_service, known.root_name),
        (excluded.root_has_parent, excluded.root_start_nanos, excluded.root_span_id, excluded.root_service,
          excluded.root_name)
      ) as better (root_has_parent, root_start_nanos, root_span_id, root_service, root_name)
      order by 1, 2, 3
      limit 1
    );

  insert into trace_operation as known
  select tenant_id, trace_id, service, operation, min(start_nanos), max(duration_nanos),
    count(*)::integer, (count(*) filter (where status = 2))::integer
  from (
    select *, nanos_of(start_time, start_rest_nanos) as start_nanos,
      case when kind in (2, 5) or parent_span_id is null then left(name, 256) else '' end as operation
    from inserted
  ) each_span
  group by tenant_id, trace_id, service, operation
  order by tenant_id, trace_id, service, operation
  on conflict (tenant_id, trace_id, service, operation) do update set
    start_nanos = least(known.start_nanos, excluded.start_nanos),
    duration_nanos = greatest(known.duration_nanos, excluded.duration_nanos),
    span_count = known.span_count + excluded.span_count,
    error_count = known.error_count + excluded.error_count;
  return null;
end $$;

create function nanos_of(moment timestamptz, rest smallint) returns bigint
language sql stable parallel safe as
  'select (extract(epoch from moment) * 1000000)::bigint * 1000 + rest';

create trigger summarise_spans after insert on span
  referencing new table as inserted
  for each statement execute function summarise_spans();

-- Makes the partitions of a day where they are missing.
create function telemetry_add_day(added date) returns void
language plpgsql security definer set search_path = faultline, pg_temp as $$
declare
  parent text;
  part text;
begin
  -- Of two who add the same day, the second waits and finds it done.
  perform pg_advisory_xact_lock(hashtext('faultline.telemetry_day'));
  foreach parent in array array['telemetry_origin', 'span', 'log_record', 'metric_point'] loop
    part := parent || to_char(added, '_YYYYMMDD');
    if to_regclass(format('faultline.%I', part)) is not null then
      continue;
    end if;
    -- Attaching a table does not stop those who read and write the others; creating a partition in place would.
    execute format('create table %I (like %I including all)', part, parent);
    execute format('alter table %I enable row level security', part);
    execute format('alter table %I force row level security', part);
    execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, part,
      added::timestamp at time zone 'UTC', (added + 1)::timestamp at time zone 'UTC');
  end loop;
end $$;

-- Drops the partitions of a day.
create function telemetry_drop_day(dropped date) returns void
language plpgsql security definer set search_path = faultline, pg_temp as $$
declare
  parent text;
begin
  perform pg_advisory_xact_lock(hashtext('faultline.telemetry_day'));
  foreach parent in array array['span', 'log_record', 'metric_point', 'telemetry_origin'] loop
    execute format('drop table if exists %I', parent || to_char(dropped, '_YYYYMMDD'));
  end loop;
end $$;

-- Deletes at most `row_count_max` summaries of traces that ended before a moment, and gives their number.
create function telemetry_purge_summaries(before_nanos bigint, row_count_max integer) returns integer
language plpgsql security definer set search_path = faultline, pg_temp as $$
declare
  deleted integer;
begin
  with gone as (
    delete from trace_summary where (tenant_id, trace_id) in (
      select tenant_id, trace_id from trace_summary where end_nanos < before_nanos limit row_count_max
    ) returning tenant_id, trace_id
  ), operations as (
    delete from trace_operation using gone
    where trace_operation.tenant_id = gone.tenant_id and trace_operation.trace_id = gone.trace_id
  )
  select count(*) into deleted from gone;
  return deleted;
end $$;

-- The days that have partitions, and what each takes on disk.
create function telemetry_days() returns table (day date, bytes bigint)
language sql security definer stable set search_path = faultline, pg_temp as $$
  select to_date(substring(part.relname from '\d{8}$'), 'YYYYMMDD'), sum(pg_total_relation_size(part.oid))::bigint
  from pg_inherits
  join pg_class part on part.oid = inhrelid
  where inhparent in (
    'telemetry_origin'::regclass, 'span'::regclass, 'log_record'::regclass, 'metric_point'::regclass
  )
  group by 1 order by 1
$$;

-- What the rows of the summaries need on disk. A deleted row leaves space that new rows use and the file keeps, so the size
-- of the file would stand at its highest for ever; half a kibibyte for a row and its index entries is more than it takes.
create function telemetry_summary_bytes() returns bigint
language sql security definer stable set search_path = faultline, pg_temp as $$
  select sum(least(pg_total_relation_size(name), 512 * pg_stat_get_live_tuples(name)))::bigint
  from unnest(array['trace_summary'::regclass, 'trace_operation'::regclass]) as name
$$;

grant execute on function
  telemetry_add_day, telemetry_drop_day, telemetry_purge_summaries, telemetry_days, telemetry_summary_bytes
  to faultline_system;
