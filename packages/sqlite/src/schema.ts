/**
 * The stored format. `store` keeps its form in every format to come, so that any version can tell what it meets.
 *
 * - `message`: every message; the row's key is its global offset, so that appending touches the right edge of one tree.
 * - `head`: the next global offset, and up to where messages have been folded into `place`. Written by every append: a
 *   log that lost its end does not go unnoticed.
 * - `stream`: the names of the streams, and their next offsets as of the last fold.
 * - `place`: where the messages of a stream lie, one row for each stream a fold: `first` is an offset, `positions` the
 *   global offsets of the messages from there on, as runs: [position, count, gap, count, gap, count, ...].
 * - `state`: every state ever written, the deleted ones too, with up to nine receipts.
 *
 * What core can't check is checked here. Each `crc` vouches for the other numbers and names of its row. Each row of a
 * named table names its successor in `after` (END, or the successor's crc32), and there is a row before the first, so
 * that a name that is not found is known to be absent, and a listing known to be whole.
 */
export const APPLICATION_ID = 0x486f6c64;

/** Newer formats are refused. */
export const FORMAT = 1;

/** `stream.after` and `state.after` of the last name. */
export const END = -1;

/** The id of the row before the first name. Its name is empty, which no real name is. */
export const SENTINEL_ID = 0;

export const TABLES: readonly string[] = [
  "CREATE TABLE store (one INTEGER PRIMARY KEY, format INTEGER NOT NULL, id TEXT NOT NULL, crc INTEGER NOT NULL) STRICT",
  "CREATE TABLE head (one INTEGER PRIMARY KEY, next INTEGER NOT NULL, folded INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT",
  "CREATE TABLE message (position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, offset INTEGER NOT NULL, record TEXT NOT NULL) STRICT",
  "CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, after INTEGER NOT NULL, next INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT",
  "CREATE TABLE place (stream INTEGER, first INTEGER, positions TEXT NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (stream, first)) STRICT, WITHOUT ROWID",
  "CREATE TABLE state (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, after INTEGER NOT NULL, revision INTEGER NOT NULL, live INTEGER NOT NULL, receipts TEXT NOT NULL, crc INTEGER NOT NULL, record TEXT NOT NULL) STRICT",
];
