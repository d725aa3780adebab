/** Containers from the text of `kubectl describe`: what they should do, and in what state they are. */

import { type DescribedField, fieldsOf, one, pairsOf, textOf } from "./describe-fields.ts";

/** A container as its specification has it, and as its status has it where the text shows a state. */
export interface DescribedContainer {
  readonly spec: Record<string, unknown>;
  readonly status: Record<string, unknown> | undefined;
}

/** The containers of a block such as `Containers:` or `Init Containers:`. */
export function containersOf(block: DescribedField | undefined): DescribedContainer[] {
  if (block === undefined) return [];
  return fieldsOf(block.lines).map(({ name, lines }) => {
    const fields = fieldsOf(lines);
    const image = textOf(fields, "Image");
    const specified = {
      name,
      ...(image === undefined ? {} : { image }),
      ...wordsOf("command", one(fields, "Command")),
      ...wordsOf("args", one(fields, "Args")),
      ports: portsOf(fields),
      env: environmentOf(one(fields, "Environment")),
      envFrom: environmentSourcesOf(one(fields, "Environment Variables from")),
      volumeMounts: mountsOf(one(fields, "Mounts")),
      // The server fills a missing request from the limit before kubectl prints either.
      resources: {
        requests: pairsOf(one(fields, "Requests")),
        limits: pairsOf(one(fields, "Limits")),
      },
      ...probesOf(fields),
    };
    return { spec: specified, status: statusOf(name, image, fields) };
  });
}

function statusOf(
  name: string,
  image: string | undefined,
  fields: readonly DescribedField[],
): Record<string, unknown> | undefined {
  const state = stateOf(one(fields, "State"));
  if (state === undefined) return undefined;
  const lastState = stateOf(one(fields, "Last State"));
  const restarts = textOf(fields, "Restart Count");
  return {
    name,
    ...(image === undefined ? {} : { image }),
    state,
    lastState: lastState ?? {},
    ready: textOf(fields, "Ready") === "True",
    ...(restarts !== undefined && /^\d{1,9}$/.test(restarts)
      ? { restartCount: Number(restarts) }
      : {}),
  };
}

/** `State: Waiting` with its reason, message, exit code and times below. */
function stateOf(field: DescribedField | undefined): Record<string, unknown> | undefined {
  const [word] = field?.values ?? [];
  if (field === undefined || word === undefined) return undefined;
  const inner = fieldsOf(field.lines);
  const code = textOf(inner, "Exit Code");
  const signal = textOf(inner, "Signal");
  const message = one(inner, "Message");
  const text = [...(message?.values ?? []), ...(message?.lines ?? [])]
    .map((line) => line.trim())
    .join("\n");
  const detail = {
    ...known("reason", textOf(inner, "Reason")),
    ...(text === "" ? {} : { message: text }),
    ...known("startedAt", textOf(inner, "Started")),
    ...known("finishedAt", textOf(inner, "Finished")),
    ...(code !== undefined && /^-?\d{1,5}$/.test(code) ? { exitCode: Number(code) } : {}),
    ...(signal !== undefined && /^\d{1,3}$/.test(signal) ? { signal: Number(signal) } : {}),
  };
  return { [word.toLowerCase()]: detail };
}

function known(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}

/** Words of a command: one a line below the field, or all on its own line. */
function wordsOf(name: string, field: DescribedField | undefined): Record<string, string[]> {
  if (field === undefined) return {};
  const words = [...field.values, ...field.lines.map((line) => line.trim())];
  return { [name]: words };
}

/** `8080/TCP, 8443/TCP (https)`, beside it the ports of the host, where `0/TCP` stands for none. */
function portsOf(fields: readonly DescribedField[]): Record<string, unknown>[] {
  const ports = portList(textOf(fields, "Port") ?? textOf(fields, "Ports"));
  const hostPorts = portList(textOf(fields, "Host Port") ?? textOf(fields, "Host Ports"));
  return ports.map((port, index) => {
    const hostPort = hostPorts[index]?.number ?? 0;
    return {
      containerPort: port.number,
      protocol: port.protocol,
      ...(port.name === undefined ? {} : { name: port.name }),
      ...(hostPort === 0 ? {} : { hostPort }),
    };
  });
}

function portList(
  text: string | undefined,
): { number: number; protocol: string; name: string | undefined }[] {
  return (text ?? "").split(",").flatMap((part) => {
    const [, port, protocol, name] = /^(\d{1,5})\/(\w+)(?: \(([^)]+)\))?$/.exec(part.trim()) ?? [];
    return port === undefined ? [] : [{ number: Number(port), protocol: protocol ?? "TCP", name }];
  });
}

/** Variables with their values, or with where their value comes from. */
function environmentOf(field: DescribedField | undefined): Record<string, unknown>[] {
  if (field === undefined) return [];
  return fieldsOf(field.lines).map(({ name, values }) => {
    const text = values.join("\n");
    const [, key, kind, source] =
      /^<set to the key '([^']+)' (?:in|of) (secret|config map) '([^']+)'>/.exec(text) ?? [];
    if (key === undefined || kind === undefined) return { name, value: text };
    const optional = /Optional:\s+true/.test(text) ? { optional: true } : {};
    const reference = { key, name: source, ...optional };
    return {
      name,
      valueFrom: kind === "secret" ? { secretKeyRef: reference } : { configMapKeyRef: reference },
    };
  });
}

/** Rows such as `settings  ConfigMap  Optional: false`. */
function environmentSourcesOf(field: DescribedField | undefined): Record<string, unknown>[] {
  return (field?.lines ?? []).flatMap((line): Record<string, unknown>[] => {
    const [, name, kind, optional] =
      /^\s*(\S+)\s+(ConfigMap|Secret)(?: with prefix '[^']*')?\s+Optional:\s+(\w+)/.exec(line) ??
      [];
    if (name === undefined) return [];
    const reference = { name, ...(optional === "true" ? { optional: true } : {}) };
    return [kind === "Secret" ? { secretRef: reference } : { configMapRef: reference }];
  });
}

/** Rows such as `/data from storage (rw,path="sub")`. */
function mountsOf(field: DescribedField | undefined): Record<string, unknown>[] {
  return (field?.lines ?? []).flatMap((line) => {
    const [, mountPath, name, options] = /^\s*(\S.*?) from (\S+) \(([^)]*)\)\s*$/.exec(line) ?? [];
    if (mountPath === undefined) return [];
    const subPath = /path="([^"]*)"/.exec(options ?? "")?.[1];
    return [
      {
        name,
        mountPath,
        ...((options ?? "").startsWith("ro") ? { readOnly: true } : {}),
        ...(subPath === undefined ? {} : { subPath }),
      },
    ];
  });
}

const probeFields = [
  ["Liveness", "livenessProbe"],
  ["Readiness", "readinessProbe"],
  ["Startup", "startupProbe"],
] as const;

function probesOf(fields: readonly DescribedField[]): Record<string, unknown> {
  return Object.fromEntries(
    probeFields.flatMap(([printed, name]) => {
      const text = textOf(fields, printed);
      return text === undefined ? [] : [[name, probeOf(text)]];
    }),
  );
}

/** `http-get http://:8080/healthz delay=3s timeout=1s period=10s #success=1 #failure=3` and its likes. */
function probeOf(text: string): Record<string, unknown> {
  const number = (pattern: RegExp): number | undefined => {
    const found = pattern.exec(text)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  return {
    ...handlerOf(text),
    initialDelaySeconds: number(/ delay=(\d{1,6})s/) ?? 0,
    timeoutSeconds: number(/ timeout=(\d{1,6})s/) ?? 1,
    periodSeconds: number(/ period=(\d{1,6})s/) ?? 10,
    successThreshold: number(/ #success=(\d{1,6})/) ?? 1,
    failureThreshold: number(/ #failure=(\d{1,6})/) ?? 3,
  };
}

function handlerOf(text: string): Record<string, unknown> {
  const [, scheme, host, port, path] =
    /^http-get (https?):\/\/([^:/\s]*):?([^/\s]*)(\/\S*)?/.exec(text) ?? [];
  if (scheme !== undefined) {
    return {
      httpGet: {
        path: path ?? "/",
        port: portOf(port ?? ""),
        scheme: scheme.toUpperCase(),
        ...(host === undefined || host === "" ? {} : { host }),
      },
    };
  }
  const socket = /^tcp-socket \S*?:(\S+)/.exec(text)?.[1];
  if (socket !== undefined) return { tcpSocket: { port: portOf(socket) } };
  const command = /^exec \[(.*?)\] delay=/.exec(text)?.[1];
  if (command !== undefined) return { exec: { command: command.split(" ") } };
  const grpc = /^grpc \S*?:(\d{1,5})/.exec(text)?.[1];
  return grpc === undefined ? {} : { grpc: { port: Number(grpc) } };
}

function portOf(text: string): number | string {
  return /^\d{1,5}$/.test(text) ? Number(text) : text;
}
