import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { alertmanagerConfig } from "../src/alertmanager-config.ts";

test("Alertmanager tells every replica of the alerts service, of everything, as itself", () => {
  const webhooks = ["https://127.0.0.1:1/webhooks/alertmanager", "https://127.0.0.1:2/webhooks/alertmanager"];
  const config = parse(alertmanagerConfig(webhooks, { caFile: "ca", certFile: "cert", keyFile: "key" }));
  expect(config.route).toMatchObject({ receiver: "orrery", group_wait: "1s", group_interval: "5s" });
  expect(config.receivers).toHaveLength(1);
  expect(config.receivers[0]).toMatchObject({
    name: "orrery",
    webhook_configs: webhooks.map((url) => ({
      url,
      send_resolved: true,
      max_alerts: 0,
      http_config: { tls_config: { ca_file: "ca", cert_file: "cert", key_file: "key" } },
    })),
  });
});
