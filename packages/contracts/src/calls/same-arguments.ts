/** Whether two calls of one edge ask for the same thing, as far as their attributes tell. */

import type { Attributes, AttributeValue } from "../model/span.ts";

/** What differs from attempt to attempt although the request is the same. */
const volatileNames =
  /status|error|exception|otel\.|resend|retr(?:y|ies)|attempt|response|duration|latency|elapsed|time|thread|port|address|peer|(?:^|[._])ip$|host|request[_.-]?id|trace|span|size|bytes|count|backoff|delay|wait|deadline|budget|network|sampl|node|pod|instance|^code\.|guid|flag|message$|correlation|idempot|dedup|cluster|protocol|flavor|user[_.-]?agent|internal|seq|usage|finish|result|rows|cache|connection|header|metadata|otlp|telemetry|library/i;

/** False when an attribute that says what is asked for differs; true when nothing tells the two apart. */
export function haveSameArguments(left: Attributes, right: Attributes): boolean {
  for (const name in left) {
    const other = right[name];
    const own = left[name];
    if (other === undefined || own === undefined || own === other) continue;
    if (volatileNames.test(name) || areEqual(own, other)) continue;
    return false;
  }
  return true;
}

function areEqual(left: AttributeValue, right: AttributeValue): boolean {
  return (
    typeof left === "object" &&
    typeof right === "object" &&
    JSON.stringify(left) === JSON.stringify(right)
  );
}
