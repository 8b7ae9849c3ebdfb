/** `node mesh/dev/src/main.ts run`: the whole platform in the foreground, as `make run` starts it. */
import { COMPILE_CACHE } from "./places.ts";

// A launcher runs as long as its platform, and should weigh little. Node takes its compile cache and the size
// of its young generation only at its start, so the program replaces itself by itself once, under the same
// process id.
const { argv, env, execPath } = process;
if (env.NODE_COMPILE_CACHE === undefined && process.execve !== undefined) {
  const args = [
    execPath,
    "--max-semi-space-size=1",
    "--disable-warning=ExperimentalWarning",
    ...argv.slice(1),
  ];
  process.execve(execPath, args, { ...env, NODE_COMPILE_CACHE: COMPILE_CACHE });
}
const { runCommand } = await import("./commands.ts");
await runCommand(argv[2] ?? "run");
