/** The lint rules. What a module may import is computed from `architecture.ts`. */

import { defineConfig } from "oxlint";

import { browserPackages, packageImports, serverModuleRanks } from "./architecture.ts";

type Pattern = { regex: string; importNames?: string[]; message: string };

const ambientGlobals = [
  { name: "setTimeout", message: "Wait on a Clock; timers live in kernel." },
  { name: "setInterval", message: "Wait on a Clock; timers live in kernel." },
  { name: "setImmediate", message: "Wait on a Clock; timers live in kernel." },
  { name: "fetch", message: "Take a client as an argument; fetch lives in adapters." },
];

const ambientProperties = [
  { object: "Date", property: "now", message: "Take a Clock as an argument." },
  { object: "performance", property: "now", message: "Take a Clock as an argument." },
  { object: "Math", property: "random", message: "Take a Random as an argument." },
  { object: "crypto", property: "randomUUID", message: "Take Ids as an argument." },
  { object: "crypto", property: "getRandomValues", message: "Take a Random as an argument." },
  { object: "AbortSignal", property: "timeout", message: "Take a deadline from a Clock." },
  { object: "process", property: "env", message: "Only config/ reads the environment." },
  { object: "process", property: "hrtime", message: "Take a Clock as an argument." },
  { object: "globalThis", property: "setTimeout", message: "Wait on a Clock." },
  { object: "globalThis", property: "setInterval", message: "Wait on a Clock." },
];

/** Of JSON that others wrote, V8 can mistake one key for another (decision 0019). */
const foreignJson = [
  {
    object: "JSON",
    property: "parse",
    message: "Use parseForeignJson of contracts: JSON.parse can mistake one key for another.",
  },
];

/** Where `JSON.parse` reads no key that others chose. */
const filesWithoutForeignKeys = [
  // It stands around `JSON.parse`.
  "packages/contracts/src/text/foreign-json.ts",
  // A text alone.
  "packages/contracts/src/readers/kubernetes/key-watch.ts",
  "packages/contracts/src/readers/v8/text-list.ts",
  "packages/server/src/gateway/cache/canonical-body.ts",
  "packages/server/src/gateway/policy/request-texts.ts",
  "packages/server/src/gateway/wire/kept-text.ts",
  "packages/server/src/http/repeated-field.ts",
  // What a process of the same release wrote, in lists and under names of its own.
  "packages/server/src/gateway/credit/usage-block.ts",
  "packages/server/src/gateway/credit/usage-text.ts",
  "packages/server/src/gateway/workers/operation-text.ts",
  "packages/server/src/storage/data-folder.ts",
  "packages/server/src/storage/postgres/placement.ts",
  // A part of the source, or of a package that is installed.
  "packages/contracts/src/tool-call/json-schema/meta-schemas.ts",
  "packages/server/src/storage/postgres/binaries.ts",
  // Processes and parts of tests.
  "packages/*/src/**/test/**",
];

const ambientImports: Pattern[] = [
  {
    regex: "^(node:)?timers(/promises)?$",
    message: "Wait on a Clock; timers live in kernel.",
  },
  {
    regex: "^(node:)?perf_hooks$",
    importNames: ["performance"],
    message: "Take a Clock as an argument.",
  },
  {
    regex: "^(node:)?process$",
    importNames: ["env", "hrtime"],
    message: "Only config/ reads the environment; time is a Clock.",
  },
  {
    regex: "^(node:)?crypto$",
    importNames: ["randomUUID", "randomBytes", "randomInt", "randomFillSync", "webcrypto"],
    message: "Take a Random or Ids as an argument.",
  },
  { regex: "^undici$", importNames: ["fetch"], message: "Take a client as an argument." },
];

const moduleNames = serverModuleRanks.flat();

/** An import of the server that reaches past the face of a module. */
const deepImport: Pattern = {
  regex: `^#[^/]+/(${anythingBut("index.ts")})`,
  message: "Import another module by its face, #module/index.ts.",
};

/** What every module of a package may not import of its siblings. */
function packagePatterns(name: string): Pattern[] {
  const allowed = packageImports[name] ?? [];
  const forbidden = Object.keys(packageImports).filter(
    (other) => other !== name && !allowed.includes(other),
  );
  const patterns: Pattern[] = [
    {
      regex: `^@faultline/(${forbidden.join("|")})(/|$)`,
      message: `${name} may import only ${allowed.join(", ") || "no sibling package"} (architecture.ts).`,
    },
    { regex: "^(\\.\\./)+packages/", message: "Import a sibling package by its name." },
  ];
  if (browserPackages.includes(name)) {
    patterns.push({ regex: "^node:", message: `${name} must run in a browser.` });
  }
  return patterns;
}

/** What a module of the server may not import: modules of its own or a later row, and anything but a face. */
function modulePatterns(module: string, rank: number): Pattern[] {
  const later = serverModuleRanks
    .slice(rank)
    .flat()
    .filter((other) => other !== module);
  const patterns: Pattern[] = [
    deepImport,
    { regex: `^#${module}/`, message: "Inside a module, import relatively." },
    {
      regex: `^(\\.\\./)+(${moduleNames.join("|")})/`,
      message: "Import another module by its face, #module/index.ts.",
    },
  ];
  if (later.length > 0) {
    patterns.push({
      regex: `^#(${later.join("|")})/`,
      message: `${module} may import only modules of earlier rows (architecture.ts).`,
    });
  }
  return patterns;
}

/** A pattern that matches every text which differs from `word`; the engine knows no look-ahead. */
function anythingBut(word: string): string {
  const escape = (text: string): string => text.replaceAll(".", "\\.");
  const departures = word
    .split("")
    .map((letter, index) => `${escape(word.slice(0, index))}([^${letter}]|$)`);
  return [...departures, `${escape(word)}.`].join("|");
}

function restrict(patterns: Pattern[]): ["error", { patterns: Pattern[] }] {
  return ["error", { patterns }];
}

const packageOverrides = Object.keys(packageImports).map((name) => ({
  files: [`packages/${name}/src/**/*.{ts,tsx}`],
  rules: {
    "typescript/no-restricted-imports": restrict([...packagePatterns(name), ...ambientImports]),
  },
}));

/** What stands beside the modules puts them together, through their faces. */
const serverRootOverride = {
  files: ["packages/server/src/*.ts"],
  rules: {
    "typescript/no-restricted-imports": restrict([
      ...packagePatterns("server"),
      deepImport,
      {
        regex: `^\\./(${moduleNames.join("|")})/`,
        message: "Import a module as #module/index.ts.",
      },
      ...ambientImports,
    ]),
  },
};

const moduleOverrides = serverModuleRanks.flatMap((row, rank) =>
  row.map((module) => ({
    files: [`packages/server/src/${module}/**/*.ts`],
    rules: {
      "typescript/no-restricted-imports": restrict([
        ...packagePatterns("server"),
        ...modulePatterns(module, rank),
        ...(module === "kernel" ? [] : ambientImports),
      ]),
    },
  })),
);

export default defineConfig({
  plugins: ["typescript", "unicorn", "oxc", "import", "promise"],
  categories: { correctness: "error", suspicious: "error" },
  ignorePatterns: ["**/dist/**", "**/node_modules/**", "**/fixtures/**", "bench/peers/**"],
  rules: {
    "import/no-cycle": ["error", { ignoreTypes: false }],
    "typescript/no-explicit-any": "error",
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/switch-exhaustiveness-check": [
      "error",
      { considerDefaultExhaustiveForUnions: true },
    ],
    "typescript/consistent-type-imports": "error",
    "no-restricted-globals": ["error", ...ambientGlobals],
    "no-restricted-properties": ["error", ...ambientProperties],
    "no-console": "error",
    "no-var": "error",
    "prefer-const": "error",
    eqeqeq: "error",
    "max-lines": ["error", { max: 400 }],
    "max-lines-per-function": ["error", { max: 70, skipBlankLines: true, skipComments: true }],
    "max-params": ["error", { max: 3 }],
    // Style questions that the house style leaves to the writer.
    "no-shadow": "off",
    "no-await-in-loop": "off",
    "no-underscore-dangle": "off",
    "import/no-unassigned-import": "off",
    "unicorn/no-array-sort": "off",
    "unicorn/no-array-reverse": "off",
    "unicorn/consistent-function-scoping": "off",
    "unicorn/require-post-message-target-origin": "off",
    "promise/always-return": "off",
    "typescript/no-unnecessary-type-arguments": "off",
    "typescript/no-unsafe-type-assertion": "off",
    "typescript/consistent-return": "off",
    "typescript/no-redundant-type-constituents": "off",
  },
  overrides: [
    ...packageOverrides,
    serverRootOverride,
    ...moduleOverrides,
    {
      files: ["packages/*/src/**/*.{ts,tsx}"],
      rules: { "no-restricted-properties": ["error", ...ambientProperties, ...foreignJson] },
    },
    {
      files: filesWithoutForeignKeys,
      rules: { "no-restricted-properties": ["error", ...ambientProperties] },
    },
    {
      // Adapters between the ambient world and the rest; each takes a Clock, a Random or settings from here.
      files: [
        "packages/server/src/kernel/**",
        "packages/server/src/config/**",
        "packages/cli/src/main.ts",
        "packages/console/**",
      ],
      rules: {
        "no-restricted-globals": "off",
        "no-restricted-properties": ["error", ...foreignJson],
      },
    },
    {
      files: ["drills/**", "bench/**", "scripts/**", "**/*.config.ts"],
      rules: {
        "no-restricted-globals": "off",
        "no-restricted-properties": "off",
        "no-console": "off",
        "max-lines-per-function": "off",
        "max-params": "off",
      },
    },
    {
      files: ["**/*.tsx"],
      rules: {
        "max-lines-per-function": ["error", { max: 150, skipBlankLines: true, skipComments: true }],
      },
    },
    {
      files: ["**/*.test.ts", "**/*.test.tsx", "packages/*/test/**"],
      rules: {
        "no-restricted-globals": "off",
        "no-restricted-properties": "off",
        "max-lines": ["error", { max: 600 }],
        "max-lines-per-function": "off",
        "typescript/no-non-null-assertion": "off",
        "typescript/no-restricted-imports": "off",
      },
    },
  ],
});
