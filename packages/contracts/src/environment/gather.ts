/** Gathers the environments of a snapshot from all evidence that tells of them. */

import type { EnvironmentContent } from "../model/evidence.ts";
import { type EvidenceOf, evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { Environment } from "./environment.ts";
import { quoteOf } from "./fact-name.ts";
import { addKubernetesFacts } from "./kubernetes-facts.ts";
import { addTraceFacts } from "./trace-facts.ts";

/** Groups of environments; only those of one group are compared with one another. */
export function environmentGroupsOf(snapshot: Snapshot): readonly (readonly Environment[])[] {
  const described = describedEnvironments(snapshot);
  addTraceFacts(snapshot, (name) => environmentOf(described, name));
  const groups = [sorted(described), ...addKubernetesFacts(snapshot)];
  return groups.filter((group) => group.length > 1);
}

function environmentOf(environments: Map<string, Environment>, name: string): Environment {
  const known = environments.get(name);
  if (known !== undefined) return known;
  const made = new Environment(name);
  environments.set(name, made);
  return made;
}

function sorted(environments: ReadonlyMap<string, Environment>): Environment[] {
  return [...environments.values()].sort((left, right) => compareText(left.name, right.name));
}

/** Pieces of one name are one environment, unless they contradict one another: then they are several of that name. */
function describedEnvironments(snapshot: Snapshot): Map<string, Environment> {
  const environments = new Map<string, Environment>();
  for (const piece of evidenceOfKind(snapshot, "environment")) {
    addContent(placeFor(environments, piece.content), piece);
  }
  return environments;
}

function placeFor(
  environments: Map<string, Environment>,
  content: EnvironmentContent,
): Environment {
  for (let number = 1; number < sameNameCountMax; number += 1) {
    const name = number === 1 ? content.name : `${content.name} (${number})`;
    const known = environments.get(name);
    if (known === undefined || !contradicts(known, content))
      return environmentOf(environments, name);
  }
  return environmentOf(environments, content.name);
}

const sameNameCountMax = 20;

function contradicts(environment: Environment, content: EnvironmentContent): boolean {
  return Object.entries(content.facts).some(([name, value]) => {
    const known = environment.facts.get(name);
    return known !== undefined && !known.values.has(value);
  });
}

function addContent(environment: Environment, { id, content }: EvidenceOf<"environment">): void {
  for (const [name, value] of Object.entries(content.facts)) {
    const locator = `/facts/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    environment.add(name, value, { evidenceId: id, locator, quote: quoteOf(name, value) });
  }
}
