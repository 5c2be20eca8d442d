import { setTimeout as sleep } from "node:timers/promises";
import { type Backend, openBackend } from "./backends.ts";
import { order } from "./workload.ts";

/** Another process: appends now and then, and tells when each append was acknowledged. */
const [backend = "sqlite", place = "", count = "0"] = process.argv.slice(2);
const store = await openBackend(backend as Backend, place);
for (let index = 0; index < Number(count); index++) {
  await sleep(3 + Math.random() * 12);
  await store.messages.appendMessages("foreign", index, [order(index)]);
  process.send?.(performance.timeOrigin + performance.now());
}
await store.close();
process.disconnect();
