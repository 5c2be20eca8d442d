import type { WriteOptions } from "../contract/options.ts";
import type { StoreDriver } from "../driver/store-driver.ts";
import { newCommitId } from "./commit-id.ts";
import type { CommitQueue } from "./commit-queue.ts";
import type { Draft } from "./draft.ts";
import { checkCommitId, checkSignal } from "./guard.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { sealCommit } from "./record.ts";
import type { Tail } from "./tail.ts";

/** What the parts of one open store share. */
export class StoreCore {
  readonly driver: StoreDriver;
  readonly life: Lifecycle;
  readonly tail: Tail;
  readonly #queue: CommitQueue;

  constructor(parts: { driver: StoreDriver; life: Lifecycle; tail: Tail; queue: CommitQueue }) {
    this.driver = parts.driver;
    this.life = parts.life;
    this.tail = parts.tail;
    this.#queue = parts.queue;
  }

  /** One single write, from its checks to its true outcome. All up to the queue happens before the first await, so that writes keep the order called. */
  async write<D extends Draft>(options: WriteOptions | undefined, draft: () => D): Promise<D> {
    this.life.assertOpen();
    const drafted = draft();
    const signal = checkSignal(options);
    const commitId = checkCommitId(options);
    signal?.throwIfAborted();
    await this.submit([drafted], commitId, signal);
    return drafted;
  }

  submit(drafts: readonly Draft[], commitId: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    const commit = sealCommit(drafts, commitId ?? newCommitId());
    return this.#queue.submit(commit, { repeat: commitId !== undefined, replyLost: false, signal });
  }
}
