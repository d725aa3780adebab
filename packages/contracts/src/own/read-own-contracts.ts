/** Reads a YAML file of own contracts; everything that is wrong with it is told at once, each with its place. */

import { Value } from "typebox/value";
import { type Document, LineCounter, type Node, parseDocument, type YAMLParseError } from "yaml";

import type { Contract } from "../model/contract.ts";
import { boundaries, CauseKind } from "../model/finding.ts";
import { nearestName } from "../text/nearest-name.ts";
import { ContractDocument, ContractsFile, Example, ownContractLimits } from "./definition.ts";
import { compileExpression, type Expression } from "./expression/compile.ts";
import { ExpressionError } from "./expression/fault.ts";
import { ownContract } from "./own-contract.ts";
import { type Population, populations } from "./population.ts";
import { nearestNode, pathOfPointer, placeOfNode, placeWithin } from "./position.ts";
import { compileTemplate, type Template } from "./template.ts";

/** Something that is wrong with a file, and where. */
export interface OwnContractProblem {
  readonly message: string;
  /** `line 3, column 7`. */
  readonly where: string;
}

/** A contract of a file, with the examples that stand beside it. */
export interface OwnContract {
  readonly contract: Contract;
  readonly examples: readonly Example[];
}

export interface OwnContracts {
  readonly contracts: readonly OwnContract[];
  /** When there are any, no contract of the file should be run. */
  readonly problems: readonly OwnContractProblem[];
}

/** Problems that are told of one file. */
const problemCountMax = 50;

/** Reads the text of a file. Never throws on any text. */
export function readOwnContracts(text: string): OwnContracts {
  return new FileReader(text).read();
}

class FileReader {
  readonly #source: string;
  readonly #lines = new LineCounter();
  readonly #problems: OwnContractProblem[] = [];
  #document: Document | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  read(): OwnContracts {
    const file = this.#parse();
    const contracts = file === undefined ? [] : this.#compileAll(file.contracts);
    return { contracts, problems: this.#problems.slice(0, problemCountMax) };
  }

  #parse(): ContractsFile | undefined {
    if (this.#source.length > ownContractLimits.fileBytesMax) {
      this.#tell(`A file of contracts has at most ${ownContractLimits.fileBytesMax} bytes.`, []);
      return undefined;
    }
    const document = parseDocument(this.#source, { lineCounter: this.#lines, merge: false });
    this.#document = document;
    for (const error of document.errors) {
      const { line, col } = this.#lines.linePos(error.pos[0]);
      this.#problems.push({ message: yamlWords(error), where: `line ${line}, column ${col}` });
    }
    // `expect: !has(x)` is a tag and no text, which would else be told as an empty text.
    for (const warning of document.warnings.filter(({ code }) => code === "TAG_RESOLVE_FAILED")) {
      const { line, col } = this.#lines.linePos(warning.pos[0]);
      this.#problems.push({
        message: "A value that begins with ! is a tag of YAML; put the expression in quotes.",
        where: `line ${line}, column ${col}`,
      });
    }
    if (this.#problems.length > 0) return undefined;
    const value = this.#valueOf(document);
    if (value === undefined) return undefined;
    if (Value.Check(ContractsFile, value)) return value;
    this.#tellOfSchema(value);
    return undefined;
  }

  /** Tells each problem once: of a choice, what there is to choose from. */
  #tellOfSchema(value: unknown): void {
    const told = new Set<string>();
    for (const { instancePath, keyword, message, params } of Value.Errors(ContractsFile, value)) {
      const path = pathOfPointer(instancePath);
      const choices = choicesOf[String(path.at(-1))];
      if (choices !== undefined) {
        if (told.has(instancePath)) continue;
        told.add(instancePath);
        const near = nearestName(String(this.#document?.getIn(path)), choices);
        const hint = near === undefined ? "" : ` Did you mean ${near}?`;
        this.#tell(`${instancePath}: must be one of ${choices.join(", ")}.${hint}`, path);
      } else if (keyword !== "additionalProperties") {
        this.#tell(schemaWords(instancePath, message, params), path);
      }
    }
  }

  /** The value of the document; too many aliases are a problem of the file, not an error of ours. */
  #valueOf(document: Document): unknown {
    try {
      const value: unknown = document.toJS({ maxAliasCount: ownContractLimits.aliasCountMax });
      // An alias may stand within what it names; such a value has no end.
      JSON.stringify(value);
      return value;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const isEndless = error instanceof TypeError;
      this.#tell(isEndless ? "An alias stands within what it names." : error.message, []);
      return undefined;
    }
  }

  #compileAll(documents: readonly ContractDocument[]): OwnContract[] {
    const ids = new Set<string>();
    return documents.flatMap((document, index) => {
      const path = ["contracts", index];
      if (ids.has(document.id))
        this.#tell(`The id ${document.id} stands here twice.`, [...path, "id"]);
      ids.add(document.id);
      const population = Object.hasOwn(populations, document.over)
        ? populations[document.over]
        : undefined;
      if (population === undefined) {
        this.#tell(unknownPopulation(document.over), [...path, "over"]);
        return [];
      }
      return this.#compile(document, population, path) ?? [];
    });
  }

  #compile(
    document: ContractDocument,
    population: Population,
    path: readonly (string | number)[],
  ): OwnContract | undefined {
    const { variables } = population;
    const expression = (field: "where" | "expect" | "subject", type: string) => {
      const text = document[field];
      if (text === undefined) return undefined;
      const compiled = this.#guard([...path, field], () => compileExpression(text, variables));
      if (compiled !== undefined) this.#demandType(compiled, type, [...path, field]);
      return compiled;
    };
    const template = (field: "message" | "fix"): Template | undefined => {
      const text = document[field];
      if (text === undefined) return undefined;
      return this.#guard([...path, field], () => compileTemplate(text, variables));
    };
    const where = expression("where", "bool");
    const expect = expression("expect", "bool");
    const subject = expression("subject", "string");
    const [message, fix] = [template("message"), template("fix")];
    if (expect === undefined) return undefined;
    const compiled = { document, population, where, expect, subject, message, fix };
    return { contract: ownContract(compiled), examples: document.examples ?? [] };
  }

  #demandType({ type }: Expression, wanted: string, path: readonly (string | number)[]): void {
    if (type === wanted || type === "dyn") return;
    this.#tell(`It must be of type ${wanted}; it is of type ${type}.`, path);
  }

  #guard<T>(path: readonly (string | number)[], compile: () => T): T | undefined {
    try {
      return compile();
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const where = placeWithin(this.#nearestNode(path), error.start, {
        source: this.#source,
        lines: this.#lines,
      });
      this.#problems.push({ message: `${String(path.at(-1))}: ${error.message}`, where });
      return undefined;
    }
  }

  /** Notes a problem at the node of a path, or at the nearest one above that exists. */
  #tell(message: string, path: readonly (string | number)[]): void {
    this.#problems.push({ message, where: placeOfNode(this.#nearestNode(path), this.#lines) });
  }

  #nearestNode(path: readonly (string | number)[]): Node | undefined {
    return this.#document === undefined ? undefined : nearestNode(this.#document, path);
  }
}

/** What there is to choose from, by the name of the field. */
const choicesOf: Readonly<Record<string, readonly string[] | undefined>> = {
  boundary: boundaries,
  causeKind: CauseKind.anyOf.map((choice) => choice.const),
  verdict: Example.properties.verdict.anyOf.map((choice) => choice.const),
};

function yamlWords({ code, message }: YAMLParseError): string {
  if (code === "MULTIPLE_DOCS")
    return "A file of contracts is one document; leave out the line ---.";
  if (message.startsWith("Maximum call stack size exceeded")) return "It is nested too deeply.";
  // The library's words end with the place, which is told beside them.
  const [first = ""] = message.split("\n", 1);
  return first.replace(/ at line \d+, column \d+:?$/, ".");
}

function unknownPopulation(given: string): string {
  const names = Object.keys(populations);
  const near = nearestName(given, names);
  return `A contract can be asked over ${names.join(", ")}; '${given}' is none of them.${near === undefined ? "" : ` Did you mean ${near}?`}`;
}

function schemaWords(pointer: string, message: string, params: unknown): string {
  const place = pointer === "" ? "The file" : pointer;
  if (message === "schema is false") return `${place}: ${unknownField(pointer)}`;
  const detail = JSON.stringify(params);
  const named = detail === undefined || detail === "{}" ? "" : ` (${detail})`;
  return `${place}: ${message}${named}.`;
}

/** Fields by how deep they lie: of the file, of a contract, of an example. */
const fieldsByDepth: Readonly<Record<number, readonly string[]>> = {
  1: Object.keys(ContractsFile.properties),
  3: Object.keys(ContractDocument.properties),
  5: Object.keys(Example.properties),
};

function unknownField(pointer: string): string {
  const path = pathOfPointer(pointer);
  const fields = fieldsByDepth[path.length] ?? [];
  const near = nearestName(String(path.at(-1)), fields);
  if (near !== undefined) return `there is no such field; did you mean ${near}?`;
  return `there is no such field here${fields.length === 0 ? "" : `; there are ${fields.join(", ")}`}.`;
}
