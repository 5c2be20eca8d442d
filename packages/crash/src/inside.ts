import { Disk } from "./disk.ts";
import type { Word } from "./host.ts";
import { type CutPlan, cutPower } from "./power-cuts.ts";

/** The first process of a mount namespace. Its argument is a plan; or a folder, to try whether power can be cut at all. */
process.on("disconnect", () => process.exit(1));
const [, , argument = ""] = process.argv;
if (argument.startsWith("{")) {
  const sum = await cutPower(JSON.parse(argument) as CutPlan, (cut) => tell({ cut }));
  tell({ sum });
} else {
  const disk = new Disk(argument);
  await disk.erase();
  await (await disk.arm()).cut();
  await disk.unmount();
  tell("ready");
}
process.removeAllListeners("disconnect");
process.disconnect();

function tell(word: Word): void {
  process.send?.(word);
}
