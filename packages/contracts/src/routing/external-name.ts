/** Services that are another name for a host outside. */

import type { FindingParts } from "../model/make-finding.ts";
import { referenceTo } from "../kubernetes/objects.ts";
import type { Service } from "./service.ts";

const nameLengthMax = 253;
const expected = "spec.externalName is a DNS name: labels of a-z, 0-9 and -, set apart by dots.";

/** Whether the name can be answered as a CNAME. Ports and selectors of such a service mean nothing. */
export function judgeExternalName(service: Service): FindingParts {
  const { externalName = "", subject, source, type } = service;
  const fault = faultOf(externalName);
  const quote = `type: ${type}, externalName: ${externalName}`;
  if (type !== "ExternalName") {
    return {
      verdict: "inconclusive",
      subject,
      expected,
      title: `Service ${subject.name} names ${externalName} as externalName, but its type ${type} ignores it.`,
      actual: quote,
      evidence: [referenceTo(source, quote)],
      missing: ["which of both is meant: the type ExternalName, or a service without externalName"],
      fixes: [
        { description: `Set spec.type of Service ${subject.name} from ${type} to ExternalName.` },
      ],
    };
  }
  if (fault === undefined) {
    return {
      verdict: "holds",
      subject,
      expected,
      title: `Service ${subject.name} stands for the host ${externalName}.`,
      actual: `${quote}. Ports of the service are not translated.`,
      evidence: [referenceTo(source, quote)],
    };
  }
  return {
    verdict: "violated",
    subject,
    expected,
    title: `Service ${subject.name} cannot be resolved: ${fault.why}.`,
    actual: quote,
    causeKind: "configuration",
    evidence: [referenceTo(source, quote)],
    fixes: fault.fixes.map((description) => ({ description })),
    nextChecks: [`nslookup ${service.name}.${service.namespace}.svc.cluster.local, from a pod`],
  };
}

function faultOf(name: string): { why: string; fixes: readonly string[] } | undefined {
  if (name === "") {
    return { why: "it is of type ExternalName and names no host", fixes: ["Set externalName."] };
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(name)) {
    const host = /^[^:]+:\/\/([^/:]+)/.exec(name)?.[1] ?? "the host";
    return {
      why: `its externalName ${name} is a URL, not a DNS name`,
      fixes: [`Set externalName from ${name} to ${host}.`],
    };
  }
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(name) || /^[0-9a-f]*:[0-9a-f:]+$/i.test(name)) {
    return {
      why: `its externalName ${name} is an IP address, which a CNAME cannot name`,
      fixes: [
        `Drop type and externalName and create an EndpointSlice with the address ${name} for a service without selector.`,
      ],
    };
  }
  const [, host, port] = /^([^:/]+):(\d+)$/.exec(name) ?? [];
  if (host !== undefined) {
    return {
      why: `its externalName ${name} carries a port, which DNS cannot`,
      fixes: [
        `Set externalName from ${name} to ${host}, and the port ${port ?? ""} in the client.`,
      ],
    };
  }
  const isName =
    name.length <= nameLengthMax &&
    /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\.?$/.test(
      name,
    );
  if (isName) return undefined;
  const lower = name.toLowerCase();
  return {
    why: `its externalName ${name} is not a DNS name`,
    fixes: lower !== name && faultOf(lower) === undefined ? [`Set externalName to ${lower}.`] : [],
  };
}
