/** Alerts, reports of a status page and counted log patterns from records of JSON. */

import { type Fields, isFields } from "../../model/fields.ts";
import type { Alert, LogPattern, StatusReport } from "../../model/incident.ts";
import { textOf } from "../loose-value.ts";
import { amountAt, fieldNames, momentOf, optional, wordsAt } from "./change-names.ts";
import type { ListName } from "./change-record.ts";

/** What a monitor reported. */
export type Report =
  | { readonly list: "alerts"; readonly item: Alert }
  | { readonly list: "statuses"; readonly item: StatusReport }
  | { readonly list: "patterns"; readonly item: LogPattern };

/** The reports that a record tells of; none when it is something else. */
export function reportsOf(record: Fields, list?: ListName): Report[] {
  if (record["span_id"] !== undefined || record["spanId"] !== undefined) return [];
  const feed = statusFeedOf(record);
  if (feed.length > 0) return feed.map((item) => ({ list: "statuses", item }));
  const target = targetOf(record);
  if (target !== undefined) return [{ list: "alerts", item: target }];
  const alert = alertOf(record, list);
  if (alert !== undefined) return [{ list: "alerts", item: alert }];
  if (list === "statuses") return [{ list: "statuses", item: statusOf(record, "") }];
  const pattern = patternOf(record, list);
  return pattern === undefined ? [] : [{ list: "patterns", item: pattern }];
}

/** A component with the list of what was said of it. */
function statusFeedOf(record: Fields): StatusReport[] {
  const events: unknown = record["events"] ?? record["updates"] ?? record["incident_updates"];
  const component = wordsAt(record, fieldNames.component, 512);
  if (!Array.isArray(events) || component === undefined) return [];
  const items: unknown[] = events;
  const told = items
    .filter(isFields)
    .filter((item) => fieldNames.status.first(item) !== undefined && momentOf(item) !== undefined);
  return told.map((item) => statusOf(item, component));
}

function statusOf(record: Fields, component: string): StatusReport {
  return {
    ...optional("timeMicros", momentOf(record)),
    component: component === "" ? (wordsAt(record, fieldNames.component, 512) ?? "") : component,
    status: wordsAt(record, fieldNames.status, 64) ?? "",
    detail: wordsAt(record, fieldNames.detail, 4_096) ?? "",
  };
}

/** The metric of a node that a localisation starts from, as benchmarks hand it over; whatever stands beside it is not read. */
function targetOf({ target }: Fields): Alert | undefined {
  if (!isFields(target)) return undefined;
  const service = wordsAt(target, fieldNames.node, 256);
  const metric = wordsAt(target, fieldNames.metric, 1_024);
  const timeMicros = momentOf(target);
  if (service === undefined || metric === undefined || timeMicros === undefined) return undefined;
  const statistic = wordsAt(target, fieldNames.statistic, 64);
  return {
    timeMicros,
    service,
    metric: statistic === undefined ? metric : `${metric} ${statistic}`,
    summary: `${metric} of ${service} is not what it was`,
  };
}

function alertOf(record: Fields, list: ListName | undefined): Alert | undefined {
  const threshold = amountAt(record, fieldNames.threshold);
  const isAlert =
    list === "alerts" ||
    record["fired_at"] !== undefined ||
    record["firedAt"] !== undefined ||
    record["alertname"] !== undefined ||
    (record["startsAt"] !== undefined && isFields(record["labels"])) ||
    (threshold !== undefined && wordsAt(record, fieldNames.metric, 1_024) !== undefined);
  if (!isAlert) return undefined;
  const metric = wordsAt(record, fieldNames.metric, 1_024);
  return {
    ...optional("timeMicros", momentOf(record)),
    ...optional("service", wordsAt(record, fieldNames.service, 256)),
    ...optional("metric", metric),
    ...optional("threshold", threshold),
    ...optional("observed", amountAt(record, fieldNames.observed)),
    ...optional("severity", wordsAt(record, fieldNames.severity, 64)),
    summary: wordsAt(record, fieldNames.summary, 4_096) ?? metric ?? "",
  };
}

function patternOf(record: Fields, list: ListName | undefined): LogPattern | undefined {
  const count = amountAt(record, fieldNames.count);
  const isPattern =
    list === "patterns" ||
    ["signature", "pattern", "template", "log_pattern"].some((name) => textOf(record[name]) !== "");
  const text = wordsAt(record, fieldNames.pattern, 4_096);
  if (!isPattern || count === undefined || count < 0 || text === undefined) return undefined;
  return {
    text,
    ...optional("service", wordsAt(record, fieldNames.service, 256)),
    count,
    ...optional("growth", amountAt(record, fieldNames.growth)),
  };
}
