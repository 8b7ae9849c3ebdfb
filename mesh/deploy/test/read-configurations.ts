/**
 * Run by configuration.test.ts in a process of its own: reads the configuration of each service as the service would,
 * from the environment that a manifest gives it, and prints what each had to say against it.
 */
import { readFileSync } from "node:fs";

/** One process as a manifest starts it. */
export interface Started {
  readonly title: string;
  /** Its `config.ts`. */
  readonly config: string;
  readonly environment: Readonly<Record<string, string>>;
}

const started = JSON.parse(readFileSync(0, "utf8")) as readonly Started[];
const problems: string[] = [];
for (const { title, config, environment } of started) {
  const readers = Object.entries((await import(config)) as Record<string, unknown>).filter(([name]) =>
    /^[a-z]\w*Config$/.test(name),
  );
  if (readers.length === 0) problems.push(`${title}: ${config} reads nothing`);
  process.env = { ...environment };
  for (const [, read] of readers) {
    try {
      (read as () => unknown)();
    } catch (error) {
      problems.push(`${title}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
process.stdout.write(JSON.stringify(problems));
