/** The words by which drivers, pools and databases say that no connection was to be had. */

/**
 * Whether a text says that somebody waited for a connection in vain, or that the database has none left. `likely` are
 * words that some pools also use when the database cannot be reached at all.
 */
export function poolExhaustionIn(text: string): "certain" | "likely" | undefined {
  // A pool that has no connection at all did not give them to others.
  if (/\b(?:total|active|size|in_use|checked_?out)\s*[=:]\s*0\b/i.test(text)) return undefined;
  if (exhausted.test(text)) return "certain";
  return likely.test(text) ? "likely" : undefined;
}

const likely =
  /\btimeout exceeded when trying to connect\b|\bknex: timeout acquiring a connection\b/i;

const exhausted = new RegExp(
  [
    // Named pools of several languages, each in its own words.
    String.raw`\bqueuepool limit of size\b`,
    String.raw`\bconnection is not available, request timed out after\b`,
    String.raw`\btimed out fetching a new connection from the connection pool\b`,
    String.raw`(?<!\bknex: )\b(?:timeout|timed out) (?:acquiring|waiting for|obtaining|while (?:waiting for|acquiring)|trying to acquire) (?:a |an )?(?:\w+ )?(?:connection|conn)\b`,
    String.raw`\b(?:could not|unable to|failed to|cannot|can't) (?:obtain|acquire|get|borrow|check ?out) (?:a |an )?(?:new |free |jdbc |db |database |\w+ )?connection\b[^\n]{0,80}\b(?:pool|time|within|in time)\b`,
    // Pools of threads and workers are other pools.
    String.raw`(?<!\b(?:worker|thread|executor|goroutine|task|buffer|memory|ip|address|process|object|browser|gpu)s?[ _-]?)\bpool (?:is |was |has been )?(?:exhausted|depleted|full|at capacity)\b`,
    String.raw`\b(?:conn(?:ection)?|db|database|jdbc|pgx|pg|sql|redis|client) ?pool[ _-]?(?:exhausted|exhaustion|timeout|timed out|saturated)\b`,
    String.raw`\b(?:waitqueuetimeouterror|mongowaitqueuefullexception|pooltimeout|poolexhaustederror|connectionpooltimeoutexception|pool_timeout|pooltimedout|connectionpoolexhausted\w*)\b`,
    String.raw`\btimed out while checking out a connection from connection pool\b`,
    String.raw`\bno (?:more |free |available )?connections? (?:are )?(?:available|left) (?:in|from|within) (?:the )?(?:\w+ )?pool\b`,
    String.raw`\ball pooled connections were in use and max pool size was reached\b`,
    String.raw`\bresourcerequest timed out\b`,
    // The server's own limit.
    String.raw`\bremaining connection slots are reserved\b`,
    String.raw`\bsorry, too many clients already\b`,
    String.raw`\btoo many connections for (?:role|database)\b`,
    String.raw`\bno more connections allowed \(max_client_conn\)`,
    String.raw`\berror 1040\b[^\n]{0,40}too many connections`,
    String.raw`\bquery_wait_timeout\b`,
  ].join("|"),
  "i",
);
