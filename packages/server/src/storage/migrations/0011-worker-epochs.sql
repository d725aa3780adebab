-- The gateway begins the lives of its workers in later epochs than any tenant's ledger knows.
grant select on ledger_worker to faultline_system;
create policy ledger_worker_system on ledger_worker for select to faultline_system using (true);
