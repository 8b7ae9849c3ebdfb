import type { Command } from "commander";

/** Fields of requests that flags of another name fill, by what commander calls those. */
const FILLED_BY: Readonly<Record<string, readonly string[]>> = {
  duration: ["for"],
  "Idempotency-Key": ["idempotencyKey"],
  input: ["input", "set"],
  labels: ["label", "tag"],
  pageToken: ["cursor"],
  untilTime: ["until"],
};

/** What a person typed for a field of the request, such as `--max-attempts`; undefined where there is nothing. */
export function wordOf(command: Command, field: string): string | undefined {
  if (command.name() === "api") return undefined; // Its body is the API's own.
  const [name = ""] = field.split(/[.[]/, 1);
  const names = FILLED_BY[name] ?? [name];
  const typed = command.options.find(
    (option) =>
      names.includes(option.attributeName()) &&
      command.getOptionValueSource(option.attributeName()) === "cli",
  );
  if (typed?.long === undefined || typed.long === null) return undefined;
  return name === field ? typed.long : `${typed.long} (${field})`;
}

/** Where a command says what its flags take. */
export function helpOf(command: Command): string {
  const words: string[] = [];
  for (let part: Command | null = command; part !== null; part = part.parent) words.unshift(part.name());
  return `${words.join(" ")} --help says what each flag takes`;
}
