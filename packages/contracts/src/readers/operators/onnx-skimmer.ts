/** Reads models of ONNX in protobuf as their bytes come: nodes and shapes are kept, weights are passed over. */

import { EvidenceError } from "../evidence-error.ts";
import { type Message, OnnxMessages } from "./onnx-messages.ts";

/** What a field holds: a message of a kind, a value that is kept, or what is passed over. */
export type MessageKind =
  | "model"
  | "graph"
  | "node"
  | "attribute"
  | "tensor"
  | "value"
  | "type"
  | "tensorType"
  | "shape"
  | "dimension";

/** Fields that are messages, by kind and number. */
const messages: Readonly<Record<MessageKind, Readonly<Record<number, MessageKind>>>> = {
  model: { 7: "graph" },
  graph: { 1: "node", 5: "tensor", 11: "value", 12: "value", 13: "value" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor" },
  tensor: {},
  value: { 2: "type" },
  type: { 1: "tensorType" },
  tensorType: { 2: "shape" },
  shape: { 1: "dimension" },
  dimension: {},
};

/** Fields whose values are kept. */
const kept: Readonly<Record<MessageKind, readonly number[]>> = {
  model: [],
  graph: [2],
  node: [1, 2, 3, 4, 7],
  attribute: [1, 2, 3, 4, 8, 20],
  tensor: [1, 2, 5, 7, 8, 9],
  value: [1],
  type: [],
  tensorType: [1],
  shape: [],
  dimension: [1, 2],
};

/** Bytes of a value that is kept; a longer one is a weight, or nothing that names anything. */
const valueBytesMax = 4_096;
/** Values that one message may hold. */
const valueCountMax = 100_000;

interface Frame {
  readonly kind: MessageKind;
  readonly field: number;
  /** Where it ends, in bytes from the beginning of the file. */
  readonly end: number;
  readonly message: Message;
}

/** Takes the bytes of a model, in pieces of any size. */
export class OnnxSkimmer {
  readonly #messages = new OnnxMessages();
  readonly #stack: Frame[] = [
    { kind: "model", field: 0, end: Number.POSITIVE_INFINITY, message: new Map() },
  ];
  #at = 0;
  #skip = 0;
  /** The value that is being gathered, and of which field. */
  #value: { readonly field: number; readonly bytes: Uint8Array; size: number } | undefined;
  /** The tag that was read, while its number or length is. */
  #tag: number | undefined;
  #number = 0;
  /** The same number with each bit turned, in which small negative numbers are not rounded. */
  #complement = 0;
  #scale = 1;
  #numberBytes = 0;

  push(chunk: Uint8Array): void {
    let from = 0;
    while (from < chunk.length) {
      from +=
        this.#skip > 0 || this.#value !== undefined
          ? this.#pass(chunk, from)
          : this.#step(chunk[from] ?? 0);
      if (this.#skip === 0 && this.#value === undefined && this.#tag === undefined) this.#close();
    }
  }

  end(): OnnxMessages {
    const isWhole =
      this.#stack.length === 1 &&
      this.#tag === undefined &&
      this.#numberBytes === 0 &&
      this.#skip === 0 &&
      this.#value === undefined;
    if (!isWhole) throw this.#broken("ends within a field");
    return this.#messages;
  }

  /** Bytes of a value, or of what is passed over; how many were taken. */
  #pass(chunk: Uint8Array, from: number): number {
    if (this.#value === undefined) {
      const count = Math.min(this.#skip, chunk.length - from);
      this.#skip -= count;
      this.#at += count;
      return count;
    }
    const { field, bytes } = this.#value;
    const count = Math.min(bytes.length - this.#value.size, chunk.length - from);
    bytes.set(chunk.subarray(from, from + count), this.#value.size);
    this.#value.size += count;
    this.#at += count;
    if (this.#value.size === bytes.length) {
      this.#value = undefined;
      this.#keep(field, bytes);
    }
    return count;
  }

  /** One byte of a number. */
  #step(byte: number): number {
    this.#at += 1;
    this.#number += (byte & 0x7f) * this.#scale;
    if (this.#numberBytes < 9) this.#complement += (~byte & 0x7f) * this.#scale;
    this.#scale *= 128;
    this.#numberBytes += 1;
    if (byte >= 0x80) {
      if (this.#numberBytes === 10) throw this.#broken("has a number that does not end");
      return 1;
    }
    const number = this.#number >= 2 ** 63 ? -1 - this.#complement : this.#number;
    this.#number = 0;
    this.#complement = 0;
    this.#scale = 1;
    this.#numberBytes = 0;
    if (this.#tag === undefined) this.#begin(Math.max(0, number));
    else this.#take(this.#tag, number);
    return 1;
  }

  #begin(tag: number): void {
    const field = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
      case 2:
        this.#tag = tag;
        return;
      case 1:
        this.#fixed(8);
        return;
      case 5:
        // The only number of four bytes that is kept is the value of an attribute.
        if (this.#top().kind === "attribute" && field === 2) {
          this.#limit(4);
          this.#value = { field, bytes: new Uint8Array(4), size: 0 };
        } else this.#fixed(4);
        return;
      default:
        throw this.#broken(`has a field of the unknown kind ${tag % 8}`);
    }
  }

  #fixed(count: number): void {
    this.#limit(count);
    this.#skip = count;
  }

  /** A number, or the length of what follows. */
  #take(tag: number, number: number): void {
    this.#tag = undefined;
    const field = Math.floor(tag / 8);
    const { kind } = this.#top();
    if (tag % 8 === 0) {
      if (kept[kind].includes(field)) this.#keep(field, number);
      return;
    }
    if (number < 0) throw this.#broken("has a field of no length");
    this.#limit(number);
    const inner = messages[kind][field];
    if (inner !== undefined) {
      this.#stack.push({ kind: inner, field, end: this.#at + number, message: new Map() });
    } else if (kept[kind].includes(field) && number <= valueBytesMax) {
      if (number === 0) this.#keep(field, new Uint8Array());
      else this.#value = { field, bytes: new Uint8Array(number), size: 0 };
    } else this.#skip = number;
  }

  #limit(count: number): void {
    if (this.#at + count > this.#top().end)
      throw this.#broken("has a field that reaches beyond the end");
  }

  #keep(field: number, value: number | Uint8Array | Message): void {
    const { message } = this.#top();
    const known = message.get(field);
    if (known === undefined) message.set(field, [value]);
    else if (known.length < valueCountMax) known.push(value);
  }

  /** Ends the messages that end here. */
  #close(): void {
    for (
      let top = this.#top();
      this.#stack.length > 1 && this.#at >= top.end && this.#numberBytes === 0;
      top = this.#top()
    ) {
      if (this.#at > top.end) throw this.#broken("has a number that reaches beyond its end");
      this.#stack.pop();
      const above = this.#top();
      if (above.kind === "graph") this.#messages.add(top.kind, top.message);
      else if (top.kind === "graph") this.#messages.nameGraph(top.message);
      else this.#keep(top.field, top.message);
    }
  }

  #top(): Frame {
    const top = this.#stack.at(-1);
    if (top === undefined) throw this.#broken("is empty");
    return top;
  }

  #broken(what: string): EvidenceError {
    return new EvidenceError(`The model ${what}.`, {
      expected: "a model of ONNX in protobuf",
      where: `byte ${this.#at}`,
    });
  }
}
