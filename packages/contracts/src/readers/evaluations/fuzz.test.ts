import { it } from "vitest";

import { survivesAnyInput } from "../../../test/survives.ts";
import { evaluationFormats, plainEvaluationFormats } from "./formats.ts";

const seeds = [
  '{"evalId":"e","results":{"version":3,"timestamp":"2025-06-01T10:00:00Z","prompts":[],"results":[{"promptIdx":0,"provider":{"id":"a"},"prompt":{"raw":"x"},"vars":{"a":1},"success":true,"score":1,"gradingResult":{"pass":true,"score":1},"namedScores":{"__proto__":1}}]}}',
  '{"testRunData":{"testFile":"t.py","testCases":[{"name":"a","input":"b","actualOutput":"c","success":true,"metricsData":[{"name":"m","score":1e308}]}]}}',
  '{"version":2,"status":"success","eval":{"task":"t","model":"m","created":"x"},"samples":[{"id":1,"messages":[{"role":"user","content":"a"}],"scores":{"s":{"value":{"a":1,"b":"C"}}}}]}',
  '{"doc_id":0,"resps":[],"filter":"none","doc_hash":"h","acc":1}\n{"doc_id":1,"resps":[],"acc":"NaN"}',
  '{"spec":{"completion_fns":["a"],"eval_name":"b"}}\n{"run_id":"1","event_id":0,"sample_id":"s","type":"match","data":{"correct":true}}',
  '{"object":"eval.run.output_item","datasource_item_id":1,"results":[{"name":"a","passed":true,"score":1}]}',
  '[{"run":{"session_name":"s"},"example":{"id":"e"},"evaluation_results":{"results":[{"key":"k","score":1}]}}]',
  '{"case_id":"a","model":"m","score":0.5,"scores":{"b":1}}\n{"case_id":["x"],"score":true}',
] as const;

it("ends in an evaluation or in a named fault for any input", () => {
  survivesAnyInput([...evaluationFormats, ...plainEvaluationFormats], seeds);
}, 60_000);
