import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // On two cores vitest would take one: the saboteurs spend half of their time waiting.
    maxWorkers: 2,
  },
});
