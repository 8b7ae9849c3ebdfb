import type { ConfigReader } from "./read-config.ts";

/** Where the broker is, and whether the way there is encrypted. */
export interface BrokerConfig {
  /**
   * `ORRERY_NATS_URL`: with `tls://` the connection is made with this process's own certificate, with `nats://` in the
   * clear, where something else encrypts and in tests.
   */
  readonly natsUrl: string;
}

/** Reads where the broker is. Call it inside `readConfig`, beside the service's own settings. */
export const brokerConfig = (read: ConfigReader): BrokerConfig => ({
  natsUrl: read.text("ORRERY_NATS_URL", { pattern: /^(tls|nats):\/\/\S+$/ }),
});
