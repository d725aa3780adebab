-- Batches wait for their turn by locks. Each holds a lock of its own number until it has ended, which the next one waits for:
-- looking every few milliseconds whether the one before was written cost time while it was, and let time pass after it.

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
  perform ledger_put_holds(tenant, words, transfer_from, transfer_to, transfer_micros, transfer_holds,
    hold_ids, hold_is_new, ledger_find_holds(tenant, hold_ids, hold_is_new), hold_kinds, hold_states, hold_remaining,
    hold_ends, hold_records);
end $$;
