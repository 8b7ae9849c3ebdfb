import { EXIT, type ExitCode } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { formatOf, printList } from "../output/printer.ts";
import { reasonPage, reasonPages } from "../reasons.ts";
import type { CommonFlags } from "../session.ts";
import { type Surroundings, terminalOf } from "../terminal.ts";

/**
 * `explain`: what a reason means and what to do about it, from the contract itself; without one, all of them.
 */
export async function explain(
  reason: string | undefined,
  flags: CommonFlags,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const terminal = terminalOf(surroundings, { colour: flags.color !== false });
  const format = formatOf(flags.output);
  const pages = reason === undefined ? reasonPages() : [reasonPage(reason) ?? unknownReason(reason)];
  const [page] = pages;
  if (reason !== undefined && format === "table" && page !== undefined) {
    terminal.data(`${terminal.paint("bold", page.reason)}: ${page.title}`);
    terminal.data(`cause: ${page.cause}`);
    terminal.data(`fix: ${page.fix}`);
    terminal.data(
      `http: ${page.httpStatus}  grpc: ${page.code}  retry: ${page.retryable ? "later" : "not"} as it is`,
    );
    return EXIT.done;
  }
  const columns = (["reason", "httpStatus", "code", "title"] as const).map((name) => ({
    title: name,
    value: (row: object) => String((row as Record<string, unknown>)[name]),
  }));
  const rows = pages.map((one) => ({ ...one }));
  const text = JSON.stringify(reason === undefined ? rows : rows[0]);
  await printList({ text, rows, columns, name: "reason" }, format, terminal);
  return EXIT.done;
}

function unknownReason(reason: string): never {
  const words = new Set(reason.toUpperCase().split(/[^A-Z]+/));
  const near = reasonPages()
    .map((page) => page.reason)
    .find((name) => name.split("_").some((word) => words.has(word)));
  throw new Failure(`there is no reason ${reason}`, {
    exitCode: EXIT.notFound,
    fix:
      near === undefined
        ? "orrery explain lists them all"
        : `did you mean ${near}? orrery explain lists them all`,
  });
}
