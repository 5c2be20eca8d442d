import { expect, test } from "vitest";
import { encodeBlock } from "../../src/commit-log/block.ts";
import { type Appended, type LogPage, openLogDriver, type Witness } from "../../src/commit-log/index.ts";
import { sealInPlace } from "../../src/commit-log/seal.ts";
import type { Commit, CommitOutcome } from "../../src/driver/commit.ts";
import { MemoryLog, type MemoryWorld, memoryWorld } from "./memory-log.ts";

const LIMIT = { maxRecords: 1_000, maxBytes: 1_000_000 };
const SOON = Number.POSITIVE_INFINITY;
const NEVER_MERGE = {
  blocks: Number.POSITIVE_INFINITY,
  bytes: Number.POSITIVE_INFINITY,
};

/** A log that counts, and whose next appends end as the test says, after or instead of their effect. */
class ScriptedLog extends MemoryLog {
  appends: Uint8Array[] = [];
  reads = 0;
  /** What the next appends answer. "lost" takes effect, and its reply is lost. */
  script: (Appended | "lost")[] = [];

  constructor(world: MemoryWorld, mergeAfter = NEVER_MERGE) {
    super(world, mergeAfter);
  }

  override async append(block: Uint8Array): Promise<Appended> {
    this.appends.push(block);
    const answer = this.script.shift();
    if (answer === undefined || answer === "lost") await super.append(block);
    return answer === "lost" ? { kind: "uncertain", cause: new Error("lost") } : (answer ?? { kind: "appended" });
  }

  override async read(from: number, maxBytes: number): Promise<LogPage | "merged"> {
    this.reads += 1;
    return super.read(from, maxBytes);
  }
}

function append(stream: string, offset: number, text = "x"): Commit {
  return {
    id: text,
    writes: [{ kind: "append", stream, offset, records: [JSON.stringify([0, text])] }],
    bytes: 10,
  };
}

async function opened(world = memoryWorld()) {
  const log = new ScriptedLog(world);
  const driver = await openLogDriver(log);
  log.reads = 0;
  return {
    log,
    driver,
    commit: (...commits: readonly Commit[]) => driver.commit(commits, SOON),
  };
}

const COMMITTED: CommitOutcome = { kind: "committed" };

test("a lone append costs one append to the log, and one read that finds it", async () => {
  const { log, commit } = await opened();
  expect(await commit(append("s", 0))).toEqual([COMMITTED]);
  expect([log.appends.length, log.reads]).toEqual([1, 1]);
});

test("a group is one block; who is foreseen to be refused is not in it", async () => {
  const { log, commit } = await opened();
  const outcomes = await commit(append("s", 0), append("s", 0), append("s", 1), append("t", 5));
  const refused = (actual: number) => ({ kind: "refused", write: 0, actual });
  // Who was refused because of an earlier member is judged anew behind the whole group.
  expect(outcomes).toEqual([COMMITTED, refused(2), COMMITTED, refused(0)]);
  expect(log.appends.length).toBe(1);
  expect(Buffer.from(log.appends[0] ?? []).toString()).toContain('"commits":[[["m","s",0,1,8]],[["m","s",1,1,8]]]');
});

test("a refusal rests on a look at the log's end, not on what this process knew", async () => {
  const world = memoryWorld();
  const [mine, other] = [await opened(world), await opened(world)];
  await other.commit(append("s", 0));
  expect(await mine.commit(append("s", 1))).toEqual([COMMITTED]);
  expect(await mine.commit(append("s", 1))).toEqual([{ kind: "refused", write: 0, actual: 2 }]);
});

test("who lost the race is told so by where its block lies", async () => {
  const world = memoryWorld();
  const [mine, other] = [await opened(world), await opened(world)];
  await other.commit(append("s", 0, "theirs"));
  expect(await mine.commit(append("s", 0, "mine"), append("t", 0))).toEqual([
    { kind: "refused", write: 0, actual: 1 },
    COMMITTED,
  ]);
  expect(world.blocks.length).toBe(2);
});

test("after a lost reply the same bytes are sent again before anything else", async () => {
  const { log, commit, driver } = await opened();
  log.script = ["lost"];
  expect(await commit(append("s", 0))).toMatchObject([{ kind: "uncertain" }]);
  log.script = [{ kind: "uncertain", cause: "still" }];
  expect(await commit(append("t", 0))).toMatchObject([{ kind: "notWritten" }]);
  log.script = [{ kind: "appended" }];
  expect(await commit(append("t", 0))).toEqual([COMMITTED]);
  const [first, second, third, fourth] = log.appends;
  expect(second).toBe(first);
  expect(third).toBe(first);
  expect(fourth).not.toBe(first);
  expect(await driver.nextOffset("s")).toBe(1);
});

test("a failed sync ends all writing, and leaves what was known to be read", async () => {
  const { log, commit, driver } = await opened();
  await commit(append("s", 0));
  log.script = [{ kind: "reopen", cause: new Error("EIO") }];
  expect(await commit(append("s", 1))).toMatchObject([{ kind: "reopen" }]);
  expect(await commit(append("s", 1))).toMatchObject([{ kind: "notWritten", cause: { kind: "reopen" } }]);
  expect(log.appends.length).toBe(2);
  expect(await driver.readStream("s", 0, LIMIT)).toHaveLength(1);
});

test("what is known is read without a look; all who look at once share one", async () => {
  const { log, commit, driver } = await opened();
  await commit(append("s", 0));
  log.reads = 0;
  await driver.readStream("s", 0, LIMIT);
  expect(log.reads).toBe(0);
  await driver.readGlobal(0, LIMIT);
  expect(log.reads).toBe(1);
  log.reads = 0;
  await Promise.all(Array.from({ length: 50 }, () => driver.nextOffset("s")));
  // The first call's, and one for all who came while it was out.
  expect(log.reads).toBe(2);
});

test("a block that was merged before its writer came to it is settled by who holds its place", async () => {
  const world = memoryWorld();
  const { commit, log, driver } = await opened(world);
  await commit(append("s", 0));
  const asleep = log.read.bind(log);
  let merging = true;
  log.read = async (from, maxBytes) => {
    if (merging) {
      merging = false;
      const merger = await openLogDriver(new MemoryLog(world, { blocks: 1, bytes: 1 }));
      for (let offset = 2; offset < 6; offset++) await merger.commit([append("s", offset)], SOON);
      while (world.blocks.some((block) => block !== undefined)) await new Promise((resolve) => setImmediate(resolve));
      await merger.close();
    }
    return asleep(from, maxBytes);
  };
  expect(await commit(append("s", 1))).toMatchObject([{ kind: "uncertain" }]);
  expect(await commit(append("s", 1))).toEqual([{ kind: "refused", write: 0, actual: 6 }]);
  expect(await driver.readStream("s", 0, LIMIT)).toHaveLength(6);
});

test("a missing or altered block breaks the chain", async () => {
  for (const harm of [
    (blocks: (Uint8Array | undefined)[]) => blocks.splice(1, 1),
    (blocks: (Uint8Array | undefined)[]) => blocks.splice(0, 2, blocks[1], blocks[0]),
    (blocks: (Uint8Array | undefined)[]) => {
      const altered = Buffer.from(blocks[1] ?? []);
      altered.write("y", altered.indexOf('"x"') + 1);
      blocks[1] = sealInPlace(altered);
    },
    (blocks: (Uint8Array | undefined)[]) => blocks[1]?.fill(0x20, 50, 51),
  ]) {
    const world = memoryWorld();
    const { commit } = await opened(world);
    for (let offset = 0; offset < 4; offset++) await commit(append("s", offset));
    harm(world.blocks);
    await expect(openLogDriver(new MemoryLog(world))).rejects.toMatchObject({
      kind: "corruption",
    });
  }
});

test("a log that ends before its witness, or differs from it, is damaged", async () => {
  const world = memoryWorld();
  const { commit, log } = await opened(world);
  let witness: Witness = { position: 0, chain: 0 };
  const bearWitness = (latest: Witness) => {
    witness = latest;
  };
  Object.assign(log, { bearWitness });
  for (let offset = 0; offset < 4; offset++) await commit(append("s", offset));
  const reopen = () => openLogDriver(Object.assign(new MemoryLog(world), { witness }));
  await (await reopen()).close();
  const last = world.blocks.pop();
  await expect(reopen()).rejects.toMatchObject({ kind: "corruption" });
  world.blocks.push(encodeBlock([append("s", 3)], [[["m", "s", 3, 1, 8]]], undefined).bytes);
  await expect(reopen()).rejects.toMatchObject({ kind: "corruption" });
  world.blocks.splice(3, 1, last);
  await (await reopen()).close();
});

test("a block of a newer version is not taken for one of ours", async () => {
  const world = memoryWorld();
  const { commit } = await opened(world);
  await commit(append("s", 0));
  const newer = Buffer.from(
    Buffer.from(world.blocks[0] ?? [])
      .toString()
      .replace('"block":1', '"block":2'),
  );
  world.blocks[0] = sealInPlace(newer);
  await expect(openLogDriver(new MemoryLog(world))).rejects.toMatchObject({
    kind: "unsupported",
  });
});
