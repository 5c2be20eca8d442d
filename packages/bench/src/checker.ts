import { checkHistory, randomHistory } from "@holdfast/core/conformance";
import { median } from "./measure.ts";
import { format, printFigure } from "./report.ts";

const OPERATIONS = 1_000_000;
const ROUNDS = 5;

/** How long the checker of histories takes. */
export function benchChecker(): void {
  console.log(`\nthe checker, for a history of ${format(OPERATIONS)} operations`);
  const { history, final } = randomHistory(1, OPERATIONS);
  const seconds = Array.from({ length: ROUNDS }, () => {
    const started = performance.now();
    const violations = checkHistory(history, final);
    if (violations.length > 0) throw new Error("the checker accuses a history without a fault");
    return (performance.now() - started) / 1000;
  });
  printFigure("time to check it", median(seconds), "s", { below: 2 });
}
