-- The terms of a key: what it may ask for, how much in a minute and at once, how urgently, on whose account, and
-- within which deadlines. What is null is not restricted by the key.

alter table api_key
  add column allowed_models text[] check (cardinality(allowed_models) <= 100),
  add column allowed_bundles text[] check (cardinality(allowed_bundles) <= 100),
  add column requests_per_minute integer check (requests_per_minute between 1 and 1000000000),
  add column tokens_per_minute bigint check (tokens_per_minute between 1 and 1000000000000),
  add column concurrency_max integer check (concurrency_max between 1 and 1000000),
  add column priority text check (priority in ('interactive', 'standard', 'batch')),
  add column budget_account text check (budget_account ~ '^[a-z][a-z0-9-]{0,63}$'),
  add column queue_ms integer check (queue_ms between 1 and 86400000),
  add column connect_ms integer check (connect_ms between 1 and 86400000),
  add column first_token_ms integer check (first_token_ms between 1 and 86400000),
  add column inter_token_ms integer check (inter_token_ms between 1 and 86400000),
  add column total_ms integer check (total_ms between 1 and 86400000);
