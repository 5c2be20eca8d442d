import { seal } from "@holdfast/core/log";
import { FilesystemLog } from "../../src/filesystem-log.ts";

/** Appends blocks to the log itself, and tells what became of each, and of the last one once it is given again. */
const [, , directory = "", count = "1", patienceMs = "200"] = process.argv;
const log = await FilesystemLog.open({ directory, noticeMs: 25 });
const append = async (name: string) => {
  const { kind } = await log.append(
    seal(`"block":1,"id":"${name}","commits":[]}\n[1]\n`),
    performance.now() + Number(patienceMs),
  );
  return kind;
};
const told: string[] = [];
for (let index = 0; index < Number(count); index++) told.push(await append(`n${index}`));
let last = told.at(-1);
while (last === "uncertain") last = await append(`n${Number(count) - 1}`);
const page = await log.read(log.start, 1_000_000);
process.send?.({ told, last, found: page === "merged" ? -1 : page.blocks.length });
await log.close();
process.disconnect();
