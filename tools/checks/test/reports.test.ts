import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { expectedReports, sumOf, total } from "../src/reports.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-reports-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

mkdirSync(join(folder, "reports"));
const vitest = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, success: true };
const write = (name: string, content: object | string) =>
  writeFileSync(join(folder, "reports", name), typeof content === "string" ? content : JSON.stringify(content));
const sum = (...reports: readonly string[]) => {
  const { passed, failed, skipped, problems } = sumOf(
    "x",
    folder,
    reports.map((name) => `reports/${name}`),
  );
  return { passed, failed, skipped, problems: problems.length };
};

describe("the sums of a run", () => {
  test("a test command promises the reports that it names", () => {
    const command =
      "tsc -p test && vitest run --outputFile.json=reports/vitest.json && node --test-reporter-destination=reports/node-test.xml";
    expect(expectedReports(command)).toEqual(["reports/vitest.json", "reports/node-test.xml"]);
    expect(expectedReports("vitest run")).toEqual([]);
  });

  test("add up all runners", () => {
    write("a.json", {
      ...vitest,
      numPassedTests: 5,
      numFailedTests: 1,
      numPendingTests: 2,
      numTodoTests: 1,
      success: false,
    });
    const counts = { tests: 9, suites: 2, pass: 7, fail: 0, cancelled: 1, skipped: 1, todo: 0 };
    write(
      "b.xml",
      `<testsuites>${Object.entries(counts)
        .map(([name, count]) => `<!-- ${name} ${count} -->`)
        .join("\n")}</testsuites>`,
    );
    expect(sum("a.json", "b.xml")).toEqual({ passed: 12, failed: 2, skipped: 4, problems: 0 });
    const package_ = sumOf("x", folder, ["reports/a.json"]);
    expect(total([package_, package_])).toEqual({ passed: 10, failed: 2, skipped: 6 });
  });

  test("a report that is missing, or cut short, is a failure", () => {
    write("short.json", '{ "numPassed');
    write("short.xml", "<testsuites>");
    expect(sum("none.json")).toEqual({ passed: 0, failed: 1, skipped: 0, problems: 1 });
    expect(sum("short.json", "short.xml")).toEqual({ passed: 0, failed: 2, skipped: 0, problems: 2 });
  });

  test("no test at all is a failure", () => {
    write("empty.json", vitest);
    expect(sum("empty.json")).toEqual({ passed: 0, failed: 1, skipped: 0, problems: 1 });
    expect(sum()).toEqual({ passed: 0, failed: 1, skipped: 0, problems: 1 });
  });

  test("a run that failed beside its tests is a failure", () => {
    write("crash.json", { ...vitest, numPassedTests: 5, success: false });
    expect(sum("crash.json")).toEqual({ passed: 5, failed: 1, skipped: 0, problems: 1 });
  });
});
