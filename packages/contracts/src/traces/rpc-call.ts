/** Recognises calls of remote procedures: by attributes of any convention, or by a span's name. */

import type { Span } from "../model/span.ts";
import { type Call, isBatchName, isReadName, numberOf, textOf } from "./call.ts";
import { mark } from "./marks.ts";

/** The call of a remote procedure that a client's span records, or `undefined` when it records none. */
export function rpcCallOf(span: Span, marks: number): Call | undefined {
  if ((marks & (mark.rpc | mark.methodName)) === 0) return undefined;
  const { attributes } = span;
  const system = textOf(attributes, "rpc.system.name", "rpc.system");
  const isNamed = (marks & mark.methodName) !== 0 && (marks & mark.http) === 0;
  const recorded = textOf(
    attributes,
    "rpc.method",
    "grpc.full_method",
    "grpc.method",
    "grpc.path",
    "grpc.method.name",
  );
  // A method's name alone names a call of gRPC; an AWS operation without one is none.
  const method = recorded ?? (isNamed || system === "grpc" ? span.name : undefined);
  if (method === undefined || (recorded === undefined && !isNamed)) return undefined;
  const name = nameOf(method, textOf(attributes, "rpc.service", "grpc.service"));
  return {
    kind: "rpc",
    identity: `rpc ${system ?? "grpc"} ${name}`,
    shape: name,
    target: name,
    peer: textOf(attributes, "server.address", "net.peer.name", "peer.hostname", "out.host") ?? "",
    isRead: isReadName(name),
    isKeyed: false,
    batch: { isBatch: isBatchName(name.slice(name.lastIndexOf("/") + 1)) },
    isPaged: false,
    truncated: false,
    system: system ?? "grpc",
    isResend: (numberOf(attributes, "rpc.grpc.retry_count") ?? 0) > 0,
  };
}

/** `shop.Catalog/GetProduct`, however it was written. */
function nameOf(method: string, service: string | undefined): string {
  const plain = method.replace(/^(?:grpc[. ])?\/?/, "");
  const census = /^(?:Sent|Recv)\.(.+)\.(\w+)$/.exec(plain);
  if (census !== null) return `${census[1] ?? ""}/${census[2] ?? ""}`;
  return plain.includes("/") || service === undefined ? plain : `${service}/${plain}`;
}
