-- The ledger: accounts, lots, holds and leases, budgets, transfers that are written once, and the commands that made them.
-- One writer decides for a tenant; ledger_apply writes what it decided for a batch of commands, and refuses by itself what
-- would break an invariant: a writer that another has replaced, an id that was used before, a balance beyond its bound, a
-- lot or a hold whose balance is not the sum of its transfers. Amounts are micros (millionths of a unit of the currency),
-- times are milliseconds since the Unix epoch.

-- Who writes the ledger of a tenant, and how far it is. Each writer that loads the ledger takes the next epoch.
create table ledger_writer (
  tenant_id text primary key references tenant (id),
  epoch bigint not null check (epoch >= 1),
  -- The last sequence number of a transfer, and of a notice.
  transfer_sequence bigint not null default 0,
  notice_sequence bigint not null default 0,
  -- The latest time that a command came with.
  time_ms bigint not null default 0
);

-- The balance of each account: the sum of what its transfers brought and took.
create table ledger_account (
  tenant_id text not null,
  -- A kind and a currency, such as credit/USD or usage:tokens/USD.
  id text collate "C" not null check (length(id) between 3 and 80),
  balance_micros bigint not null default 0,
  primary key (tenant_id, id),
  -- What a tenant owns and what it reserved is never below zero; what it owes is never above.
  check (id not like 'credit/%' or balance_micros >= 0),
  check (id not like 'holds/%' or balance_micros >= 0),
  check (id not like 'usage:%' or balance_micros >= 0),
  check (id not like 'debt/%' or balance_micros <= 0)
);

-- What a tenant may do in one currency.
create table ledger_credit (
  tenant_id text not null,
  currency text collate "C" not null check (length(currency) between 1 and 16),
  is_open boolean not null,
  limit_micros bigint not null check (limit_micros >= 0),
  line_held_micros bigint not null check (line_held_micros >= 0),
  primary key (tenant_id, currency)
);

create table ledger_lot (
  tenant_id text not null,
  id text collate "C" not null check (length(id) between 1 and 128),
  currency text collate "C" not null,
  granted_micros bigint not null check (granted_micros > 0),
  -- The sum of its transfers to and from credit, as ledger_apply counts it.
  remaining_micros bigint not null default 0 check (remaining_micros between 0 and granted_micros),
  priority integer not null,
  granted_at_ms bigint not null,
  expires_at_ms bigint,
  primary key (tenant_id, id)
);

create index ledger_lot_in_use on ledger_lot (tenant_id, expires_at_ms) where remaining_micros > 0;

-- Credit that is reserved: for one operation (hold) or lent to a gateway process (lease).
create table ledger_hold (
  tenant_id text not null,
  id text collate "C" not null check (length(id) between 1 and 128),
  kind text not null check (kind in ('hold', 'lease')),
  state text not null check (state in ('open', 'settled', 'released', 'expired', 'returned', 'lost')),
  -- The sum of its transfers to and from holds, as ledger_apply counts it.
  remaining_micros bigint not null default 0 check (remaining_micros >= 0),
  -- When it ends unless it is renewed: the expiry of a hold, the deadline of a lease.
  ends_at_ms bigint not null,
  -- All that the rules know of it. Written and read as a whole, so that it is kept as text.
  record json not null,
  primary key (tenant_id, id),
  -- What has ended reserves nothing.
  check (state = 'open' or remaining_micros = 0)
);

create index ledger_hold_open on ledger_hold (tenant_id, ends_at_ms) where state = 'open';

-- The latest life of each gateway process that was lent credit.
create table ledger_worker (
  tenant_id text not null,
  id text collate "C" not null check (length(id) between 1 and 128),
  epoch bigint not null,
  primary key (tenant_id, id)
);

create table ledger_budget (
  tenant_id text not null,
  id text collate "C" not null check (length(id) between 1 and 128),
  terms jsonb not null,
  -- What counts in each window, by the start of the window.
  counts jsonb not null,
  primary key (tenant_id, id)
);

-- Movements between two accounts of one currency. A transfer takes from one account what it gives to another, so that all
-- of them sum to zero. Nothing refers to this table, and its key begins with what it could be partitioned by.
create table ledger_transfer (
  tenant_id text not null,
  sequence bigint not null,
  command_id text collate "C" not null,
  at_ms bigint not null,
  from_account text collate "C" not null,
  to_account text collate "C" not null check (to_account <> from_account),
  amount_micros bigint not null check (amount_micros > 0),
  reason text not null check (length(reason) between 1 and 40),
  lot_id text collate "C",
  hold_id text collate "C",
  usage_id text collate "C",
  primary key (tenant_id, sequence)
);

-- Commands that took effect, by the id that the client gave: a repetition gets the same answer.
create table ledger_command (
  tenant_id text not null,
  id text collate "C" not null check (length(id) between 1 and 128),
  at_ms bigint not null,
  -- Its transfers, which follow one another.
  first_sequence bigint not null,
  transfer_count integer not null check (transfer_count >= 0),
  -- What was asked, save the time, and what was answered.
  content text not null,
  answer text not null,
  primary key (tenant_id, id)
);

-- What was used, each once.
create table ledger_use (
  tenant_id text not null,
  id text collate "C" not null check (length(id) between 1 and 128),
  hold_id text collate "C" not null,
  command_id text collate "C" not null,
  at_ms bigint not null,
  amount_micros bigint not null check (amount_micros >= 0),
  -- Bundle hash, provider, model, tokens by class, seconds by kind of device, price version, and whom it is for.
  details jsonb,
  primary key (tenant_id, id)
);

create index ledger_use_by_time on ledger_use using brin (at_ms) with (pages_per_range = 32);

-- What somebody should be told, in the transaction in which it happened.
create table ledger_notice (
  tenant_id text not null,
  sequence bigint not null,
  command_id text collate "C" not null,
  at_ms bigint not null,
  record jsonb not null,
  delivered_at_ms bigint,
  primary key (tenant_id, sequence)
);

create index ledger_notice_waiting on ledger_notice (tenant_id, sequence) where delivered_at_ms is null;

do $$
declare
  name text;
begin
  foreach name in array array[
    'ledger_writer', 'ledger_account', 'ledger_credit', 'ledger_lot', 'ledger_hold', 'ledger_worker', 'ledger_budget',
    'ledger_transfer', 'ledger_command', 'ledger_use', 'ledger_notice'
  ] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('grant select on %I to faultline_app', name);
    execute format(
      'create policy %I on %I for select to faultline_app
         using (tenant_id = current_setting(''faultline.tenant'', true))', name || '_app', name);
    -- Written only by the functions below, which run as the owner and see the tenant of their transaction alone.
    execute format(
      'create policy %I on %I to faultline_owner
         using (tenant_id = current_setting(''faultline.tenant'', true))
         with check (tenant_id = current_setting(''faultline.tenant'', true))', name || '_owner', name);
  end loop;
  -- The sweeper looks for tenants in which something ran out while nobody asked for them; gateway processes are told which
  -- tenants pay, and what is open that they were lent.
  foreach name in array array['ledger_hold', 'ledger_lot', 'ledger_credit'] loop
    execute format('grant select on %I to faultline_system', name);
    execute format('create policy %I on %I for select to faultline_system using (true)', name || '_system', name);
  end loop;
end $$;

-- What is written once is never changed, by nobody: a mistake is put right by another entry.
create function ledger_refuse_change() returns trigger
language plpgsql set search_path = faultline, pg_temp as $$
begin
  raise exception 'rows of % are never changed or deleted', tg_table_name using errcode = 'FL005';
end $$;

create trigger ledger_transfer_unchanged before update or delete on ledger_transfer
  for each statement execute function ledger_refuse_change();
create trigger ledger_command_unchanged before update or delete on ledger_command
  for each statement execute function ledger_refuse_change();
create trigger ledger_use_unchanged before update or delete on ledger_use
  for each statement execute function ledger_refuse_change();

-- Makes the caller the writer of its tenant's ledger and gives its epoch. Waits for a batch of an earlier writer that is
-- under way, and no batch of it can come after.
create function ledger_claim() returns ledger_writer
language sql security definer set search_path = faultline, pg_temp as $$
  insert into ledger_writer as known (tenant_id, epoch) values (current_setting('faultline.tenant', true), 1)
  on conflict (tenant_id) do update set epoch = known.epoch + 1
  returning *
$$;

-- Writes what was decided for a batch of commands, all or nothing.
-- FL001: another writer has taken over. FL002: the writer's state is not that of the database. FL003: what was decided
-- contradicts its own transfers. A unique_violation of ledger_command or ledger_use: an id was used before.
create function ledger_apply(
  writer_epoch bigint,
  -- The last sequence number before the batch.
  known_sequence bigint,
  latest_ms bigint,
  -- Commands in their order, each with the number of transfers before its own.
  command_ids text[], command_at_ms bigint[], command_offsets bigint[], command_transfer_counts integer[],
  command_contents text[], command_answers text[],
  -- Where there is no lot, hold or use stands an empty text.
  transfer_commands text[], transfer_at_ms bigint[], transfer_from text[], transfer_to text[], transfer_micros bigint[],
  transfer_reasons text[], transfer_lots text[], transfer_holds text[], transfer_uses text[],
  -- Holds and leases in their new form, and whether they are new.
  hold_ids text[], hold_is_new boolean[], hold_kinds text[], hold_states text[], hold_remaining bigint[], hold_ends bigint[],
  hold_records text[],
  use_ids text[], use_holds text[], use_commands text[], use_at_ms bigint[], use_micros bigint[], use_details text[],
  -- What is rare: lots, credits, budgets, removedBudgets, workers, notices.
  rest jsonb
) returns void
language plpgsql security definer
-- Every join is of a few values with a large table by its key; the planner, who may have seen the table empty, must not
-- think of anything else.
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
set search_path = faultline, pg_temp as $$
declare
  tenant constant text := current_setting('faultline.tenant');
  transfer_count constant integer := coalesce(cardinality(transfer_micros), 0);
  writer ledger_writer;
begin
  select * into writer from ledger_writer where tenant_id = tenant for update;
  if writer.epoch is distinct from writer_epoch then
    raise exception 'the writer of epoch % was replaced by that of epoch %', writer_epoch, writer.epoch
      using errcode = 'FL001';
  end if;
  if writer.transfer_sequence <> known_sequence then
    raise exception 'the ledger is at transfer %, not at %', writer.transfer_sequence, known_sequence
      using errcode = 'FL002';
  end if;
  update ledger_writer
    set transfer_sequence = writer.transfer_sequence + transfer_count,
      notice_sequence = writer.notice_sequence + coalesce(jsonb_array_length(rest -> 'notices'), 0),
      time_ms = greatest(writer.time_ms, latest_ms)
    where tenant_id = tenant;

  insert into ledger_command (tenant_id, id, at_ms, first_sequence, transfer_count, content, answer)
  select tenant, id, at_ms, known_sequence + 1 + transfer_offset, count, content, answer
  from unnest(command_ids, command_at_ms, command_offsets, command_transfer_counts, command_contents, command_answers)
    as command (id, at_ms, transfer_offset, count, content, answer);

  insert into ledger_transfer (tenant_id, sequence, command_id, at_ms, from_account, to_account, amount_micros, reason,
    lot_id, hold_id, usage_id)
  select tenant, known_sequence + place, command_id, at_ms, from_account, to_account, micros, reason,
    nullif(lot_id, ''), nullif(hold_id, ''), nullif(usage_id, '')
  from unnest(transfer_commands, transfer_at_ms, transfer_from, transfer_to, transfer_micros, transfer_reasons,
    transfer_lots, transfer_holds, transfer_uses)
    with ordinality as transfer (command_id, at_ms, from_account, to_account, micros, reason, lot_id, hold_id, usage_id,
      place);

  insert into ledger_use (tenant_id, id, hold_id, command_id, at_ms, amount_micros, details)
  select tenant, id, hold_id, command_id, at_ms, micros, nullif(details, '')::jsonb
  from unnest(use_ids, use_holds, use_commands, use_at_ms, use_micros, use_details)
    as use (id, hold_id, command_id, at_ms, micros, details);

  perform ledger_apply_rest(tenant, writer.notice_sequence, rest);
  perform ledger_count_accounts(tenant, transfer_from, transfer_to, transfer_micros);
  perform ledger_count_lots(tenant, transfer_from, transfer_to, transfer_micros, transfer_lots);
  perform ledger_put_holds(tenant, transfer_from, transfer_to, transfer_micros, transfer_holds,
    hold_ids, hold_is_new, hold_kinds, hold_states, hold_remaining, hold_ends, hold_records);
end $$;

-- Moves the balances of accounts by what the transfers say.
create function ledger_count_accounts(tenant text, transfer_from text[], transfer_to text[], transfer_micros bigint[])
returns void language plpgsql as $$
declare
  pair_from text[];
  pair_to text[];
  pair_micros bigint[];
begin
  -- Thousands of transfers go between few pairs of accounts.
  select array_agg(from_account), array_agg(to_account), array_agg(micros) into pair_from, pair_to, pair_micros
  from (
    select from_account, to_account, sum(micros)::bigint as micros
    from unnest(transfer_from, transfer_to, transfer_micros) as transfer (from_account, to_account, micros)
    group by from_account, to_account
  ) pair;
  perform from unnest(pair_from, pair_to) as pair (from_account, to_account)
    where split_part(from_account, '/', 2) <> split_part(to_account, '/', 2);
  if found then
    raise exception 'a transfer goes from one currency to another' using errcode = 'FL003';
  end if;
  insert into ledger_account (tenant_id, id)
  select distinct tenant, id from unnest(pair_from || pair_to) as account (id)
  on conflict (tenant_id, id) do nothing;
  update ledger_account known set balance_micros = known.balance_micros + change.micros
  from (
    select id, sum(micros)::bigint as micros from (
      select id, -micros as micros from unnest(pair_from, pair_micros) as taken (id, micros)
      union all
      select id, micros from unnest(pair_to, pair_micros) as given (id, micros)
    ) movement group by id
  ) change
  where known.tenant_id = tenant and known.id = change.id;
end $$;

-- Moves what is left in lots by what the transfers say. All credit belongs to a lot.
create function ledger_count_lots(
  tenant text, transfer_from text[], transfer_to text[], transfer_micros bigint[], transfer_lots text[]
) returns void language plpgsql as $$
declare
  lot_ids text[];
  lot_micros bigint[];
  row_count integer;
begin
  select array_agg(id), array_agg(micros) into lot_ids, lot_micros
  from (
    select id, sum(case when to_account like 'credit/%' then micros else 0 end
        - case when from_account like 'credit/%' then micros else 0 end)::bigint as micros
    from unnest(transfer_lots, transfer_from, transfer_to, transfer_micros)
      as transfer (id, from_account, to_account, micros)
    where from_account like 'credit/%' or to_account like 'credit/%'
    group by id
  ) lot;
  update ledger_lot known set remaining_micros = known.remaining_micros + change.micros
  from unnest(lot_ids, lot_micros) as change (id, micros)
  where known.tenant_id = tenant and known.id = change.id;
  get diagnostics row_count = row_count;
  if row_count <> coalesce(cardinality(lot_ids), 0) then
    raise exception 'credit moves that belongs to no lot' using errcode = 'FL003';
  end if;
end $$;

-- Writes holds and leases. What each reserves is counted from the transfers, and must be what the writer thinks it is.
create function ledger_put_holds(
  tenant text, transfer_from text[], transfer_to text[], transfer_micros bigint[], transfer_holds text[],
  hold_ids text[], hold_is_new boolean[], hold_kinds text[], hold_states text[], hold_remaining bigint[],
  hold_ends bigint[], hold_records text[]
) returns void language plpgsql as $$
declare
  hold record;
  row_count integer;
  row_sum integer := 0;
begin
  select array_agg(id) as ids, array_agg(is_new) as is_new, array_agg(kind) as kinds, array_agg(state) as states,
    array_agg(micros) as micros, array_agg(remaining) as remaining, array_agg(ends_at_ms) as ends,
    array_agg(record) as records, count(*) filter (where state is null) as stray_count
  into hold
  from (
    select id, bool_or(is_new) as is_new, max(kind) as kind, max(state) as state, sum(micros)::bigint as micros,
      max(remaining) as remaining, max(ends_at_ms) as ends_at_ms, max(record) as record
    from (
      select id, is_new, kind, state, 0::bigint as micros, remaining, ends_at_ms, record
      from unnest(hold_ids, hold_is_new, hold_kinds, hold_states, hold_remaining, hold_ends, hold_records)
        as given (id, is_new, kind, state, remaining, ends_at_ms, record)
      union all
      select id, null, null, null,
        case when to_account like 'holds/%' then micros else 0 end
          - case when from_account like 'holds/%' then micros else 0 end, null, null, null
      from unnest(transfer_holds, transfer_from, transfer_to, transfer_micros)
        as transfer (id, from_account, to_account, micros)
      where from_account like 'holds/%' or to_account like 'holds/%'
    ) movement
    group by id
  ) counted;
  if hold.stray_count > 0 then
    raise exception 'something is reserved for a hold that is not written' using errcode = 'FL003';
  end if;

  insert into ledger_hold (tenant_id, id, kind, state, remaining_micros, ends_at_ms, record)
  select tenant, id, kind, state, micros, ends_at_ms, record::json
  from unnest(hold.ids, hold.is_new, hold.kinds, hold.states, hold.micros, hold.remaining, hold.ends, hold.records)
    as given (id, is_new, kind, state, micros, remaining, ends_at_ms, record)
  where is_new and micros = remaining;
  get diagnostics row_count = row_count;
  row_sum := row_sum + row_count;

  update ledger_hold known
    set state = change.state, remaining_micros = change.remaining, ends_at_ms = change.ends_at_ms,
      record = change.record::json
  from unnest(hold.ids, hold.is_new, hold.states, hold.micros, hold.remaining, hold.ends, hold.records)
    as change (id, is_new, state, micros, remaining, ends_at_ms, record)
  where not change.is_new and known.tenant_id = tenant and known.id = change.id
    and known.remaining_micros + change.micros = change.remaining
    -- What has ended stays as it ended.
    and (known.state = 'open' or known.state = change.state);
  get diagnostics row_count = row_count;
  row_sum := row_sum + row_count;
  if row_sum <> coalesce(cardinality(hold.ids), 0) then
    raise exception 'a hold is not there, has ended, or is not the sum of its transfers' using errcode = 'FL003';
  end if;
end $$;

-- The part of a batch that is rare.
create function ledger_apply_rest(tenant text, known_notice bigint, rest jsonb) returns void
language plpgsql set search_path = faultline, pg_temp as $$
begin
  if rest ? 'lots' then
    -- They come with nothing in them; what is in a lot is counted from its transfers.
    insert into ledger_lot (tenant_id, id, currency, granted_micros, priority, granted_at_ms, expires_at_ms)
    select tenant, lot.id, lot.currency, lot.granted_micros, lot.priority, lot.granted_at_ms, lot.expires_at_ms
    from jsonb_to_recordset(rest -> 'lots') as lot (id text, currency text, granted_micros bigint, priority integer,
      granted_at_ms bigint, expires_at_ms bigint);
  end if;
  if rest ? 'credits' then
    insert into ledger_credit as known (tenant_id, currency, is_open, limit_micros, line_held_micros)
    select tenant, credit.currency, credit.is_open, credit.limit_micros, credit.line_held_micros
    from jsonb_to_recordset(rest -> 'credits') as credit (currency text, is_open boolean, limit_micros bigint,
      line_held_micros bigint)
    on conflict (tenant_id, currency) do update set is_open = excluded.is_open, limit_micros = excluded.limit_micros,
      line_held_micros = excluded.line_held_micros;
  end if;
  if rest ? 'budgets' then
    insert into ledger_budget as known (tenant_id, id, terms, counts)
    select tenant, budget.id, budget.terms, budget.counts
    from jsonb_to_recordset(rest -> 'budgets') as budget (id text, terms jsonb, counts jsonb)
    on conflict (tenant_id, id) do update set terms = excluded.terms, counts = excluded.counts;
  end if;
  if rest ? 'removedBudgets' then
    delete from ledger_budget where tenant_id = tenant
      and id in (select jsonb_array_elements_text(rest -> 'removedBudgets'));
  end if;
  if rest ? 'workers' then
    insert into ledger_worker as known (tenant_id, id, epoch)
    select tenant, worker.id, worker.epoch
    from jsonb_to_recordset(rest -> 'workers') as worker (id text, epoch bigint)
    on conflict (tenant_id, id) do update set epoch = excluded.epoch where known.epoch <= excluded.epoch;
  end if;
  if rest ? 'notices' then
    insert into ledger_notice (tenant_id, sequence, command_id, at_ms, record)
    select tenant, known_notice + place, notice ->> 'command_id', (notice ->> 'at_ms')::bigint, notice -> 'record'
    from jsonb_array_elements(rest -> 'notices') with ordinality as listed (notice, place);
  end if;
end $$;

grant execute on function ledger_claim() to faultline_app;
do $$
begin
  -- Its arguments are many; the name is one.
  execute (select format('grant execute on function %s to faultline_app', oid::regprocedure) from pg_proc
    where proname = 'ledger_apply' and pronamespace = 'faultline'::regnamespace);
end $$;
