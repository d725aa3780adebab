/** Whether the code of an answer says that the call failed. */

import type { Attributes } from "../model/span.ts";

/** By the status code of HTTP, under any of its names. */
export function hasHttpFailure(attributes: Attributes): boolean {
  const code =
    attributes["http.response.status_code"] ??
    attributes["http.status_code"] ??
    attributes["http.status"] ??
    attributes["response.status_code"];
  return code !== undefined && !(Number(code) < 400);
}

const grpcNames = [
  "rpc.grpc.status_code",
  "rpc.response.status_code",
  "rpc.connect_rpc.error_code",
  "grpc.status_code",
  "grpc.status",
  "grpc.code",
] as const;

/** By the status code of gRPC, under any of its names. */
export function hasGrpcFailure(attributes: Attributes): boolean {
  for (const name of grpcNames) {
    const code = attributes[name];
    if (code !== undefined && code !== 0 && code !== "0" && code !== "OK") return true;
  }
  return false;
}
