/** A service that takes longer to start than a short leaf lives. */
import { setTimeout as wait } from "node:timers/promises";

await wait(3_000);
await import("./main.ts");
