/** A probe of a container, as it is specified. */

import {
  fieldsAt,
  integerAt,
  isPresentAt,
  listAt,
  textAt,
  textListAt,
} from "../kubernetes/fields.ts";
import type { Fields } from "../model/fields.ts";

export type ProbeKind = "liveness" | "readiness" | "startup";

export interface Probe {
  readonly kind: ProbeKind;
  readonly handler: "http" | "tcp" | "exec" | "grpc" | "none";
  /** A number, or the name of one of the container's ports. */
  readonly port: number | string | undefined;
  readonly path: string;
  readonly scheme: string;
  readonly command: readonly string[];
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
}

const fields: readonly (readonly [ProbeKind, string])[] = [
  ["startup", "startupProbe"],
  ["liveness", "livenessProbe"],
  ["readiness", "readinessProbe"],
];

/** The probes of a container, with the defaults of the API filled in. */
export function probesOf(container: Fields): Probe[] {
  return fields.flatMap(([kind, field]) => {
    const probe = fieldsAt(container, field);
    if (Object.keys(probe).length === 0) return [];
    return [readProbe(kind, probe)];
  });
}

function readProbe(kind: ProbeKind, probe: Fields): Probe {
  const handler = handlerOf(probe);
  const at = { http: "httpGet", tcp: "tcpSocket", exec: "exec", grpc: "grpc", none: "" }[handler];
  return {
    kind,
    handler,
    port: integerAt(probe, at, "port") ?? textAt(probe, at, "port"),
    path: textAt(probe, at, "path") ?? "/",
    scheme: textAt(probe, at, "scheme") ?? "HTTP",
    command: textListAt(probe, at, "command"),
    initialDelaySeconds: integerAt(probe, "initialDelaySeconds") ?? 0,
    periodSeconds: integerAt(probe, "periodSeconds") ?? 10,
    timeoutSeconds: integerAt(probe, "timeoutSeconds") ?? 1,
    failureThreshold: integerAt(probe, "failureThreshold") ?? 3,
  };
}

function handlerOf(probe: Fields): Probe["handler"] {
  if (isPresentAt(probe, "httpGet")) return "http";
  if (isPresentAt(probe, "tcpSocket")) return "tcp";
  if (isPresentAt(probe, "exec")) return "exec";
  return isPresentAt(probe, "grpc") ? "grpc" : "none";
}

/** The ports that a container declares, with their names. */
export function declaredPorts(container: Fields): { number: number; name: string | undefined }[] {
  return listAt(container, "ports").flatMap((item) => {
    const number = integerAt(item, "containerPort");
    return number === undefined ? [] : [{ number, name: textAt(item, "name") }];
  });
}

/** What a probe asks, as people say it. */
export function describeProbe(probe: Probe): string {
  switch (probe.handler) {
    case "http":
      return `GET ${probe.path} on port ${probe.port ?? "?"}${probe.scheme === "HTTPS" ? " over HTTPS" : ""}`;
    case "tcp":
      return `a connection to port ${probe.port ?? "?"}`;
    case "exec":
      return `the command ${probe.command.join(" ").slice(0, 120)}`;
    case "grpc":
      return `gRPC health on port ${probe.port ?? "?"}`;
    case "none":
      return "nothing";
  }
}

/** The seconds after which a process that never answers is taken for dead. */
export function patienceSeconds(probe: Probe): number {
  return probe.initialDelaySeconds + probe.periodSeconds * Math.max(probe.failureThreshold - 1, 0);
}
