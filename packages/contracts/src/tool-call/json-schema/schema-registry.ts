/** Finds schemas by reference: identifiers, anchors and pointers of JSON Schema 2020-12. Nothing is ever fetched. */

import { isFields } from "../../model/fields.ts";
import { readMetaSchemas } from "./meta-schemas.ts";

/** A schema that a reference leads to. */
export interface Resolved {
  readonly schema: unknown;
  readonly base: string;
}

interface Resource {
  readonly root: unknown;
  readonly anchors: Map<string, unknown>;
  readonly dynamicAnchors: Map<string, unknown>;
}

/** Where a document without an identifier of its own is taken to lie. */
export const defaultBase = "json-schema:///";

const validationVocabulary = "https://json-schema.org/draft/2020-12/vocab/validation";
/** Nesting of schemas that is looked through for identifiers. */
const indexDepthMax = 200;

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const schemaKeywords: readonly string[] = [
  "additionalItems",
  "additionalProperties",
  "contains",
  "contentSchema",
  "else",
  "if",
  "items",
  "not",
  "propertyNames",
  "then",
  "unevaluatedItems",
  "unevaluatedProperties",
];
const listKeywords: readonly string[] = ["allOf", "anyOf", "items", "oneOf", "prefixItems"];
const mapKeywords: readonly string[] = [
  "$defs",
  "definitions",
  "dependencies",
  "dependentSchemas",
  "patternProperties",
  "properties",
];

export class SchemaRegistry {
  readonly #resources = new Map<string, Resource>();
  readonly #bases = new Map<object, string>();
  readonly #asserts = new Map<string, boolean>();
  #areMetaSchemasKnown = false;

  /** Adds a document under the place where it lies. */
  add(uri: string, schema: unknown): void {
    const resource = { root: schema, anchors: new Map(), dynamicAnchors: new Map() };
    const base = withoutFragment(uri);
    this.#resources.set(base, resource);
    this.#index(schema, base, 0);
  }

  /** The base of a schema that was indexed. */
  baseOf(schema: object): string | undefined {
    return this.#bases.get(schema);
  }

  /** The schema that a reference leads to from a base, or nothing when it is not known. */
  resolve(reference: string, base: string): Resolved | undefined {
    const { uri, fragment } = this.#locate(reference, base);
    const resource = this.#resource(uri);
    if (resource === undefined) return undefined;
    if (fragment === "") return { schema: resource.root, base: this.#rootBase(resource, uri) };
    if (fragment.startsWith("/")) return this.#follow(resource, uri, fragment);
    const anchored = resource.anchors.get(fragment) ?? resource.dynamicAnchors.get(fragment);
    return anchored === undefined ? undefined : { schema: anchored, base: uri };
  }

  /**
   * The schema that a dynamic reference leads to: where its name is a dynamic anchor, the one of that name in the
   * outermost of the resources that led here.
   */
  resolveDynamic(reference: string, base: string, scope: readonly string[]): Resolved | undefined {
    const initial = this.resolve(reference, base);
    const { uri, fragment } = this.#locate(reference, base);
    if (initial === undefined || this.#resource(uri)?.dynamicAnchors.has(fragment) !== true)
      return initial;
    for (const outer of scope) {
      const anchored = this.#resource(outer)?.dynamicAnchors.get(fragment);
      if (anchored !== undefined) return { schema: anchored, base: outer };
    }
    return initial;
  }

  /** Whether the meta-schema of a resource gives meaning to the keywords that assert. */
  asserts(base: string): boolean {
    const known = this.#asserts.get(base);
    if (known !== undefined) return known;
    const root = this.#resource(base)?.root;
    const dialect =
      isFields(root) && typeof root["$schema"] === "string" ? root["$schema"] : undefined;
    const meta = dialect === undefined ? undefined : this.#resource(withoutFragment(dialect))?.root;
    const vocabularies = isFields(meta) ? meta["$vocabulary"] : undefined;
    const answer = !isFields(vocabularies) || Object.hasOwn(vocabularies, validationVocabulary);
    this.#asserts.set(base, answer);
    return answer;
  }

  #locate(reference: string, base: string): { uri: string; fragment: string } {
    const resolved = resolveUri(reference, base);
    const at = resolved.indexOf("#");
    const fragment = at < 0 ? "" : decodeFragment(resolved.slice(at + 1));
    return { uri: withoutFragment(resolved), fragment };
  }

  #resource(uri: string): Resource | undefined {
    const known = this.#resources.get(uri);
    if (known !== undefined || this.#areMetaSchemasKnown || !uri.includes("//json-schema.org/"))
      return known;
    this.#areMetaSchemasKnown = true;
    for (const schema of readMetaSchemas()) this.add(schema.$id, schema);
    return this.#resources.get(uri);
  }

  /** A document's own identifier takes the place of where it was found. */
  #rootBase({ root }: Resource, uri: string): string {
    return isFields(root) ? (this.#bases.get(root) ?? uri) : uri;
  }

  #follow(resource: Resource, uri: string, pointer: string): Resolved | undefined {
    let schema = resource.root;
    let base = this.#rootBase(resource, uri);
    for (const part of pointer.slice(1).split("/")) {
      const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
      if (Array.isArray(schema)) schema = /^\d{1,9}$/.test(name) ? schema[Number(name)] : undefined;
      else schema = isFields(schema) && Object.hasOwn(schema, name) ? schema[name] : undefined;
      if (schema === undefined) return undefined;
      if (isFields(schema)) base = this.#bases.get(schema) ?? base;
    }
    // What lies under an unknown keyword was not indexed with its document.
    if (isFields(schema) && !this.#bases.has(schema)) this.#index(schema, base, 0);
    return { schema, base: isFields(schema) ? (this.#bases.get(schema) ?? base) : base };
  }

  #index(schema: unknown, outerBase: string, depth: number): void {
    if (!isFields(schema) || depth > indexDepthMax || this.#bases.has(schema)) return;
    const base = this.#enter(schema, outerBase);
    this.#bases.set(schema, base);
    const resource = this.#resources.get(base);
    if (typeof schema["$anchor"] === "string") resource?.anchors.set(schema["$anchor"], schema);
    if (typeof schema["$dynamicAnchor"] === "string") {
      resource?.dynamicAnchors.set(schema["$dynamicAnchor"], schema);
    }
    for (const child of childSchemas(schema)) this.#index(child, base, depth + 1);
  }

  #enter(schema: Record<string, unknown>, outerBase: string): string {
    const id = schema["$id"];
    if (typeof id !== "string" || id.startsWith("#")) return outerBase;
    const base = withoutFragment(resolveUri(id, outerBase));
    if (base === outerBase) return base;
    this.#resources.set(base, { root: schema, anchors: new Map(), dynamicAnchors: new Map() });
    return base;
  }
}

function childSchemas(schema: Record<string, unknown>): unknown[] {
  const children: unknown[] = [];
  for (const keyword of schemaKeywords) children.push(schema[keyword]);
  for (const keyword of listKeywords) {
    const list = schema[keyword];
    if (Array.isArray(list)) children.push(...list);
  }
  for (const keyword of mapKeywords) {
    const map = schema[keyword];
    if (isFields(map)) children.push(...Object.values(map));
  }
  return children;
}

function resolveUri(reference: string, base: string): string {
  try {
    return new URL(reference, base).href;
  } catch {
    // Not a reference that can lead anywhere; it is looked up as it stands and not found.
    return reference;
  }
}

function withoutFragment(uri: string): string {
  const at = uri.indexOf("#");
  return at < 0 ? uri : uri.slice(0, at);
}

function decodeFragment(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    // A stray percent sign stands for itself.
    return fragment;
  }
}
