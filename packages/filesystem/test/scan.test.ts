import { closeSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seal } from "@holdfast/core/log";
import { freshFolder, Numbers } from "@holdfast/test-kit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { encodeLine, SEPARATOR } from "../src/framing.ts";
import { type Scan, scan } from "../src/scan.ts";

const SEED = Number(process.env["HOLDFAST_SEED"] ?? Date.now() % 1_000_000_000);
const separator = SEPARATOR.toString();
const header = encodeLine({ log: "segment", number: 1, format: 1 });

let folder = "";
beforeEach(async () => {
  folder = await freshFolder();
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Scans a file made of these pieces. */
function scanned(pieces: readonly (string | Uint8Array)[], from = 0, maxBytes = Number.POSITIVE_INFINITY): Scan {
  const path = join(folder, "file");
  const bytes = Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
  writeFileSync(path, bytes);
  const fd = openSync(path, "r");
  try {
    return scan(fd, from, bytes.length, maxBytes);
  } finally {
    closeSync(fd);
  }
}

const block = (name: string, body = "[1]\n") => seal(`"block":1,"id":"${name}","commits":[]}\n${body}`);
const appended = (...blocks: readonly (string | Uint8Array)[]) => blocks.flatMap((bytes) => [separator, bytes]);
const names = ({ blocks }: Scan) =>
  blocks.map(({ bytes }) => /"id":"(\w+)"/.exec(Buffer.from(bytes).toString("latin1"))?.[1]);

describe("what is whole", () => {
  test("is found in order, with its place and its bytes", () => {
    const found = scanned([header, ...appended(block("a"), block("b", "[2]\n[3]\n"))]);
    expect(names(found)).toEqual(["a", "b"]);
    const [first, second] = found.blocks;
    expect(first?.offset).toBe(header.length + SEPARATOR.length);
    expect(second?.offset).toBe((first?.end ?? 0) + SEPARATOR.length);
    expect(found.decided).toBe(second?.end);
    expect(Buffer.compare(second?.bytes ?? header, block("b", "[2]\n[3]\n"))).toBe(0);
  });

  test("is read from where the one before ended, and no more than asked for", () => {
    const pieces = [header, ...appended(block("a"), block("b"), block("c"))];
    const first = scanned(pieces, 0, 1);
    expect(names(first)).toEqual(["a"]);
    expect(first.full).toBe(true);
    expect(names(scanned(pieces, first.decided, 1))).toEqual(["b"]);
    expect(names(scanned(pieces, first.decided))).toEqual(["b", "c"]);
  });

  test("may be larger than what is read at once", () => {
    const large = block("large", `["${"x".repeat(3_000_000)}"]\n`);
    const found = scanned([header, ...appended(block("a"), large, block("b"))]);
    expect(names(found)).toEqual(["a", "large", "b"]);
    expect(Buffer.compare(found.blocks[1]?.bytes ?? header, large)).toBe(0);
  });

  test("is given over though its version is unknown: that is the engine's to judge", () => {
    expect(scanned([header, ...appended(seal('"block":99,"id":"a"}\n'))]).blocks.length).toBe(1);
  });
});

describe("what is not whole", () => {
  const torn = block("torn", `["${"x".repeat(500)}"]\n`);

  test.each([1, 17, 35, 36, 60, 200, torn.length - 1])(
    "cut after %i bytes: pending at the end, dead once something whole lies behind it",
    (length) => {
      const pieces = [header, ...appended(block("a"), torn.subarray(0, length))];
      const pending = scanned(pieces);
      expect(names(pending)).toEqual(["a"]);
      expect(pending.decided).toBe(pending.blocks[0]?.end);
      expect(names(scanned([...pieces, ...appended(block("b"))]))).toEqual(["a", "b"]);
      expect(names(scanned([...pieces, ...appended(encodeLine({ log: "next", number: 2 }))]))).toEqual(["a"]);
      expect(names(scanned([...pieces, ...appended(torn.subarray(0, length), block("b"))]))).toEqual(["a", "b"]);
      // It is looked for from where the last read ended, too.
      expect(names(scanned([...pieces, ...appended(block("b"))], pending.decided))).toEqual(["b"]);
    },
  );

  test("becomes whole by what the next writer begins with in no case", () => {
    for (let length = 1; length < torn.length; length++) {
      const found = scanned([header, ...appended(torn.subarray(0, length), block("b"))]);
      expect(names(found), `cut after ${length}`).toEqual(["b"]);
    }
  });

  test("is never believed about its size", () => {
    const forged = Buffer.from(torn.subarray(0, 100));
    for (const size of ["00000064", "7fffffff", "ffffffff", "00000000", "zzzzzzzz", "-0000001", "00000200"]) {
      forged.write(size, 26, "latin1");
      expect(names(scanned([header, ...appended(forged, block("b"), block("c"))])), size).toEqual(["b", "c"]);
    }
  });

  test("with a wrong checksum is dead, whatever it is", () => {
    const wrong = Buffer.from(block("wrong"));
    wrong.writeUInt8(wrong.readUInt8(40) ^ 1, 40);
    expect(names(scanned([header, ...appended(wrong)]))).toEqual([]);
    expect(names(scanned([header, ...appended(wrong, block("b"))]))).toEqual(["b"]);
  });

  test("zeros, as a file system may leave them, are skipped", () => {
    expect(names(scanned([header, ...appended(Buffer.alloc(5_000)), ...appended(block("b"))]))).toEqual(["b"]);
  });

  test("a payload can't forge a beginning: a line feed in a string is escaped", () => {
    const payload = JSON.stringify([0, block("forged").toString()]);
    const carrier = block("carrier", `${payload}\n`);
    expect(names(scanned([header, ...appended(carrier.subarray(0, carrier.length - 5), block("b"))]))).toEqual(["b"]);
  });
});

describe("lines of the log's own", () => {
  const next = encodeLine({ log: "next", number: 2 });

  test("the first line that names the next file ends this one: what lies behind it is void", () => {
    const found = scanned([header, ...appended(block("a"), next, block("void"), next)]);
    expect(names(found)).toEqual(["a"]);
    expect(found.rolled).toBe(true);
  });

  test("a torn one ends nothing", () => {
    const found = scanned([header, ...appended(block("a"), next.subarray(0, next.length - 1), block("b"))]);
    expect(names(found)).toEqual(["a", "b"]);
    expect(found.rolled).toBe(false);
  });

  test("a failed sync is told with the least place from which nothing is certain", () => {
    const told = (from: number) => encodeLine({ log: "sync failed", from });
    const found = scanned([header, ...appended(block("a"), told(200), block("b"), told(100), told(300))]);
    expect(found.distrusted).toEqual({ from: 100, end: found.decided });
    expect(names(found)).toEqual(["a", "b"]);
  });
});

test(`any split of any file finds the same blocks (seed ${SEED})`, () => {
  const numbers = new Numbers(SEED);
  for (let round = 0; round < 200; round++) {
    const pieces: Buffer[] = [header];
    for (let index = 0; index < 12; index++) {
      const whole = block(`n${index}`, `["${"y".repeat(numbers.below(300))}"]\n`);
      const kept = numbers.below(3) === 0 ? numbers.below(whole.length) : whole.length;
      pieces.push(Buffer.from(separator), whole.subarray(0, kept));
    }
    const bytes = Buffer.concat(pieces);
    const all = scanned([bytes]);
    const cut = numbers.below(bytes.length);
    // One who looked earlier saw less of the file, and goes on from there.
    const early = scanned([bytes.subarray(0, cut)]);
    const late = scanned([bytes], early.decided);
    expect([...names(early), ...names(late)], `round ${round}, cut at ${cut}`).toEqual(names(all));
  }
});
