import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
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
    ["any", "export const thing: any = 1;"],
  ])("refuse %s outside the adapters", (_name, text) => {
    const path = plant("packages/server/src/storage/planted-ambient.ts", `${text}\n`);
    expect(lint(path)).toMatch(/no-restricted-(properties|globals)|no-explicit-any/);
  });
});
