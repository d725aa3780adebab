/** Environments as namespaces: workloads of one name in several, with their images, settings and flags. */

import { fieldsAt, listAt, textAt, textListAt, textsAt } from "../kubernetes/fields.ts";
import { objectsOf, referenceTo, type Source } from "../kubernetes/objects.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { Environment } from "./environment.ts";
import { quoteOf } from "./fact-name.ts";

const workloadKinds = ["Deployment", "StatefulSet", "DaemonSet"] as const;

/** The groups of namespaces whose names differ only in the word of an environment. */
export function addKubernetesFacts(snapshot: Snapshot): Environment[][] {
  const objects = objectsOf(snapshot);
  const sources = [...workloadKinds, "ConfigMap"].flatMap((kind) => objects.of(kind));
  const groups = new Map<string, Map<string, Environment>>();
  for (const source of sources) {
    const namespace = source.object.metadata.namespace ?? "default";
    const key = withoutEnvironmentWord(namespace);
    if (key === undefined) continue;
    const group = groups.get(key) ?? new Map<string, Environment>();
    groups.set(key, group);
    const environment = group.get(namespace) ?? new Environment(namespace);
    group.set(namespace, environment);
    if (source.object.kind === "ConfigMap") addConfigMap(environment, source);
    else addWorkload(environment, source);
  }
  return [...groups]
    .sort(([left], [right]) => compareText(left, right))
    .map(([, group]) =>
      [...group.values()].sort((left, right) => compareText(left.name, right.name)),
    );
}

const environmentWord =
  /(?:^|[-_.])(prod|production|prd|live|stag|stage|staging|stg|dev|development|test|testing|tst|qa|uat|preprod|pre-prod|preview|sandbox|sbx|canary|blue|green|ci|integration|int|demo|dr)\d{0,2}(?=$|[-_.])/;

/** What remains of a namespace's name without that word; nothing for a name that has none. */
function withoutEnvironmentWord(namespace: string): string | undefined {
  return environmentWord.test(namespace) ? namespace.replace(environmentWord, "") : undefined;
}

function addWorkload(environment: Environment, source: Source): void {
  const { object } = source;
  const name = object.metadata.name;
  const template = fieldsAt(object, "spec", "template", "spec");
  for (const field of ["initContainers", "containers"]) {
    for (const container of listAt(template, field)) {
      const owner = `${name}/${textAt(container, "name") ?? ""}`;
      const add = (fact: string, value: string): void => {
        const name = `${owner} ${fact}`;
        environment.add(name, value, referenceTo(source, quoteOf(name, value)));
      };
      const image = textAt(container, "image");
      if (image !== undefined) addImage(image, add);
      for (const [field, text] of [
        ["command", textListAt(container, "command")],
        ["args", textListAt(container, "args")],
      ] as const) {
        if (text.length > 0) add(field, text.join(" "));
      }
      for (const variable of listAt(container, "env")) {
        const key = textAt(variable, "name");
        const value = textAt(variable, "value");
        if (key === undefined) continue;
        // Where a value comes from is a setting, too.
        const from = Object.keys(fieldsAt(variable, "valueFrom"))[0];
        const reference = fieldsAt(variable, "valueFrom", from ?? "");
        const told =
          from === undefined
            ? (value ?? "")
            : `(${from} ${textAt(reference, "name") ?? ""} ${textAt(reference, "key") ?? textAt(reference, "fieldPath") ?? ""})`;
        add(`env.${key}`, told);
      }
    }
  }
}

function addImage(image: string, add: (fact: string, value: string) => void): void {
  const match = /^(?:.*\/)?([^/:@]+)(?::([^@]+))?(?:@(.+))?$/.exec(image);
  add("image.name", match?.[1] ?? image);
  add("image.tag", match?.[2] ?? (match?.[3] === undefined ? "latest" : match[3]));
}

function addConfigMap(environment: Environment, source: Source): void {
  const name = source.object.metadata.name;
  // Every namespace has one of its own, and its content says nothing of the application.
  if (name === "kube-root-ca.crt") return;
  for (const [key, value] of textsAt(source.object, "data")) {
    const fact = `configmap/${name} ${key}`;
    environment.add(fact, value, referenceTo(source, quoteOf(fact, value)));
  }
}
