/** A message of the stream "jobs". */
export interface Job {
  readonly number: number;
  readonly factorial: number;
}

/** The state `job/<number>`: who took it, and what came of it. */
export interface Taken {
  readonly by: string;
  readonly result: string;
}
