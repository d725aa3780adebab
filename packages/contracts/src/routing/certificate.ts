/** The secret that holds the certificate of an entry. */

import { fieldsAt, isPresentAt, textAt } from "../kubernetes/fields.ts";
import { type Objects, referenceTo } from "../kubernetes/objects.ts";
import { isSlipOf, nearestName } from "../text/nearest-name.ts";
import type { EntryFault } from "./entry-fault.ts";

const keys = ["tls.crt", "tls.key"] as const;

/** A secret that an entry names, and where. */
export interface CertificateUse {
  readonly namespace: string;
  readonly secretName: string;
  readonly annotations: ReadonlyMap<string, string>;
  /** The field that names it. */
  readonly words: string;
}

/** Whether the secret exists and holds a certificate with its key. */
export function certificateFaults(use: CertificateUse, objects: Objects): EntryFault[] {
  const { namespace, secretName, annotations, words } = use;
  const source = objects.get("Secret", namespace, secretName);
  if (source !== undefined) {
    const { object } = source;
    const held = new Set([
      ...Object.keys(fieldsAt(object, "data")),
      ...Object.keys(fieldsAt(object, "stringData")),
    ]);
    // A table prints how many values a secret has, not which.
    if (object["faultlineText"] !== undefined && held.size === 0) return [];
    const lacking = keys.filter((key) => !held.has(key));
    if (lacking.length === 0) return [];
    return [
      {
        isSure: true,
        what: `Secret ${namespace}/${secretName} of its ${words} lacks ${lacking.join(" and ")}`,
        evidence: [
          referenceTo(
            source,
            `type ${textAt(object, "type") ?? "Opaque"}, keys: ${[...held].join(", ") || "none"}`,
          ),
        ],
        fixes: [
          {
            description: `Make Secret ${namespace}/${secretName} anew with kubectl create secret tls, which has the type kubernetes.io/tls and the keys tls.crt and tls.key.`,
          },
        ],
      },
    ];
  }
  const isMade = [...annotations.keys()].some((name) =>
    /^(?:cert-manager\.io\/(?:cluster-)?issuer|kubernetes\.io\/tls-acme|certmanager\.k8s\.io\/)/.test(
      name,
    ),
  );
  const hasCertificate = objects
    .of("Certificate")
    .some(({ object }) => textAt(object, "spec", "secretName") === secretName);
  if (isMade || hasCertificate) return [];
  return [absent(use, objects)];
}

/** Secrets are seldom kept beside manifests, so that only those of a cluster show that one does not exist. */
function absent({ namespace, secretName, words }: CertificateUse, objects: Objects): EntryFault {
  const here = objects
    .of("Secret")
    .filter(({ object }) => (object.metadata.namespace ?? "default") === namespace);
  const names = here.map(({ object }) => object.metadata.name);
  const isCluster = here.some(
    ({ object }) =>
      isPresentAt(object, "metadata", "uid") ||
      isPresentAt(object, "metadata", "creationTimestamp"),
  );
  const near = nearestName(secretName, names);
  if (isCluster || (near !== undefined && isSlipOf(secretName, near))) {
    return {
      isSure: true,
      what: `Secret ${namespace}/${secretName} of its ${words} does not exist${near === undefined ? "" : `; ${near} does`}`,
      evidence: here.slice(0, 10).map((source) => referenceTo(source)),
      fixes:
        near === undefined
          ? [{ description: `Create Secret ${namespace}/${secretName} of type kubernetes.io/tls.` }]
          : [
              {
                description: `Set secretName of its ${words} from ${secretName} to ${near}.`,
                cost: 2,
              },
            ],
    };
  }
  return {
    isSure: false,
    what: `whether Secret ${namespace}/${secretName} of its ${words} exists is not known`,
    missing: [`Secret ${namespace}/${secretName}: its type and its keys`],
    nextChecks: [`kubectl describe secret -n ${namespace} ${secretName}`],
  };
}
