-- Tenants and API keys, and the rules that every later table follows:
-- * a table with tenant_id has row-level security enabled and forced;
-- * faultline_app sees the rows of the tenant that its transaction names, and nothing when it names none;
-- * faultline_system sees across tenants only what a policy of its own grants;
-- * functions are callable only by the roles they are granted to.
-- The roles are made before the first migration, because they belong to the server and not to one database.

alter default privileges revoke execute on functions from public;

grant usage on schema faultline
  to faultline_app, faultline_ingest, faultline_system, faultline_backup;

create table tenant (
  id text primary key check (id ~ '^[a-z][a-z0-9-]{0,39}$'),
  -- Whether prompts and answers are kept with the operations of this tenant.
  capture text not null default 'metadata' check (capture in ('metadata', 'content')),
  created_at timestamptz not null default now()
);

alter table tenant enable row level security;
alter table tenant force row level security;

grant select on tenant to faultline_app;
create policy tenant_app on tenant for select to faultline_app
  using (id = current_setting('faultline.tenant', true));

grant select, insert, update on tenant to faultline_system;
create policy tenant_system on tenant to faultline_system using (true) with check (true);

create table api_key (
  id uuid primary key,
  tenant_id text not null references tenant (id),
  name text not null check (length(name) between 1 and 200),
  role text not null check (length(role) between 1 and 40),
  -- SHA-256 of the whole key, in hexadecimal. The key itself is shown once and kept nowhere.
  hash text not null unique check (hash ~ '^[0-9a-f]{64}$'),
  -- The first characters of the key, by which a person recognises it.
  prefix text not null check (length(prefix) between 1 and 64),
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);

create index api_key_by_tenant on api_key (tenant_id, created_at);

alter table api_key enable row level security;
alter table api_key force row level security;

grant select, insert, update on api_key to faultline_app;
create policy api_key_app on api_key to faultline_app
  using (tenant_id = current_setting('faultline.tenant', true))
  with check (tenant_id = current_setting('faultline.tenant', true));

grant select, insert, update on api_key to faultline_system;
create policy api_key_system on api_key to faultline_system using (true) with check (true);
