/** For tests: what the groups of open holds say otherwise than the holds themselves. */

/**
 * Gives no row where every open hold is found by its group, and every group counts as many as are open and ends no later than
 * they do.
 */
export const disagreeingGroups = `
  with placed as (
    select tenant_id, open_group as number, count(*) as count, min(ends_at_ms) as ends_from_ms
    from ledger_hold where state = 'open' group by tenant_id, open_group
  )
  select coalesce(placed.tenant_id, grouped.tenant_id) as tenant_id, coalesce(placed.number, grouped.number) as number, placed.count, grouped.hold_count
  from placed full join ledger_open_group grouped
    on grouped.tenant_id = placed.tenant_id and grouped.number = placed.number
  where placed.count is distinct from grouped.hold_count or placed.ends_from_ms < grouped.ends_from_ms
  union all
  select hold.tenant_id, hold.open_group, null, null from ledger_hold hold
    left join ledger_open_hold found on found.tenant_id = hold.tenant_id and found.id = hold.id
  where (hold.state = 'open') <> (found.id is not null)`;
