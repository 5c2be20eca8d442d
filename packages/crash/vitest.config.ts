import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 300_000,
    // Most of the time goes into starting processes and waiting for disks.
    maxWorkers: 2,
  },
});
