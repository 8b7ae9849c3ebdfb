import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PactV4 } from "@pact-foundation/pact";
import { PACT_FOLDER } from "./pact-folder.ts";

/** The name of the file that both sides share. */
const fileOf = (consumer: string, provider: string): string => `${consumer}-${provider}.json`;

/**
 * Records what a consumer needs of a provider while the consumer's own code runs: against the stand-in that Pact makes
 * of each answer, or over each message that Pact makes up.
 *
 * `settle` holds what was recorded against what is kept in contracts/pacts.
 */
export class PactRecorder implements Disposable {
  readonly pact: PactV4;
  readonly #folder: string;
  readonly #name: string;

  constructor(consumer: string, provider: string) {
    this.#folder = mkdtempSync(join(tmpdir(), "orrery-pact-"));
    this.#name = fileOf(consumer, provider);
    this.pact = new PactV4({ consumer, provider, dir: this.#folder, logLevel: "error" });
  }

  /**
   * Ends the recording. `PACTS=write`, which `make pacts` sets, keeps what was recorded in place of what is there.
   *
   * @throws Error where the two differ: then the consumer needs something else than its provider was held to
   */
  settle(): void {
    const recorded = tidied(readFileSync(join(this.#folder, this.#name), "utf8"));
    const path = join(PACT_FOLDER, this.#name);
    if (process.env.PACTS === "write") {
      mkdirSync(PACT_FOLDER, { recursive: true });
      writeFileSync(path, recorded);
    }
    const kept = existsSync(path) ? readFileSync(path, "utf8") : "";
    if (kept !== recorded) {
      throw new Error(
        `contracts/pacts/${this.#name} is not what its consumer needs: record it with make pacts`,
      );
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A pact with its interactions in the order of their descriptions, without the versions of Pact's own libraries. */
function tidied(text: string): string {
  const pact = JSON.parse(text) as {
    interactions: { description: string }[];
    metadata: { pactSpecification: object };
  };
  const interactions = pact.interactions.toSorted((left, right) =>
    left.description < right.description ? -1 : 1,
  );
  const { pactSpecification } = pact.metadata;
  return `${JSON.stringify({ ...pact, interactions, metadata: { pactSpecification } }, undefined, 2)}\n`;
}
