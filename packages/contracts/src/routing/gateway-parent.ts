/** Whether the Gateway that a route hangs on exists and lets it. */

import { integerAt, isPresentAt, listAt, textAt, textListAt } from "../kubernetes/fields.ts";
import { type Objects, referenceTo, type Source } from "../kubernetes/objects.ts";
import { isSlipOf, nearestName } from "../text/nearest-name.ts";
import type { EntryFault } from "./entry-fault.ts";

/** What is wrong with the parents of a route. */
export function parentFaults(source: Source, objects: Objects): EntryFault[] {
  const parents = listAt(source.object, "spec", "parentRefs");
  if (parents.length === 0) {
    return [{ isSure: true, what: "it hangs on no gateway: it has no parentRefs" }];
  }
  return parents.flatMap((parent) => {
    if ((textAt(parent, "kind") ?? "Gateway") !== "Gateway") return [];
    const own = source.object.metadata.namespace ?? "default";
    const namespace = textAt(parent, "namespace") ?? own;
    const name = textAt(parent, "name") ?? "";
    const gateway = objects.get("Gateway", namespace, name);
    return gateway === undefined
      ? [missingGateway(namespace, name, objects)]
      : listenerFaults({ source, parent, gateway, own, namespace });
  });
}

function missingGateway(namespace: string, name: string, objects: Objects): EntryFault {
  const gateways = objects.of("Gateway");
  const sources = gateways.filter(
    ({ object }) => (object.metadata.namespace ?? "default") === namespace,
  );
  const here = sources.map(({ object }) => object.metadata.name);
  // Gateways are shared and often kept apart from the manifests of routes: only a cluster shows all of a namespace.
  const isCluster = sources.some(
    ({ object }) =>
      isPresentAt(object, "status") ||
      ["uid", "creationTimestamp"].some((field) => isPresentAt(object, "metadata", field)),
  );
  const elsewhere = gateways.find(({ object }) => object.metadata.name === name);
  const near = nearestName(name, here);
  const what = `Gateway ${namespace}/${name}, on which it hangs, does not exist`;
  if (near !== undefined && (isCluster || isSlipOf(name, near))) {
    return {
      isSure: true,
      what: `${what}; ${near} does`,
      fixes: [{ description: `Set parentRefs.name from ${name} to ${near}.`, cost: 2 }],
    };
  }
  if (elsewhere?.object.metadata.namespace !== undefined) {
    const other = elsewhere.object.metadata.namespace;
    return {
      isSure: true,
      what: `${what}; one of that name lies in the namespace ${other}`,
      evidence: [referenceTo(elsewhere)],
      fixes: [{ description: `Set parentRefs.namespace to ${other}.`, cost: 2 }],
    };
  }
  return {
    isSure: isCluster,
    what: isCluster ? what : `whether Gateway ${namespace}/${name} exists is not known`,
    missing: [`Gateway ${namespace}/${name}`],
    nextChecks: [`kubectl get gateway -n ${namespace} ${name} -o yaml`],
  };
}

interface Attachment {
  readonly source: Source;
  readonly parent: unknown;
  readonly gateway: Source;
  readonly own: string;
  readonly namespace: string;
}

/** Of the listeners that the route names, one must let it and share a host with it. */
function listenerFaults(item: Attachment): EntryFault[] {
  const { source, parent, gateway, own, namespace } = item;
  const all = listAt(gateway.object, "spec", "listeners");
  const section = textAt(parent, "sectionName");
  const port = integerAt(parent, "port");
  const words = `Gateway ${namespace}/${gateway.object.metadata.name}`;
  const names = all.flatMap((listener) => textAt(listener, "name") ?? []);
  const named = all.filter(
    (listener) =>
      (section === undefined || textAt(listener, "name") === section) &&
      (port === undefined || integerAt(listener, "port") === port),
  );
  const evidence = [referenceTo(gateway, `listeners: ${names.join(", ")}`)];
  if (named.length === 0) {
    const near = nearestName(section ?? "", names) ?? (names.length === 1 ? names[0] : undefined);
    return [
      {
        isSure: true,
        what: `${words} has no listener ${section ?? (port === undefined ? "at all" : `on port ${port}`)}${names.length === 0 ? "" : `: it has ${names.join(", ")}`}`,
        evidence,
        fixes:
          near === undefined || section === undefined
            ? []
            : [{ description: `Set parentRefs.sectionName from ${section} to ${near}.`, cost: 2 }],
      },
    ];
  }
  const open = named.filter((listener) => isOpenTo(listener, own, namespace));
  if (open.length === 0) {
    return [
      {
        isSure: true,
        what: `${words} takes no routes from the namespace ${own}: its listeners allow those of ${namespace} alone`,
        evidence,
        fixes: [
          {
            description: `Set allowedRoutes.namespaces.from of the listener to All, or to Selector with the labels of ${own}.`,
          },
        ],
      },
    ];
  }
  const hosts = textListAt(source.object, "spec", "hostnames");
  const isMet = open.some((listener) => {
    const taken = textAt(listener, "hostname");
    return (
      taken === undefined || hosts.length === 0 || hosts.some((host) => intersects(taken, host))
    );
  });
  return isMet
    ? []
    : [
        {
          isSure: true,
          what: `its hosts ${hosts.join(", ")} are none of those that ${words} listens for`,
          evidence,
        },
      ];
}

/** `Same` is the default. What a selector of namespaces matches is left to the controller's conditions. */
function isOpenTo(listener: unknown, own: string, namespace: string): boolean {
  const from = textAt(listener, "allowedRoutes", "namespaces", "from") ?? "Same";
  return from !== "Same" || own === namespace;
}

/** Whether two host names, either of which may begin with `*.`, can both stand for one host. */
function intersects(left: string, right: string): boolean {
  if (left === right) return true;
  if (left.startsWith("*.")) return right.endsWith(left.slice(1));
  return right.startsWith("*.") && left.endsWith(right.slice(1));
}
