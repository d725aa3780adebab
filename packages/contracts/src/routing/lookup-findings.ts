/** Says why a name could not be looked up, as far as the objects of the cluster tell. */

import type { CauseKind } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { type Objects, referenceTo } from "../kubernetes/objects.ts";
import { podsOf } from "../kubernetes/pods.ts";
import { compareText } from "../text/compare-text.ts";
import { nearestName } from "../text/nearest-name.ts";
import { plural } from "../text/plural.ts";
import { isDnsServer } from "./dns-server.ts";
import type { FailedLookup } from "./failed-lookup.ts";
import { meaningOf, namespacesOf } from "./name-reference.ts";
import { serviceAt, servicesOf } from "./service.ts";

interface Explanation {
  /** A clause that goes on after the name. */
  readonly why: string;
  readonly causeKind: CauseKind;
  readonly fixes: readonly string[];
  readonly nextChecks: readonly string[];
  readonly evidence: FindingParts["evidence"];
}

/** The finding about a name whose lookup is recorded as failed. */
export function failedLookupFinding(failed: FailedLookup, objects: Objects): FindingParts {
  const { host, outcome, count } = failed;
  const explained =
    outcome === "unanswered"
      ? unanswered(objects)
      : host === ""
        ? nameless()
        : explain(failed, objects);
  const name = host === "" ? "a name that the records do not tell" : host;
  return {
    verdict: "violated",
    subject: { kind: "host", name: host === "" ? "unnamed" : host },
    expected: "Every name that is looked up has an address.",
    title: `${name} could not be resolved (${plural(count, "record")}): ${explained.why}.`,
    actual: `${plural(count, "failed lookup")} of ${name}; ${explained.why}.`,
    causeKind: explained.causeKind,
    measures: {
      failedLookupCount: count,
      outcome,
      clientNamespaces:
        failed.namespaces.length === 0 ? undefined : [...failed.namespaces].sort().join(", "),
    },
    evidence: [...failed.evidence, ...(explained.evidence ?? [])],
    fixes: explained.fixes.map((description) => ({ description })),
    nextChecks: explained.nextChecks,
  };
}

/** No server answered: the fault lies with the DNS, or with what stands between it and the client. */
function unanswered(objects: Objects): Explanation {
  const servers = podsOf(objects).filter(isDnsServer);
  const down =
    servers.length > 0 &&
    !servers.some(
      (pod) =>
        pod.state.kind === "ready" || pod.state.kind === "planned" || pod.state.kind === "unknown",
    );
  return {
    why: down
      ? "no server of names answered, and no pod of the cluster's DNS is ready"
      : "no server of names answered in time",
    causeKind: "dependency",
    fixes: [],
    evidence: down ? servers.slice(0, 5).map((pod) => referenceTo(pod.source)) : [],
    nextChecks: [
      "kubectl get pods -n kube-system -l k8s-app=kube-dns -o wide",
      "kubectl get networkpolicies -A: whether egress to port 53 is allowed where the client runs",
      "cat /etc/resolv.conf in the client's pod: which servers it asks, and how many search domains ndots makes it try",
    ],
  };
}

function nameless(): Explanation {
  return {
    why: "the server of names does not know it",
    causeKind: "configuration",
    fixes: [],
    evidence: [],
    nextChecks: ["Which host the client was told to call: its variables and arguments."],
  };
}

/** Whether a service of that name exists where the client looks, elsewhere, or under a name like it. */
function explain(failed: FailedLookup, objects: Objects): Explanation {
  const { host } = failed;
  const isCluster = /\.svc(?:\.|$)/.test(host);
  const labels = host.split(".").length;
  const [namespace] = failed.namespaces;
  const form = isCluster ? "cluster" : "address";
  const meant =
    isCluster && labels < 3
      ? undefined
      : meaningOf({ host, form }, { namespace: namespace ?? "default" }, namespacesOf(objects));
  if (meant === undefined) return outside(host);
  const services = servicesOf(objects);
  const isWhereKnown = meant.isNamespaceNamed || namespace !== undefined;
  const service = isWhereKnown ? serviceAt(objects, meant.namespace, meant.service) : undefined;
  if (service !== undefined) {
    return {
      why: `Service ${service.subject.name} exists, so the client asked another DNS than the cluster's, from another namespace, or before the service was made`,
      causeKind: "dependency",
      fixes: [],
      evidence: [referenceTo(service.source)],
      nextChecks: [
        `nslookup ${service.name}.${service.namespace}.svc.cluster.local from the client's pod`,
        "dnsPolicy and hostNetwork of the client's pod",
      ],
    };
  }
  return missing(host, meant, { services, isWhereKnown });
}

function missing(
  host: string,
  meant: {
    readonly service: string;
    readonly namespace: string;
    readonly isNamespaceNamed: boolean;
  },
  { services, isWhereKnown }: { services: ReturnType<typeof servicesOf>; isWhereKnown: boolean },
): Explanation {
  const same = services
    .filter((item) => item.name === meant.service)
    .sort((left, right) => compareText(left.namespace, right.namespace));
  const [other] = same;
  const here = services.filter((item) => item.namespace === meant.namespace);
  const near = nearestName(
    meant.service,
    here.map((item) => item.name),
  );
  if (other !== undefined) {
    return {
      why: `a service of that name lies in the namespace ${other.namespace}, and a bare name is looked up in the client's own`,
      causeKind: "configuration",
      fixes: [`Call it ${meant.service}.${other.namespace} instead of ${host}.`],
      evidence: [referenceTo(other.source)],
      nextChecks: [`kubectl get services -A --field-selector metadata.name=${meant.service}`],
    };
  }
  if (near !== undefined) {
    return {
      why: `there is no Service ${meant.service}${isWhereKnown ? ` in ${meant.namespace}` : ""}; ${near} exists`,
      causeKind: "configuration",
      fixes: [`Call ${host.replace(meant.service, near)} instead of ${host}.`],
      evidence: here.filter((item) => item.name === near).map((item) => referenceTo(item.source)),
      nextChecks: [],
    };
  }
  return {
    why:
      services.length === 0
        ? "the server of names does not know it, and no service of the cluster is in the evidence"
        : `no Service ${meant.service} is in the evidence`,
    causeKind: "configuration",
    fixes: [`Create Service ${meant.service}, or correct the name in the client.`],
    evidence: [],
    nextChecks: [`kubectl get services -A --field-selector metadata.name=${meant.service}`],
  };
}

function outside(host: string): Explanation {
  return {
    why: "the server of names does not know this host outside the cluster",
    causeKind: "configuration",
    fixes: [`Correct the name ${host} in the client, or register it.`],
    evidence: [],
    nextChecks: [
      `nslookup ${host} from a node and from a pod: whether only the cluster does not know it`,
    ],
  };
}
