/** The JSON documents of a text: one, one on each line, or one after the other as exporters print them. */

import { parseForeignJson } from "../../text/foreign-json.ts";
import { EvidenceError } from "../evidence-error.ts";
import { evidenceLimits } from "../limits.ts";
import { parseJson, placeOf } from "../text.ts";

/** Documents of one file; more of them are no file that an exporter wrote. */
const documentCountMax = 2_000_000;

/** The values of a text, with the items of lists in their place. */
export function itemsOf(text: string): unknown[] {
  const items: unknown[] = [];
  for (const document of documentsOf(text)) {
    if (!Array.isArray(document)) items.push(document);
    else for (const item of document) items.push(item);
  }
  return items;
}

/** The values of a text. Throws with the place where it is no JSON. */
export function documentsOf(text: string): unknown[] {
  const documents: unknown[] = [];
  let from = skipBetween(text, text.startsWith("\uFEFF") ? 1 : 0);
  while (from < text.length) {
    const end = endOfDocument(text, from);
    if (documents.length === documentCountMax) {
      throw new EvidenceError("The file holds too many documents of JSON.", {
        expected: `at most ${documentCountMax} documents`,
      });
    }
    documents.push(parsed(text, from, end));
    from = skipBetween(text, end);
  }
  return documents;
}

/** The first complete object of a text that may be cut, or nothing. */
export function firstObjectOf(head: string): unknown {
  const from = head.indexOf("{");
  if (from < 0 || /[^\s[\uFEFF]/.test(head.slice(0, from))) return undefined;
  try {
    return parseForeignJson(head.slice(from, endOfDocument(head, from)));
  } catch {
    // An object that is cut or malformed tells nothing.
    return undefined;
  }
}

function parsed(text: string, from: number, end: number): unknown {
  const document = text.slice(from, end);
  try {
    return parseForeignJson(document);
  } catch {
    // Parsed again, for the place of its fault.
    return parseJson(document, text.slice(0, from).split("\n").length - 1);
  }
}

/** White space and the commas that some exporters leave between documents. */
function skipBetween(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09 && code !== 0x2c) break;
  }
  return at;
}

/** Where the document that begins at `from` ends: behind its last bracket, or with the text. */
function endOfDocument(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = endOfString(text, at);
    } else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > evidenceLimits.depthMax) {
        throw new EvidenceError("The JSON is nested too deeply.", {
          expected: `at most ${evidenceLimits.depthMax} levels`,
          where: placeOf(text, at),
        });
      }
    } else if (code === 0x7d || code === 0x5d) {
      depth -= 1;
      if (depth <= 0) return at + 1;
    } else if (depth === 0 && (code === 0x0a || code === 0x2c)) {
      return at;
    }
  }
  return text.length;
}

/** The offset of a string's last quote. */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at += 1;
    else if (code === 0x22) return at;
  }
  return text.length;
}
