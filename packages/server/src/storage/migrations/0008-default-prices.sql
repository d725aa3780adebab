-- What calls of a tenant cost where no price of the model is known. Each setting is a row that nobody changes, because usage
-- events name it by its version; the newest one holds, and one without prices says that there is no default any more.

create table default_price (
  tenant_id text not null references tenant (id),
  version integer not null check (version >= 1),
  set_at timestamptz not null,
  actor text not null check (length(actor) between 1 and 300),
  -- Micros (millionths of a US dollar) for a million tokens; without one of its own, reasoning costs what output costs.
  input_micros bigint check (input_micros between 0 and 1000000000000),
  cached_input_micros bigint check (cached_input_micros between 0 and 1000000000000),
  output_micros bigint check (output_micros between 0 and 1000000000000),
  reasoning_micros bigint check (reasoning_micros between 0 and 1000000000000),
  primary key (tenant_id, version),
  check (num_nulls(input_micros, cached_input_micros, output_micros) in (0, 3)),
  check (reasoning_micros is null or output_micros is not null)
);

alter table default_price enable row level security;
alter table default_price force row level security;

grant select, insert on default_price to faultline_app;
create policy default_price_app on default_price to faultline_app
  using (tenant_id = current_setting('faultline.tenant', true))
  with check (tenant_id = current_setting('faultline.tenant', true));

-- For the snapshots of the gateway processes, which serve every tenant.
grant select on default_price to faultline_system;
create policy default_price_system on default_price for select to faultline_system using (true);
