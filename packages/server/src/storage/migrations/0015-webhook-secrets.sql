-- Secrets of webhooks may be sealed with a key of the configuration, which the database never sees: a column then holds
-- sealed1:KEY:DATA. Who delivers seals at its start what was written before there was a key, or with an earlier one.

grant update (secret, previous_secret) on webhook to faultline_system;
create policy webhook_system_seal on webhook for update to faultline_system using (true) with check (true);
