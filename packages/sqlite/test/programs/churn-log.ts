import Database from "better-sqlite3";

/** Writes to a database without end, so that its log begins anew every few commits. Says so when it has begun. */
const db = new Database(process.argv[2], { timeout: 10_000 });
db.pragma("journal_mode = WAL");
db.pragma("synchronous = OFF");
db.pragma("wal_autocheckpoint = 12");
db.exec("CREATE TABLE IF NOT EXISTS churned (one INTEGER PRIMARY KEY, body BLOB)");
const replace = db.prepare("INSERT OR REPLACE INTO churned VALUES (?, randomblob(?))");
for (let commit = 0; ; commit++) {
  replace.run(commit % 16, 1 + Math.floor(Math.random() * 12_000));
  if (commit === 0) process.send?.("churning");
}
