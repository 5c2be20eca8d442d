import { randomUUID } from "node:crypto";
import { linkSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { driverFaults } from "../../src/conformance/driver-faults.ts";
import type { Faults, Harness } from "../../src/conformance/harness.ts";
import { Random } from "../../src/conformance/random.ts";
import type { Capabilities, DataStore } from "../../src/contract/data-store.ts";
import type { OpenOptions } from "../../src/contract/options.ts";
import { DriverDataStore, type GloballyOrderedDriver, type StoreDriver } from "../../src/driver/index.ts";
import { MemoryDriver } from "../../src/memory/memory-driver.ts";
import { openStore, type StoreSettings } from "../../src/store/open-store.ts";
import { FileDriver, type FileOptions, FORMAT } from "./file-driver.ts";
import { writeLine } from "./lines.ts";

const NOTICE_MS = 25;

/** Where a saboteur stands between the suite and an honest store. What is absent is honest. */
export interface Tricks {
  /** Beneath core. */
  readonly driver?: (honest: GloballyOrderedDriver, place: string) => StoreDriver;
  /** Above core. */
  readonly store?: (honest: DataStore, place: string) => DataStore;
  /** Other processes take part: for lies that only they bring to light, as each takes a while to start. */
  readonly withPeers?: boolean;
  /** Before a file is opened. */
  readonly beforeOpen?: (place: string) => void;
  /** The file system's link(2), instead of the one at hand. */
  readonly link?: (link: FileOptions["link"]) => FileOptions["link"];
  /** What the file driver is given besides. */
  readonly file?: Partial<FileOptions>;
  readonly capabilities?: Partial<Capabilities>;
  readonly faults?: (honest: Faults) => Faults;
}

/** The honest store beneath each store handed out: where faults are provoked. */
const honestStores = new WeakMap<DataStore, DataStore>();

function storeOver(driver: StoreDriver, place: string, tricks: Tricks, settings: StoreSettings): DataStore {
  const honest = new DriverDataStore(driver, settings);
  const store = tricks.store?.(honest, place) ?? honest;
  honestStores.set(store, honest);
  return store;
}

const faults: Faults = {
  loseReplies: (store, count) => driverFaults.loseReplies(honestStores.get(store) ?? store, count),
  failSync: (store) => driverFaults.failSync(honestStores.get(store) ?? store),
};

/** A store in memory. */
export function inMemory(name: string, tricks: Tricks = {}): Harness {
  return {
    name,
    capabilities: { globalOrder: true, transactions: "store", durable: false, noticeMs: 0, ...tricks.capabilities },
    create: async () => randomUUID(),
    open: (place, options = {}) =>
      openStore(options, { noticeMs: 1 }, async (settings) => {
        const honest = new MemoryDriver();
        return storeOver(tricks.driver?.(honest, place) ?? honest, place, tricks, settings);
      }),
    destroy: async () => {},
    faults: tricks.faults?.(faults) ?? faults,
  };
}

/** A store in a file, with every fault hook and other processes. */
export function onFile(name: string, tricks: Tricks = {}): Harness {
  const module = new URL("./child.ts", import.meta.url);
  module.searchParams.set("name", name);
  const open = (place: string, options: OpenOptions = {}, link: FileOptions["link"] = linkSync) =>
    openStore(options, { noticeMs: NOTICE_MS }, async (settings) => {
      tricks.beforeOpen?.(place);
      const honest = new FileDriver(place, {
        noticeMs: settings.noticeMs,
        link: tricks.link?.(link) ?? link,
        ...tricks.file,
      });
      return storeOver(tricks.driver?.(honest, place) ?? honest, place, tricks, settings);
    });
  const fileFaults: Faults = {
    ...faults,
    damage,
    markNewer,
    openIncapable: async () => open(newPlace(), {}, noHardLinks),
  };
  return {
    name,
    capabilities: {
      globalOrder: true,
      transactions: "store",
      durable: true,
      noticeMs: NOTICE_MS,
      ...tricks.capabilities,
    },
    ...(tricks.withPeers === true ? { module: module.href } : {}),
    create: async () => newPlace(),
    open: (place, options) => open(place, options),
    destroy: async (place) => rmSync(dirname(place), { recursive: true }),
    faults: tricks.faults?.(fileFaults) ?? fileFaults,
  };
}

let root: string | undefined;

/** A folder of its own, in one for the whole process: no check is told of a place that a fault hook made. */
function newPlace(): string {
  root ??= mkdtempSync(join(tmpdir(), "holdfast-saboteurs-"));
  return join(mkdtempSync(join(root, "place-")), "store");
}

/** Removes what fault hooks left behind: to be called when the tests of a file have ended. */
export function removePlaces(): void {
  if (root !== undefined) rmSync(root, { recursive: true, force: true });
  root = undefined;
}

/** As link(2) answers on FAT. */
export function noHardLinks(): never {
  throw Object.assign(new Error("operation not permitted, link"), { code: "EPERM" });
}

/** Changes one byte, anywhere but the newline at the end: without that the last line is one that was never acknowledged. */
async function damage(place: string, seed: number): Promise<void> {
  const bytes = readFileSync(place);
  const random = new Random(seed);
  const at = random.integer(bytes.length - 1);
  bytes[at] = (bytes[at] ?? 0) ^ (1 + random.integer(255));
  writeFileSync(place, bytes);
}

async function markNewer(place: string): Promise<void> {
  const bytes = readFileSync(place);
  const header = Buffer.from(writeLine({ format: FORMAT + 1, storeId: randomUUID() }));
  writeFileSync(place, Buffer.concat([header, bytes.subarray(bytes.indexOf(10) + 1)]));
}
