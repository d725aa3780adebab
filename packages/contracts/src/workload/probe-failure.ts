/** Why a probe failed, from the words of the kubelet and what the container declares. */

import type { CauseKind } from "../model/finding.ts";
import { nearestName } from "../text/nearest-name.ts";
import { declaredPorts, describeProbe, type Probe } from "./probe.ts";
import type { Fields } from "../model/fields.ts";

export interface ProbeCause {
  readonly because: string;
  readonly fix: string;
  readonly causeKind: CauseKind;
  /** 3 names what is wrong, 2 its kind, 1 repeats the message. */
  readonly weight: number;
}

/** The cause of a failure with this message. The probe is absent where its specification is unknown. */
export function probeCause(
  message: string,
  probe: Probe | undefined,
  container: Fields,
): ProbeCause {
  const undeclared = probe === undefined ? undefined : undeclaredPort(probe, container);
  const asks = probe === undefined ? "it" : describeProbe(probe);
  const status = /statuscode: (\d{3})/.exec(message)?.[1];
  if (status !== undefined) return statusCause(Number(status), asks, probe);
  if (/connection refused|ECONNREFUSED/.test(message))
    return refusedCause(asks, undeclared, message);
  if (
    /HTTP response to HTTPS client|malformed HTTP response|first record does not look like a TLS|http: server gave HTTP|remote error: tls|EOF$/.test(
      message,
    )
  ) {
    return {
      because: `${asks} speaks ${probe?.scheme ?? "the wrong scheme"}, and the server speaks the other of HTTP and HTTPS`,
      fix: `Set the scheme of the probe to ${probe?.scheme === "HTTPS" ? "HTTP" : "HTTPS"}.`,
      causeKind: "configuration",
      weight: 3,
    };
  }
  if (
    /executable file not found|no such file or directory|can't open|cannot open|not found|exec format|permission denied|OCI runtime exec failed/i.test(
      message,
    )
  ) {
    return {
      because: `the command of the probe cannot do its work in this image: ${plainMessage(message)}`,
      fix: "Use a command and files that the image has, or an httpGet or tcpSocket probe.",
      causeKind: "configuration",
      weight: 3,
    };
  }
  if (/couldn't find port|invalid port|port name|strconv/i.test(message)) {
    return {
      because: `the probe names a port that the container does not have: ${plainMessage(message)}`,
      fix: "Name a port of the container's ports, or its number.",
      causeKind: "configuration",
      weight: 3,
    };
  }
  if (/no such host/.test(message)) {
    return {
      because: `the host that ${asks} names cannot be resolved: leave the probe's host out`,
      fix: "Remove host from the probe: it asks the pod itself then.",
      causeKind: "configuration",
      weight: 3,
    };
  }
  if (/timeout|deadline exceeded|timed out|Client\.Timeout/i.test(message))
    return slowCause(asks, probe, undeclared);
  return {
    because: plainMessage(message),
    fix: "Correct what the probe asks, or what answers it.",
    causeKind: "none",
    weight: 1,
  };
}

function statusCause(status: number, asks: string, probe: Probe | undefined): ProbeCause {
  if (status === 404 || status === 405) {
    return {
      because: `${asks} answers ${status}: the path${probe === undefined ? "" : ` ${probe.path}`} does not exist in the application`,
      fix: `Set the probe's path to one that the application serves${probe === undefined ? "" : ` in place of ${probe.path}`}.`,
      causeKind: "configuration",
      weight: 3,
    };
  }
  if (status === 401 || status === 403) {
    return {
      because: `${asks} answers ${status}: the path wants credentials, which a probe does not have`,
      fix: "Let the application answer its health path without credentials.",
      causeKind: "configuration",
      weight: 3,
    };
  }
  return {
    because: `${asks} answers ${status}: the application itself says that it is not well`,
    fix: "Find in the application's log why its health path fails; a liveness probe should not depend on other services.",
    causeKind: status >= 500 ? "dependency" : "configuration",
    weight: 2,
  };
}

function refusedCause(asks: string, undeclared: string | undefined, message: string): ProbeCause {
  const port = /:(\d{1,5}): connect: connection refused/.exec(message)?.[1];
  return {
    because:
      undeclared === undefined
        ? `nothing listens${port === undefined ? "" : ` on port ${port}`} when the probe asks (connection refused)`
        : `${asks} is refused: ${undeclared}`,
    fix:
      undeclared === undefined
        ? "Correct the probe's port, or give the application time to start (a startupProbe)."
        : `Set the probe's port to one that the container serves: ${undeclared}.`,
    causeKind: "configuration",
    weight: undeclared === undefined ? 2 : 3,
  };
}

function slowCause(
  asks: string,
  probe: Probe | undefined,
  undeclared: string | undefined,
): ProbeCause {
  const timeout =
    probe === undefined ? "its timeout" : `${probe.timeoutSeconds} s (timeoutSeconds)`;
  return {
    because: `${asks} is not answered within ${timeout}${undeclared === undefined ? "" : `; ${undeclared}`}`,
    fix: "Raise timeoutSeconds above the time that the answer takes, or make the health path cheap.",
    causeKind: "configuration",
    weight: 2,
  };
}

/** That the port of a probe is not among those that the container declares, which proves nothing by itself. */
export function undeclaredPort(probe: Probe, container: Fields): string | undefined {
  const ports = declaredPorts(container);
  const { port } = probe;
  if (typeof port !== "number" || ports.length === 0) return undefined;
  if (ports.some(({ number }) => number === port)) return undefined;
  return `the probe asks port ${port}, the container declares ${ports.map(({ number }) => number).join(", ")}`;
}

/** The name of a port that no port of the container has, which no probe can pass. */
export function unknownPortName(probe: Probe, container: Fields): string | undefined {
  const { port } = probe;
  if (typeof port !== "string" || port === "" || /^\d+$/.test(port)) return undefined;
  const names = declaredPorts(container).flatMap(({ name }) => name ?? []);
  if (names.includes(port)) return undefined;
  const near = nearestName(port, names);
  const has = names.length === 0 ? "it names none" : `it has ${near ?? names.join(", ")}`;
  return `its port '${port}' is the name of no port of the container (${has})`;
}

function plainMessage(message: string): string {
  return message
    .replace(/^(?:Liveness|Readiness|Startup) probe (?:failed|errored)[^:]*: ?/, "")
    .trim();
}
