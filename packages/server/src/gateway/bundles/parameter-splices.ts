/** Parameters of a bundle as splices into a request. */

import type { SurfaceName } from "#config/index.ts";
import type { BundleDocument, ModelParameters } from "@faultline/protocol";

import type { RequestPlace } from "../calls/request-form.ts";
import type { RequestFacts } from "../calls/request-reader.ts";
import type { Splice } from "../wire/splice.ts";

type ParameterName = keyof ModelParameters;

/** Where a parameter stands in a wire format. The first place is where it is put when it stands nowhere. */
interface ParameterField {
  readonly places: readonly [RequestPlace, ...RequestPlace[]];
  readonly field: string;
  /** The object in which the field stands, when it is not the root. */
  readonly within?: { readonly place: RequestPlace; readonly field: string };
}

const shared = {
  temperature: { places: ["temperature"], field: "temperature" },
  topP: { places: ["topP"], field: "top_p" },
} as const satisfies Partial<Record<ParameterName, ParameterField>>;

const openaiText = {
  ...shared,
  stop: { places: ["stop"], field: "stop" },
  seed: { places: ["seed"], field: "seed" },
  frequencyPenalty: { places: ["frequencyPenalty"], field: "frequency_penalty" },
  presencePenalty: { places: ["presencePenalty"], field: "presence_penalty" },
} as const satisfies Partial<Record<ParameterName, ParameterField>>;

const fields: Readonly<
  Record<SurfaceName, Partial<Readonly<Record<ParameterName, ParameterField>>>>
> = {
  chat: {
    ...openaiText,
    maxTokens: { places: ["maxCompletionTokens", "maxTokens"], field: "max_completion_tokens" },
    reasoningEffort: { places: ["reasoningEffort"], field: "reasoning_effort" },
    parallelToolCalls: { places: ["parallelToolCalls"], field: "parallel_tool_calls" },
  },
  completions: {
    ...openaiText,
    maxTokens: { places: ["maxTokens"], field: "max_tokens" },
  },
  responses: {
    ...shared,
    maxTokens: { places: ["maxCompletionTokens"], field: "max_output_tokens" },
    reasoningEffort: {
      places: ["reasoningEffort"],
      field: "effort",
      within: { place: "reasoning", field: "reasoning" },
    },
    parallelToolCalls: { places: ["parallelToolCalls"], field: "parallel_tool_calls" },
  },
  messages: {
    ...shared,
    maxTokens: { places: ["maxTokens"], field: "max_tokens" },
    stop: { places: ["stop"], field: "stop_sequences" },
  },
  // Nothing is sampled there.
  "count-tokens": {},
  embeddings: {},
};

export interface ParameterSplices {
  readonly splices: readonly Splice[];
  /** Parameters that this wire format has no word for. */
  readonly unused: readonly ParameterName[];
}

/** A default counts where the caller sent nothing or `null`; what is forced counts always. */
export function parameterSplices(
  surface: SurfaceName,
  parameters: NonNullable<BundleDocument["parameters"]>,
  places: RequestFacts["places"],
): ParameterSplices {
  const splices: Splice[] = [];
  const unused: ParameterName[] = [];
  const table = fields[surface];
  for (const [layer, isForced] of [
    [parameters.defaults, false],
    [parameters.forced, true],
  ] as const) {
    // The names of a closed object are those of its schema.
    for (const name of Object.keys(layer ?? {}) as ParameterName[]) {
      const field = table[name];
      if (field === undefined) unused.push(name);
      else splices.push(...spliceOf(field, { value: layer?.[name], isForced, places }));
    }
  }
  return { splices, unused: isSilent(surface) ? [] : unused };
}

function isSilent(surface: SurfaceName): boolean {
  return surface === "embeddings" || surface === "count-tokens";
}

function spliceOf(
  field: ParameterField,
  {
    value,
    isForced,
    places,
  }: { value: unknown; isForced: boolean; places: RequestFacts["places"] },
): Splice[] {
  const text = JSON.stringify(value);
  const sent = field.places.flatMap((name) => places[name] ?? []);
  const said = sent.filter(({ kind }) => kind !== "null");
  if (said.length > 0) {
    return isForced ? said.map(({ start, end }) => ({ start, end, text })) : [];
  }
  const [empty] = sent;
  if (empty !== undefined) return [{ start: empty.start, end: empty.end, text }];
  return [insertion(field, text, places)];
}

function insertion(
  { field, within }: ParameterField,
  text: string,
  places: RequestFacts["places"],
): Splice {
  const member = `${JSON.stringify(field)}:${text}`;
  const holder = within === undefined ? undefined : places[within.place];
  if (within === undefined || holder === undefined) {
    const whole = within === undefined ? member : `${JSON.stringify(within.field)}:{${member}}`;
    return rootInsertion(whole, places);
  }
  if (holder.kind !== "object")
    return { start: holder.start, end: holder.end, text: `{${member}}` };
  const at = holder.start + 1;
  return { start: at, end: at, text: `${member}${holder.filled ? "," : ""}` };
}

/** Puts a member first into the request, which is never empty: it names a model. */
export function rootInsertion(member: string, { root }: RequestFacts["places"]): Splice {
  const at = (root?.start ?? 0) + 1;
  return { start: at, end: at, text: `${member},` };
}
