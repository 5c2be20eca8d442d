/** What is written into every store's folder, for whoever finds it. */
export const README = `This folder is a Holdfast store (@holdfast/filesystem): messages and states, as lines of JSON.
Don't change anything in it: a change is found out, and refused as damage.

store.json              the store's format and id
log/000000000001.jsonl  the log, its files in order; only ever appended to. Each block is a header line, then the
                        records that it commits, a line each. What is torn or void is skipped.
                        A file whose blocks were merged is replaced by a line that says so: keep it.
segments/               merged blocks, sorted by stream. They never change.
checkpoints/            where everything is in the segments; the highest number counts.
mark                    how far the log was known to be on disk
tmp/                    files in the making; what is older than a day may go

To watch it grow:       tail -n +1 -F log/*.jsonl
To read it:             jq . log/*.jsonl
To copy it:             close every process that uses it, or take a snapshot of the file system; then copy all of it.

A record of a message is [checksum, commit id, part, envelope].
`;
