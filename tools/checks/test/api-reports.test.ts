import { describe, expect, test } from "vitest";
import { entries, exportedNames, readReport, reportOf } from "../src/api-reports.ts";

const now = entries().map((entry) => ({ ...entry, ...reportOf(entry), reviewed: readReport(entry) }));

describe.each(now)("$specifier", (entry) => {
  test("exports what its reviewed report says", () => {
    expect(entry.report, "the public API changed: run `pnpm api:update`, review the diff, and commit it").toBe(
      entry.reviewed,
    );
  });

  test("documents every export", () => {
    expect(entry.problems).toEqual([]);
  });

  test("names no type that its users cannot import", () => {
    const importable = now.flatMap((each) => (each.package === entry.package ? exportedNames(each.report) : []));
    expect(entry.notExported.filter((name) => !importable.includes(name))).toEqual([]);
  });
});
