import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Most checks start other programs, which take their time on a small machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    globalSetup: "./src/pack.ts",
  },
});
