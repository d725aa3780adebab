-- Several regions share a tenant's account: one of them, its home, writes its ledger; others spend out of what the home lent
-- them. Here stands what a region knows of grant documents, which may be edited in any region, and of its escrow.

create table region_document (
  tenant_id text not null references tenant (id),
  -- grant/<id>, budget/<id> or line/<currency>.
  key text collate "C" not null check (length(key) between 1 and 160),
  -- Counts the changes of the tenant's documents in this region, so that another one is told only what is new.
  revision bigint not null check (revision >= 1),
  -- The edits that no other edit of the document came after.
  versions json not null check (octet_length(versions::text) <= 65536),
  primary key (tenant_id, key)
);

create unique index region_document_revision on region_document (tenant_id, revision);

create table region_escrow (
  tenant_id text not null references tenant (id),
  currency text collate "C" not null check (length(currency) between 1 and 16),
  -- All steps of it, done and under way.
  record json not null,
  primary key (tenant_id, currency)
);

do $$
declare
  name text;
begin
  foreach name in array array['region_document', 'region_escrow'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    -- Neither is ever deleted: what was edited stays known, and what was lent has to be accounted for.
    execute format('grant select, insert, update on %I to faultline_app', name);
    execute format(
      'create policy %I on %I to faultline_app
         using (tenant_id = current_setting(''faultline.tenant'', true))
         with check (tenant_id = current_setting(''faultline.tenant'', true))', name || '_app', name);
  end loop;
end $$;
