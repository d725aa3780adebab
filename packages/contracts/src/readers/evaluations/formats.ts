/** The formats of evaluations, recognised by what only their records have. */

import { isFields } from "../../model/fields.ts";
import {
  type EvidenceFormat,
  type FileContent,
  type FormatInput,
  startsAsJson,
} from "../format.ts";
import { firstObjectOf, itemsOf } from "../tracing/documents.ts";
import { quoteBareNumbers } from "../training/bare-numbers.ts";
import { readTranscripts } from "../transcript/read-transcript.ts";
import { EvaluationBuilder, type RunParts } from "./evaluation-builder.ts";
import { addDeepEval, addInspect, addPromptfoo, type AddDocument } from "./frameworks.ts";
import { looksLikeInspectArchive, readInspectArchive } from "./inspect-archive.ts";
import {
  addHarnessSample,
  addLangSmith,
  addOpenAiRecord,
  addPlainRecord,
  recordColumnsOf,
} from "./records.ts";

interface Dialect {
  readonly tool: string;
  readonly description: string;
  /** Each of them stands in the beginning. */
  readonly marks: readonly RegExp[];
  readonly add: AddDocument;
  /** Whether the samples hold conversations as well. */
  readonly hasTranscripts?: true;
}

const dialects: readonly Dialect[] = [
  {
    tool: "promptfoo",
    description: "results of promptfoo",
    marks: [/"(?:gradingResult|promptIdx|evalId)"\s*:/, /"(?:vars|testCase|prompts)"\s*:/],
    add: addPromptfoo,
  },
  {
    tool: "deepeval",
    description: "test runs of DeepEval",
    marks: [
      /"(?:testCases|testRunData|test_results|testResults|metricsData|metrics_data)"\s*:/,
      /"(?:actualOutput|actual_output|metricsData|metrics_data)"\s*:/,
    ],
    add: addDeepEval,
  },
  {
    tool: "inspect",
    description: "logs of Inspect as JSON",
    marks: [
      /^\s*\{\s*"version"\s*:\s*\d+\s*,\s*"status"\s*:/,
      /"eval"\s*:\s*\{/,
      /"(?:task|task_id)"\s*:/,
    ],
    add: addInspect,
    hasTranscripts: true,
  },
  {
    tool: "lm-evaluation-harness",
    description: "samples of lm-evaluation-harness",
    marks: [/"doc_id"\s*:/, /"(?:filtered_)?resps"\s*:/],
    add: addHarnessSample,
  },
  {
    tool: "openai-evals",
    description: "records of OpenAI's evals",
    marks: [
      /"(?:completion_fns|event_id|datasource_item_id)"\s*:/,
      /"(?:eval_name|sample_id|results)"\s*:/,
    ],
    add: addOpenAiRecord,
  },
  {
    tool: "langsmith",
    description: "rows of experiments of LangSmith",
    marks: [
      /"(?:evaluation_results|feedback_stats|feedback)"\s*:/,
      /"(?:reference_example_id|example)"\s*:/,
    ],
    add: addLangSmith,
  },
];

/** Reads the documents of a run, or the records of one. */
function readWith(dialect: Dialect, input: FormatInput): FileContent {
  // Python writes a score that is no number as a word that JSON does not have.
  return readDocuments(itemsOf(quoteBareNumbers(input.text())), dialect, input);
}

function readDocuments(
  documents: readonly unknown[],
  { tool, add, hasTranscripts }: Omit<Dialect, "description" | "marks">,
  input: FormatInput,
): FileContent {
  const builder = new EvaluationBuilder(tool, input);
  let run: RunParts = {};
  for (const document of documents) {
    const parts = isFields(document) ? add(document, builder) : undefined;
    // What the first record says of the run stands for all.
    if (parts !== undefined) run = { ...parts, ...said(run) };
  }
  const content = builder.content(run);
  const transcripts = hasTranscripts === true ? conversationsOf(documents) : [];
  return {
    contents: [content],
    ...(transcripts.length === 0 ? {} : { transcripts }),
    notes: builder.notes(),
  };
}

function said(run: RunParts): RunParts {
  return {
    ...(run.suite === undefined || run.suite === "" ? {} : { suite: run.suite }),
    ...(run.ran === undefined ? {} : { ran: run.ran }),
  };
}

function conversationsOf(documents: readonly unknown[]): NonNullable<FileContent["transcripts"]> {
  const lists = documents.flatMap((document): unknown[] => {
    const samples = isFields(document) ? document["samples"] : undefined;
    return Array.isArray(samples)
      ? samples.flatMap((sample: unknown) => (isFields(sample) ? [sample["messages"]] : []))
      : [];
  });
  const lasting = lists.filter((list) => Array.isArray(list) && list.length > 0);
  return lasting.length === 0 ? [] : readTranscripts(lasting).transcripts;
}

/** Archives with a log in them; they are told by the name of their first entry. */
export const evaluationArchiveFormats: readonly EvidenceFormat[] = [
  {
    name: "evaluation-inspect-archive",
    description: "logs of Inspect as `.eval` archives",
    recognise: looksLikeInspectArchive,
    read(input) {
      const { document, notes } = readInspectArchive(input);
      const dialect = { tool: "inspect", add: addInspect, hasTranscripts: true } as const;
      const content = readDocuments([document], dialect, input);
      return { ...content, notes: [...content.notes, ...notes] };
    },
  },
];

function plainColumnsIn(head: string): boolean {
  const first = firstObjectOf(head);
  return isFields(first) && recordColumnsOf(Object.keys(first)) !== undefined;
}

export const evaluationFormats: readonly EvidenceFormat[] = dialects.map((dialect) => ({
  name: `evaluation-${dialect.tool}`,
  description: dialect.description,
  recognise: ({ head }) => startsAsJson(head) && dialect.marks.every((mark) => mark.test(head)),
  read: (input) => readWith(dialect, input),
}));

/** Records that no tool marks as its own; they are tried after all that have marks. */
export const plainEvaluationFormats: readonly EvidenceFormat[] = [
  {
    name: "evaluation-records",
    description: "evaluations with a record of JSON for each case: an id or an input, and scores",
    recognise: ({ head }) => startsAsJson(head) && plainColumnsIn(head),
    read: (input) =>
      readWith({ tool: "records", description: "", marks: [], add: addPlainRecord }, input),
  },
];
