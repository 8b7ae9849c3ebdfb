/** Stands in for a service where the launcher is tested: it says that it is ready, and ends when it is told to. */
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";

const answer: RequestListener = (request, response) => {
  response.statusCode = request.url === "/readyz" ? 200 : 404;
  response.end();
};
const portOf = (address: string): number => Number(address.split(":").at(-1));
const { ORRERY_ADMIN_ADDRESS = "", ORRERY_HTTP_ADDRESS, ORRERY_IDENTITY_FILE = "" } = process.env;
const identity = () => {
  const bundle = readFileSync(ORRERY_IDENTITY_FILE);
  return { key: bundle, cert: bundle };
};
const admin = createTlsServer(identity(), answer).listen(portOf(ORRERY_ADMIN_ADDRESS), "127.0.0.1");
setInterval(() => admin.setSecureContext(identity()), 250);
if (ORRERY_HTTP_ADDRESS) createServer(answer).listen(portOf(ORRERY_HTTP_ADDRESS), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
