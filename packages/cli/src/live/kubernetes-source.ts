/**
 * Objects of a cluster, read by the `kubectl` that its user has: it knows their kubeconfig, its plugins for credentials,
 * its proxies and certificates, and shows them nothing that they may not see. One call for each kind, so that a kind that
 * may not be read takes no other with it.
 */

import { spawn } from "node:child_process";

import { collectParts } from "./collect-parts.ts";
import { type Collecting, liveLimits, type LiveSource } from "./live-source.ts";

const kinds = [
  "nodes",
  "namespaces",
  "pods",
  "services",
  "endpoints",
  "endpointslices.discovery.k8s.io",
  "configmaps",
  "secrets",
  "serviceaccounts",
  "persistentvolumeclaims",
  "persistentvolumes",
  "resourcequotas",
  "limitranges",
  "events",
  "deployments.apps",
  "replicasets.apps",
  "statefulsets.apps",
  "daemonsets.apps",
  "jobs.batch",
  "cronjobs.batch",
  "horizontalpodautoscalers.autoscaling",
  "poddisruptionbudgets.policy",
  "ingresses.networking.k8s.io",
  "ingressclasses.networking.k8s.io",
  "networkpolicies.networking.k8s.io",
  "storageclasses.storage.k8s.io",
  "priorityclasses.scheduling.k8s.io",
  "roles.rbac.authorization.k8s.io",
  "rolebindings.rbac.authorization.k8s.io",
  "clusterroles.rbac.authorization.k8s.io",
  "clusterrolebindings.rbac.authorization.k8s.io",
] as const;

export interface ClusterChoice {
  readonly context: string;
  readonly namespace?: string | undefined;
  readonly kubeconfig?: string | undefined;
}

export function kubernetesSource(choice: ClusterChoice): LiveSource {
  return {
    name: `kubernetes context ${choice.context}`,
    async collect(collecting) {
      const plan = {
        atOnce: liveLimits.partsAtOnce,
        timeShare: 1 / 3,
        isOfAll: isAbsent,
        nameOf: (kind: string) => kind,
        collect: async (kind: string, within: Collecting) => collectKind(choice, kind, within),
      };
      await collectParts(kinds, plan, collecting);
    },
  };
}

async function collectKind(
  choice: ClusterChoice,
  kind: string,
  collecting: Collecting,
): Promise<void> {
  const bytes = await runKubectl(wordsFor(choice, kind), collecting.signal);
  // A list without items is no evidence of anything but its kind.
  if (/"items":\s*\[\s*\]/.test(Buffer.from(bytes.subarray(0, 200)).toString("latin1"))) return;
  const name = `${choice.context.replaceAll(/[^\w.-]/g, "-")}-${kind}.json`;
  collecting.keep({ name, bytes });
}

function wordsFor({ context, namespace, kubeconfig }: ClusterChoice, kind: string): string[] {
  return [
    "get",
    kind,
    ...(namespace === undefined ? ["--all-namespaces"] : ["--namespace", namespace]),
    "--output=json",
    `--context=${context}`,
    ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
  ];
}

async function runKubectl(words: readonly string[], signal: AbortSignal): Promise<Uint8Array> {
  signal.throwIfAborted();
  const child = spawn("kubectl", words, { signal, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  // Awaited below; a failure before that must not count as unhandled.
  ended.catch(() => undefined);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = `${complaint}${chunk.toString("utf8")}`.slice(0, 4_096);
  });
  child.stdout.on("data", (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes > liveLimits.answerBytesMax) child.kill();
    else chunks.push(chunk);
  });
  const code = await ended;
  if (sizeBytes > liveLimits.answerBytesMax) {
    throw new Error(
      `There are more than ${liveLimits.answerBytesMax} bytes; choose a namespace with --namespace.`,
    );
  }
  if (code !== 0)
    throw new Error(complaint.trim() === "" ? `kubectl ended with ${code}.` : complaint);
  return Buffer.concat(chunks, sizeBytes);
}

/** There is no `kubectl` at all. */
function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
