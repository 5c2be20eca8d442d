import { once } from "node:events";
import Database from "better-sqlite3";

/** Takes the write lock of a database, says so, and gives it back when it is told. */
const db = new Database(process.argv[2]);
db.exec("BEGIN IMMEDIATE");
process.send?.("locked");
await once(process, "message");
db.exec("ROLLBACK");
db.close();
process.disconnect();
