-- The transfers of a batch are one row: writing each into a row of its own cost more than all else that the ledger writes. The
-- view `ledger_transfer` shows them one by one, as the table of that name did. Where a text stands in a batch many times, it is
-- written once and meant by its place. And whose row it is, is read once for a statement and not once for each row.

-- A writer sends a batch before it has heard of the one before: each says how many it comes after.
alter table ledger_writer add column batch_count bigint not null default 0;

-- Movements between two accounts of one currency. A transfer takes from one account what it gives to another, so that all
-- of them sum to zero. Nothing refers to this table, and its key begins with what it could be partitioned by.
create table ledger_batch (
  tenant_id text not null,
  first_sequence bigint not null,
  last_sequence bigint not null,
  -- The earliest and the latest time of a transfer.
  from_ms bigint not null,
  until_ms bigint not null,
  -- Accounts, reasons and lots. What stands for one of them below is its place here, from 1 on; 0 is none.
  words text[] not null,
  -- One element for each transfer, in their order. Where there is no hold or use stands an empty text.
  command_ids text[] not null,
  at_ms bigint[] not null,
  from_words integer[] not null,
  to_words integer[] not null,
  amounts_micros bigint[] not null check (0 < all (amounts_micros)),
  reason_words integer[] not null,
  lot_words integer[] not null,
  hold_ids text[] not null,
  usage_ids text[] not null,
  primary key (tenant_id, first_sequence),
  check (cardinality(amounts_micros) = last_sequence - first_sequence + 1)
);

-- What is found by time is found by the end of its batch.
create index ledger_batch_by_time on ledger_batch (tenant_id, until_ms);

do $$
declare
  name text;
begin
  -- Compressing costs the writer more than it saves the disk.
  for name in select attname from pg_attribute where attrelid = 'ledger_batch'::regclass and attndims = 1 loop
    execute format('alter table ledger_batch alter column %I set storage external', name);
  end loop;

  alter table ledger_batch enable row level security;
  alter table ledger_batch force row level security;
  grant select on ledger_batch to faultline_app;
  create policy ledger_batch_app on ledger_batch for select to faultline_app using (true);
  create policy ledger_batch_owner on ledger_batch to faultline_owner using (true);
  foreach name in array array[
    'ledger_writer', 'ledger_account', 'ledger_credit', 'ledger_lot', 'ledger_hold', 'ledger_worker', 'ledger_budget',
    'ledger_batch', 'ledger_command', 'ledger_use', 'ledger_notice'
  ] loop
    execute format(
      'alter policy %I on %I using (tenant_id = (select current_setting(''faultline.tenant'', true)))', name || '_app', name);
    execute format(
      'alter policy %I on %I
         using (tenant_id = (select current_setting(''faultline.tenant'', true)))
         with check (tenant_id = (select current_setting(''faultline.tenant'', true)))', name || '_owner', name);
  end loop;
end $$;

-- What was written before this version, in batches of as many.
alter table ledger_transfer no force row level security;
alter table ledger_batch no force row level security;

with placed as (
  -- The transfers of a command stay together.
  select *, (min(sequence) over (partition by tenant_id, command_id) - 1) / 2000 as batch from ledger_transfer
), worded as (
  select tenant_id, batch, array_agg(distinct word) as words
  from placed cross join lateral (values (from_account), (to_account), (reason), (lot_id)) as listed (word)
  where word is not null group by 1, 2
)
insert into ledger_batch (tenant_id, first_sequence, last_sequence, from_ms, until_ms, words, command_ids, at_ms,
  from_words, to_words, amounts_micros, reason_words, lot_words, hold_ids, usage_ids)
select tenant_id, min(sequence), max(sequence), min(at_ms), max(at_ms), words,
  array_agg(command_id order by sequence), array_agg(at_ms order by sequence),
  array_agg(array_position(words, from_account) order by sequence),
  array_agg(array_position(words, to_account) order by sequence),
  array_agg(amount_micros order by sequence),
  array_agg(array_position(words, reason) order by sequence),
  array_agg(coalesce(array_position(words, lot_id), 0) order by sequence),
  array_agg(coalesce(hold_id, '') order by sequence), array_agg(coalesce(usage_id, '') order by sequence)
from placed join worded using (tenant_id, batch)
group by tenant_id, batch, words;

alter table ledger_batch force row level security;
drop table ledger_transfer;

create trigger ledger_batch_unchanged before update or delete on ledger_batch
  for each statement execute function ledger_refuse_change();

-- Each transfer, and of what its batch consists: conditions on that save whoever reads it from opening all batches.
create view ledger_transfer with (security_invoker = true) as
select batch.tenant_id, batch.first_sequence + moved.place - 1 as sequence, moved.command_id, moved.at_ms,
  batch.words[moved.from_word] as from_account, batch.words[moved.to_word] as to_account, moved.amount_micros,
  batch.words[moved.reason_word] as reason, batch.words[nullif(moved.lot_word, 0)] as lot_id,
  nullif(moved.hold_id, '') as hold_id, nullif(moved.usage_id, '') as usage_id,
  batch.first_sequence as batch_first, batch.from_ms as batch_from_ms, batch.until_ms as batch_until_ms
from ledger_batch batch cross join lateral unnest(batch.command_ids, batch.at_ms, batch.from_words, batch.to_words,
    batch.amounts_micros, batch.reason_words, batch.lot_words, batch.hold_ids, batch.usage_ids)
  with ordinality as moved (command_id, at_ms, from_word, to_word, amount_micros, reason_word, lot_word, hold_id, usage_id,
    place);

grant select on ledger_transfer to faultline_app;
create trigger ledger_transfer_unchanged instead of update or delete on ledger_transfer
  for each row execute function ledger_refuse_change();

-- The first number in the batch in which a number stands.
create function ledger_batch_of(sequence bigint) returns bigint
language sql stable set search_path = faultline, pg_temp as $$
  select coalesce(max(first_sequence), 0) from ledger_batch where first_sequence <= sequence
$$;

grant execute on function ledger_batch_of(bigint) to faultline_app;

-- Sums up hours that ended before a moment, at most so many, and tells how many rows those had. The caller leaves the writer
-- time to commit what it dated before that moment, and asks again until `ledger_summary` is there.
create or replace function ledger_summarise(before_ms bigint, hour_count_max integer) returns bigint
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
  select tenant, (at_ms[1] - day) / hour * hour from ledger_batch where tenant_id = tenant order by first_sequence limit 1
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
    where tenant_id = tenant and at_ms >= start_ms and at_ms < end_ms and batch_until_ms >= start_ms and batch_from_ms < end_ms
    union all
    select from_account, at_ms, -amount_micros from ledger_transfer
    where tenant_id = tenant and at_ms >= start_ms and at_ms < end_ms and batch_until_ms >= start_ms and batch_from_ms < end_ms
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

do $$
begin
  -- Their arguments are many; the names are few.
  execute (select string_agg(format('drop function %s', oid::regprocedure), '; ') from pg_proc
    where proname in ('ledger_apply', 'ledger_put_holds') and pronamespace = 'faultline'::regnamespace);
end $$;

-- Writes what was decided for a batch of commands, all or nothing.
-- FL001: another writer has taken over. FL002: the writer's state is not that of the database. FL003: what was decided
-- contradicts its own transfers. A unique_violation of ledger_command or ledger_use: an id was used before.
create function ledger_apply(
  writer_epoch bigint,
  -- The last sequence number before the batch, and how many batches came before it.
  known_sequence bigint,
  known_batch_count bigint,
  latest_ms bigint,
  -- Accounts, reasons, lots, kinds and states. What stands for one of them below is its place here, from 1 on; 0 is none.
  words text[],
  -- Commands in their order, each with the number of transfers before its own.
  command_ids text[], command_at_ms bigint[], command_offsets integer[], command_transfer_counts integer[],
  command_contents text[], command_answers text[],
  -- Commands, holds and uses of transfers are places among those of the batch; 0 is none.
  transfer_commands integer[], transfer_from integer[], transfer_to integer[], transfer_micros bigint[],
  transfer_reasons integer[], transfer_lots integer[], transfer_holds integer[], transfer_uses integer[],
  -- Holds and leases in their new form, and whether they are new.
  hold_ids text[], hold_is_new boolean[], hold_kinds integer[], hold_states integer[], hold_remaining bigint[],
  hold_ends bigint[], hold_records text[],
  use_ids text[], use_holds integer[], use_commands integer[], use_at_ms bigint[], use_micros bigint[], use_details text[],
  -- What is rare: lots, credits, budgets, removedBudgets, workers, notices.
  rest jsonb
) returns void
language plpgsql security definer
-- Every join is of a few values with a large table by its key; the planner, who may have seen the table empty, must not
-- think of anything else. And the arrays stay parameters: as constants of a plan they are searched from their start for each
-- element.
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set plan_cache_mode = force_generic_plan
set search_path = faultline, pg_temp as $$
declare
  tenant constant text := current_setting('faultline.tenant');
  transfer_count constant integer := coalesce(cardinality(transfer_micros), 0);
  writer ledger_writer;
  moved_from text[];
  moved_to text[];
  moved_micros bigint[];
  moved_lots text[];
begin
  -- It may have overtaken the batch before on the way here, which then comes in a moment.
  for turn in 1..500 loop
    perform from ledger_writer
      where tenant_id = tenant and epoch = writer_epoch and batch_count < known_batch_count;
    exit when not found;
    perform pg_sleep(0.002);
  end loop;
  select * into writer from ledger_writer where tenant_id = tenant for update;
  if writer.epoch is distinct from writer_epoch then
    raise exception 'the writer of epoch % was replaced by that of epoch %', writer_epoch, writer.epoch
      using errcode = 'FL001';
  end if;
  if writer.transfer_sequence <> known_sequence or writer.batch_count <> known_batch_count then
    raise exception 'the ledger is at transfer % of batch %, not at % of %', writer.transfer_sequence, writer.batch_count,
      known_sequence, known_batch_count using errcode = 'FL002';
  end if;
  update ledger_writer
    set transfer_sequence = writer.transfer_sequence + transfer_count, batch_count = writer.batch_count + 1,
      notice_sequence = writer.notice_sequence + coalesce(jsonb_array_length(rest -> 'notices'), 0),
      time_ms = greatest(writer.time_ms, latest_ms)
    where tenant_id = tenant;

  insert into ledger_command (tenant_id, id, at_ms, first_sequence, transfer_count, content, answer)
  select tenant, id, at_ms, known_sequence + 1 + transfer_offset, count, content, answer
  from unnest(command_ids, command_at_ms, command_offsets, command_transfer_counts, command_contents, command_answers)
    as command (id, at_ms, transfer_offset, count, content, answer);

  if transfer_count > 0 then
    insert into ledger_batch (tenant_id, first_sequence, last_sequence, from_ms, until_ms, words, command_ids, at_ms,
      from_words, to_words, amounts_micros, reason_words, lot_words, hold_ids, usage_ids)
    select tenant, known_sequence + 1, known_sequence + transfer_count, min(command_at_ms[command]),
      max(command_at_ms[command]), words, array_agg(command_ids[command]), array_agg(command_at_ms[command]),
      transfer_from, transfer_to, transfer_micros, transfer_reasons, transfer_lots,
      array_agg(coalesce(hold_ids[hold], '')), array_agg(coalesce(use_ids[use], ''))
    from unnest(transfer_commands, transfer_holds, transfer_uses) as transfer (command, hold, use);
  end if;

  insert into ledger_use (tenant_id, id, hold_id, command_id, at_ms, amount_micros, details)
  select tenant, id, hold_ids[hold], command_ids[command], at_ms, micros, nullif(details, '')::jsonb
  from unnest(use_ids, use_holds, use_commands, use_at_ms, use_micros, use_details)
    as use (id, hold, command, at_ms, micros, details);

  perform ledger_apply_rest(tenant, writer.notice_sequence, rest);

  -- Thousands of transfers go between few pairs of accounts, and out of few lots.
  select array_agg(words[from_word]), array_agg(words[to_word]), array_agg(micros), array_agg(words[lot])
  into moved_from, moved_to, moved_micros, moved_lots
  from (
    select from_word, to_word, lot, sum(micros)::bigint as micros
    from unnest(transfer_from, transfer_to, transfer_lots, transfer_micros) as transfer (from_word, to_word, lot, micros)
    group by from_word, to_word, lot
  ) moved;
  perform from unnest(moved_from, moved_to) as moved (from_account, to_account)
    where from_account is null or to_account is null or from_account = to_account;
  if found then
    raise exception 'a transfer goes from no account, to none, or to where it comes from' using errcode = 'FL003';
  end if;
  perform ledger_count_accounts(tenant, moved_from, moved_to, moved_micros);
  perform ledger_count_lots(tenant, moved_from, moved_to, moved_micros, moved_lots);
  perform ledger_put_holds(tenant, words, transfer_from, transfer_to, transfer_micros, transfer_holds,
    hold_ids, hold_is_new, ledger_find_holds(tenant, hold_ids, hold_is_new), hold_kinds, hold_states, hold_remaining,
    hold_ends, hold_records);
end $$;

-- Where the holds and leases stand that are not new. Each is looked up by its key, whatever the planner thinks of the table's size.
create function ledger_find_holds(tenant text, hold_ids text[], hold_is_new boolean[]) returns tid[] language plpgsql as $$
begin
  return (select array_agg(found.place order by listed.place)
    from unnest(hold_ids, hold_is_new) with ordinality as listed (id, is_new, place)
      left join lateral (
        select ctid as place from ledger_hold where not listed.is_new and tenant_id = tenant and id = listed.id limit 1
      ) found on true);
end $$;

-- Writes holds and leases. What each reserves is counted from the transfers, and must be what the writer thinks it is.
create function ledger_put_holds(
  tenant text, words text[],
  transfer_from integer[], transfer_to integer[], transfer_micros bigint[], transfer_holds integer[],
  hold_ids text[], hold_is_new boolean[], known_places tid[], hold_kinds integer[], hold_states integer[],
  hold_remaining bigint[], hold_ends bigint[], hold_records text[]
) returns void language plpgsql
-- Nothing but the place of a row is left to find it by.
set enable_indexscan = off set enable_bitmapscan = off as $$
declare
  hold_count constant integer := coalesce(cardinality(hold_ids), 0);
  -- Which of the words are accounts of what is reserved.
  is_holds boolean[];
  -- What the transfers brought to each hold and took from it.
  hold_changes bigint[];
  row_count integer;
  row_sum integer := 0;
begin
  select array_agg(word like 'holds/%' order by place) into is_holds
  from unnest(words) with ordinality as listed (word, place);
  select array_agg(micros order by place) into hold_changes
  from (
    select place, sum(micros)::bigint as micros
    from (
      select place, 0::bigint as micros from generate_series(1, hold_count) as listed (place)
      union all
      select hold, case when is_holds[to_word] then micros else 0 end - case when is_holds[from_word] then micros else 0 end
      from unnest(transfer_holds, transfer_from, transfer_to, transfer_micros) as transfer (hold, from_word, to_word, micros)
      where is_holds[from_word] or is_holds[to_word]
    ) movement
    group by place
  ) counted;
  if coalesce(cardinality(hold_changes), 0) <> hold_count then
    raise exception 'something is reserved for a hold that is not written' using errcode = 'FL003';
  end if;

  insert into ledger_hold (tenant_id, id, kind, state, remaining_micros, ends_at_ms, record)
  select tenant, id, words[kind], words[state], micros, ends_at_ms, record::json
  from unnest(hold_ids, hold_is_new, hold_kinds, hold_states, hold_remaining, hold_ends, hold_records, hold_changes)
    as given (id, is_new, kind, state, remaining, ends_at_ms, record, micros)
  where is_new and micros = remaining;
  get diagnostics row_count = row_count;
  row_sum := row_sum + row_count;

  update ledger_hold known
    set state = words[change.state], remaining_micros = change.remaining, ends_at_ms = change.ends_at_ms,
      record = change.record::json
  from unnest(known_places, hold_states, hold_remaining, hold_ends, hold_records,
      hold_changes)
    as change (place, state, remaining, ends_at_ms, record, micros)
  where known.ctid = change.place
    and known.remaining_micros + change.micros = change.remaining
    -- What has ended stays as it ended.
    and (known.state = 'open' or known.state = words[change.state]);
  get diagnostics row_count = row_count;
  row_sum := row_sum + row_count;
  if row_sum <> hold_count then
    raise exception 'a hold is not there, has ended, or is not the sum of its transfers' using errcode = 'FL003';
  end if;
end $$;

do $$
begin
  execute (select format('grant execute on function %s to faultline_app', oid::regprocedure) from pg_proc
    where proname = 'ledger_apply' and pronamespace = 'faultline'::regnamespace);
end $$;
