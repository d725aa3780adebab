/** Reads graphs as `torch.fx`, `torch.export` and `TORCH_LOGS` print them. */

import type { OperatorsContent, TensorOperator, TensorShape } from "../../model/operators.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { present } from "../training/named-values.ts";
import { callOf } from "./graph-call.ts";
import { PrintedLayers } from "./graph-modules.ts";
import { operatorLimits } from "./limits.ts";
import { type CallArguments, type Expression, expressionOf } from "./python-expression.ts";
import { annotatedTensor } from "./tensor-shape.ts";

const annotation = String.raw`"?(?:f|bf|i|u|b|c)\d+\w*\[`;
const recognised = new RegExp(
  String.raw`= call_(?:function|method|module)\[target=|\bdef forward\(self\b[^\n]{0,4000}:\s*${annotation}|^[^\n]{0,512}\w\s*:\s*${annotation}[^\n]{0,2000}=\s*torch\.|\bdef forward\(self\b[\s\S]{0,4000}\btorch\.ops\.aten\.|\bdef forward\(self\b[\s\S]{0,4000}?;  \w+(?: = \w+)* = None`,
  "m",
);

/** Whether a text begins as the print of a graph. */
export function recogniseGraphText(head: string): boolean {
  return /call_(?:function|method|module)\[|\bforward\(/.test(head) && recognised.test(head);
}

/** Reads each graph of a text. */
export function readGraphText(input: FormatInput): FileContent {
  const reading = new GraphReading();
  const text = input.text();
  let lineNumber = 0;
  for (let from = 0; from < text.length;) {
    const next = text.indexOf("\n", from);
    const end = next < 0 ? text.length : next;
    lineNumber += 1;
    // A line beyond the limit is none that names operators; longer ones hold constants.
    if (end - from <= operatorLimits.lineLengthMax) reading.line(text.slice(from, end), lineNumber);
    from = end + 1;
  }
  const graphs = reading.graphs();
  if (graphs.length === 0) {
    throw new EvidenceError("The graph has no operator.", {
      expected: "lines that give the result of an operator a name",
    });
  }
  const name = cutText(input.name.replace(/\.\w+$/, ""), 240);
  const contents = graphs.map((operators, index): OperatorsContent => ({
    kind: "operators",
    name: graphs.length === 1 ? name : `${name}#${index + 1}`,
    framework: "torch",
    operators,
  }));
  return { contents, notes: [] };
}

/** What `TORCH_LOGS` writes before each line. */
const logPrefix = /^[VDIWE]\d{4} \d\d:\d\d:\d\d\.\d+ [^\]]{0,256}\](?: ?\[[^\]]{0,64}\])* ?/;
/** Operators that give numbers, not tensors. */
const numberTargets =
  /(?:^|\.)(?:sym_size|size|sym_numel|numel|dim|ndim|len|item|_local_scalar_dense|getattr|sym_storage_offset|sym_stride|_assert\w*|_check\w*|sym_constrain\w*)(?:\.\w+)?$/;

class GraphReading {
  readonly #graphs: TensorOperator[][] = [];
  readonly #layers = new PrintedLayers();
  #tensors = new Map<string, TensorShape>();
  #numbers = new Set<string>();
  #results = new Set<string>();
  /** Operators whose result is several tensors, by its name. */
  #several = new Map<string, TensorOperator>();
  #isAnnotated = false;
  #signature: string | undefined;
  #count = 0;

  graphs(): TensorOperator[][] {
    return this.#graphs.filter((operators) => operators.length > 0);
  }

  line(written: string, lineNumber: number): void {
    const line = written.replace(logPrefix, "").replace(/\r$/, "");
    if (this.#signature !== undefined || /\bdef forward\(/.test(line)) this.#sign(line);
    else if (/^\s*(?:#\s*)?(?:graph\(.*\):|Graph fragment:)\s*$/.test(line)) this.#begin();
    else if (/^\s*(?:#\s*)?%\w+\s*:/.test(line)) this.#node(line, lineNumber);
    else if (!/^\s*(?:#|return\b|class\b|$)/.test(line) && !this.#layers.take(line)) {
      this.#statement(line, lineNumber);
    }
  }

  #begin(): void {
    this.#graphs.push([]);
    this.#tensors = new Map();
    this.#numbers = new Set();
    this.#results = new Set();
    this.#several = new Map();
    this.#isAnnotated = false;
  }

  /** The parameters of `forward`, which may take several lines. */
  #sign(line: string): void {
    const text = `${this.#signature ?? ""} ${line}`;
    if (
      !/\)\s*(?:->[^:]{0,256})?:\s*(?:#.*)?$/.test(line) &&
      text.length < operatorLimits.lineLengthMax
    ) {
      this.#signature = text;
      return;
    }
    this.#signature = undefined;
    this.#begin();
    for (const [, name = ""] of text.matchAll(/[(,]\s*(\w{1,256})\s*(?=[,)])/g)) {
      this.#tensors.set(name, { name });
    }
    for (const [, name = "", type = ""] of text.matchAll(
      /(\w{1,256})\s*:\s*"?(\w{1,24}\[[^\]]{0,1000}\])/g,
    )) {
      this.#know(name, type);
    }
    for (const [, name = ""] of text.matchAll(/(\w{1,256})\s*:\s*"?Sym\(/g))
      this.#numbers.add(name);
  }

  /** Keeps what the annotation of a name says. */
  #know(name: string, type: string): TensorShape | undefined {
    const tensor = annotatedTensor(type);
    if (tensor === undefined) return undefined;
    this.#isAnnotated = true;
    this.#tensors.set(name, { name, ...tensor });
    return tensor;
  }

  /** `%mm : [num_users=1] = call_function[target=…](args = (%x, %y), kwargs = {})`. */
  #node(line: string, lineNumber: number): void {
    const found =
      /^\s*(?:#\s*)?%(\w{1,256})\s*:(.{0,2000}?)=\s*(call_function|call_method|call_module|placeholder|PlaceHolder|get_attr)\[target=([^\]]{1,256})\](.*)$/.exec(
        line,
      );
    if (found === null) return;
    const [, name = "", type = "", kind = "", target = "", rest = ""] = found;
    const call = argumentsIn(rest);
    if (!kind.startsWith("call_") || call === undefined) {
      this.#know(name, type);
      return;
    }
    const read = expressionOf(`call(${call.positional}, ${call.named})`);
    const args = read.kind === "call" ? read.call : undefined;
    const [list] = args?.positional ?? [];
    if (args === undefined || list === undefined) return;
    const positional = list.kind === "list" ? list.items : [list];
    this.#record({
      name,
      type,
      target:
        kind === "call_method"
          ? `Tensor.${target}`
          : kind === "call_module"
            ? `self.${target}`
            : target,
      call: { positional, named: args.named },
      lineNumber,
    });
  }

  /** `mm: "f32[2, 4]" = torch.ops.aten.mm.default(x, y);  x = y = None`. */
  #statement(line: string, lineNumber: number): void {
    const found = /^\s*(\w{1,256})\s*(?::([^=]{0,2000}))?=(?!=)\s*([^;]+)/.exec(line);
    if (found === null || this.#graphs.length === 0) return;
    const [, name = "", written = "", right = ""] = found;
    const type = written.trim();
    const value = expressionOf(right.trim());
    if (/^"?Sym\(/.test(type)) this.#numbers.add(name);
    else if (value.kind === "name") this.#alias(name, type, value.name);
    else if (value.kind === "item") this.#item({ name, type, lineNumber }, value);
    else if (value.kind === "call") {
      this.#record({ name, type, target: value.target, call: value.call, lineNumber });
    } else if (value.kind === "scalar") this.#numbers.add(name);
  }

  #alias(name: string, type: string, of: string): void {
    if (this.#know(name, type) !== undefined) return;
    const known = this.#tensors.get(of);
    if (known !== undefined) this.#tensors.set(name, known);
    if (this.#numbers.has(of) || /\.(?:shape|ndim|dtype|device)$/.test(of)) this.#numbers.add(name);
  }

  /** One of several results, or a part of a tensor. */
  #item(place: Place, { of, index }: Extract<Expression, { kind: "item" }>): void {
    const { name, type } = place;
    if (of.kind === "name" && (this.#numbers.has(of.name) || of.name.endsWith(".shape"))) {
      this.#numbers.add(name);
      return;
    }
    const call = { positional: [of, index], named: new Map<string, Expression>() };
    this.#record({ ...place, target: "operator.getitem", call, type });
  }

  #record({
    name,
    type,
    target,
    call,
    lineNumber,
  }: Place & { target: string; call: CallArguments }): void {
    const tensor = this.#know(name, type);
    const [first, second] = call.positional;
    if (target.endsWith("getitem") && first?.kind === "name" && second?.kind === "scalar") {
      const source = this.#several.get(first.name);
      if (source !== undefined && Number.isInteger(second.value)) {
        const at = Number(second.value);
        if (at < 0 || at >= operatorLimits.outputCountMax) return;
        while (source.outputs.length <= at) source.outputs.push({});
        source.outputs[at] = { name, ...tensor };
        return;
      }
    }
    const isNumber = numberTargets.test(target) || this.#isOfNumbers(target, call);
    if (tensor === undefined && isNumber) {
      this.#numbers.add(name);
      return;
    }
    this.#count += 1;
    if (this.#count > operatorLimits.operatorCountMax) throw tooManyOperators();
    const operator = this.#operator({ name, target, call, lineNumber });
    this.#results.add(name);
    const isSeveral = tensor === undefined && (this.#isAnnotated || severalTargets.test(target));
    if (isSeveral) this.#several.set(name, operator);
    else operator.outputs.push({ name, ...tensor });
    this.#graphs.at(-1)?.push(operator);
    if (this.#graphs.length === 0) this.#graphs.push([operator]);
  }

  /** Arithmetic of lengths gives a length. */
  #isOfNumbers(target: string, { positional }: CallArguments): boolean {
    const isArithmetic =
      /^(?:_?operator\.)?(?:add|sub|mul|floordiv(?:ide)?|div|truediv|mod|neg|pow|eq|ne|le|lt|ge|gt)$/.test(
        target,
      );
    return (
      isArithmetic &&
      positional.every(
        (value) =>
          value.kind === "scalar" || (value.kind === "name" && this.#numbers.has(value.name)),
      )
    );
  }

  #operator({
    name,
    target,
    call,
    lineNumber,
  }: {
    name: string;
    target: string;
    call: CallArguments;
    lineNumber: number;
  }): TensorOperator {
    const lookup = (of: string): TensorShape | "number" =>
      this.#numbers.has(of) ? "number" : (this.#tensors.get(of) ?? { name: of.slice(0, 512) });
    const pointer = `line ${lineNumber}`;
    if (target.startsWith("self.")) {
      const path = target.slice(5);
      const layer = this.#layers.byPath.get(path);
      const { inputs } = callOf("module", call, lookup);
      return present({
        operator: layer === undefined ? "module" : cutText(`nn.${layer.className}`, 256),
        name: cutText(path, 512),
        inputs,
        outputs: [],
        attributes: { ...layer?.attributes },
        pointer,
      });
    }
    const dot = target.lastIndexOf(".");
    const receiver = target.slice(0, Math.max(0, dot));
    // A method of a tensor that has a name: its first input is that tensor.
    const isMethod = dot > 0 && (this.#tensors.has(receiver) || this.#results.has(receiver));
    const kind = isMethod ? `Tensor.${target.slice(dot + 1)}` : target.replace(/^torch\.ops\./, "");
    const positional = isMethod
      ? [{ kind: "name" as const, name: receiver }, ...call.positional]
      : call.positional;
    const { inputs, attributes } = callOf(kind, { ...call, positional }, lookup);
    return { operator: cutText(kind, 256), name, inputs, outputs: [], attributes, pointer };
  }
}

const namedBegin = "), kwargs = {";

/** What stands in `(args = (%x, %y), kwargs = {dim: 1})`; found from its end, because a text in it may hold anything. */
function argumentsIn(text: string): { positional: string; named: string } | undefined {
  const at = text.lastIndexOf(namedBegin);
  const named = /^(.*)\}\)\s*(?:#.*)?$/.exec(text.slice(at + namedBegin.length))?.[1];
  return at < 0 || named === undefined || !text.startsWith("(args = (")
    ? undefined
    : { positional: text.slice("(args = ".length, at + 1), named };
}

interface Place {
  readonly name: string;
  readonly type: string;
  readonly lineNumber: number;
}

/** Operators that give several tensors, where no annotation says which do. */
const severalTargets =
  /(?:^|\.)(?:chunk|split\w*|unbind|tensor_split|topk|sort|var_mean|std_mean|native_\w+norm)(?:\.\w+)?$/;

/** The error of a list beyond the limit. */
function tooManyOperators(): EvidenceError {
  return new EvidenceError("The list has too many operators.", {
    expected: `at most ${operatorLimits.operatorCountMax} operators`,
  });
}
