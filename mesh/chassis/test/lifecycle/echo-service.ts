import { readConfig } from "../../src/config/read-config.ts";
import { serviceConfig } from "../../src/config/service-config.ts";
import { runService } from "../../src/lifecycle/service.ts";
import { type Implementation, serve } from "../../src/transport/route.ts";
import { EchoService, type Note } from "../transport/echo-contract.ts";

// A whole service of the smallest kind, run as a process of its own by service.test.ts.
const config = readConfig(serviceConfig);

await runService({
  config,
  start: async ({ scope, logger, signal }) => {
    // As a loop of a service does, it ends by the signal only.
    const ended = new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));
    scope.defer(() => ended);
    scope.defer(() => logger.info("released first opened"));
    scope.defer(() => logger.info("released last opened"));
    if (config.instance === "echo-broken") throw new Error("cannot start");
    const implementation = {
      echo: async (note: Note) => {
        logger.info(`entered ${note.text}`);
        await new Promise((resolve) => setTimeout(resolve, Number(note.text)));
        return { text: "done" };
      },
    };
    return { routes: [serve(EchoService, withRest(implementation))] };
  },
});

function withRest(some: object): Implementation<typeof EchoService> {
  const rest = EchoService.methods.map(({ localName }) => [localName, async () => ({})]);
  return { ...Object.fromEntries(rest), ...some };
}
