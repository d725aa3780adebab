/** The format of lists of operators. */

import { type EvidenceFormat, startsAsJson } from "../format.ts";
import { readGraphText, recogniseGraphText } from "./graph-text.ts";
import { recogniseKeras, refuseKeras } from "./keras.ts";
import { openOnnx, readOnnx, readOnnxJson, recogniseOnnx, recogniseOnnxJson } from "./onnx.ts";
import { readOperatorTable, recogniseOperatorTable } from "./operator-table.ts";
import { readProfilerTrace, recogniseProfilerTrace } from "./profiler-trace.ts";
import { readOperators, recogniseOperators } from "./read-operators.ts";

export const operatorFormats: readonly EvidenceFormat[] = [
  {
    name: "onnx",
    description: "a model of ONNX in protobuf: its graph, without its weights",
    recognise: ({ bytes, head }) => head === undefined && recogniseOnnx(bytes),
    read: readOnnx,
    open: openOnnx,
  },
  {
    name: "onnx-json",
    description: "a model of ONNX as the JSON of protobuf",
    recognise: ({ head }) => startsAsJson(head) && recogniseOnnxJson(head),
    read: readOnnxJson,
  },
  {
    name: "keras-model",
    description:
      "what Keras prints and saves of a model, which is refused with what to give instead",
    recognise: ({ head }) => head !== undefined && recogniseKeras(head),
    read: refuseKeras,
  },
  {
    name: "profiler-trace",
    description: "operators with their shapes in a trace of PyTorch's profiler",
    recognise: ({ head }) => startsAsJson(head) && recogniseProfilerTrace(head),
    read: readProfilerTrace,
  },
  {
    name: "operator-list",
    description: "tensor operators with the shapes of their inputs and outputs, as JSON",
    recognise: ({ head }) => startsAsJson(head) && recogniseOperators(head),
    read: readOperators,
  },
  {
    name: "operator-graph",
    description: "graphs of tensor operators as torch.fx, torch.export and TORCH_LOGS print them",
    recognise: ({ head }) => head !== undefined && recogniseGraphText(head),
    read: readGraphText,
  },
  {
    name: "operators-csv",
    description: "operators with the shapes of their inputs as a table",
    recognise: ({ head }) => head !== undefined && recogniseOperatorTable(head),
    read: readOperatorTable,
  },
];
