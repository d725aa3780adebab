/** What a version of behaviour is made of, and where spans tell of it. */

import type { AttributeValue } from "../../model/span.ts";

export type ComponentName =
  | "release"
  | "bundle"
  | "prompt"
  | "model"
  | "provider"
  | "tokenizer"
  | "tools"
  | "parameters"
  | "engine"
  | "flag"
  | "label"
  | "place";

/** One attribute that tells of a component. */
export interface ComponentKey {
  readonly component: ComponentName;
  readonly key: string;
  /**
   * `always`: two of its values are two versions of one thing. `releases`: they are where they have a name in common and
   * differ by date or revision. `alone`: they are where nothing else differs. `never`: it differs for many reasons, and is only looked at beside another component.
   */
  readonly leads: "always" | "releases" | "alone" | "never";
  /** Of the whole service, or of single calls of models. */
  readonly of: "service" | "call";
}

/** The attribute by which an unnamed flag is kept: `feature_flag.` and the name of the flag. */
export const flagPrefix = "feature_flag.";

const table: readonly (readonly [
  ComponentName,
  ComponentKey["leads"],
  ComponentKey["of"],
  string,
])[] = [
  [
    "release",
    "always",
    "service",
    "service.version app.version app_version application.version deployment.version build.version build.id version release sentry.release dd.version faas.version container.image.tag container.image.tags container.image.id vcs.ref.head.revision vcs.repository.ref.revision git.commit.sha git.commit git.sha",
  ],
  ["bundle", "always", "call", "faultline.bundle.hash bundle.hash bundle.version"],
  [
    "prompt",
    "always",
    "call",
    "gen_ai.prompt.version gen_ai.prompt.template.version prompt.version prompt_version llm.prompt_template.version langfuse.observation.prompt.version langfuse.prompt.version traceloop.prompt.version prompt.hash prompt.template.hash prompt.template.version",
  ],
  [
    "tokenizer",
    "always",
    "call",
    "gen_ai.tokenizer gen_ai.tokenizer.version gen_ai.request.tokenizer llm.tokenizer tokenizer tokenizer.name tokenizer.version tokenizer.hash",
  ],
  [
    "tools",
    "always",
    "call",
    "gen_ai.tools.hash gen_ai.tools.version tools.hash tools.version toolset.version",
  ],
  [
    "model",
    "always",
    "call",
    "gen_ai.model.version gen_ai.request.model.version model.version model.revision gen_ai.model.revision gen_ai.model.quantization model.quantization",
  ],
  [
    "model",
    "releases",
    "call",
    "gen_ai.request.model gen_ai.response.model llm.model_name llm.request.model llm.response.model ai.model.id model model.name",
  ],
  [
    "provider",
    "alone",
    "call",
    "gen_ai.provider.name gen_ai.system llm.provider llm.vendor ai.model.provider",
  ],
  ["provider", "never", "call", "faultline.target"],
  [
    "parameters",
    "never",
    "call",
    "gen_ai.request.temperature gen_ai.request.top_p gen_ai.request.top_k gen_ai.request.max_tokens gen_ai.request.reasoning_effort gen_ai.request.frequency_penalty gen_ai.request.presence_penalty gen_ai.request.stream",
  ],
  [
    "engine",
    "never",
    "call",
    "gen_ai.response.system_fingerprint gen_ai.openai.response.system_fingerprint vllm.version engine.version server.build gen_ai.server.version",
  ],
  ["flag", "always", "service", "experiment.variant experiment.group ab_test.variant ab.variant"],
  [
    "label",
    "always",
    "service",
    "deployment.canary canary deployment.track rollout.track deployment.variant deployment.ring",
  ],
  ["place", "never", "service", "cloud.region cloud.provider k8s.cluster.name host.type"],
];

/** Every attribute that is looked at, in the order in which components are named. */
export const componentKeys: readonly ComponentKey[] = table.flatMap(
  ([component, leads, of, keys]) => keys.split(" ").map((key) => ({ component, key, leads, of })),
);

/**
 * Of a resource these tell of the program that serves. On a span they tell of many things, such as the version of the client or of a
 * document, and say nothing here.
 */
export const resourceOnlyKeys: ReadonlySet<string> = new Set(
  componentKeys
    .filter(
      ({ component, key }) => component === "release" && !/^(?:service|deployment)\./.test(key),
    )
    .map(({ key }) => key),
);

/** Attributes of who sent a request: where their mix is unlike, requests are compared within each of their values. */
export const cohortKeys: readonly string[] = [
  "tenant.id",
  "tenant",
  "faultline.key.id",
  "customer.tier",
  "user.tier",
  "plan",
  "enduser.role",
  "region",
  "country",
  "locale",
  "device.type",
  "client.platform",
  "user.group",
];

/** The key of a name that is in no table: a flag, or what a user names. */
export function namedKey(key: string): ComponentKey {
  const known = componentKeys.find((item) => item.key === key);
  if (known !== undefined) return { ...known, leads: "always" };
  const component = key.startsWith(flagPrefix) ? "flag" : "release";
  return { component, key, leads: "always", of: "service" };
}

const textLengthMax = 200;
const itemCountMax = 8;

/** The text by which a value is told from others, or nothing where it is none. */
export function valueText(value: AttributeValue | undefined): string | undefined {
  switch (typeof value) {
    case "string":
      return value === "" ? undefined : value.slice(0, textLengthMax);
    case "number":
    case "boolean":
      return String(value);
    default:
      return Array.isArray(value) && value.length > 0 && value.length <= itemCountMax
        ? value
            .map((item) => valueText(item) ?? "")
            .join(" ")
            .slice(0, textLengthMax)
        : undefined;
  }
}

const revision =
  /[-@:_](?:\d{4}-?\d{2}-?\d{2}|\d{4}|v\d{1,3}(?:\.\d{1,3}){0,2}|latest|stable|canary|preview|awq|gptq|gguf|int[48]|fp(?:8|16|32)|bf16|q\d(?:_[a-z0-9]+){0,2}|[0-9a-f]{7,40})$/i;
const suffixCountMax = 4;

/** What a model is called without what tells its releases from one another. */
export function baseOfModel(name: string): string {
  let base = name.toLowerCase().slice(name.lastIndexOf("/") + 1);
  for (let count = 0; count < suffixCountMax; count += 1) {
    const shorter = base.replace(revision, "");
    if (shorter === base || shorter === "") break;
    base = shorter;
  }
  return base;
}
