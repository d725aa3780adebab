-- The ledger over time. Transfers by time are found through an index of ranges, which costs their writer nothing that could be
-- measured. Long windows are read from sums by the hour, which are made by whoever asks for them first, never by the writer of
-- the ledger: what is written once is never changed, so that an hour that is over sums up to the same for ever.
create index ledger_transfer_by_time on ledger_transfer using brin (at_ms) with (pages_per_range = 32);

-- Up to when everything is summed up.
create table ledger_summary (
  tenant_id text primary key,
  until_ms bigint not null
);

-- What moved in an hour in the accounts of credit, holds and debts.
create table ledger_movement_hour (
  tenant_id text not null,
  account text collate "C" not null,
  hour_ms bigint not null,
  micros bigint not null,
  primary key (tenant_id, account, hour_ms)
);

-- What was charged in an hour, by each detail of the uses (`model`, `keyId`, …, `tag`), and in all (`all`). Users are many: what
-- they spent is summed up by the day (UTC), whose start then stands as the hour.
create table ledger_spend_hour (
  tenant_id text not null,
  currency text collate "C" not null,
  detail text collate "C" not null,
  hour_ms bigint not null,
  -- Empty where the uses do not say.
  name text not null,
  use_count bigint not null,
  micros bigint not null,
  input_tokens bigint not null,
  output_tokens bigint not null,
  primary key (tenant_id, currency, detail, hour_ms, name)
);

do $$
declare
  name text;
begin
  foreach name in array array['ledger_summary', 'ledger_movement_hour', 'ledger_spend_hour'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('grant select on %I to faultline_app', name);
    execute format(
      'create policy %I on %I for select to faultline_app
         using (tenant_id = current_setting(''faultline.tenant'', true))', name || '_app', name);
    execute format(
      'create policy %I on %I to faultline_owner
         using (tenant_id = current_setting(''faultline.tenant'', true))
         with check (tenant_id = current_setting(''faultline.tenant'', true))', name || '_owner', name);
  end loop;
end $$;

-- Sums up hours that ended before a moment, at most so many, and tells how many rows those had. The caller leaves the writer
-- time to commit what it dated before that moment, and asks again until `ledger_summary` is there.
create function ledger_summarise(before_ms bigint, hour_count_max integer) returns bigint
language plpgsql security definer
set work_mem = '48MB'
set search_path = faultline, pg_temp as $$
declare
  tenant constant text := current_setting('faultline.tenant');
  hour constant bigint := 3600000;
  day constant bigint := 86400000;
  start_ms bigint;
  end_ms bigint;
  row_count bigint;
begin
  -- Nothing is older than the first entry, save for a clock that was set back in between.
  insert into ledger_summary (tenant_id, until_ms)
  select tenant, (at_ms - day) / hour * hour from ledger_transfer where tenant_id = tenant order by sequence limit 1
  on conflict (tenant_id) do nothing;
  -- Of two who ask at once the second goes on where the first has ended.
  select until_ms into start_ms from ledger_summary where tenant_id = tenant for update;
  end_ms := least(before_ms / hour * hour, start_ms + hour_count_max * hour);
  if start_ms is null or end_ms <= start_ms then
    return 0;
  end if;

  insert into ledger_movement_hour (tenant_id, account, hour_ms, micros)
  select tenant, account, at_ms / hour * hour, sum(micros)
  from (
    select to_account as account, at_ms, amount_micros as micros from ledger_transfer
    where tenant_id = tenant and at_ms >= start_ms and at_ms < end_ms
    union all
    select from_account, at_ms, -amount_micros from ledger_transfer
    where tenant_id = tenant and at_ms >= start_ms and at_ms < end_ms
  ) movement
  where account like 'credit/%' or account like 'holds/%' or account like 'debt/%'
  group by 2, 3;

  with payer as materialized (
    select id, record ->> 'currency' as currency from ledger_hold where tenant_id = tenant and id in (
      select hold_id from ledger_use where tenant_id = tenant and at_ms >= start_ms and at_ms < end_ms)
  ), summed as materialized (
    select coalesce(payer.currency, 'USD') as currency, at_ms / hour * hour as hour_ms, at_ms / day * day as day_ms,
      amount_micros as micros, coalesce((details ->> 'inputTokens')::bigint, 0) as input,
      coalesce((details ->> 'outputTokens')::bigint, 0) as output, coalesce(details ->> 'model', '') as model,
      coalesce(details ->> 'provider', '') as provider, coalesce(details ->> 'keyId', '') as key,
      coalesce(details ->> 'userId', '') as person, coalesce(details ->> 'bundleHash', '') as bundle,
      coalesce(nullif(details -> 'tags', '[]'), '[""]') as tags
    from ledger_use left join payer on payer.id = ledger_use.hold_id
    where tenant_id = tenant and at_ms >= start_ms and at_ms < end_ms
  ), put as (
    insert into ledger_spend_hour as known (tenant_id, currency, detail, hour_ms, name, use_count, micros, input_tokens,
      output_tokens)
    select tenant, currency,
      case grouping(model, provider, key, person, bundle)
        when 15 then 'model' when 23 then 'provider' when 27 then 'keyId' when 29 then 'userId' when 30 then 'bundleHash'
        else 'all' end,
      coalesce(hour_ms, day_ms), coalesce(model, provider, key, person, bundle, ''), count(*), sum(micros), sum(input),
      sum(output)
    from summed
    group by grouping sets ((currency, hour_ms), (currency, hour_ms, model), (currency, hour_ms, provider),
      (currency, hour_ms, key), (currency, day_ms, person), (currency, hour_ms, bundle))
    union all
    select tenant, currency, 'tag', hour_ms, tag, count(*), sum(micros), sum(input), sum(output)
    from summed cross join lateral jsonb_array_elements_text(tags) as tag
    group by currency, hour_ms, tag
    -- The sum of a day that goes on grows.
    on conflict (tenant_id, currency, detail, hour_ms, name) do update set use_count = known.use_count + excluded.use_count,
      micros = known.micros + excluded.micros, input_tokens = known.input_tokens + excluded.input_tokens,
      output_tokens = known.output_tokens + excluded.output_tokens
  )
  select count(*) into row_count from summed;

  update ledger_summary set until_ms = end_ms where tenant_id = tenant;
  return row_count;
end $$;

grant execute on function ledger_summarise(bigint, integer) to faultline_app;
