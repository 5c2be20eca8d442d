import { rmSync } from "node:fs";
import { benchAppending } from "./appending.ts";
import { describeMachine, scratchFolder } from "./machine.ts";
import { benchPeer } from "./peer.ts";
import { benchReplay } from "./replaying.ts";
import { benchWaking } from "./waking.ts";

const folder = scratchFolder();
try {
  console.log(describeMachine());
  console.log(
    "Every append is durable on this disk when it is acknowledged: WAL, synchronous = FULL, by hand and by us.",
  );
  console.log("Medians over rounds that are interleaved (range); the ratio is the median of the rounds' ratios.");
  await benchAppending(folder);
  await benchPeer(folder);
  await benchWaking(folder);
  await benchReplay(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
