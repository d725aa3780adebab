-- What reconciliations found and did, so that somebody who comes later sees since when something differs, and who made the
-- entries that settled it. A run is written once.

create table ledger_reconciliation (
  tenant_id text not null references tenant (id),
  id text not null check (id ~ '^[A-Za-z0-9-]{1,64}$'),
  at timestamptz not null,
  cause text not null check (cause in ('schedule', 'request')),
  -- Who asked; nobody on schedule.
  actor text check (length(actor) between 1 and 300),
  difference_count integer not null check (difference_count >= 0),
  -- By their kinds, how many.
  kinds jsonb not null check (octet_length(kinds::text) <= 4096),
  -- The first of them, as they were shown.
  differences jsonb not null check (octet_length(differences::text) <= 4194304),
  -- Ids of the commands that made proposed entries.
  applied text[] not null,
  primary key (tenant_id, id)
);

create index ledger_reconciliation_newest on ledger_reconciliation (tenant_id, at desc, id);

alter table ledger_reconciliation enable row level security;
alter table ledger_reconciliation force row level security;

-- What is old is dropped; nothing is ever changed.
grant select, insert, delete on ledger_reconciliation to faultline_app;
create policy ledger_reconciliation_app on ledger_reconciliation to faultline_app
  using (tenant_id = current_setting('faultline.tenant', true))
  with check (tenant_id = current_setting('faultline.tenant', true));
