import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MemoryDriver } from "../src/memory/memory-driver.ts";
import { Tail } from "../src/store/tail.ts";

/** A driver that takes its time to say whether something moved. */
class SlowDriver extends MemoryDriver {
  readonly questions: ((moved: boolean) => void)[] = [];

  changed(): Promise<boolean> {
    return new Promise((resolve) => this.questions.push(resolve));
  }
}

const NOTICE_MS = 10;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("readers that come and go while the driver is asked do not have it asked twice at a time", async () => {
  const driver = new SlowDriver();
  const tail = new Tail(driver, NOTICE_MS);
  const first = tail.wait("global");
  await vi.advanceTimersByTimeAsync(NOTICE_MS);
  expect(driver.questions).toHaveLength(1);

  first.cancel();
  tail.wait("global");
  await vi.advanceTimersByTimeAsync(10 * NOTICE_MS);
  expect(driver.questions).toHaveLength(1);

  driver.questions[0]?.(false);
  await vi.advanceTimersByTimeAsync(NOTICE_MS);
  expect(driver.questions).toHaveLength(2);
  tail.close();
});

test("nobody waits: nobody is asked, and no timer is left", async () => {
  const driver = new SlowDriver();
  const tail = new Tail(driver, NOTICE_MS);
  tail.wait("global").cancel();
  expect(vi.getTimerCount()).toBe(0);
  await vi.advanceTimersByTimeAsync(10 * NOTICE_MS);
  expect(driver.questions).toHaveLength(0);
});

test("what moved elsewhere wakes whoever waits", async () => {
  const driver = new SlowDriver();
  const tail = new Tail(driver, NOTICE_MS);
  const waiters = [tail.wait("global"), tail.wait({ stream: "orders" })];
  await vi.advanceTimersByTimeAsync(NOTICE_MS);
  driver.questions[0]?.(true);
  await Promise.all(waiters.map((waiter) => waiter.woken));
  tail.close();
});
