/** Under which names sources tell of changes and of what monitors saw. */

import { type Fields, isFields } from "../../model/fields.ts";
import { cutText } from "../../text/cut-text.ts";
import { FieldPaths } from "../field-path.ts";
import { timeOfNumber, timeOfText } from "../time-text.ts";
import { numberOf, textOf } from "../loose-value.ts";

const names = (list: string): FieldPaths => new FieldPaths(list.split(" "));

export const fieldNames = {
  time: names(
    "timestamp time date created_at createdAt committed_date committedDate committed_at commit.committer.date commit.author.date authored_date authorDate author_date commit_time deployed_at deployedAt deploy_time released_at started_at startedAt start_time fired_at firedAt starts_at startsAt triggered_at changed_at updated_at at when datetime",
  ),
  service: names(
    "service service_name serviceName app application workload labels.service labels.app labels.job target service.name",
  ),
  commitId: names("sha commit_sha commitSha commit hash oid commit_hash commit_id id revision"),
  message: names("message commit.message subject title msg commit_message summary description"),
  body: names("body"),
  diff: names("diff patch changes_diff unified_diff"),
  files: names("files_changed filesChanged files changed_files paths diffs modified"),
  deployedCommit: names(
    "commit_sha commitSha commit sha git_sha gitSha git_commit revision commit_hash head_sha ref",
  ),
  version: names(
    "version tag release image to_version toVersion new_version image_tag build bundle digest",
  ),
  flag: names(
    "flag flag_key flagKey feature_flag featureFlag flag_name flagName setting config_key toggle",
  ),
  before: names("before old old_value oldValue from previous previous_value was"),
  after: names("after new new_value newValue to value current enabled state now"),
  change: names("change transition"),
  statistic: names("agg aggregation statistic stat"),
  metric: names("metric metric_name metricName alertname labels.alertname monitor"),
  threshold: names("threshold critical_threshold condition.threshold"),
  observed: names("observed value current_value currentValue actual observed_value"),
  severity: names("severity priority level labels.severity"),
  summary: names(
    "summary annotations.summary annotations.description description message title monitor alertname labels.alertname",
  ),
  node: names("node service microservice component cmdb_id"),
  component: names("component service system provider name source"),
  status: names("status state level impact"),
  detail: names("detail details message body description summary text"),
  pattern: names("signature pattern template log_pattern text message"),
  count: names("count occurrences total"),
  growth: names("delta_vs_baseline delta growth increase change_vs_baseline"),
} as const;

/** The moment at which something happened, in microseconds since 1970. */
export function momentOf(fields: Fields): number | undefined {
  return fieldNames.time.find(fields, (value) => {
    if (typeof value === "string") return timeOfText(value);
    const digits = numberOf(value);
    return digits === undefined ? undefined : timeOfNumber(digits);
  })?.value;
}

/** A text, a number or a switch under one of these names, cut to a length; nothing for an empty one. */
export function wordsAt(fields: Fields, paths: FieldPaths, lengthMax: number): string | undefined {
  const found = paths.find(fields, (value) => {
    const text = isFields(value) ? textOf(value["name"] ?? value["id"]) : textOf(value);
    return text === "" ? undefined : text;
  });
  return found === undefined ? undefined : cutText(found.value.toWellFormed(), lengthMax);
}

/** A number under one of these names; a sign and the mark of a share before or behind it do not matter. */
export function amountAt(fields: Fields, paths: FieldPaths): number | undefined {
  return paths.find(fields, (value) => {
    const plain = typeof value === "string" ? value.trim().replace(/^\+|%$/g, "") : value;
    return numberOf(plain);
  })?.value;
}

/** `{ [name]: value }`, or nothing where there is none. */
export function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { [Key in Name]?: Value } {
  // The one field of the object has the name and the type that the result names.
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: Value };
}
