import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";

const root = import.meta.dirname;
const planted: string[] = [];

/** Writes a file into the tree, so that the rules see it where such a file would stand. */
function plant(path: string, text: string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  planted.push(file);
  return path;
}

function lint(...paths: string[]): string {
  const { stdout, stderr } = spawnSync(
    join(root, "node_modules/.bin/oxlint"),
    ["--format", "json", "--no-ignore", ...paths],
    { cwd: root, encoding: "utf8" },
  );
  return stdout + stderr;
}

afterEach(() => {
  for (const file of planted.splice(0)) rmSync(file, { force: true });
});

describe("the lint rules computed from architecture.ts", () => {
  it("accept a downward import through a face", () => {
    const path = plant(
      "packages/server/src/storage/planted-good.ts",
      'import { assert } from "#kernel/index.ts";\nassert(true, "it stands");\n',
    );
    expect(lint(path)).not.toContain("no-restricted-imports");
  });

  it("refuse an upward import", () => {
    const path = plant(
      "packages/server/src/kernel/planted-upward.ts",
      'import { openStore } from "#storage/index.ts";\nexport const use = openStore;\n',
    );
    expect(lint(path)).toContain("only modules of earlier rows");
  });

  it("refuse an upward import of a type", () => {
    const path = plant(
      "packages/server/src/kernel/planted-type.ts",
      'import type { Store } from "#storage/index.ts";\nexport type Use = Store;\n',
    );
    expect(lint(path)).toContain("only modules of earlier rows");
  });

  it("refuse an import beside in the same row", () => {
    const path = plant(
      "packages/server/src/identity/planted-beside.ts",
      'import { loadCatalog } from "#catalog/index.ts";\nexport const use = loadCatalog;\n',
    );
    expect(lint(path)).toContain("only modules of earlier rows");
  });

  it.each(["#storage/store.ts", "#storage/schema/index.ts", "#storage/index"])(
    "refuse the deep import %s",
    (specifier) => {
      const path = plant(
        "packages/server/src/http/planted-deep.ts",
        `import * as deep from "${specifier}";\nexport const use = deep;\n`,
      );
      expect(lint(path)).toContain("Import another module by its face");
    },
  );

  it.each([
    ["an upward relative import", "kernel/planted-relative.ts", "../storage/index.ts"],
    ["a deep relative import", "http/planted-relative.ts", "../storage/store.ts"],
    ["a deep import beside the modules", "planted-root.ts", "#storage/store.ts"],
    ["a relative import beside the modules", "planted-root.ts", "./storage/store.ts"],
  ])("refuse %s", (_name, file, specifier) => {
    const path = plant(
      `packages/server/src/${file}`,
      `import * as deep from "${specifier}";\nexport const use = deep;\n`,
    );
    expect(lint(path)).toMatch(/Import (another|a) module (by its face|as #module)/);
  });

  it("refuse a cycle, even of types", () => {
    const one = plant(
      "packages/server/src/kernel/planted-one.ts",
      'import type { Two } from "./planted-two.ts";\nexport type One = Two | 1;\n',
    );
    const two = plant(
      "packages/server/src/kernel/planted-two.ts",
      'import type { One } from "./planted-one.ts";\nexport type Two = One | 2;\n',
    );
    expect(lint(one, two)).toContain("no-cycle");
  });

  it("refuse Node's modules and upper packages in what runs in a browser", () => {
    const path = plant(
      "packages/contracts/src/planted-node.ts",
      'import { readFileSync } from "node:fs";\nimport { Role } from "@faultline/protocol";\nexport const use = [readFileSync, Role];\n',
    );
    const output = lint(path);
    expect(output).toContain("must run in a browser");
    expect(output).toContain("no sibling package");
  });

  it.each([
    ["the wall clock", "export const at = Date.now();"],
    ["chance", "export const chance = Math.random();"],
    ["a timer", "export const timer = setTimeout(() => undefined, 1);"],
    ["a deadline", "export const deadline = AbortSignal.timeout(1);"],
    ["a global fetch", 'export const answer = fetch("http://127.0.0.1");'],
    ["the environment", "export const home = process.env.HOME;"],
    ["the environment by name", 'import { env } from "node:process";\nexport const use = env;'],
    [
      "chance by name",
      'import { randomBytes } from "node:crypto";\nexport const use = randomBytes;',
    ],
    ["a fetch by name", 'import { fetch } from "undici";\nexport const use = fetch;'],
    ["the process clock", "export const at = process.hrtime.bigint();"],
    ["any", "export const thing: any = 1;"],
  ])("refuse %s outside the adapters", (_name, text) => {
    const path = plant("packages/server/src/storage/planted-ambient.ts", `${text}\n`);
    expect(lint(path)).toMatch(/no-restricted-(properties|globals|imports)|no-explicit-any/);
  });

  it.each(["server/src/http", "server/src/config", "contracts/src/readers", "console/src/api"])(
    "refuse JSON.parse in %s, which can mistake one key for another",
    (folder) => {
      const text = "export const read = (text: string): unknown => JSON.parse(text);\n";
      expect(lint(plant(`packages/${folder}/planted-parse.ts`, text))).toContain(
        "parseForeignJson",
      );
    },
  );

  it("refuse a promise that nobody waits for", () => {
    const path = plant(
      "packages/server/src/storage/planted-floating.ts",
      "async function work(): Promise<void> {}\nexport function start(): void {\n  work();\n}\n",
    );
    expect(lint("--type-aware", path)).toContain("no-floating-promises");
  });
});

/** The linter cannot name a call without arguments, neither of a constructor nor of whatever has such a method. */
describe("the sources", () => {
  it.each([
    ["take the time from a Clock, not from new Date()", /\bDate\(\)/],
    ["read bodies as text, for parseForeignJson, not with json()", /\.json\(\)/],
  ])("%s", (_name, refused) => {
    const sources = globSync("packages/{contracts,protocol,server,cli,testkit}/src/**/*.ts", {
      cwd: root,
      exclude: (path) => path.endsWith(".test.ts"),
    });
    expect(sources.length).toBeGreaterThan(100);
    const offenders = sources.filter((path) =>
      refused.test(readFileSync(join(root, path), "utf8")),
    );
    expect(offenders).toEqual([]);
  });
});
