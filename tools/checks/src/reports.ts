import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What the runners of one package counted. */
export interface Sum {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Why something counts as failed although no test says so. */
  readonly problems: readonly string[];
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** The runner's own verdict: a file that could not be loaded fails without a failed test. */
  readonly success: boolean;
}

/**
 * The reports that a test command promises: every file under reports/ that it names. So a runner that never ran, or
 * died before its end, is noticed.
 */
export function expectedReports(command: string): readonly string[] {
  return [...new Set(command.match(/\breports\/[\w.-]+/g) ?? [])];
}

/** Adds up a package's reports. A missing report, one without tests, and none at all each count as a failure. */
export function sumOf(name: string, path: string, reports: readonly string[]): Sum {
  const sum = { name, passed: 0, failed: 0, skipped: 0, problems: [] as string[] };
  const problem = (text: string) => {
    sum.failed += 1;
    sum.problems.push(text);
  };
  if (reports.length === 0) problem("its test script names no report: let each runner write one to reports/");
  for (const report of reports) {
    let counts: Counts;
    try {
      counts = countsOf(report, readFileSync(join(path, report), "utf8"));
    } catch (error) {
      problem(`${report} is missing or unreadable, so its runner did not end: ${(error as Error).message}`);
      continue;
    }
    sum.passed += counts.passed;
    sum.failed += counts.failed;
    sum.skipped += counts.skipped;
    if (counts.passed + counts.failed + counts.skipped === 0) problem(`${report} counts no test`);
    else if (!counts.success && counts.failed === 0) problem(`${report} says that the run failed, beside its tests`);
  }
  return sum;
}

export function total(sums: readonly Sum[]): { passed: number; failed: number; skipped: number } {
  const all = { passed: 0, failed: 0, skipped: 0 };
  for (const sum of sums) {
    all.passed += sum.passed;
    all.failed += sum.failed;
    all.skipped += sum.skipped;
  }
  return all;
}

/** vitest writes JSON, node:test JUnit's XML with its counts in comments at the end. */
function countsOf(report: string, text: string): Counts {
  return report.endsWith(".xml") ? countsOfNodeTest(text) : countsOfVitest(text);
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly success: boolean;
}

function countsOfVitest(text: string): Counts {
  const report = JSON.parse(text) as VitestReport;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
    success: report.success,
  };
}

function countsOfNodeTest(text: string): Counts {
  const count = (name: string) => {
    const found = text.match(new RegExp(`<!-- ${name} (\\d+) -->`))?.[1];
    if (found === undefined) throw new Error(`it has no count of "${name}"`);
    return Number(found);
  };
  const failed = count("fail") + count("cancelled");
  return { passed: count("pass"), failed, skipped: count("skipped") + count("todo"), success: failed === 0 };
}
