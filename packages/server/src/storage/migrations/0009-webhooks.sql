-- Webhooks: where a tenant wants to be told that a budget passed a threshold, and the outbox of what is told. Notices of the
-- ledger are handed to the outbox, one delivery for each webhook, and deliveries are attempted until one succeeds or there
-- were too many. Whoever attempts one moves the time of its next attempt first, so that nobody else takes it meanwhile, and
-- so that another process goes on when this one dies.

create table webhook (
  tenant_id text not null references tenant (id),
  id text not null check (id ~ '^[A-Za-z0-9-]{1,64}$'),
  url text not null check (length(url) between 1 and 2048),
  -- The budgets of which it is told; where there is no list, of all.
  budget_ids text[] check (cardinality(budget_ids) between 1 and 100),
  is_enabled boolean not null,
  created_at timestamptz not null,
  actor text not null check (length(actor) between 1 and 300),
  -- What deliveries are signed with; until it ends, also with the one before.
  secret text not null check (length(secret) between 32 and 128),
  previous_secret text check (length(previous_secret) between 32 and 128),
  previous_secret_until timestamptz,
  primary key (tenant_id, id),
  check ((previous_secret is null) = (previous_secret_until is null))
);

create table webhook_delivery (
  tenant_id text not null,
  -- By which receivers tell a repetition.
  id text not null check (id ~ '^[A-Za-z0-9-]{1,64}$'),
  webhook_id text not null,
  -- The notice of the ledger; a test has none.
  notice_sequence bigint,
  -- The same in every attempt.
  body text not null check (octet_length(body) <= 65536),
  state text not null check (state in ('waiting', 'delivered', 'failed')),
  created_at timestamptz not null,
  attempt_count integer not null check (attempt_count >= 0),
  next_attempt_at timestamptz not null,
  -- Of the attempt under way: only who began it writes down how it ended.
  attempt_id text,
  ended_at timestamptz,
  last_status integer,
  last_failure text check (length(last_failure) <= 500),
  primary key (tenant_id, id),
  unique (tenant_id, webhook_id, notice_sequence),
  check ((state = 'waiting') = (ended_at is null))
);

create index webhook_delivery_due on webhook_delivery (next_attempt_at) where state = 'waiting';
create index webhook_delivery_newest on webhook_delivery (tenant_id, created_at desc, id);
create index webhook_delivery_ended on webhook_delivery (ended_at) where state <> 'waiting';

create index ledger_notice_unsent on ledger_notice (tenant_id, sequence)
  where delivered_at_ms is null and record ->> 'kind' = 'budget-threshold-passed';
comment on column ledger_notice.delivered_at_ms is
  'when it was handed to the outbox of webhooks: whatever webhooks there were then get it from there';

alter table webhook enable row level security;
alter table webhook force row level security;
alter table webhook_delivery enable row level security;
alter table webhook_delivery force row level security;

-- Whoever serves requests writes secrets and can read none of them.
grant select (tenant_id, id, url, budget_ids, is_enabled, created_at, actor, previous_secret_until), insert, delete
  on webhook to faultline_app;
grant update (url, budget_ids, is_enabled) on webhook to faultline_app;
create policy webhook_app on webhook to faultline_app
  using (tenant_id = current_setting('faultline.tenant', true))
  with check (tenant_id = current_setting('faultline.tenant', true));

grant select, insert, update, delete on webhook_delivery to faultline_app;
create policy webhook_delivery_app on webhook_delivery to faultline_app
  using (tenant_id = current_setting('faultline.tenant', true))
  with check (tenant_id = current_setting('faultline.tenant', true));

-- For the function below, which runs as the owner.
create policy webhook_owner on webhook to faultline_owner
  using (tenant_id = current_setting('faultline.tenant', true))
  with check (tenant_id = current_setting('faultline.tenant', true));

-- Whoever delivers serves every tenant.
grant select on webhook to faultline_system;
create policy webhook_system on webhook for select to faultline_system using (true);
grant select, insert, update, delete on webhook_delivery to faultline_system;
create policy webhook_delivery_system on webhook_delivery to faultline_system using (true) with check (true);
grant select, update (delivered_at_ms) on ledger_notice to faultline_system;
create policy ledger_notice_system_read on ledger_notice for select to faultline_system using (true);
create policy ledger_notice_system on ledger_notice for update to faultline_system using (true) with check (true);
grant select on ledger_budget to faultline_system;
create policy ledger_budget_system on ledger_budget for select to faultline_system using (true);

-- Gives a webhook of the caller's tenant another secret; the one that it had goes on to sign for a while. Says whether there
-- is such a webhook.
create function webhook_rotate(webhook_id text, new_secret text, previous_until timestamptz) returns boolean
language plpgsql security definer set search_path = faultline, pg_temp as $$
begin
  update webhook set secret = new_secret,
    previous_secret = case when previous_until is null then null else secret end,
    previous_secret_until = previous_until
  where tenant_id = current_setting('faultline.tenant') and id = webhook_id;
  return found;
end $$;

revoke execute on function webhook_rotate(text, text, timestamptz) from public;
grant execute on function webhook_rotate(text, text, timestamptz) to faultline_app;
