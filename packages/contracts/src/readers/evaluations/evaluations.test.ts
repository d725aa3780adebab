import { describe, expect, it } from "vitest";

import type { EvaluationContent } from "../../model/evaluation.ts";
import { readEvidence } from "../read-evidence.ts";

function read(name: string, text: string): { format: string; content: EvaluationContent } {
  const { evidence, unreadable } = readEvidence([{ name, bytes: new TextEncoder().encode(text) }]);
  expect(unreadable).toEqual([]);
  const item = evidence.find(({ content }) => content.kind === "evaluation");
  if (item?.content.kind !== "evaluation") throw new Error("There is no evaluation.");
  return { format: item.source.format, content: item.content };
}

const lines = (...records: readonly object[]): string =>
  records.map((record) => JSON.stringify(record)).join("\n");

describe("results of evaluations", () => {
  it("of promptfoo are read with a variant for each provider and prompt", () => {
    const row = (provider: string, pass: boolean, score: number): object => ({
      promptIdx: 0,
      testIdx: 0,
      testCase: { vars: { city: "Paris" }, assert: [] },
      promptId: "p1",
      provider: { id: provider, label: "" },
      prompt: { raw: "Weather in {{city}}", label: "short" },
      vars: { city: "Paris" },
      response: { output: "sunny" },
      success: pass,
      score,
      latencyMs: 30,
      gradingResult: { pass, score, reason: "ok", componentResults: [] },
      namedScores: { tone: 0.5 },
    });
    const { format, content } = read(
      "out.json",
      JSON.stringify({
        evalId: "eval-abc-2025-06-01T10:00:00",
        results: {
          version: 3,
          timestamp: "2025-06-01T10:00:00.000Z",
          prompts: [{ raw: "Weather in {{city}}", label: "short", provider: "openai:gpt-4o" }],
          results: [row("openai:gpt-4o", true, 1), row("openai:gpt-4o-mini", false, 0)],
          stats: { successes: 1, failures: 1, errors: 0 },
        },
        config: { description: "weather" },
      }),
    );
    expect(format).toBe("evaluation-promptfoo");
    expect(content).toMatchObject({
      tool: "promptfoo",
      suite: "weather",
      ranMicros: 1_748_772_000e6,
      variants: [
        { components: { model: "openai:gpt-4o", prompt: "short" } },
        { components: { model: "openai:gpt-4o-mini", prompt: "short" } },
      ],
      cases: [
        { id: '{"city":"Paris"}', variant: 0, scores: { passed: 1, score: 1, tone: 0.5 } },
        { id: '{"city":"Paris"}', variant: 1, scores: { passed: 0, score: 0 } },
      ],
    });
  });

  it("of DeepEval are read with their metrics", () => {
    const metric = { threshold: 0.5, success: true, score: 0.8, evaluationModel: "gpt-4.1" };
    const { content } = read(
      ".latest_test_run.json",
      JSON.stringify({
        testRunData: {
          testFile: "test_chat.py",
          testCases: [
            {
              name: "test_case_0",
              input: "What if the shoes do not fit?",
              actualOutput: "Send them back.",
              success: true,
              metricsData: [{ name: "Answer Relevancy", ...metric }],
            },
          ],
          hyperparameters: { model: "gpt-4o" },
        },
      }),
    );
    expect(content).toMatchObject({
      tool: "deepeval",
      suite: "test_chat.py",
      variants: [{ components: { model: "gpt-4o", grader: "gpt-4.1" } }],
      cases: [
        { id: "What if the shoes do not fit?", scores: { passed: 1, "Answer Relevancy": 0.8 } },
      ],
    });
  });

  it("of Inspect are read with letters as numbers, and their conversations as transcripts", () => {
    const text = JSON.stringify({
      version: 2,
      status: "success",
      eval: {
        run_id: "r",
        created: "2025-06-01T10:00:00+00:00",
        task: "ctf",
        model: "openai/gpt-4o",
        dataset: { name: "ctf-1", samples: 2 },
        config: { epochs: 2 },
      },
      samples: ["C", "I"].map((value, at) => ({
        id: 7,
        epoch: at + 1,
        input: "Find the flag",
        messages: [
          { role: "user", content: "Find the flag" },
          {
            role: "assistant",
            content: "",
            tool_calls: [
              { id: "c1", type: "function", function: "bash", arguments: { cmd: "ls" } },
            ],
          },
          { role: "tool", content: "flag", function: "bash", tool_call_id: "c1" },
        ],
        scores: { includes: { value, answer: "flag" } },
      })),
    });
    const { content } = read("2025_ctf.json", text);
    expect(content).toMatchObject({
      tool: "inspect",
      suite: "ctf",
      variants: [{ components: { model: "openai/gpt-4o", dataset: "ctf-1" } }],
      cases: [
        { id: "7", scores: { includes: 1 } },
        { id: "7", scores: { includes: 0 } },
      ],
    });
    const { evidence } = readEvidence([
      { name: "2025_ctf.json", bytes: new TextEncoder().encode(text) },
    ]);
    expect(evidence.map(({ content: { kind } }) => kind)).toContain("transcript");
  });

  it("of lm-evaluation-harness are read by their filters", () => {
    const { content } = read(
      "org__model/samples_arc_2025-06-01.jsonl",
      lines(
        ...[0, 1].map((doc_id) => ({
          doc_id,
          doc: { question: "Which?" },
          target: "A",
          arguments: [["Which?", " A"]],
          resps: [[[-1.2, false]]],
          filtered_resps: [[-1.2, false]],
          filter: "none",
          metrics: ["acc"],
          doc_hash: `h${doc_id}`,
          acc: doc_id,
        })),
      ),
    );
    expect(content).toMatchObject({
      run: "org__model/samples_arc_2025-06-01",
      cases: [
        { id: "0 h0", scores: { "acc,none": 0 } },
        { id: "1 h1", scores: { "acc,none": 1 } },
      ],
    });
  });

  it("of OpenAI's evals are read by their samples", () => {
    const event = (sample: string, correct: boolean): object => ({
      run_id: "250601",
      event_id: 1,
      sample_id: sample,
      type: "match",
      data: { correct, expected: "a", picked: "b" },
      created_by: "",
      created_at: "2025-06-01 10:00:00+00:00",
    });
    const { content } = read(
      "run.jsonl",
      lines(
        {
          spec: {
            completion_fns: ["gpt-4o"],
            eval_name: "arithmetic.dev.v0",
            base_eval: "arithmetic",
            run_id: "250601",
            created_at: "2025-06-01 10:00:00",
          },
        },
        event("arithmetic.dev.0", true),
        event("arithmetic.dev.1", false),
        { final_report: { accuracy: 0.5 } },
      ),
    );
    expect(content).toMatchObject({
      tool: "openai-evals",
      suite: "arithmetic",
      cases: [{ scores: { passed: 1 } }, { scores: { passed: 0 } }],
    });
  });

  it("of LangSmith are read by the example that was run", () => {
    const { content } = read(
      "experiment.json",
      JSON.stringify([
        {
          run: { id: "r1", session_name: "chat-v2", outputs: { answer: "x" } },
          example: { id: "e1", inputs: { question: "?" } },
          evaluation_results: { results: [{ key: "correctness", score: 0.5, comment: "" }] },
        },
      ]),
    );
    expect(content).toMatchObject({
      tool: "langsmith",
      variants: [{ components: { session: "chat-v2" } }],
      cases: [{ id: "e1", scores: { correctness: 0.5 } }],
    });
  });

  it.each([
    [
      "records",
      "ragas.jsonl",
      lines({ user_input: "Who?", response: "She.", faithfulness: 0.9, answer_relevancy: null }),
    ],
    [
      "table",
      "ragas.csv",
      'user_input,response,faithfulness,model\n"Who?","She, of course.",0.9,\n',
    ],
  ])("of RAGAS are read as %s", (tool, name, text) => {
    expect(read(name, text).content).toMatchObject({
      tool,
      cases: [{ id: "Who?", scores: { faithfulness: 0.9 } }],
    });
  });

  it("do not take conversations, traces or objects with something like a score", () => {
    for (const record of [
      { id: "a", score: 1, messages: [{ role: "user", content: "hi" }] },
      { kind: "Pod", apiVersion: "v1", metadata: { name: "x" }, id: 1 },
      { trace_id: "a", id: "b", score: 2 },
    ]) {
      const { evidence } = readEvidence([
        { name: "x.json", bytes: new TextEncoder().encode(JSON.stringify(record)) },
      ]);
      expect(evidence.map(({ content }) => content.kind)).not.toContain("evaluation");
    }
  });

  it("without any score are refused with what was expected", () => {
    const { unreadable } = readEvidence([
      {
        name: "x.jsonl",
        bytes: new TextEncoder().encode(lines({ doc_id: 1, resps: [], filter: "none" })),
      },
    ]);
    expect(unreadable[0]?.message).toContain("no case with a score");
  });
});
