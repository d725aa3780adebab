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

-- What was charged in an hour, by each detail of the uses (`model`, `keyId`, …, `tag`), and in all (`all`).
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

-- Sums up every hour that ended before a moment. The caller leaves the writer time to commit what it dated before it.
create function ledger_summarise(before_ms bigint) returns void
language plpgsql security definer
set work_mem = '32MB'
set search_path = faultline, pg_temp as $$
declare
  tenant constant text := current_setting('faultline.tenant');
  hour constant bigint := 3600000;
  start_ms bigint;
  end_ms constant bigint := before_ms / hour * hour;
begin
  insert into ledger_summary (tenant_id, until_ms) values (tenant, 0) on conflict (tenant_id) do nothing;
  -- Of two who ask at once the second finds everything done.
  select until_ms into start_ms from ledger_summary where tenant_id = tenant for update;
  if end_ms <= start_ms then
    return;
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

  insert into ledger_spend_hour (tenant_id, currency, detail, hour_ms, name, use_count, micros, input_tokens, output_tokens)
  select tenant, coalesce(hold.record ->> 'currency', 'USD'), part.detail, use.at_ms / hour * hour, part.name, count(*),
    sum(use.amount_micros), coalesce(sum((use.details ->> 'inputTokens')::bigint), 0),
    coalesce(sum((use.details ->> 'outputTokens')::bigint), 0)
  from ledger_use use
  left join ledger_hold hold on hold.tenant_id = tenant and hold.id = use.hold_id
  cross join lateral (
    select 'all' as detail, '' as name
    union all
    select detail, coalesce(use.details ->> detail, '')
    from unnest(array['model', 'provider', 'keyId', 'userId', 'bundleHash']) as listed (detail)
    union all
    select 'tag', tag
    from jsonb_array_elements_text(
      case when jsonb_array_length(coalesce(use.details -> 'tags', '[]')) = 0 then '[""]' else use.details -> 'tags' end) as tag
  ) part
  where use.tenant_id = tenant and use.at_ms >= start_ms and use.at_ms < end_ms
  group by 2, 3, 4, 5;

  update ledger_summary set until_ms = end_ms where tenant_id = tenant;
end $$;

grant execute on function ledger_summarise(bigint) to faultline_app;
