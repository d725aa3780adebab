import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "*.test.ts",
      "packages/*/src/**/*.test.ts",
      "packages/*/test/**/*.test.ts",
      "drills/**/*.test.ts",
      "bench/**/*.test.ts",
      "simulate/**/*.test.ts",
    ],
    exclude: ["**/node_modules/**", "**/dist/**"],
    // Deadlines of last resort, so that a hang fails; no test asserts how long something takes.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    globalSetup: ["packages/testkit/src/vitest-global-setup.ts"],
    pool: "forks",
    maxWorkers: 2,
  },
});
