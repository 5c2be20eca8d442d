import { describe, expect, test } from "vitest";
import { ClauseViolation, equal, isTrue, rejects, staysPending, throws, within } from "../src/conformance/expect.ts";
import { Random } from "../src/conformance/random.ts";

const never = new Promise<never>(() => {});

describe("expect", () => {
  test("equal is deep and strict", () => {
    equal({ a: [1, null] }, { a: [1, null] }, "same");
    const different: [unknown, unknown][] = [
      [0, -0],
      [1, "1"],
      [{ a: undefined }, {}],
      [[], {}],
      [new Uint8Array([1]), Buffer.from([1])],
    ];
    for (const [got, wanted] of different) {
      expect(() => equal(got, wanted, "what")).toThrow(ClauseViolation);
    }
  });

  test("a violation says what, wanted and got", () => {
    const violation = new ClauseViolation("the tail", { nextOffset: 2 }, "lost");
    expect(violation.message).toBe("the tail\n  wanted: { nextOffset: 2 }\n  got:    lost");
    expect(violation).toMatchObject({ wanted: "{ nextOffset: 2 }", got: "lost" });
  });

  test("isTrue", () => {
    isTrue(true, "what");
    expect(() => isTrue(false, "what")).toThrow(ClauseViolation);
  });

  test("rejects gives the error whose fields match, and refuses success, other fields and what is no error", async () => {
    const error = Object.assign(new Error("text"), { code: "CODE" });
    expect(await rejects(Promise.reject(error), { code: "CODE" }, "what")).toBe(error);
    await expect(rejects(Promise.resolve(1), { code: "CODE" }, "what")).rejects.toThrow(ClauseViolation);
    await expect(rejects(Promise.reject(error), { code: "OTHER" }, "what")).rejects.toThrow(ClauseViolation);
    await expect(rejects(Promise.reject("CODE"), {}, "what")).rejects.toThrow(ClauseViolation);
  });

  test("throws likewise, at once", () => {
    const error = Object.assign(new Error("text"), { code: "CODE" });
    const fail = () => {
      throw error;
    };
    expect(throws(fail, { code: "CODE" }, "what")).toBe(error);
    expect(() => throws(fail, { code: "OTHER" }, "what")).toThrow(ClauseViolation);
    expect(() => throws(() => 1, {}, "what")).toThrow(ClauseViolation);
  });

  test("within gives the value or the promise's own error in time, and a violation after it", async () => {
    expect(await within(1_000, Promise.resolve(1), "what")).toBe(1);
    await expect(within(1_000, Promise.reject(new RangeError("own")), "what")).rejects.toThrow(RangeError);
    await expect(within(5, never, "what")).rejects.toThrow(ClauseViolation);
  });

  test("staysPending", async () => {
    expect(await staysPending(5, never)).toBe(true);
    expect(await staysPending(1_000, Promise.resolve())).toBe(false);
    expect(await staysPending(1_000, Promise.reject(new Error("text")))).toBe(false);
  });
});

describe("Random", () => {
  const draw = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 1_000 }, () => random.next());
  };

  test("the same seed gives the same numbers, another seed others", () => {
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  test("numbers lie in [0, 1) and spread evenly", () => {
    const numbers = draw(1);
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.05);
  });

  test("integer and pick reach every value and no other", () => {
    const random = new Random(3);
    expect(new Set(Array.from({ length: 200 }, () => random.integer(4)))).toEqual(new Set([0, 1, 2, 3]));
    expect(new Set(Array.from({ length: 200 }, () => random.pick(["a", "b"])))).toEqual(new Set(["a", "b"]));
    expect(() => random.pick([])).toThrow(RangeError);
  });
});
