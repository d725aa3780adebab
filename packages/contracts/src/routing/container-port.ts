/** The ports that the containers of a pod declare, and what else tells where its processes listen. */

import { integerAt, listAt, textAt, textListAt } from "../kubernetes/fields.ts";
import type { KnownPod } from "../kubernetes/pods.ts";

export interface ContainerPort {
  readonly container: string;
  readonly name: string | undefined;
  readonly port: number;
  readonly protocol: string;
}

/** Ports of the containers and of the sidecars among the init containers. */
export function containerPortsOf({ spec }: KnownPod): ContainerPort[] {
  return runningContainers(spec).flatMap((container) =>
    listAt(container, "ports").flatMap((item): ContainerPort[] => {
      const port = integerAt(item, "containerPort");
      if (port === undefined) return [];
      return [
        {
          container: textAt(container, "name") ?? "",
          name: textAt(item, "name"),
          port,
          protocol: textAt(item, "protocol") || "TCP",
        },
      ];
    }),
  );
}

/** The containers that run side by side. */
export function runningContainers(spec: KnownPod["spec"]): readonly unknown[] {
  const sidecars = listAt(spec, "initContainers").filter(
    (container) => textAt(container, "restartPolicy") === "Always",
  );
  return [...sidecars, ...listAt(spec, "containers")];
}

/** What tells that a container listens on a port. */
export interface ListenSign {
  readonly port: number;
  /** In words, for example `env PORT=3000`. */
  readonly what: string;
}

const ownPortVariable = /^(?:PORT|(?:HTTP|SERVER|LISTEN|APP|WEB|LISTENING|CONTAINER)_PORT)$/;

/** Where the processes of a pod say, by their variables and arguments, that they listen. */
export function listenSigns({ spec }: KnownPod): ListenSign[] {
  return runningContainers(spec).flatMap((container) => [
    ...listAt(container, "env").flatMap((item): ListenSign[] => {
      const name = textAt(item, "name") ?? "";
      const port = integerAt(item, "value");
      if (port === undefined || !ownPortVariable.test(name)) return [];
      return [{ port, what: `env ${name}=${port}` }];
    }),
    ...argumentSigns([...textListAt(container, "command"), ...textListAt(container, "args")]),
  ]);
}

function argumentSigns(words: readonly string[]): ListenSign[] {
  const text = words.join(" ");
  const patterns = [
    /(?:^|\s)--?(?:port|http-port|server\.port|listen-port|web\.port)[= ](\d{2,5})(?=\s|$)/g,
    /(?:^|\s)--?(?:listen|bind|addr|address|http|listen-address|web\.listen-address)[= ]"?(?:0\.0\.0\.0|\[::\]|)?:(\d{2,5})(?=["\s]|$)/g,
    /(?:^|\s)-m http\.server (\d{2,5})(?=\s|$)/g,
    /(?:^|\s)-Dserver\.port=(\d{2,5})(?=\s|$)/g,
    /(?:^|\s)nc -l[kpv]* ?(?:-p )?(\d{2,5})(?=\s|$)/g,
  ];
  return patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => ({
      port: Number(match[1]),
      what: `argument ${match[0].trim()}`,
    })),
  );
}
