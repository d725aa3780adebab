-- Of each line of a provider's invoice that was entered as cost: what it was for, and what was charged for the same by then.
-- The entry itself stands among the transfers, under the id of its command. A line is written once.

create table ledger_invoice (
  tenant_id text not null references tenant (id),
  command_id text collate "C" not null check (length(command_id) between 1 and 128),
  booked_at timestamptz not null,
  -- The provider, a slash and the model.
  name text not null check (length(name) between 1 and 600),
  currency text not null check (length(currency) between 1 and 16),
  amount_micros bigint not null check (amount_micros > 0),
  charged_micros bigint not null,
  from_at timestamptz not null,
  until_at timestamptz not null,
  primary key (tenant_id, command_id)
);

create index ledger_invoice_newest on ledger_invoice (tenant_id, booked_at desc, command_id desc);

alter table ledger_invoice enable row level security;
alter table ledger_invoice force row level security;

grant select, insert on ledger_invoice to faultline_app;
create policy ledger_invoice_app on ledger_invoice to faultline_app
  using (tenant_id = current_setting('faultline.tenant', true))
  with check (tenant_id = current_setting('faultline.tenant', true));
