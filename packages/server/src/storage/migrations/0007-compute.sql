-- Reservations of compute: what was asked for, where it stands, and where it runs. The scheduler, of which there is one, keeps
-- open ones in memory and writes down every change before anything is done that could not be undone.

create table compute_reservation (
  tenant_id text not null references tenant (id),
  id text not null check (id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
  submitted_at timestamptz not null,
  is_ended boolean not null,
  record jsonb not null check (octet_length(record::text) <= 1048576),
  primary key (tenant_id, id)
);

create index compute_reservation_newest on compute_reservation (tenant_id, submitted_at desc, id);
create index compute_reservation_open on compute_reservation (tenant_id, id) where not is_ended;

alter table compute_reservation enable row level security;
alter table compute_reservation force row level security;

-- What has ended stays: nobody may delete one.
grant select, insert, update on compute_reservation to faultline_app;
create policy compute_reservation_app on compute_reservation to faultline_app
  using (tenant_id = current_setting('faultline.tenant', true))
  with check (tenant_id = current_setting('faultline.tenant', true));

-- For the start of the scheduler, which serves every tenant.
grant select on compute_reservation to faultline_system;
create policy compute_reservation_system on compute_reservation for select to faultline_system using (true);
