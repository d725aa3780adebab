-- Open holds and leases are found by groups: those that one batch placed, a hundred or so together. A group says how many of it
-- are open, and is gone when none is. Nothing that an index holds changes when a hold ends, so that its row is written in its
-- page, where the half that is left free is for that. An index of what is open had to be written for each hold twice.

create table ledger_open_group (
  tenant_id text not null,
  number bigint not null,
  -- How many of its holds and leases are open.
  hold_count integer not null check (hold_count > 0),
  -- None of them ends sooner: what is renewed ends later.
  ends_from_ms bigint not null,
  primary key (tenant_id, number)
-- The count goes down many times.
) with (fillfactor = 50);

do $$
declare
  name constant text := 'ledger_open_group';
begin
  execute format('alter table %I enable row level security', name);
  execute format('alter table %I force row level security', name);
  execute format('grant select on %I to faultline_app, faultline_system', name);
  execute format(
    'create policy %I on %I for select to faultline_app
       using (tenant_id = (select current_setting(''faultline.tenant'', true)))', name || '_app', name);
  execute format(
    'create policy %I on %I to faultline_owner
       using (tenant_id = (select current_setting(''faultline.tenant'', true)))
       with check (tenant_id = (select current_setting(''faultline.tenant'', true)))', name || '_owner', name);
  execute format('create policy %I on %I for select to faultline_system using (true)', name || '_system', name);
end $$;

-- The group in which a hold was placed, and stays. What was written when it had ended already has none.
alter table ledger_hold add column open_group bigint;

-- What is open already. The numbers of batches begin at zero.
alter table ledger_hold no force row level security;
alter table ledger_open_group no force row level security;

update ledger_hold hold set open_group = placed.number
from (
  select tenant_id, id, -1 - (row_number() over (partition by tenant_id order by ends_at_ms, id) - 1) / 128 as number
  from ledger_hold where state = 'open'
) placed
where hold.tenant_id = placed.tenant_id and hold.id = placed.id;

insert into ledger_open_group (tenant_id, number, hold_count, ends_from_ms)
select tenant_id, open_group, count(*), min(ends_at_ms) from ledger_hold where state = 'open' group by tenant_id, open_group;

alter table ledger_open_group force row level security;
alter table ledger_hold force row level security;

drop index ledger_hold_open;
create index ledger_hold_by_group on ledger_hold (tenant_id, open_group) where open_group is not null;
alter table ledger_hold add check (state <> 'open' or open_group is not null);
alter table ledger_hold set (fillfactor = 45);

-- Holds and leases that are open. Each group is opened by itself: but for `offset 0` the planner would now and then read all that
-- ever was held.
create view ledger_open_hold with (security_invoker = true) as
select grouped.tenant_id, hold.id, hold.kind, hold.remaining_micros, hold.ends_at_ms, hold.record, grouped.ends_from_ms
from ledger_open_group grouped cross join lateral (
  select id, kind, remaining_micros, ends_at_ms, record from ledger_hold
  where tenant_id = grouped.tenant_id and open_group = grouped.number and state = 'open' offset 0
) hold;

grant select on ledger_open_hold to faultline_app, faultline_system;

drop function ledger_put_holds;

-- Writes holds and leases. What each reserves is counted from the transfers, and must be what the writer thinks it is.
-- Gives the groups of holds that were open and are not any more, and how many of each those are.
create function ledger_put_holds(
  tenant text, known_batch_count bigint, words text[],
  transfer_from integer[], transfer_to integer[], transfer_micros bigint[], transfer_holds integer[],
  hold_ids text[], hold_is_new boolean[], known_places tid[], hold_kinds integer[], hold_states integer[],
  hold_remaining bigint[], hold_ends bigint[], hold_records text[],
  out group_numbers bigint[], out hold_counts bigint[]
) language plpgsql
-- Nothing but the place of a row is left to find it by.
set enable_indexscan = off set enable_bitmapscan = off as $$
declare
  hold_count constant integer := coalesce(cardinality(hold_ids), 0);
  -- Which of the words are accounts of what is reserved.
  is_holds boolean[];
  -- What the transfers brought to each hold and took from it.
  hold_changes bigint[];
  -- A batch has a million numbers for groups.
  first_group constant bigint := known_batch_count << 20;
  group_size constant integer := 128;
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

  -- A batch of one command has but one of both to do.
  if true = any (hold_is_new) then
    insert into ledger_hold (tenant_id, id, kind, state, remaining_micros, ends_at_ms, record, open_group)
    select tenant, id, words[kind], words[state], micros, ends_at_ms, record::json,
      case when words[state] = 'open' then first_group + place / group_size end
    from unnest(hold_ids, hold_is_new, hold_kinds, hold_states, hold_remaining, hold_ends, hold_records, hold_changes)
      with ordinality as given (id, is_new, kind, state, remaining, ends_at_ms, record, micros, place)
    where is_new and micros = remaining;
    get diagnostics row_count = row_count;
    row_sum := row_sum + row_count;

    insert into ledger_open_group (tenant_id, number, hold_count, ends_from_ms)
    select tenant, first_group + place / group_size, count(*), min(ends_at_ms)
    from unnest(hold_is_new, hold_states, hold_ends) with ordinality as given (is_new, state, ends_at_ms, place)
    where is_new and words[state] = 'open'
    group by place / group_size;
  end if;

  if false = any (hold_is_new) then
    with changed as (
      update ledger_hold known
        set state = words[change.state], remaining_micros = change.remaining, ends_at_ms = change.ends_at_ms,
          record = change.record::json
      from unnest(known_places, hold_states, hold_remaining, hold_ends, hold_records, hold_changes)
        as change (place, state, remaining, ends_at_ms, record, micros)
      where known.ctid = change.place
        and known.remaining_micros + change.micros = change.remaining
        -- What has ended stays as it ended.
        and (known.state = 'open' or known.state = words[change.state])
      returning known.open_group as number, old.state <> known.state as has_ended
    ), counted as (
      select number, count(*) filter (where has_ended) as ended_count, count(*) as changed_count from changed group by number
    )
    select array_agg(number) filter (where ended_count > 0), array_agg(ended_count) filter (where ended_count > 0),
      coalesce(sum(changed_count), 0)
    into group_numbers, hold_counts, row_count from counted;
    row_sum := row_sum + row_count;
  end if;
  if row_sum <> hold_count then
    raise exception 'a hold is not there, has ended, or is not the sum of its transfers' using errcode = 'FL003';
  end if;
end $$;

-- Counts what has ended in groups that were open.
create function ledger_count_open(tenant text, group_numbers bigint[], hold_counts bigint[]) returns void language plpgsql as $$
declare
  row_count integer;
begin
  if group_numbers is null then
    return;
  end if;
  with ended as (
    delete from ledger_open_group known
    using unnest(group_numbers, hold_counts) as ended (number, hold_count)
    where known.tenant_id = tenant and known.number = ended.number and known.hold_count = ended.hold_count
    returning known.number
  ), lessened as (
    update ledger_open_group known set hold_count = known.hold_count - ended.hold_count
    from unnest(group_numbers, hold_counts) as ended (number, hold_count)
    where known.tenant_id = tenant and known.number = ended.number and known.hold_count > ended.hold_count
    returning known.number
  )
  select (select count(*) from ended) + (select count(*) from lessened) into row_count;
  if row_count <> cardinality(group_numbers) then
    raise exception 'more holds end than their group counts as open' using errcode = 'FL003';
  end if;
end $$;

-- Writes what was decided for a batch of commands, all or nothing.
-- FL001: another writer has taken over. FL002: the writer's state is not that of the database. FL003: what was decided
-- contradicts its own transfers. A unique_violation of ledger_command or ledger_use: an id was used before.
create or replace function ledger_apply(
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
  ended record;
begin
  -- The batch before may be under way: its end is waited for. Or it was overtaken on the way here, and comes in a moment. Its
  -- lock is not kept, so that it can come.
  perform pg_advisory_xact_lock(hashtextextended(tenant, known_batch_count + 1));
  for turn in 1..500 loop
    perform pg_advisory_lock_shared(hashtextextended(tenant, known_batch_count));
    perform pg_advisory_unlock_shared(hashtextextended(tenant, known_batch_count));
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
  select * into ended from ledger_put_holds(tenant, known_batch_count, words, transfer_from, transfer_to, transfer_micros,
    transfer_holds, hold_ids, hold_is_new, ledger_find_holds(tenant, hold_ids, hold_is_new), hold_kinds, hold_states,
    hold_remaining, hold_ends, hold_records);
  perform ledger_count_open(tenant, ended.group_numbers, ended.hold_counts);
end $$;
