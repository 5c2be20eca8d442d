import type { Capabilities, DataStore, Transaction } from "../contract/data-store.ts";
import type { DurableStateStore } from "../contract/durable-state-store.ts";
import { InvalidArgumentError } from "../contract/errors.ts";
import type { MessageStore } from "../contract/message-store.ts";
import type { WriteOptions } from "../contract/options.ts";
import { isGloballyOrdered, type StoreDriver } from "../driver/store-driver.ts";
import { CommitQueue } from "./commit-queue.ts";
import { publicError } from "./failure.ts";
import { checkCommitId, checkSignal, closedError, kindOf } from "./guard.ts";
import { Lifecycle } from "./lifecycle.ts";
import { DriverGlobalMessageStore, DriverMessageStore } from "./messages.ts";
import type { StoreSettings } from "./open-store.ts";
import type { CommitInterceptor } from "./settler.ts";
import { DriverStateStore } from "./states.ts";
import { StoreCore } from "./store-core.ts";
import { Tail } from "./tail.ts";
import { assertOneKey, TransactionScope } from "./transaction.ts";

const queues = new WeakMap<DataStore, CommitQueue>();

/** A {@link DataStore} over any driver. A backend's public class extends it, and adds its static `open`. */
export class DriverDataStore<M extends MessageStore = MessageStore> implements DataStore<M> {
  readonly id: string;
  readonly messages: M;
  readonly state: DurableStateStore;
  readonly capabilities: Capabilities;
  readonly #core: StoreCore;
  readonly #queue: CommitQueue;
  readonly #settleTimeoutMs: number;
  #closing: Promise<void> | undefined;

  constructor(driver: StoreDriver, settings: StoreSettings) {
    const { storeId, transactions, durable, noticeMs } = driver;
    const life = new Lifecycle();
    const tail = new Tail(driver, noticeMs);
    this.#queue = new CommitQueue(driver, settings.settleTimeoutMs, (commits) => tail.committed(commits));
    this.#core = new StoreCore({ driver, life, tail, queue: this.#queue });
    this.#settleTimeoutMs = settings.settleTimeoutMs;
    const globalOrder = isGloballyOrdered(driver);
    this.id = storeId;
    this.capabilities = Object.freeze({ globalOrder, transactions, durable, noticeMs });
    // What M is follows from the driver: a backend's class names the one that its driver has.
    this.messages = (globalOrder
      ? new DriverGlobalMessageStore(this.#core, driver)
      : new DriverMessageStore(this.#core)) as MessageStore as M;
    this.state = new DriverStateStore(this.#core);
    queues.set(this, this.#queue);
  }

  async transaction<T>(work: (tx: Transaction) => T | PromiseLike<T>, options?: WriteOptions): Promise<T> {
    const { life } = this.#core;
    life.assertOpen();
    if (typeof work !== "function") throw new InvalidArgumentError(`work must be a function, not ${kindOf(work)}`);
    const signal = checkSignal(options);
    const commitId = checkCommitId(options);
    signal?.throwIfAborted();
    const tx = new TransactionScope(this);
    const result = await this.#run(tx, work, signal);
    const drafts = tx.end();
    if (drafts.length === 0) return result;
    if (this.capabilities.transactions === "key") assertOneKey(drafts);
    await this.#core.submit(drafts, commitId, signal);
    return result;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Runs `work` to its end, or until the signal is aborted or the store closed; ends the transaction at once in these cases. */
  async #run<T>(
    tx: TransactionScope,
    work: (tx: Transaction) => T | PromiseLike<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const { life } = this.#core;
    let interrupt: (error: unknown) => void = () => undefined;
    const interrupted = new Promise<never>((_, reject) => {
      interrupt = (error) => {
        tx.abandon();
        reject(error);
      };
    });
    const onAbort = () => interrupt(signal?.reason);
    const running = { close: async () => interrupt(closedError("store")) };
    signal?.addEventListener("abort", onAbort, { once: true });
    life.add(running);
    try {
      return await Promise.race([(async () => work(tx))(), interrupted]);
    } catch (error) {
      // A write's error comes before what `work` threw.
      tx.end();
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      life.remove(running);
    }
  }

  async #close(): Promise<void> {
    const { life, tail, driver } = this.#core;
    life.beginClose();
    tail.close();
    await this.#queue.close();
    await life.readsDone(this.#settleTimeoutMs);
    await driver.close().catch((thrown: unknown) => {
      throw publicError(thrown);
    });
  }
}

/** Puts an interceptor between core and the driver of a store that is built on the SPI: for tests of what can't be provoked otherwise. */
export function interceptCommits(store: DataStore, interceptor: CommitInterceptor): void {
  const queue = queues.get(store);
  if (queue === undefined)
    throw new InvalidArgumentError("this store is not built on a StoreDriver: supply fault hooks of its own");
  queue.intercept(interceptor);
}
