-- The home of an account wants back what it lent to another region. It stands here until that has come back, so that a home
-- which begins anew lends nothing meanwhile.

create table region_recall (
  tenant_id text not null references tenant (id),
  region text collate "C" not null check (region ~ '^[a-z][a-z0-9-]{0,31}$'),
  recalled_at timestamptz not null,
  -- What has not come back by then counts as spent, until the region has reported.
  until_at timestamptz not null check (until_at > recalled_at),
  primary key (tenant_id, region)
);

alter table region_recall enable row level security;
alter table region_recall force row level security;

grant select, insert, update, delete on region_recall to faultline_app;
create policy region_recall_app on region_recall to faultline_app
  using (tenant_id = current_setting('faultline.tenant', true))
  with check (tenant_id = current_setting('faultline.tenant', true));
