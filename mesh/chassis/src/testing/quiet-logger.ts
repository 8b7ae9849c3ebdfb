import { createLogger, type Logger } from "../telemetry/logger.ts";

/** A logger that nobody hears. */
export const quietLogger: Logger = createLogger({
  service: "test",
  instance: "test",
  level: "error",
  write: () => undefined,
});
