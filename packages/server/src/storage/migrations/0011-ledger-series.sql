-- Transfers by time, for balances over time and for exports. They are written nearly in that order, so that an index of ranges
-- costs their writer nothing that could be measured, and tells which pages a window needs.
create index ledger_transfer_by_time on ledger_transfer using brin (at_ms) with (pages_per_range = 32);
