-- Cases: every step is an event that is written once; the state that the events lead to is kept beside them,
-- written in the same transaction.

-- The last case number of each tenant. People say numbers aloud, so they are small and have no gaps.
create table case_counter (
  tenant_id text primary key references tenant (id),
  last_number integer not null check (last_number >= 1)
);

alter table case_counter enable row level security;
alter table case_counter force row level security;

grant select, insert, update on case_counter to faultline_app;
create policy case_counter_app on case_counter to faultline_app
  using (tenant_id = current_setting('faultline.tenant', true))
  with check (tenant_id = current_setting('faultline.tenant', true));

create table case_record (
  tenant_id text not null references tenant (id),
  id uuid not null,
  number integer not null check (number >= 1),
  status text not null check (status in ('open', 'proved', 'closed')),
  opened_at timestamptz not null,
  -- Sequence of the last event that is contained in the state.
  sequence integer not null check (sequence >= 1),
  -- The case as its events make it.
  state jsonb not null,
  primary key (tenant_id, id),
  unique (tenant_id, number)
);

create index case_record_by_status on case_record (tenant_id, status, number desc);

alter table case_record enable row level security;
alter table case_record force row level security;

-- A case is closed, never deleted.
grant select, insert, update on case_record to faultline_app;
create policy case_record_app on case_record to faultline_app
  using (tenant_id = current_setting('faultline.tenant', true))
  with check (tenant_id = current_setting('faultline.tenant', true));

create table case_event (
  tenant_id text not null,
  case_id uuid not null,
  -- Counts up from 1 within the case.
  sequence integer not null check (sequence >= 1),
  at timestamptz not null,
  actor text not null check (length(actor) between 1 and 300),
  -- The fact, on `kind`.
  fact jsonb not null check (fact ? 'kind'),
  primary key (tenant_id, case_id, sequence),
  foreign key (tenant_id, case_id) references case_record (tenant_id, id)
);

alter table case_event enable row level security;
alter table case_event force row level security;

-- Events are immutable: nobody may update or delete one.
grant select, insert on case_event to faultline_app;
create policy case_event_app on case_event to faultline_app
  using (tenant_id = current_setting('faultline.tenant', true))
  with check (tenant_id = current_setting('faultline.tenant', true));
