/** What was looked for was merged away meanwhile: a newer checkpoint says where it is now. Never leaves the engine. */
export class Moved extends Error {
  override readonly name = "Moved";
}
