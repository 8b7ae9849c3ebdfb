import type { Platform } from "../../dev/testing/platform.ts";

/** What a client remembers of one submission: what it asked for, and what it was told. */
export interface Entry {
  readonly key: string;
  readonly job: object;
  /** The job's id once the submission was accepted. */
  id?: string;
  /** How often it was sent. */
  sent: number;
}

/**
 * The client's own record of a run, kept outside the platform: every submission carries an idempotency key and is
 * sent again, with the same key, until it was accepted. An answer that never came is thus no question left open.
 */
export class Journal {
  readonly entries: Entry[] = [];
  /** How many submissions are under way: sent, and not answered. */
  inFlight = 0;
  /** How many answers said that the stored one was replayed. */
  replays = 0;
  readonly #platform: Platform;
  readonly #run: string;

  constructor(platform: Platform, run: string) {
    this.#platform = platform;
    this.#run = run;
  }

  /** Sends jobs at once, each until it was accepted, and resolves when all were. */
  async submit(count: number, job: object): Promise<void> {
    const entries = Array.from({ length: count }, () => {
      const entry: Entry = {
        key: `${this.#run}-${this.entries.length}`,
        job: { ...job, labels: { chaos: this.#run } },
        sent: 0,
      };
      this.entries.push(entry);
      return entry;
    });
    await Promise.all(entries.map((entry) => this.#untilAccepted(entry)));
  }

  async #untilAccepted(entry: Entry): Promise<void> {
    const end = Date.now() + 120_000;
    while (entry.id === undefined) {
      if (Date.now() > end) throw new Error(`not accepted within 120 s: ${entry.key}`);
      const answer = await this.#send(entry);
      if (answer?.status === 202) {
        entry.id = answer.body.id as string;
        if (answer.headers.get("idempotency-replayed") === "true") this.replays += 1;
      } else if (answer !== undefined && answer.status < 500 && answer.status !== 409) {
        throw new Error(`${entry.key} was refused: ${JSON.stringify(answer.body)}`);
      } else {
        await new Promise((done) => setTimeout(done, 200));
      }
    }
  }

  /** One try. A connection that broke is an unknown outcome, and nothing else. */
  async #send(entry: Entry) {
    entry.sent += 1;
    this.inFlight += 1;
    try {
      const headers = { "idempotency-key": entry.key };
      return await this.#platform.send("POST", "/v1/jobs", { body: entry.job, headers });
    } catch {
      return undefined; // the connection broke: the outcome is unknown, and the next try finds out
    } finally {
      this.inFlight -= 1;
    }
  }
}
