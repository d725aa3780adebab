-- Behaviour bundles: immutable versions, aliases whose every step is kept, and kill switches.

-- The newest version of each bundle. Writers of one bundle take turns at its row.
create table bundle (
  tenant_id text not null references tenant (id),
  name text not null check (name ~ '^[a-z][a-z0-9._-]{0,63}$'),
  newest_version integer not null check (newest_version >= 1),
  primary key (tenant_id, name)
);

alter table bundle enable row level security;
alter table bundle force row level security;

grant select, insert, update on bundle to faultline_app;
create policy bundle_app on bundle to faultline_app
  using (tenant_id = current_setting('faultline.tenant', true))
  with check (tenant_id = current_setting('faultline.tenant', true));

-- For the snapshots of the gateway processes, which serve every tenant.
grant select on bundle to faultline_system;
create policy bundle_system on bundle for select to faultline_system using (true);

create table bundle_version (
  tenant_id text not null,
  name text not null,
  version integer not null check (version >= 1),
  hash text not null check (hash ~ '^sha256:[0-9a-f]{64}$'),
  -- The canonical JSON whose hash it is, as text: jsonb would write it another way.
  content text not null check (octet_length(content) <= 262144),
  created_at timestamptz not null,
  actor text not null check (length(actor) between 1 and 300),
  primary key (tenant_id, name, version),
  unique (tenant_id, name, hash),
  foreign key (tenant_id, name) references bundle (tenant_id, name) deferrable initially deferred
);

alter table bundle_version enable row level security;
alter table bundle_version force row level security;

-- Versions are immutable: nobody may update or delete one.
grant select, insert on bundle_version to faultline_app;
create policy bundle_version_app on bundle_version to faultline_app
  using (tenant_id = current_setting('faultline.tenant', true))
  with check (tenant_id = current_setting('faultline.tenant', true));

grant select on bundle_version to faultline_system;
create policy bundle_version_system on bundle_version for select to faultline_system using (true);

create table bundle_alias (
  tenant_id text not null references tenant (id),
  name text not null check (name ~ '^[a-z][a-z0-9._-]{0,63}$'),
  -- The newest revision, and the state that it led to.
  revision integer not null check (revision >= 1),
  state jsonb not null,
  primary key (tenant_id, name)
);

alter table bundle_alias enable row level security;
alter table bundle_alias force row level security;

grant select, insert, update on bundle_alias to faultline_app;
create policy bundle_alias_app on bundle_alias to faultline_app
  using (tenant_id = current_setting('faultline.tenant', true))
  with check (tenant_id = current_setting('faultline.tenant', true));

grant select on bundle_alias to faultline_system;
create policy bundle_alias_system on bundle_alias for select to faultline_system using (true);

create table bundle_alias_revision (
  tenant_id text not null,
  name text not null,
  -- Counts up from 1 within the alias.
  revision integer not null check (revision >= 1),
  at timestamptz not null,
  actor text not null check (length(actor) between 1 and 300),
  action text not null check (action in ('set', 'rollout', 'rollback')),
  restored_revision integer check (restored_revision between 1 and revision - 1),
  state jsonb not null,
  primary key (tenant_id, name, revision),
  foreign key (tenant_id, name) references bundle_alias (tenant_id, name)
);

alter table bundle_alias_revision enable row level security;
alter table bundle_alias_revision force row level security;

-- History is immutable: a rollback is a revision more.
grant select, insert on bundle_alias_revision to faultline_app;
create policy bundle_alias_revision_app on bundle_alias_revision to faultline_app
  using (tenant_id = current_setting('faultline.tenant', true))
  with check (tenant_id = current_setting('faultline.tenant', true));

create table kill_switch (
  tenant_id text not null references tenant (id),
  id uuid not null,
  kind text not null check (kind in ('alias', 'model', 'provider', 'tenant')),
  name text not null check (length(name) between 1 and 256),
  reason text not null check (length(reason) between 1 and 1024),
  killed_at timestamptz not null,
  killed_by text not null check (length(killed_by) between 1 and 300),
  revived_at timestamptz,
  revived_by text check (length(revived_by) between 1 and 300),
  primary key (tenant_id, id),
  check ((revived_at is null) = (revived_by is null))
);

-- At most one that holds for each thing.
create unique index kill_switch_that_holds on kill_switch (tenant_id, kind, name)
  where revived_at is null;

alter table kill_switch enable row level security;
alter table kill_switch force row level security;

grant select, insert, update on kill_switch to faultline_app;
create policy kill_switch_app on kill_switch to faultline_app
  using (tenant_id = current_setting('faultline.tenant', true))
  with check (tenant_id = current_setting('faultline.tenant', true));

grant select on kill_switch to faultline_system;
create policy kill_switch_system on kill_switch for select to faultline_system using (true);
