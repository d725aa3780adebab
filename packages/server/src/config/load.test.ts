import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { PlatformError } from "@faultline/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { type Config, type ConfigSources, formatOrigin, loadConfig } from "./index.ts";
import { scalarSettings } from "./settings.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "faultline-config-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function load(yaml: string | undefined, sources: ConfigSources = {}): Config {
  if (yaml !== undefined) writeFileSync(path.join(folder, "faultline.yaml"), yaml);
  return loadConfig({ environment: {}, workingFolder: folder, ...sources });
}

function refusalOf(yaml: string | undefined, sources: ConfigSources = {}): PlatformError {
  try {
    load(yaml, sources);
  } catch (error) {
    if (error instanceof PlatformError) return error;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

function originOf(config: Config, name: string): string | undefined {
  const setting = config.settings.find((candidate) => candidate.name === name);
  return setting === undefined ? undefined : formatOrigin(setting.origin);
}

describe("loadConfig", () => {
  it("runs on defaults alone", () => {
    const config = load(undefined);
    expect(config).toMatchObject({
      host: "127.0.0.1",
      port: 4_600,
      dataFolder: path.join(folder, ".faultline"),
    });
    expect(config.workerCount).toBeGreaterThanOrEqual(1);
    expect(config.providers).toMatchObject([
      { kind: "simulated", models: [{ name: "simulated" }] },
    ]);
    expect(originOf(config, "port")).toBe("default");
  });

  it("lets flags win over the environment, and the environment over the file, and says so", () => {
    const yaml = "host: 127.0.0.2\nport: 5001\nworkers: 3\n";
    const environment = { FAULTLINE_PORT: "5002", FAULTLINE_WORKERS: "4" };
    const config = load(yaml, { environment, flags: { workers: "5" } });
    expect(config).toMatchObject({ host: "127.0.0.2", port: 5_002, workerCount: 5 });
    expect(originOf(config, "host")).toBe(`${path.join(folder, "faultline.yaml")}:1`);
    expect(originOf(config, "port")).toBe("FAULTLINE_PORT");
    expect(originOf(config, "workers")).toBe("--workers");
  });

  it("takes the data folder of a file relative to the file, and one of a flag relative to the working folder", () => {
    expect(load("dataFolder: data").dataFolder).toBe(path.join(folder, "data"));
    expect(load(undefined, { flags: { data: "other" } }).dataFolder).toBe(
      path.join(folder, "other"),
    );
  });

  it("shows a database URL only as set", () => {
    const config = load(undefined, { environment: { DATABASE_URL: "postgres://u:secret@h/d" } });
    expect(config.databaseUrl).toBe("postgres://u:secret@h/d");
    expect(JSON.stringify(config.settings)).not.toContain("secret");
    expect(originOf(config, "databaseUrl")).toBe("DATABASE_URL");
  });

  it("treats an empty variable as not set", () => {
    expect(load(undefined, { environment: { DATABASE_URL: "", FAULTLINE_PORT: "" } }).port).toBe(
      4_600,
    );
  });

  it("treats an empty file as defaults", () => {
    expect(load("# nothing\n").port).toBe(4_600);
  });

  it("lets every scalar setting be set by the environment", () => {
    const environment = Object.fromEntries(
      scalarSettings.map(({ environmentName, schema, name }) => {
        if (schema.anyOf !== undefined) return [environmentName, schema.anyOf[0]?.const];
        if (schema.type === "integer") return [environmentName, String(schema.minimum)];
        return [environmentName, name === "publicUrl" ? "https://faultline.example.org" : "text"];
      }),
    );
    const config = load(undefined, { environment });
    for (const { name, environmentName } of scalarSettings)
      expect(originOf(config, name)).toBe(environmentName);
  });
});

describe("a configuration that cannot be used", () => {
  it.each([
    ["prot: 1", 1, "`prot` is not a setting", "Did you mean `port`?"],
    ["log:\n  levle: info", 2, "`levle` is not a setting in log", "Did you mean `level`?"],
    ["port: eighty", 1, 'port must be a whole number from 1 to 65535, but is "eighty"', ""],
    ["port: 70000", 1, "from 1 to 65535, but is 70000", ""],
    ["\n\nport: 1.5", 3, "a whole number", ""],
    ["log: loud", 1, "log must be a mapping", ""],
    ["log:\n  level: inf", 2, "one of debug, info, warn, error", "Did you mean `info`?"],
    ["providers: openai", 1, "providers must be a list", ""],
    ["providers:\n  - kind: openai", 2, "providers[0] needs `name`", ""],
    [
      "providers:\n  - name: a\n    kind: opneai",
      3,
      "one of openai, anthropic, simulated",
      "Did you mean `openai`?",
    ],
    ["providers:\n  - name: a\n    kind: openai", 2, "needs `baseUrl`", ""],
    [
      "providers:\n  - name: a\n    kind: openai\n    baseUrl: ftp://x",
      4,
      "not an http or https URL",
      "",
    ],
    [
      "providers:\n  - name: a\n    kind: openai\n    baseUrl: http://u:p@x",
      4,
      "carries a credential",
      "",
    ],
    [
      "providers:\n  - {name: a, kind: simulated}\n  - {name: a, kind: simulated}",
      3,
      "Two providers are named `a`",
      "",
    ],
    ["tenants:\n  - id: Team_A", 2, "text that matches", ""],
    ["tenants:\n  - id: a\n  - id: a", 3, "stands twice", ""],
    ["publicUrl: https://x/path", 1, "without a path", ""],
    ["port: 1\nport: 2", 2, "not valid YAML", ""],
    ["port: [1", 1, "not valid YAML", ""],
    ["- a", 1, "must be a mapping", ""],
    ["toString: 1", 1, "`toString` is not a setting", ""],
  ] as const)("refuses %j with its line", (...[yaml, line, message, hint]) => {
    const error = refusalOf(yaml);
    expect(error.code).toBe("configuration_invalid");
    expect(error.where).toMatch(new RegExp(`faultline.yaml:${line}(:|$)`));
    expect(error.message).toContain(message);
    expect(`${error.message} ${error.hint}`).toContain(hint);
  });

  it("names every fault of a file at once", () => {
    const error = refusalOf("prot: 1\nhots: x\nlog:\n  level: 3\n");
    expect(error.message.split("\n")).toHaveLength(3);
  });

  it("names the variable or flag that holds a wrong value", () => {
    const environment = { FAULTLINE_PORT: "many" };
    expect(refusalOf(undefined, { environment })).toMatchObject({ where: "FAULTLINE_PORT" });
    expect(refusalOf(undefined, { flags: { port: "many" } })).toMatchObject({ where: "--port" });
  });

  it("names a file that is not there", () => {
    expect(refusalOf(undefined, { file: "absent.yaml" })).toMatchObject({
      where: path.join(folder, "absent.yaml"),
    });
  });

  it("refuses a bomb of aliases instead of unfolding it", () => {
    const levels = Array.from({ length: 12 }, (_, level) =>
      level === 0
        ? "a0: &a0 [x]"
        : `a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(", ")}]`,
    );
    expect(refusalOf(levels.join("\n")).message).toContain("aliases");
  });
});

describe("providers", () => {
  const openai = `providers:
  - name: openai
    kind: openai
    baseUrl: https://api.openai.com/v1/
    apiKeyEnvironment: OPENAI_API_KEY
    models:
      - name: small
        inputPricePerMillionTokens: 0.25
        outputPricePerMillionTokens: 2
      - name: listed
`;

  it("take their key from the environment and their prices as whole micros", () => {
    const config = load(openai, { environment: { OPENAI_API_KEY: "sk-test" } });
    expect(config.providers).toEqual([
      {
        kind: "openai",
        name: "openai",
        baseUrl: "https://api.openai.com/v1",
        apiKeyEnvironment: "OPENAI_API_KEY",
        apiKey: "sk-test",
        models: [
          {
            name: "small",
            upstreamName: "small",
            price: {
              inputMicrosPerMillionTokens: 250_000n,
              outputMicrosPerMillionTokens: 2_000_000n,
              cachedInputMicrosPerMillionTokens: 250_000n,
            },
          },
          { name: "listed", upstreamName: "listed", price: undefined },
        ],
      },
    ]);
    expect(JSON.stringify(config.settings)).not.toContain("sk-test");
  });

  it("are refused when their key's variable is not set", () => {
    const error = refusalOf(openai);
    expect(error.message).toContain("OPENAI_API_KEY, which is not set");
    expect(error.where).toMatch(/faultline.yaml:5$/);
  });

  it("of own hardware are priced 0 explicitly", () => {
    const config = load(
      "providers:\n  - {name: l, kind: openai, baseUrl: 'http://127.0.0.1:1/v1', local: true, models: [{name: m}]}",
    );
    expect(config.providers[0]?.models[0]?.price).toMatchObject({
      inputMicrosPerMillionTokens: 0n,
    });
  });

  it("refuse half a price and a price finer than a micro", () => {
    const model = (price: string): string =>
      `providers:\n  - {name: l, kind: openai, baseUrl: 'http://127.0.0.1:1/v1', models: [{name: m, ${price}}]}`;
    expect(refusalOf(model("inputPricePerMillionTokens: 1")).message).toContain(
      "both an input and an output price",
    );
    const fine = "inputPricePerMillionTokens: 0.0000001, outputPricePerMillionTokens: 1";
    expect(refusalOf(model(fine)).message).toContain("finer than a millionth");
  });
});
