/** A position: the next offset to read. Unknown projections start at 0. */
export type Offset = number;

/** Where projections keep how far they have read. */
export interface OffsetStore {
  /** The next offset to read of one stream (persistence id); 0 where none was saved. */
  loadSequence(projection: string, persistenceId: string): Promise<number>;
  /** Saves it; it may move backwards. */
  saveSequence(projection: string, persistenceId: string, sequenceNr: number): Promise<void>;
  /** The next offset to read under `tag`; 0 where none was saved. */
  loadOffset(projection: string, tag: string): Promise<Offset>;
  /** Saves it; it may move backwards. */
  saveOffset(projection: string, tag: string, offset: Offset): Promise<void>;
  /** Forgets every cursor of the projection, whoever wrote it, and of no other. */
  clear(projection: string): Promise<void>;
}
