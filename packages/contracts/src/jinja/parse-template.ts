/** Reads a template into statements. */

import { tokensOf } from "./lexer.ts";
import { parseExpression, parseOr } from "./parse-expression.ts";
import type { Expression, Statement } from "./syntax.ts";
import { TemplateError } from "./template-error.ts";
import { TokenReader } from "./token-reader.ts";

/** The statements of a template. Throws a `TemplateError` where it is not well formed or uses what is not known. */
export function parseTemplate(template: string): readonly Statement[] {
  const reader = new TokenReader(tokensOf(template));
  const statements = parseBody(reader, []);
  if (!reader.isAtEnd) throw reader.fault("a block ends that did not begin");
  return statements;
}

/** Statements up to a tag that begins with one of these words, which is left. */
function parseBody(reader: TokenReader, ends: readonly string[]): Statement[] {
  return reader.within(() => {
    const statements: Statement[] = [];
    for (;;) {
      const token = reader.peek();
      if (token === undefined) {
        if (ends.length > 0)
          throw new TemplateError("unclosed", `'${ends.at(-1) ?? ""}' is missing.`);
        return statements;
      }
      if (token.kind === "text") {
        reader.next();
        statements.push({ kind: "text", text: token.text });
      } else if (token.kind === "open" && token.of === "expression") {
        reader.next();
        statements.push({ kind: "output", value: parseExpression(reader) });
        reader.close("expression");
      } else if (ends.some((end) => reader.isAt(end, 1))) {
        reader.next();
        return statements;
      } else {
        reader.next();
        statements.push(parseStatement(reader));
      }
    }
  });
}

function parseStatement(reader: TokenReader): Statement {
  const word = reader.name();
  switch (word) {
    case "if":
      return parseIf(reader);
    case "for":
      return parseFor(reader);
    case "set":
      return parseSet(reader);
    case "macro":
      return parseMacro(reader);
    case "call":
      return parseCall(reader);
    case "break":
    case "continue":
      reader.close("statement");
      return { kind: word };
    case "generation": {
      reader.close("statement");
      const body = parseBody(reader, ["endgeneration"]);
      endBlock(reader);
      return { kind: "body", body };
    }
    case "include":
    case "import":
    case "from":
    case "extends":
    case "block":
    case "filter":
    case "with":
    case "autoescape":
    case "do":
      throw new TemplateError("unsupported", `'${word}' is not known here.`);
    default:
      throw reader.fault(`'${word}' begins no statement`);
  }
}

function endBlock(reader: TokenReader): void {
  reader.name();
  reader.close("statement");
}

function parseIf(reader: TokenReader): Statement {
  const branches: { condition: Expression | undefined; body: Statement[] }[] = [];
  let condition: Expression | undefined = parseExpression(reader);
  for (;;) {
    reader.close("statement");
    const isLast = condition === undefined;
    const body = parseBody(reader, isLast ? ["endif"] : ["elif", "else", "endif"]);
    branches.push({ condition, body });
    if (reader.take("elif")) condition = parseExpression(reader);
    else if (reader.take("else")) condition = undefined;
    else {
      endBlock(reader);
      return { kind: "if", branches };
    }
  }
}

function parseNames(reader: TokenReader): string[] {
  const names = [reader.name()];
  while (reader.take(",")) names.push(reader.name());
  return names;
}

function parseFor(reader: TokenReader): Statement {
  const isBracketed = reader.take("(");
  const names = parseNames(reader);
  if (isBracketed) reader.expect(")");
  reader.expect("in");
  const of = parseOr(reader);
  const filter = reader.take("if") ? parseExpression(reader) : undefined;
  if (reader.isAt("recursive"))
    throw new TemplateError("unsupported", "'recursive' is not known here.");
  reader.close("statement");
  const body = parseBody(reader, ["else", "endfor"]);
  let otherwise: Statement[] = [];
  if (reader.take("else")) {
    reader.close("statement");
    otherwise = parseBody(reader, ["endfor"]);
  }
  endBlock(reader);
  return { kind: "for", names, of, filter, body, otherwise };
}

function parseSet(reader: TokenReader): Statement {
  const names = parseNames(reader);
  const member = reader.take(".") ? reader.name() : undefined;
  if (reader.take("=")) {
    const value = parseExpression(reader);
    // Values side by side are a list, whose items the names take.
    const items = [value];
    while (reader.take(",")) items.push(parseExpression(reader));
    reader.close("statement");
    const list: Expression = { kind: "list", items };
    return { kind: "set", names, member, value: items.length === 1 ? value : list };
  }
  if (reader.isAt("|"))
    throw new TemplateError("unsupported", "'set' with a filter is not known here.");
  reader.close("statement");
  const body = parseBody(reader, ["endset"]);
  endBlock(reader);
  return { kind: "set-block", name: names[0] ?? "", body };
}

function parseMacro(reader: TokenReader): Statement {
  const name = reader.name();
  const parameters = parseParameters(reader);
  reader.close("statement");
  const body = parseBody(reader, ["endmacro"]);
  endBlock(reader);
  return { kind: "macro", name, parameters, body };
}

function parseParameters(reader: TokenReader): [string, Expression | undefined][] {
  const parameters: [string, Expression | undefined][] = [];
  reader.expect("(");
  while (!reader.take(")")) {
    const parameter = reader.name();
    parameters.push([parameter, reader.take("=") ? parseExpression(reader) : undefined]);
    if (!reader.isAt(")")) reader.expect(",");
  }
  return parameters;
}

function parseCall(reader: TokenReader): Statement {
  const parameters = reader.isAt("(") ? parseParameters(reader) : [];
  const call = parseExpression(reader);
  reader.close("statement");
  const body = parseBody(reader, ["endcall"]);
  endBlock(reader);
  return { kind: "call-block", parameters, call, body };
}
