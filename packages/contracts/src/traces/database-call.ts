/** Recognises calls of databases, in the old and the new semantic conventions. */

import type { Attributes, Span } from "../model/span.ts";
import { type Batch, type Call, isBatchName, numberIn, textIn } from "./call.ts";
import { mark } from "./marks.ts";
import type { SqlShape } from "./sql-fingerprint.ts";
import { isDocument } from "./sql-tokens.ts";
import { databaseSystemOf, descriptionOf } from "./vendor-span.ts";

/** What a span says about the database that it calls. */
export interface DatabaseSpan {
  readonly system: string;
  readonly statement: string | undefined;
  readonly operation: string | undefined;
  readonly collection: string | undefined;
  /** Rows that came back, when recorded. */
  readonly rowCount: number | undefined;
}

/** Reads the attributes of a database's client span; `undefined` when it is none. */
export function databaseSpanOf(span: Span, marks: number): DatabaseSpan | undefined {
  if ((marks & (mark.database | mark.vendor | mark.statementName)) === 0) return undefined;
  const { attributes } = span;
  const vendorSystem = (marks & mark.vendor) === 0 ? undefined : databaseSystemOf(span, marks);
  const system =
    textIn(attributes, systemNames) ?? vendorSystem ?? textIn(attributes, systemNamesOfOpenTracing);
  const described = vendorSystem === undefined ? undefined : descriptionOf(span);
  const statement =
    textIn(attributes, statementNames) ??
    (described === undefined || !isStatement(described) ? undefined : described) ??
    ((marks & mark.statementName) === 0 ? undefined : span.name);
  if (system === undefined && statement === undefined) return undefined;
  const named = described === undefined ? unnamedOperation : namedOperation(described);
  const isRecorded = (marks & mark.database) !== 0;
  const operation = isRecorded ? textIn(attributes, operationNames) : undefined;
  const collection = isRecorded ? collectionOf(attributes) : undefined;
  return {
    system: system ?? "sql",
    statement,
    operation: operation ?? named.operation,
    collection: collection ?? named.collection,
    // The names of all these counts have this mark.
    rowCount: (marks & mark.size) === 0 ? undefined : numberIn(attributes, rowCountNames),
  };
}

const systemNames = ["db.system.name", "db.system"] as const;
const systemNamesOfOpenTracing = ["db.type"] as const;
const statementNames = ["db.query.text", "db.statement", "sql.query", "mongodb.query"] as const;
const operationNames = ["db.operation.name", "db.operation", "rpc.method"] as const;
const collectionNames = [
  "db.collection.name",
  "db.sql.table",
  "db.mongodb.collection",
  "mongodb.collection",
  "db.cassandra.table",
  "db.elasticsearch.path_parts.index",
  "db.table",
] as const;
const namespaceNames = ["db.namespace", "db.name", "db.instance"] as const;
const peerNames = ["server.address", "net.peer.name", "peer.hostname", "out.host"] as const;

function collectionOf(attributes: Attributes): string | undefined {
  return textIn(attributes, collectionNames) ?? firstText(attributes["aws.dynamodb.table_names"]);
}

/** Whether a description states what is asked, and does not only name an operation. */
function isStatement(described: string): boolean {
  return /[\s{(*]/.test(described.trim());
}

/** `findOne` on `mongoose.users` of `mongoose.users.findOne`. */
function namedOperation(described: string): Pick<DatabaseSpan, "operation" | "collection"> {
  const [, collection, operation] = /^([\w.-]+)\.(\w+)$/.exec(described) ?? [];
  return { operation, collection };
}

const unnamedOperation = { operation: undefined, collection: undefined };

/** A shape with what follows from it alone: found out once, because the calls of a loop share it. */
export interface KnownShape {
  readonly shape: SqlShape;
  /** Sets up a connection, a session or a transaction, or pings. */
  readonly isSession: boolean;
  readonly isRead: boolean;
  readonly isKeyed: boolean;
  readonly isPaged: boolean;
  readonly isBatchVerb: boolean;
  /** The latest call of this shape: the next one is often the same in all that a call holds. */
  latest: { readonly call: Call; readonly namespace: string } | undefined;
}

/** What follows from the shape of a statement. */
export function knownShape(shape: SqlShape, isConnection = false): KnownShape {
  const { verb, fingerprint } = shape;
  return {
    shape,
    isSession: isConnection || sessionVerbs.test(verb) || sessionSelects.test(fingerprint),
    isRead: isReadVerb(verb),
    isKeyed: /[^<>!]= ?\?|^(?:get|getitem|findone|findbyid)\b/.test(fingerprint),
    isPaged: isPagedStatement(fingerprint),
    isBatchVerb: isBatchName(verb),
    latest: undefined,
  };
}

/** The call of a statement; `undefined` for what sets up a session or a transaction, and for pings. */
export function statementCall(
  span: Span,
  database: DatabaseSpan,
  known: KnownShape,
): Call | undefined {
  const isWrite = known.shape.verb === "set" && keyValueSystems.test(database.system);
  if (known.isSession && !isWrite) return undefined;
  const { collection, operation, statement } = database;
  // A document store records its query as JSON, which says little without the collection it goes to.
  if (collection === undefined || !isDocument(statement ?? ""))
    return callOf(span, database, known);
  const { shape } = known;
  const name = operation ?? shape.verb;
  const named = {
    ...shape,
    fingerprint: `${name} ${collection} ${shape.fingerprint}`,
    verb: name.toLowerCase(),
  };
  return callOf(span, database, knownShape(named));
}

/** The call of a named operation on a collection, when no statement is recorded. */
export function operationCall(span: Span, database: DatabaseSpan): Call | undefined {
  const { operation, collection } = database;
  // A span that names neither is a transaction or a pool.
  if (operation === undefined || collection === undefined) return undefined;
  const shape = {
    fingerprint: `${operation.toLowerCase()} ${collection}`,
    verb: operation.toLowerCase(),
    listValueCount: 0,
    takesArray: false,
    isListHidden: false,
    truncated: false,
  };
  return callOf(span, database, knownShape(shape));
}

function callOf(
  span: Span,
  { system, statement, rowCount }: DatabaseSpan,
  known: KnownShape,
): Call {
  const { attributes } = span;
  const { shape, latest } = known;
  const namespace = textIn(attributes, namespaceNames) ?? "";
  const peer = textIn(attributes, peerNames) ?? "";
  const target = statement ?? shape.fingerprint;
  const batch = batchOf(attributes, known);
  const isSameDatabase = latest?.namespace === namespace && latest.call.system === system;
  if (
    isSameDatabase &&
    latest.call.target === target &&
    latest.call.peer === peer &&
    latest.call.rowCount === rowCount &&
    latest.call.batch.size === batch.size
  ) {
    return latest.call;
  }
  const call: Call = {
    kind: "database",
    identity: isSameDatabase ? latest.call.identity : `${system} ${namespace} ${shape.fingerprint}`,
    shape: shape.fingerprint,
    target,
    peer,
    isRead: known.isRead,
    isKeyed: known.isKeyed,
    batch,
    isPaged: known.isPaged,
    truncated: shape.truncated,
    system: system.toLowerCase(),
    isResend: false,
    rowCount,
  };
  known.latest = { call, namespace };
  return call;
}

const rowCountNames = [
  "db.response.returned_rows",
  "db.rows_returned",
  "db.row_count",
  "db.result.rows",
  "db.sql.rows",
  "db.rows",
  "db.row_count_returned",
  "mysql.rows",
] as const;

const batchSizeNames = ["db.operation.batch.size"] as const;

function batchOf(attributes: Attributes, { shape, isBatchVerb }: KnownShape): Batch {
  const recorded = numberIn(attributes, batchSizeNames);
  if (recorded !== undefined && recorded > 1) return { isBatch: true, size: recorded };
  if (shape.listValueCount > 1) return { isBatch: true, size: shape.listValueCount };
  if (shape.takesArray || isBatchVerb) return manyItems;
  return shape.isListHidden ? hiddenItems : oneItem;
}

const manyItems: Batch = { isBatch: true };
const hiddenItems: Batch = { isBatch: false, isHidden: true };
const oneItem: Batch = { isBatch: false };

/** Statements that fetch nothing for an item of a list. */
const sessionVerbs =
  /^(?:begin|start|commit|rollback|savepoint|release|set|show|use|prepare|deallocate|discard|ping|reset|listen|unlisten|notify|explain|close|declare|fetch|move|lock|analyze|vacuum|pragma|isready)$/;
const sessionSelects =
  /^select ?(?:\?|version\(\)|now\(\)|current_\w+(?:\(\))?|pg_advisory\w*\(.*|set_config\(.*)?$/;

/** Stores in which SET writes a value, where in SQL it changes the session. */
const keyValueSystems = /^(?:redis|valkey|keydb|dragonfly|garnet|memcached)/;

function isReadVerb(verb: string): boolean {
  return /^(?:select|find|get|query|scan|aggregate|count|distinct|search|mget|read|values|table|match|batchget)/.test(
    verb,
  );
}

/** OFFSET within a limit, or a range over the sort key with a limit and nothing that names one owner. */
function isPagedStatement(fingerprint: string): boolean {
  // Some mappers end every statement with an offset; what names one row by its key has no pages either.
  if (/\boffset \?|\blimit \?, ?\?/.test(fingerprint)) {
    return /\blimit\b|\bfetch\b/.test(fingerprint) && !/[ .(]_?id ?= ?\?/.test(fingerprint);
  }
  if (!/\blimit \?$/.test(fingerprint) || !/\border by\b/.test(fingerprint)) return false;
  const where = /\bwhere\b(.*)\border by\b/.exec(fingerprint)?.[1] ?? "";
  return /[<>]=? ?\(?\?/.test(where) && !/[^<>!]= ?\?/.test(where);
}

function firstText(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : undefined;
  return typeof first === "string" ? first : undefined;
}
